//! Board, list, card.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::position::Position;

crate::uuid_id! {
    /// Names a list. Made by whoever adds it.
    ListId
}

crate::uuid_id! {
    /// Names a card. Made by whoever adds it.
    CardId
}

/// Most lists on a board, archived ones included.
pub const MAX_LISTS: usize = 500;
/// Most cards on a board, archived ones included.
pub const MAX_CARDS: usize = 20_000;
/// Longest title of a board, list or card, in characters.
pub const MAX_TITLE: usize = 500;
/// Longest notes, in bytes of UTF-8. A change carries them twice, as they were and as they are, and each byte takes up to six in
/// JSON (`\u0001`): [`crate::sync::message::Limits::change_bytes`] has room for that.
pub const MAX_NOTES: usize = 32 * 1024;
/// Longest label, in characters.
pub const MAX_LABEL: usize = 40;
/// Most labels on a card.
pub const MAX_LABELS: usize = 20;

/// A board. Cloning it costs the same however many cards it has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// Its title; empty for a board that was not named yet.
    pub title: String,
    /// Its lists, archived ones included.
    pub lists: OrdMap<ListId, Arc<List>>,
    /// Its cards, archived ones included.
    pub cards: OrdMap<CardId, Arc<Card>>,
}

/// A list of cards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Its title.
    pub title: String,
    /// Its place among the lists.
    pub position: Position,
    /// Put away, with its cards. Can be undone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The list it is in.
    pub list: ListId,
    /// Its place in the list.
    pub position: Position,
    /// Its title.
    pub title: String,
    /// Longer text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Ticked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub done: bool,
    /// Marked urgent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub urgent: bool,
    /// Words to sort by.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<String>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// Put away. Can be undone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
}

impl Card {
    /// A card with a title and nothing else.
    #[must_use]
    pub fn new(list: ListId, position: Position, title: impl Into<String>) -> Self {
        Self {
            list,
            position,
            title: title.into(),
            notes: String::new(),
            done: false,
            urgent: false,
            labels: BTreeSet::new(),
            due: None,
            archived: false,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Board {
    /// The lists that are not archived, in order: by position, then by id.
    #[must_use]
    pub fn open_lists(&self) -> Vec<(ListId, Arc<List>)> {
        let mut lists: Vec<_> =
            self.lists.iter().filter(|(_, list)| !list.archived).map(|(id, list)| (*id, Arc::clone(list))).collect();
        lists.sort_by(|(a_id, a), (b_id, b)| (&a.position, a_id).cmp(&(&b.position, b_id)));
        lists
    }

    /// The cards of a list that are not archived, in order: by position, then by id.
    #[must_use]
    pub fn open_cards(&self, list: ListId) -> Vec<(CardId, Arc<Card>)> {
        let mut cards: Vec<_> = self
            .cards
            .iter()
            .filter(|(_, card)| card.list == list && !card.archived)
            .map(|(id, card)| (*id, Arc::clone(card)))
            .collect();
        cards.sort_by(|(a_id, a), (b_id, b)| (&a.position, a_id).cmp(&(&b.position, b_id)));
        cards
    }

    /// What the board is called where it needs a name.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.title.is_empty() { "Untitled board" } else { &self.title }
    }
}

/// A day of the Gregorian calendar, written `2026-11-24`. It has no time zone: due is due where one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no [`Date`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is written like 2026-11-24")]
pub struct NotADate;

impl Date {
    /// The day, if there is such a day in the years 1 to 9999.
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if year == 0 || year > 9999 || day == 0 || day > days {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// Year, month from 1, and day from 1.
    #[must_use]
    pub const fn parts(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// As people say it: `24 Nov 2026`.
    #[must_use]
    pub fn spoken(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        format!("{} {} {}", self.day, MONTHS[usize::from(self.month) - 1], self.year)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        if !shape {
            return Err(NotADate);
        }
        let part = |range: std::ops::Range<usize>| text[range].parse::<u16>().map_err(|_| NotADate);
        let small = |range| part(range).and_then(|n| u8::try_from(n).map_err(|_| NotADate));
        Self::new(part(0..4)?, small(5..7)?, small(8..10)?).ok_or(NotADate)
    }
}

impl TryFrom<String> for Date {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_that_exist() {
        assert_eq!("2026-11-24".parse::<Date>().expect("a day").spoken(), "24 Nov 2026");
        assert_eq!("2024-02-29".parse::<Date>().expect("a leap day").to_string(), "2024-02-29");
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-32",
            "0000-01-01",
            "26-11-24",
            "2026-11-24T10:00",
            "2026/11/24",
            "２０２６-11",
        ] {
            assert_eq!(text.parse::<Date>(), Err(NotADate), "{text}");
        }
    }
}
