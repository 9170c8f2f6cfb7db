//! What a card of another program has that a card here has no field for: text in its notes.

use std::collections::HashSet;

use super::instant::{Zone, day};
use super::{counted, listed, one_line};

/// Longest name that stands in the notes of many cards, in characters. Unbounded, a name that is long and often referred to
/// would make an import far larger than its file.
const MAX_NAME: usize = 100;

/// A name as one line.
pub(super) fn name(text: &str) -> String {
    let name = one_line(text);
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

/// The parts of a card's notes, besides its description.
#[derive(Default)]
pub(super) struct Extra {
    pub(super) checklists: Vec<Checklist>,
    /// Lines such as `Members: Ada, Bo`.
    pub(super) facts: Vec<String>,
    pub(super) comments: Vec<Comment>,
}

#[derive(Default)]
pub(super) struct Checklist {
    /// What the file calls it, if it does: of two with the same id, one is imported.
    pub(super) id: Option<String>,
    pub(super) title: String,
    /// Whether each is ticked, and its text.
    pub(super) items: Vec<(bool, String)>,
}

#[derive(Default)]
pub(super) struct Comment {
    /// When, as in the file.
    pub(super) at: String,
    pub(super) author: String,
    pub(super) text: String,
}

impl Extra {
    /// A fact of several names; none if there are none.
    pub(super) fn names(&mut self, what: &str, names: impl IntoIterator<Item = String>) {
        let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
        if !names.is_empty() {
            self.facts.push(format!("{what}: {}", names.join(", ")));
        }
    }

    /// The card's notes.
    pub(super) fn below(mut self, description: &str, zone: Zone<'_>) -> String {
        let mut parts = vec![description.trim_end().to_owned()];
        let mut seen = HashSet::new();
        for checklist in self.checklists {
            let text = checklist.text();
            if seen.insert(checklist.id.unwrap_or_else(|| text.clone())) {
                parts.push(text);
            }
        }
        parts.push(self.facts.join("\n"));
        if !self.comments.is_empty() {
            // ISO times sort as text.
            self.comments.sort_by(|a, b| a.at.cmp(&b.at));
            parts.push("Comments".to_owned());
            parts.extend(self.comments.iter().map(|comment| comment.line(zone)));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("\n\n")
    }
}

impl Checklist {
    fn text(&self) -> String {
        let mut lines = vec![one_line(&self.title)];
        let items = self.items.iter().filter(|(_, text)| !text.is_empty());
        lines.extend(items.map(|(done, text)| format!("- [{}] {text}", if *done { 'x' } else { ' ' })));
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }
}

impl Comment {
    /// `Ada, 24 Nov 2026: In blue, please.`
    fn line(&self, zone: Zone<'_>) -> String {
        let author = Some(name(&self.author)).filter(|author| !author.is_empty());
        let day = day(&self.at, zone).map(|day| day.spoken());
        let from: Vec<_> = [author, day].into_iter().flatten().collect();
        let text = self.text.trim();
        if from.is_empty() { text.to_owned() } else { format!("{}: {text}", from.join(", ")) }
    }
}

/// Counts of things, to tell the person of.
#[derive(Default)]
pub(super) struct Counts(Vec<(&'static str, usize)>);

impl Counts {
    pub(super) fn add(&mut self, what: &'static str, count: usize) {
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            _ if count == 0 => {}
            Some((_, sum)) => *sum += count,
            None => self.0.push((what, count)),
        }
    }

    /// `2 comments and 1 start date are in the notes of their cards.`
    pub(super) fn remark(&self) -> Option<String> {
        let parts: Vec<_> = self.0.iter().map(|(what, count)| counted(*count, what)).collect();
        let one = matches!(self.0.as_slice(), [(_, 1)]);
        let rest = if one { "is in the notes of its card" } else { "are in the notes of their cards" };
        (!parts.is_empty()).then(|| format!("{} {rest}.", listed(&parts)))
    }
}

/// `2 files were not imported: they stay in Trello, and their links are in the notes.`
pub(super) fn files_remark(count: usize, program: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 file was not imported: it stays in {program}. Its name is in the notes of its card.")),
        _ => Some(format!(
            "{count} files were not imported: they stay in {program}. Their names are in the notes of their cards."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checklist_that_is_in_the_file_twice_is_in_the_notes_once() {
        let checklist = |id: Option<&str>, text: &str| Checklist {
            id: id.map(str::to_owned),
            title: "Steps".into(),
            items: vec![(false, text.into())],
        };
        let notes = |checklists| Extra { checklists, ..Extra::default() }.below("", &|_| 0);
        assert_eq!(notes(vec![checklist(Some("1"), "a"), checklist(Some("1"), "a")]), "Steps\n- [ ] a");
        assert_eq!(notes(vec![checklist(None, "a"), checklist(None, "a")]), "Steps\n- [ ] a");
        let both = "Steps\n- [ ] a\n\nSteps\n- [ ] a";
        assert_eq!(notes(vec![checklist(Some("1"), "a"), checklist(Some("2"), "a")]), both);
    }

    #[test]
    fn comments_have_author_and_local_day_the_oldest_first() {
        let comment =
            |at: &str, author: &str, text: &str| Comment { at: at.into(), author: author.into(), text: text.into() };
        let comments = vec![
            comment("2026-11-25T02:00:00Z", "Ada", "Later\nand more"),
            comment("2026-11-24T12:00:00Z", "", "First"),
        ];
        let notes = Extra { comments, ..Extra::default() }.below("Text\n", &|_| -8 * 60);
        assert_eq!(notes, "Text\n\nComments\n\n24 Nov 2026: First\n\nAda, 24 Nov 2026: Later\nand more");
    }

    #[test]
    fn counts_are_one_sentence() {
        let mut counts = Counts::default();
        assert_eq!(counts.remark(), None);
        counts.add("comment", 1);
        assert_eq!(counts.remark().as_deref(), Some("1 comment is in the notes of its card."));
        counts.add("start date", 2);
        counts.add("comment", 1);
        counts.add("due date", 0);
        let both = "2 comments and 2 start dates are in the notes of their cards.";
        assert_eq!(counts.remark().as_deref(), Some(both));
    }

    #[test]
    fn names_are_bounded() {
        assert_eq!(name(" Ada\nLovelace "), "Ada Lovelace");
        assert_eq!(name(&"é".repeat(101)), format!("{}…", "é".repeat(100)));
    }
}
