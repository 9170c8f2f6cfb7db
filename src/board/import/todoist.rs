//! A project exported from Todoist as CSV ("Export as a template").
//!
//! Rows are sections, tasks and notes, each note below its task. A task that is indented belongs to the one above: it is a line
//! of its notes. Completed tasks are not in such a file.

use super::csv::date;
use super::extra::{Comment, Counts, Extra};
use super::instant::Zone;
use super::raw::Raw;
use super::{FIRST_LIST, ImportError, ImportedCard, ImportedList, UNTITLED, extra, one_line};
use crate::board::model::MAX_CARDS;

/// Columns that say nothing of a task, or only how others are written.
const SKIPPED: [&str; 5] = ["AUTHOR", "DATE_LANG", "DEADLINE_LANG", "TIMEZONE", "DURATION_UNIT"];

/// Whether these are the columns of such a file.
pub(super) fn is_head(head: &[String]) -> bool {
    ["TYPE", "CONTENT", "INDENT"].iter().all(|name| head.iter().any(|cell| cell == name))
}

pub(super) fn read(
    head: &[String],
    rows: impl Iterator<Item = Vec<String>>,
    zone: Zone<'_>,
) -> Result<Raw, ImportError> {
    let mut reader = Reader { zone, lists: Vec::new(), task: None, in_notes: Counts::default() };
    let mut found = 0;
    for row in rows {
        let row = Row { head, cells: &row };
        match row.get("TYPE").to_lowercase().as_str() {
            "section" => reader.section(row.get("CONTENT")),
            "note" => reader.note(&row),
            "task" => {
                found += 1;
                if found <= MAX_CARDS {
                    reader.task(&row);
                }
            }
            _ => {}
        }
    }
    if found > MAX_CARDS {
        return Err(ImportError::TooManyCards { found });
    }
    reader.end_task();
    let remarks = reader.in_notes.remark().into_iter().collect();
    match reader.lists {
        lists if lists.is_empty() => Err(ImportError::NoRows),
        lists => Ok(Raw { lists, remarks, ..Raw::default() }),
    }
}

struct Row<'a> {
    head: &'a [String],
    cells: &'a [String],
}

impl<'a> Row<'a> {
    fn named(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.head.iter().map(String::as_str).zip(self.cells.iter().map(|cell| cell.trim()))
    }

    fn get(&self, name: &str) -> &'a str {
        self.named().find(|(column, _)| *column == name).map_or("", |(_, cell)| cell)
    }
}

/// A task whose notes may go on.
struct Task {
    card: ImportedCard,
    /// Its description, and the tasks below it.
    lines: Vec<String>,
    extra: Extra,
}

struct Reader<'a> {
    zone: Zone<'a>,
    lists: Vec<ImportedList>,
    task: Option<Task>,
    in_notes: Counts,
}

impl Reader<'_> {
    fn section(&mut self, title: &str) {
        self.end_task();
        self.lists.push(ImportedList { title: one_line(title), ..ImportedList::default() });
    }

    fn task(&mut self, row: &Row<'_>) {
        let indent: usize = row.get("INDENT").parse().unwrap_or(1);
        match &mut self.task {
            Some(above) if indent > 1 => {
                let margin = "  ".repeat(indent.min(9) - 2);
                above.lines.push(format!("{margin}- [ ] {}", one_line(row.get("CONTENT"))));
                above.lines.extend(row.get("DESCRIPTION").lines().map(|line| format!("{margin}      {line}")));
                let title = extra::name(row.get("CONTENT"));
                above.extra.facts.extend(facts(row, self.zone).into_iter().map(|fact| format!("{title}: {fact}")));
                self.in_notes.add("subtask", 1);
            }
            _ => self.start_task(row),
        }
    }

    fn start_task(&mut self, row: &Row<'_>) {
        self.end_task();
        let (labels, words): (Vec<_>, Vec<_>) =
            row.get("CONTENT").split_whitespace().partition(|word| word.starts_with('@') && word.len() > 1);
        let mut card = ImportedCard {
            title: if words.is_empty() { UNTITLED.to_owned() } else { one_line(&words.join(" ")) },
            urgent: row.get("PRIORITY") == "1",
            labels: labels.into_iter().map(|label| one_line(&label[1..])).filter(|label| !label.is_empty()).collect(),
            ..ImportedCard::default()
        };
        card.due = date(row.get("DATE"), self.zone);
        let lines = row.get("DESCRIPTION").lines().map(str::to_owned).collect();
        self.task = Some(Task { card, lines, extra: Extra { facts: facts(row, self.zone), ..Extra::default() } });
    }

    fn note(&mut self, row: &Row<'_>) {
        // The author's number follows the name.
        let author = row.get("AUTHOR");
        let author = author.rsplit_once(" (").map_or(author, |(name, _)| name).to_owned();
        let text = row.get("CONTENT").to_owned();
        if let Some(task) = self.task.as_mut().filter(|_| !text.is_empty()) {
            task.extra.comments.push(Comment { at: row.get("DATE").to_owned(), author, text });
            self.in_notes.add("comment", 1);
        } else if !text.is_empty() {
            // A note on the project.
            self.task = Some(Task {
                card: ImportedCard { title: "Project note".to_owned(), ..ImportedCard::default() },
                lines: vec![text],
                extra: Extra::default(),
            });
        }
    }

    fn end_task(&mut self) {
        let Some(Task { mut card, lines, extra }) = self.task.take() else { return };
        card.notes = extra.below(&lines.join("\n"), self.zone);
        if self.lists.is_empty() {
            self.lists.push(ImportedList { title: FIRST_LIST.to_owned(), ..ImportedList::default() });
        }
        if let Some(list) = self.lists.last_mut() {
            list.cards.push(card);
        }
    }
}

/// What else a row says of its task, as lines.
fn facts(row: &Row<'_>, zone: Zone<'_>) -> Vec<String> {
    let unit = row.get("DURATION_UNIT");
    let fact = |(name, cell): (&str, &str)| match name {
        _ if cell.is_empty() || cell == "None" || SKIPPED.contains(&name) => None,
        "TYPE" | "CONTENT" | "DESCRIPTION" | "INDENT" => None,
        "PRIORITY" => ["2", "3"].contains(&cell).then(|| format!("Priority: {cell}")),
        "DATE" => date(cell, zone).is_none().then(|| format!("Date: {cell}")),
        "RESPONSIBLE" => Some(format!("Responsible: {}", cell.rsplit_once(" (").map_or(cell, |(name, _)| name))),
        "DURATION" => Some(format!("Duration: {cell} {unit}")),
        "DEADLINE" => Some(format!("Deadline: {cell}")),
        name => Some(format!("{name}: {cell}")),
    };
    row.named().filter_map(fact).collect()
}

#[cfg(test)]
mod tests {
    use crate::board::import::csv;

    const HEAD: &str = "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE,DURATION,\
                        DURATION_UNIT,DEADLINE,DEADLINE_LANG";

    #[test]
    fn sections_are_lists_and_what_is_below_a_task_is_in_its_notes() {
        let rows = "\
meta,view_style=board,,,,,,,,,,,,
task,Sweep the deck,,4,1,Ada (7),,2026-11-24 09:30,en,Europe/Berlin,,None,,
,,,,,,,,,,,,,
section,Harbour,,,,,,,,,,,,
task,Buy rope @boat @blue,12 mm,1,1,Ada (7),Bo (8),every monday,en,Europe/Berlin,30,minute,2026-12-01,en
task,Measure,twice,4,2,Ada (7),,,en,,,None,,
note,\"In blue,
please\",,,,Bo (8),,,,,,,,
section,Later,,,,,,,,,,,,
";
        let (_, imported) = csv::read(&format!("{HEAD}\r\n{rows}"), &|_| 0).expect("a project");
        let shape: Vec<_> = imported.lists.iter().map(|list| (list.title.as_str(), list.cards.len())).collect();
        assert_eq!(shape, [("To do", 1), ("Harbour", 1), ("Later", 0)]);
        let (sweep, rope) = (&imported.lists[0].cards[0], &imported.lists[1].cards[0]);
        assert_eq!(sweep.due.map(|due| due.to_string()).as_deref(), Some("2026-11-24"));
        assert_eq!((rope.title.as_str(), rope.urgent, rope.due), ("Buy rope", true, None));
        assert_eq!(rope.labels.iter().collect::<Vec<_>>(), ["blue", "boat"]);
        assert_eq!(
            rope.notes,
            "12 mm\n- [ ] Measure\n      twice\n\n\
             Responsible: Bo\nDate: every monday\nDuration: 30 minute\nDeadline: 2026-12-01\n\n\
             Comments\n\nBo: In blue,\nplease"
        );
        assert_eq!(imported.remarks, ["1 subtask and 1 comment are in the notes of their cards."]);
    }
}
