//! What Obsidian's Kanban plugin writes besides Markdown.

use crate::board::model::Date;

/// Begins the block of settings at the end of its files.
pub(super) const SETTINGS: &str = "%% kanban:settings";

/// Whether a file is one of its: the settings at the top, or those at the end, say so.
pub(super) fn is_kanban(front_matter: Option<&str>, text: &str) -> bool {
    let named = |line: &str| line.trim_start().starts_with("kanban-plugin:");
    front_matter.is_some_and(|settings| settings.lines().any(named)) || text.contains(SETTINGS)
}

/// Whether a line says that all cards of its list are done: `**Complete**`, in the language of the person.
pub(super) fn is_complete_mark(text: &str) -> bool {
    text.strip_prefix("**").and_then(|rest| rest.strip_suffix("**")).is_some_and(|word| !word.contains('*'))
}

/// A card's text without its date and its anchor, and the day that it is due.
///
/// `Book @{2026-11-24} @@{09:40} ^a1b2c3` is "Book 09:40", due on the 24th. A time has no field here, and stays.
pub(super) fn card(text: &str) -> (String, Option<Date>) {
    let mut due = None;
    let words = without_anchor(text).split(' ').filter_map(|word| {
        let date = inner(word, "@{", "}").or_else(|| inner(word, "@[[", "]]")).and_then(|day| day.parse().ok());
        match date {
            Some(date) if due.is_none() => {
                due = Some(date);
                None
            }
            _ => Some(inner(word, "@@{", "}").unwrap_or(word)),
        }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    (text, due)
}

fn inner<'a>(word: &'a str, open: &str, close: &str) -> Option<&'a str> {
    word.strip_prefix(open)?.strip_suffix(close)
}

/// The text without ` ^a1b2c3` at its end, by which other notes refer to it.
fn without_anchor(text: &str) -> &str {
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match text.trim_end().rsplit_once(" ^") {
        Some((before, id)) if is_id(id) => before.trim_end(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_due_and_a_time_stays() {
        let (text, due) = card("Book @{2026-11-24} @@{09:40} #trip ^a1-b2");
        assert_eq!((text.as_str(), due), ("Book 09:40 #trip", Date::new(2026, 11, 24)));
        assert_eq!(card("Book @[[2026-11-24]]").1, Date::new(2026, 11, 24));
        let (text, due) = card("Two @{2026-11-24} @{2026-11-25}");
        assert_eq!((text.as_str(), due), ("Two @{2026-11-25}", Date::new(2026, 11, 24)));
    }

    #[test]
    fn what_only_looks_like_one_stays() {
        for text in ["Mail a@b.example", "@{soon}", "10 ^", "2 ^x_y", "a^b", "@{2026-02-30}"] {
            assert_eq!(card(text), (text.to_owned(), None));
        }
    }

    #[test]
    fn a_mark_is_one_bold_phrase() {
        assert!(is_complete_mark("**Complete**") && is_complete_mark("**Tout est fait**"));
        assert!(!is_complete_mark("**a** and **b**") && !is_complete_mark("**") && !is_complete_mark("Done"));
    }
}
