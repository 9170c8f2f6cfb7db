//! Plain text as cards: one line, one card. Pasting lines and importing a text file both use it.
//!
//! ```
//! use sheetbend::board::import::lines;
//!
//! let lines = lines::read("- [ ] Milk\n- [x] Eggs\n\n☐ Bread");
//! let cards: Vec<_> = lines.cards.iter().map(|card| (card.title.as_str(), card.done)).collect();
//! assert_eq!(cards, [("Milk", false), ("Eggs", true), ("Bread", false)]);
//! ```

use uuid::Uuid;

use super::item::{bulleted, checkbox, is_rule, numbered};
use super::{ImportedCard, changes, fit, one_line};
use crate::board::change::Change;
use crate::board::model::{ListId, MAX_CARDS};
use crate::board::position::Position;

/// The cards that a text makes, in order. Every card is within the limits of a board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Cards with a title and whether they are done. Notes are empty, except those of over-long lines.
    pub cards: Vec<ImportedCard>,
    /// Lines over [`MAX_TITLE`](crate::board::model::MAX_TITLE) characters. Their cards have a title that ends with `…`,
    /// and the whole line in the notes. A line that is also longer than notes may be goes on in the notes of further cards.
    pub long: usize,
    /// Lines that have no card here, because there are more than [`MAX_CARDS`]. Refuse such a text.
    pub beyond: usize,
}

/// Reads one card from each line that is not blank.
///
/// Bullets, checkboxes and numbers that count up from 1 are marks, and not part of the title. A rule (`---`) is blank.
/// Costs time linear in the text.
#[must_use]
pub fn read(text: &str) -> Lines {
    let mut lines = Lines::default();
    let mut last_number = None;
    let mut tally = fit::Tally::default();
    for line in text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        let (done, rest) = without_mark(line.trim(), &mut last_number);
        let title = one_line(rest);
        if title.is_empty() {
            continue;
        }
        if lines.cards.len() >= MAX_CARDS {
            lines.beyond += 1;
        } else {
            fit::fit_card(ImportedCard { title, done, ..ImportedCard::default() }, &mut lines.cards, &mut tally);
        }
    }
    lines.long = tally.titles;
    lines
}

impl Lines {
    /// The changes that add the cards to `list` behind `last`, the position of its last card. To be made in this order.
    ///
    /// Each change adds many cards, all or none. The server rejects changes that make the board hold more than [`MAX_CARDS`].
    pub fn into_changes(self, list: ListId, last: Option<&Position>, new_id: &mut dyn FnMut() -> Uuid) -> Vec<Change> {
        changes::add_cards(self.cards, list, last, new_id)
    }
}

/// Whether the line is ticked, and its text without marks.
fn without_mark<'a>(line: &'a str, last_number: &mut Option<u32>) -> (bool, &'a str) {
    if is_rule(line) {
        return (false, "");
    }
    let rest = bulleted(line).or_else(|| counted(line, last_number)).unwrap_or(line);
    checkbox(rest).unwrap_or((false, rest))
}

/// The text behind a number that counts up: in "24. December" it belongs to the text.
fn counted<'a>(line: &'a str, last: &mut Option<u32>) -> Option<&'a str> {
    let (number, rest) = numbered(line)?;
    // Markdown allows `1.` on every line.
    let follows = last.is_some_and(|last| number == last || number == last + 1);
    if number > 1 && !follows {
        return None;
    }
    *last = Some(number);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::model::{MAX_NOTES, MAX_TITLE};

    fn shown(text: &str) -> Vec<String> {
        let tick = |card: &ImportedCard| format!("{}{}", if card.done { "✓" } else { "" }, card.title);
        read(text).cards.iter().map(tick).collect()
    }

    #[test]
    fn marks_are_no_part_of_the_title() {
        assert_eq!(
            shown("- [ ] a\r\n- [x] b\n* c\n1. d\n2) [X] e\n☐ f\n☑ g\n[ ] h\n  • i\nplain\tj\u{2028}+ [] k"),
            ["a", "✓b", "c", "d", "✓e", "f", "✓g", "h", "i", "plain j", "k"]
        );
    }

    #[test]
    fn blank_lines_and_marks_alone_make_no_card() {
        assert!(shown("\n \t\r\n-\n- [ ]\n---\n* * *\n1.\n☐\n").is_empty());
    }

    #[test]
    fn numbers_that_count_up_are_marks() {
        let forty: String = (1..=40).map(|n| format!("{n}. Item {n}\n")).collect();
        assert_eq!(shown(&forty), (1..=40).map(|n| format!("Item {n}")).collect::<Vec<_>>());
        assert_eq!(shown("1. a\n  - b\n1. c\n2. d"), ["a", "b", "c", "d"]);
        assert_eq!(shown("24. December\n31. December\n1.5 litres"), ["24. December", "31. December", "1.5 litres"]);
    }

    #[test]
    fn an_over_long_line_is_told_and_whole_in_the_notes() {
        let line = "ä".repeat(MAX_TITLE + 1);
        let lines = read(&format!("short\n- [x] {line}\n"));
        assert_eq!((lines.long, lines.cards.len()), (1, 2));
        let card = &lines.cards[1];
        assert_eq!((card.title.chars().count(), card.done), (MAX_TITLE, true));
        assert_eq!(card.notes, line);
        assert_eq!(read(&"b".repeat(MAX_TITLE)).long, 0);
    }

    #[test]
    fn a_line_longer_than_notes_goes_on_behind() {
        let line = "word ".repeat(MAX_NOTES / 2).trim_end().to_owned();
        let lines = read(&line);
        assert_eq!((lines.long, lines.cards.len()), (1, 3));
        assert_eq!(lines.cards.iter().map(|card| card.notes.as_str()).collect::<String>(), line);
    }

    #[test]
    fn lines_beyond_what_a_board_holds_are_counted() {
        let lines = read(&"a\n".repeat(MAX_CARDS + 3));
        assert_eq!((lines.cards.len(), lines.beyond), (MAX_CARDS, 3));
    }

    #[test]
    fn cards_go_behind_the_last() {
        let (list, last) = (ListId(Uuid::from_u128(1)), Position::between(None, None));
        let mut ids = 1;
        let changes = read(&"- a\n".repeat(250)).into_changes(list, Some(&last), &mut || {
            ids += 1;
            Uuid::from_u128(ids)
        });
        let mut previous = last;
        let mut count = 0;
        for change in changes {
            let Change::ImportCards { cards } = change else { panic!("{change:?}") };
            for (_, card) in cards {
                assert!(card.list == list && card.position > previous);
                previous = card.position;
                count += 1;
            }
        }
        assert_eq!(count, 250);
    }
}
