//! What a person can type on a board, and what it comes to when they leave the field.

use std::fmt;
use std::str::FromStr;

use crate::board::model::{MAX_LABEL, MAX_NOTES, MAX_TITLE};
use crate::board::{Board, CardId, Change, Date, ListId};
use crate::sync::document::Document as _;

/// Due dates before this year are typing errors, most often of a year that was not typed to its end.
const FIRST_YEAR: &str = "1900";

/// A field in which text is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The board's title.
    BoardTitle,
    /// The title of a list that is not on the board yet.
    NewList,
    /// A list's title.
    ListTitle(ListId),
    /// The title of a card that is not in this list yet.
    NewCard(ListId),
    /// A card's title.
    CardTitle(CardId),
    /// The day on which a card is due.
    CardDue(CardId),
    /// A label that is not on the card yet.
    CardLabel(CardId),
    /// A card's notes.
    CardNotes(CardId),
}

/// How a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Characters,
    Bytes,
}

/// What is said of a text that comes near its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The sentence.
    pub text: String,
    /// The text is beyond its limit.
    pub over: bool,
}

/// What leaving a field comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing was changed: the field shows the board's value again.
    Same,
    /// The board is to be changed.
    Changed {
        /// The change.
        change: Change,
        /// Somebody else's value that it replaces, which the person has not seen.
        over: Option<String>,
    },
    /// The text cannot be saved as it is. It stays in the field, with this reason.
    Held(String),
}

impl Place {
    /// The card whose details have the field.
    #[must_use]
    pub const fn card(self) -> Option<CardId> {
        match self {
            Self::CardTitle(card) | Self::CardDue(card) | Self::CardLabel(card) | Self::CardNotes(card) => Some(card),
            _ => None,
        }
    }

    /// The list that has the field.
    #[must_use]
    pub const fn list(self) -> Option<ListId> {
        match self {
            Self::ListTitle(list) | Self::NewCard(list) => Some(list),
            _ => None,
        }
    }

    /// The field's name, at the start of a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BoardTitle => "The board's title",
            Self::NewList | Self::ListTitle(_) => "The list's title",
            Self::NewCard(_) | Self::CardTitle(_) => "The title",
            Self::CardDue(_) => "The due date",
            Self::CardLabel(_) => "The label",
            Self::CardNotes(_) => "The notes",
        }
    }

    /// The value that a typed text stands for. Titles and labels are one line.
    #[must_use]
    pub fn value(self, text: &str) -> String {
        match self {
            Self::CardNotes(_) => text.to_owned(),
            _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    /// A text that is being typed here, with another one behind it: in a line of its own where there can be several. A due date is one day:
    /// the other one.
    #[must_use]
    pub fn joined(self, typed: &str, other: &str) -> String {
        let between = match self {
            Self::CardDue(_) => return other.to_owned(),
            Self::NewList | Self::NewCard(_) | Self::CardNotes(_) => "\n",
            Self::BoardTitle | Self::ListTitle(_) | Self::CardTitle(_) | Self::CardLabel(_) => " ",
        };
        format!("{typed}{between}{other}")
    }

    /// What leaving the field comes to: the person started from the value `from` and typed `text`, and the board has `now`.
    #[must_use]
    pub fn leave(self, from: &str, text: &str, now: &str) -> Left {
        let to = self.value(text);
        let blank = to.is_empty() && !matches!(self, Self::CardNotes(_) | Self::CardDue(_));
        if blank || to == from || to == now {
            return Left::Same;
        }
        let Some(change) = self.change(from, &to) else {
            return Left::Held("A due date is a day from the year 1900 on.".to_owned());
        };
        if let Err(refusal) = Board::check(&change) {
            return Left::Held(refusal.message.into_owned());
        }
        // Notes are merged: nothing of anybody's is replaced.
        let replaces = now != from && !matches!(self, Self::CardNotes(_) | Self::CardLabel(_));
        Left::Changed { change, over: replaces.then(|| now.to_owned()) }
    }

    /// The change that sets the field. `None` for a day that cannot be, and for what is added elsewhere.
    #[must_use]
    pub fn change(self, from: &str, to: &str) -> Option<Change> {
        let title = to.to_owned();
        Some(match self {
            Self::NewList | Self::NewCard(_) => return None,
            Self::BoardTitle => Change::RenameBoard { title },
            Self::ListTitle(list) => Change::RenameList { list, title },
            Self::CardTitle(card) => Change::RenameCard { card, title },
            Self::CardLabel(card) => Change::SetLabel { card, label: title, on: true },
            Self::CardNotes(card) => Change::EditNotes { card, from: from.to_owned(), to: title },
            Self::CardDue(card) if to.is_empty() => Change::SetDue { card, due: None },
            // A `Date` has four digits of year: their order is that of the years.
            Self::CardDue(card) => {
                let due: Date = to.parse().ok().filter(|_| to >= FIRST_YEAR)?;
                Change::SetDue { card, due: Some(due) }
            }
        })
    }

    /// A value of the field, as people say it.
    #[must_use]
    pub fn spoken(self, value: &str) -> String {
        match self {
            Self::CardDue(_) if value.is_empty() => "no date".to_owned(),
            Self::CardDue(_) => value.parse().map_or_else(|_| value.to_owned(), Date::spoken),
            _ => format!("“{value}”"),
        }
    }

    /// How much room is left for a text, once it is near its limit. Counted as the limit counts.
    #[must_use]
    pub fn remark(self, text: &str) -> Option<Remark> {
        let (most, unit) = match self {
            Self::CardDue(_) => return None,
            Self::CardLabel(_) => (MAX_LABEL, Unit::Characters),
            Self::CardNotes(_) => (MAX_NOTES, Unit::Bytes),
            _ => (MAX_TITLE, Unit::Characters),
        };
        let near = most - (most / 10).max(10);
        // Bytes are no fewer than characters: most texts are not counted.
        if text.len() < near {
            return None;
        }
        let used = match unit {
            Unit::Characters => self.value(text).chars().count(),
            Unit::Bytes => text.len(),
        };
        let unit = |count: usize| match (unit, count) {
            (Unit::Characters, 1) => "character",
            (Unit::Characters, _) => "characters",
            (Unit::Bytes, 1) => "byte",
            (Unit::Bytes, _) => "bytes",
        };
        if used > most {
            let over = used - most;
            let text = format!("{over} {} too long. Shorten it to save it.", unit(over));
            return Some(Remark { text, over: true });
        }
        let left = most - used;
        (used >= near).then(|| Remark { text: format!("{left} {} left", unit(left)), over: false })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BoardTitle => f.write_str("board-title"),
            Self::NewList => f.write_str("new-list"),
            Self::ListTitle(list) => write!(f, "list-title.{list}"),
            Self::NewCard(list) => write!(f, "new-card.{list}"),
            Self::CardTitle(card) => write!(f, "card-title.{card}"),
            Self::CardDue(card) => write!(f, "card-due.{card}"),
            Self::CardLabel(card) => write!(f, "card-label.{card}"),
            Self::CardNotes(card) => write!(f, "card-notes.{card}"),
        }
    }
}

/// A text that is no [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no field of a board is called that")]
pub struct NoSuchPlace;

impl FromStr for Place {
    type Err = NoSuchPlace;

    fn from_str(text: &str) -> Result<Self, NoSuchPlace> {
        let (name, id) = text.split_once('.').unwrap_or((text, ""));
        let list = || id.parse::<ListId>().map_err(|_| NoSuchPlace);
        let card = || id.parse::<CardId>().map_err(|_| NoSuchPlace);
        Ok(match name {
            "board-title" => Self::BoardTitle,
            "new-list" => Self::NewList,
            "list-title" => Self::ListTitle(list()?),
            "new-card" => Self::NewCard(list()?),
            "card-title" => Self::CardTitle(card()?),
            "card-due" => Self::CardDue(card()?),
            "card-label" => Self::CardLabel(card()?),
            "card-notes" => Self::CardNotes(card()?),
            _ => return Err(NoSuchPlace),
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const CARD: CardId = CardId(Uuid::from_u128(1));
    const LIST: ListId = ListId(Uuid::from_u128(2));

    fn rename(title: &str, over: Option<&str>) -> Left {
        let change = Change::RenameCard { card: CARD, title: title.to_owned() };
        Left::Changed { change, over: over.map(ToOwned::to_owned) }
    }

    #[test]
    fn a_place_is_found_by_its_name() {
        let places = [
            Place::BoardTitle,
            Place::NewList,
            Place::ListTitle(LIST),
            Place::NewCard(LIST),
            Place::CardTitle(CARD),
            Place::CardDue(CARD),
            Place::CardLabel(CARD),
            Place::CardNotes(CARD),
        ];
        for place in places {
            assert_eq!(place.to_string().parse(), Ok(place));
            assert!(!place.to_string().contains('/'), "a place is one part of a record's name");
        }
        for text in ["", "new-card", "new-card.x", "somewhere.else"] {
            assert_eq!(text.parse::<Place>(), Err(NoSuchPlace), "{text}");
        }
    }

    #[test]
    fn a_title_changes_when_it_is_another() {
        let leave = |from: &str, text: &str, now: &str| Place::CardTitle(CARD).leave(from, text, now);
        assert_eq!(leave("Milk", " Milk  and eggs\n", "Milk"), rename("Milk and eggs", None));
        assert_eq!(leave("Milk", " Milk ", "Milk"), Left::Same);
        assert_eq!(leave("Milk", "  ", "Milk"), Left::Same, "an emptied title shows again");
        assert_eq!(leave("Milk", "Milk", "Bread"), Left::Same, "nothing was typed: theirs stays");
        assert_eq!(leave("Milk", "Bread", "Bread"), Left::Same, "both typed the same");
        assert_eq!(leave("Milk", "Eggs", "Bread"), rename("Eggs", Some("Bread")), "theirs is told");
    }

    #[test]
    fn a_text_that_comes_back_is_put_behind_what_is_being_typed() {
        assert_eq!(Place::NewList.joined("Ideas", "Plans"), "Ideas\nPlans");
        assert_eq!(Place::CardTitle(CARD).joined("Milk", "Eggs"), "Milk Eggs");
        assert_eq!(Place::CardDue(CARD).joined("2030-05-01", "2031-01-01"), "2031-01-01");
    }

    #[test]
    fn text_beyond_a_limit_is_held_whole() {
        let long = "ä".repeat(MAX_TITLE + 1);
        assert!(matches!(Place::CardTitle(CARD).leave("", &long, ""), Left::Held(_)));
        assert!(matches!(Place::CardLabel(CARD).leave("", &"x".repeat(MAX_LABEL + 1), ""), Left::Held(_)));
        assert!(matches!(Place::CardNotes(CARD).leave("", &"x".repeat(MAX_NOTES + 1), ""), Left::Held(_)));
        let fits = "ä".repeat(MAX_TITLE);
        assert_eq!(Place::CardTitle(CARD).leave("", &fits, ""), rename(&fits, None));
    }

    #[test]
    fn a_due_date_is_a_whole_day_or_none() {
        let leave = |from: &str, text: &str, now: &str| Place::CardDue(CARD).leave(from, text, now);
        let set = |due: Option<&str>, over: Option<&str>| {
            let due = due.map(|due| due.parse().expect("a day"));
            Left::Changed { change: Change::SetDue { card: CARD, due }, over: over.map(ToOwned::to_owned) }
        };
        assert_eq!(leave("", "2030-05-01", ""), set(Some("2030-05-01"), None));
        assert_eq!(leave("2030-05-01", "", "2030-05-01"), set(None, None));
        assert_eq!(leave("", "2030-05-01", "2031-01-01"), set(Some("2030-05-01"), Some("2031-01-01")));
        assert_eq!(leave("2030-05-01", "2030-05-01", "2030-05-01"), Left::Same);
        for text in ["0002-05-01", "0203-05-01", "1899-12-31", "2030-13-01", "tomorrow"] {
            assert!(matches!(leave("", text, ""), Left::Held(_)), "{text}");
        }
        assert_eq!(leave("", "1900-01-01", ""), set(Some("1900-01-01"), None));
    }

    #[test]
    fn notes_start_from_what_the_person_saw() {
        let (from, to) = ("Milk".to_owned(), "Milk\neggs".to_owned());
        let change = Change::EditNotes { card: CARD, from, to };
        let left = Place::CardNotes(CARD).leave("Milk", "Milk\neggs", "Milk\nbread");
        assert_eq!(left, Left::Changed { change, over: None });
        assert!(
            matches!(Place::CardNotes(CARD).leave("Milk", "", "Milk"), Left::Changed { .. }),
            "notes may be emptied"
        );
    }

    #[test]
    fn the_room_that_is_left_is_counted_as_the_limit_counts() {
        let text = |place: Place, text: &str| place.remark(text).map(|remark| remark.text);
        let title = Place::CardTitle(CARD);
        assert_eq!(text(title, &"漢".repeat(449)), None);
        assert_eq!(text(title, &"漢".repeat(450)).as_deref(), Some("50 characters left"));
        assert_eq!(text(title, &"漢".repeat(499)).as_deref(), Some("1 character left"));
        assert_eq!(text(title, &"漢".repeat(502)).as_deref(), Some("2 characters too long. Shorten it to save it."));
        let notes = Place::CardNotes(CARD);
        let fits = "漢".repeat(MAX_NOTES / 3);
        assert_eq!(text(notes, &fits), Some(format!("{} bytes left", MAX_NOTES - fits.len())));
        assert!(notes.remark(&(fits + "漢")).is_some_and(|remark| remark.over));
        assert_eq!(text(Place::CardLabel(CARD), "venue"), None);
    }
}
