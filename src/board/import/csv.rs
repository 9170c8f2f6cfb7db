//! Tables (CSV): one row, one card. RFC 4180, and what programs make of it: semicolons, tabs, a quote that is never closed.

use std::collections::HashMap;

use super::instant::{Zone, day};
use super::raw::Raw;
use super::{FIRST_LIST, Format, ImportError, ImportedCard, ImportedList, UNTITLED, extra, one_line, todoist};
use crate::board::model::{Date, MAX_CARDS, MAX_LISTS};

/// Most columns with a name. Each name may stand in every card.
const MAX_NAMES: usize = 200;

/// The rows of a table.
pub(super) struct Rows<'a> {
    text: &'a str,
    delimiter: char,
    /// A quote was found that is not closed: those behind it are letters. Each would be looked for up to the end otherwise.
    unclosed: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let named = text.strip_prefix("sep=").and_then(|rest| rest.chars().next());
        let text = named.map_or(text, |_| text.split_once('\n').map_or("", |(_, rest)| rest));
        Self { text, delimiter: named.unwrap_or_else(|| delimiter(text)), unclosed: false }
    }

    /// The field that the text begins with, and where it ends.
    fn field(&mut self) -> (String, usize) {
        let text = self.text;
        let quoted = text.strip_prefix('"').filter(|_| !self.unclosed).and_then(|inner| {
            let end = closing_quote(inner);
            self.unclosed = end.is_none();
            Some((inner[..end?].replace("\"\"", "\""), end? + 2))
        });
        let (start, from) = quoted.unwrap_or_default();
        let ends = |letter| letter == self.delimiter || letter == '\n' || letter == '\r';
        let end = text[from..].find(ends).map_or(text.len(), |at| from + at);
        (start + &text[from..end], end)
    }
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        let mut row = Vec::new();
        while !self.text.is_empty() {
            let (field, end) = self.field();
            row.push(field);
            let rest = &self.text[end..];
            self.text =
                rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r', self.delimiter])).unwrap_or("");
            if !rest.starts_with(self.delimiter) {
                return Some(row);
            }
            if self.text.is_empty() {
                row.push(String::new());
            }
        }
        (!row.is_empty()).then_some(row)
    }
}

/// Where the quote stands that is not doubled.
fn closing_quote(inner: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + inner[from..].find('"')?;
        if !inner[at + 1..].starts_with('"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// The one that is most frequent in the first line.
fn delimiter(text: &str) -> char {
    let line = text.lines().next().unwrap_or_default();
    let count = |delimiter: char| line.matches(delimiter).count();
    [',', ';', '\t'].into_iter().max_by_key(|one| (count(*one), *one == ',')).unwrap_or(',')
}

/// Reads a table as one card a row. If its first row has names that are known, they say what the columns are.
pub(super) fn read(text: &str, zone: Zone<'_>) -> Result<(Format, Raw), ImportError> {
    let mut rows = Rows::new(text).filter(|row| row.iter().any(|cell| !cell.trim().is_empty())).peekable();
    let head = rows.peek().map(|row| row.iter().take(MAX_NAMES).map(|cell| extra::name(cell)).collect::<Vec<_>>());
    let head = head.unwrap_or_default();
    if todoist::is_head(&head) {
        return Ok((Format::Todoist, todoist::read(&head, rows.skip(1), zone)?));
    }
    let columns: Vec<_> = head.iter().map(|name| Column::named(name)).collect();
    let named = columns.contains(&Column::Title);
    let mut table =
        Table { head: if named { head } else { Vec::new() }, columns, zone, lists: Vec::new(), at: HashMap::new() };
    let mut found = 0;
    for row in rows.skip(usize::from(named)) {
        found += 1;
        if found <= MAX_CARDS {
            table.row(row)?;
        }
    }
    match found {
        0 => Err(ImportError::NoRows),
        1..=MAX_CARDS => Ok((Format::Table, Raw { lists: table.lists, ..Raw::default() })),
        _ => Err(ImportError::TooManyCards { found }),
    }
}

/// What a column says of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Title,
    Notes,
    List,
    Labels,
    Due,
    Done,
    /// A line of the notes.
    Other,
}

impl Column {
    fn named(name: &str) -> Self {
        match name.to_lowercase().as_str() {
            "title" | "name" | "task" | "task name" | "card" | "card title" | "card name" | "summary" | "subject" => {
                Self::Title
            }
            "notes" | "note" | "description" | "card description" | "details" => Self::Notes,
            "list" | "list name" | "section" | "column" | "stack" | "status" => Self::List,
            "labels" | "label" | "tags" => Self::Labels,
            "due" | "due date" | "duedate" | "deadline" => Self::Due,
            "done" | "completed" | "complete" => Self::Done,
            _ => Self::Other,
        }
    }
}

struct Table<'a> {
    /// The columns' names; empty if the first row is a card.
    head: Vec<String>,
    columns: Vec<Column>,
    zone: Zone<'a>,
    lists: Vec<ImportedList>,
    at: HashMap<String, usize>,
}

impl Table<'_> {
    fn row(&mut self, row: Vec<String>) -> Result<(), ImportError> {
        let mut card = ImportedCard::default();
        let (mut list, mut lines) = (String::new(), Vec::new());
        for (at, cell) in row.into_iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty()) {
            let known = if self.head.is_empty() {
                Column::Other
            } else {
                self.columns.get(at).copied().unwrap_or(Column::Other)
            };
            let name = self.head.get(at).map(String::as_str).unwrap_or_default();
            match known {
                Column::Title if card.title.is_empty() => card.title = one_line(&cell),
                Column::Other if self.head.is_empty() && card.title.is_empty() => card.title = one_line(&cell),
                Column::Notes => card.notes = cell.trim().to_owned(),
                Column::List if list.is_empty() => list = one_line(&cell),
                Column::Labels => card.labels.extend(words(&cell)),
                Column::Due if card.due.is_none() && date(&cell, self.zone).is_some() => {
                    card.due = date(&cell, self.zone);
                }
                Column::Done if yes_or_no(&cell).is_some() => card.done = yes_or_no(&cell) == Some(true),
                _ if name.is_empty() => lines.push(cell.trim().to_owned()),
                _ => lines.push(format!("{name}: {}", cell.trim())),
            }
        }
        let parts: Vec<_> =
            [std::mem::take(&mut card.notes), lines.join("\n")].into_iter().filter(|part| !part.is_empty()).collect();
        card.notes = parts.join("\n\n");
        if card.title.is_empty() {
            UNTITLED.clone_into(&mut card.title);
        }
        self.list(list)?.cards.push(card);
        Ok(())
    }

    fn list(&mut self, title: String) -> Result<&mut ImportedList, ImportError> {
        let title = if title.is_empty() { FIRST_LIST.to_owned() } else { title };
        let at = *self.at.entry(title).or_insert_with_key(|title| {
            self.lists.push(ImportedList { title: title.clone(), ..ImportedList::default() });
            self.lists.len() - 1
        });
        let found = self.lists.len();
        self.lists.get_mut(at).filter(|_| found <= MAX_LISTS).ok_or(ImportError::TooManyLists { found })
    }
}

/// Labels in one cell.
fn words(cell: &str) -> impl Iterator<Item = String> {
    cell.split([',', ';', '\n']).map(one_line).filter(|word| !word.is_empty())
}

/// `2026-11-24`, also with a time, and `24 Nov 2026` or `Nov 24 2026`.
pub(super) fn date(cell: &str, zone: Zone<'_>) -> Option<Date> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let cell = cell.trim();
    day(cell, zone).or_else(|| {
        let mut parts = cell.split([' ', ',', '.']).filter(|part| !part.is_empty());
        let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
        let (month, number) =
            if first.starts_with(|letter: char| letter.is_ascii_digit()) { (second, first) } else { (first, second) };
        let month = MONTHS.iter().position(|name| month.to_lowercase().starts_with(name))?;
        Date::new(year.parse().ok()?, u8::try_from(month + 1).ok()?, number.parse().ok()?)
            .filter(|_| parts.next().is_none())
    })
}

fn yes_or_no(cell: &str) -> Option<bool> {
    match cell.trim().to_lowercase().as_str() {
        "true" | "yes" | "1" | "x" | "done" | "completed" | "complete" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        Rows::new(text).collect()
    }

    fn table(text: &str) -> Vec<ImportedList> {
        read(text, &|_| 0).expect("a table").1.lists
    }

    #[test]
    fn fields_are_as_in_rfc_4180() {
        assert_eq!(rows("a,b\r\nc,d"), [["a", "b"], ["c", "d"]]);
        assert_eq!(rows("\"a,\"\"b\"\"\r\nc\",d\n"), [["a,\"b\"\r\nc", "d"]]);
        assert_eq!(rows("a,,\n,b"), [vec!["a", "", ""], vec!["", "b"]]);
        assert_eq!(rows("\"\",a\r\r"), [vec!["", "a"], vec![""]]);
        assert_eq!(rows("a,"), [["a", ""]]);
        assert_eq!(rows(""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn other_delimiters_are_found() {
        assert_eq!(rows("a;b,c;d\n"), [["a", "b,c", "d"]]);
        assert_eq!(rows("a\tb\n"), [["a", "b"]]);
        assert_eq!(rows("sep=|\r\na|b\n"), [["a", "b"]]);
    }

    #[test]
    fn a_quote_that_is_not_closed_swallows_no_row() {
        assert_eq!(rows("\"a,b\nc,d\n"), [["\"a", "b"], ["c", "d"]]);
        assert_eq!(rows("5\" nails,b\n\"x\"y,z\n"), [["5\" nails", "b"], ["xy", "z"]]);
    }

    #[test]
    fn columns_with_known_names_are_read() {
        let lists = table(
            "Title,Description,List name,Tags,Due date,Done,Cost\n\
             Rope,12 mm,Buy,\"boat, deck\",2026-11-24,yes,40 €\n\
             Paint,,Buy,,soon,no,\n\
             Rest,,,,24 Nov 2026,,\n",
        );
        assert_eq!(lists.iter().map(|list| list.title.as_str()).collect::<Vec<_>>(), ["Buy", "To do"]);
        let [rope, paint] = lists[0].cards.as_slice() else { panic!("two cards") };
        assert_eq!((rope.title.as_str(), rope.notes.as_str(), rope.done), ("Rope", "12 mm\n\nCost: 40 €", true));
        assert_eq!((rope.due, rope.labels.len()), (Date::new(2026, 11, 24), 2));
        assert_eq!((paint.title.as_str(), paint.notes.as_str(), paint.due), ("Paint", "Due date: soon", None));
        assert_eq!(lists[1].cards[0].due, Date::new(2026, 11, 24));
    }

    #[test]
    fn without_known_names_the_first_cell_is_the_title() {
        let lists = table("Milk,2 l\n\n,,\nBread,\n,Eggs,12\n");
        let cards: Vec<_> = lists[0].cards.iter().map(|card| (card.title.as_str(), card.notes.as_str())).collect();
        assert_eq!(cards, [("Milk", "2 l"), ("Bread", ""), ("Eggs", "12")]);
    }

    #[test]
    fn a_table_of_too_much_is_refused() {
        let text = "a\n".repeat(MAX_CARDS + 1);
        assert_eq!(read(&text, &|_| 0).expect_err("too many"), ImportError::TooManyCards { found: MAX_CARDS + 1 });
        let text: String = (0..=MAX_LISTS).map(|n| format!("card,{n}\n")).collect();
        let error = read(&format!("Title,List\n{text}"), &|_| 0).expect_err("too many");
        assert_eq!(error, ImportError::TooManyLists { found: MAX_LISTS + 1 });
        assert_eq!(read("Title,Notes\n", &|_| 0).expect_err("none"), ImportError::NoRows);
    }
}
