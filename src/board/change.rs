//! What people can do to a board.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{Card, CardId, Date, ListId};
use super::position::Position;
use crate::sync::document::Priority;

/// One thing a person did to a board. Its JSON is in logs for ever: variants and fields may be added, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// Names the board.
    RenameBoard {
        /// The title.
        title: String,
    },
    /// Adds an empty list.
    AddList {
        /// Its id.
        list: ListId,
        /// Its title.
        title: String,
        /// Its place.
        position: Position,
        /// Whether it is put away from the start, as an imported one may be.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        archived: bool,
    },
    /// Names a list.
    RenameList {
        /// Which.
        list: ListId,
        /// The title.
        title: String,
    },
    /// Gives a list another place.
    MoveList {
        /// Which.
        list: ListId,
        /// The place.
        position: Position,
    },
    /// Puts a list away, or brings it back.
    ArchiveList {
        /// Which.
        list: ListId,
        /// Away or back.
        archived: bool,
    },
    /// Adds a card.
    AddCard {
        /// Its id.
        card: CardId,
        /// What it holds.
        #[serde(flatten)]
        content: Card,
    },
    /// Adds many cards, as an import does.
    ImportCards {
        /// Their ids and what they hold.
        cards: Vec<(CardId, Card)>,
    },
    /// Names a card.
    RenameCard {
        /// Which.
        card: CardId,
        /// The title.
        title: String,
    },
    /// Writes a card's notes.
    EditNotes {
        /// Which.
        card: CardId,
        /// The text that the author started from.
        from: String,
        /// The text that the author made of it.
        to: String,
    },
    /// Ticks a card, or takes the tick away.
    SetDone {
        /// Which.
        card: CardId,
        /// Ticked or not.
        done: bool,
    },
    /// Marks a card urgent, or not.
    SetUrgent {
        /// Which.
        card: CardId,
        /// Urgent or not.
        urgent: bool,
    },
    /// Puts a label on a card, or takes it off.
    SetLabel {
        /// Which.
        card: CardId,
        /// The label.
        label: String,
        /// On or off.
        on: bool,
    },
    /// Says when a card is due, or that it is not.
    SetDue {
        /// Which.
        card: CardId,
        /// The day.
        due: Option<Date>,
    },
    /// Gives a card another place, in this list or another.
    MoveCard {
        /// Which.
        card: CardId,
        /// The list.
        list: ListId,
        /// The place in it.
        position: Position,
    },
    /// Puts a card away, or brings it back.
    ArchiveCard {
        /// Which.
        card: CardId,
        /// Away or back.
        archived: bool,
    },
}

impl Change {
    /// The entities that this change touches; none for the board itself.
    #[must_use]
    pub fn touches(&self) -> Vec<Uuid> {
        match self {
            Self::RenameBoard { .. } => vec![],
            Self::AddList { list, .. }
            | Self::RenameList { list, .. }
            | Self::MoveList { list, .. }
            | Self::ArchiveList { list, .. } => vec![list.0],
            Self::AddCard { card, content: Card { list, .. } } | Self::MoveCard { card, list, .. } => {
                vec![card.0, list.0]
            }
            Self::ImportCards { cards } => cards.iter().flat_map(|(id, card)| [id.0, card.list.0]).collect(),
            Self::RenameCard { card, .. }
            | Self::EditNotes { card, .. }
            | Self::SetDone { card, .. }
            | Self::SetUrgent { card, .. }
            | Self::SetLabel { card, .. }
            | Self::SetDue { card, .. }
            | Self::ArchiveCard { card, .. } => vec![card.0],
        }
    }

    /// Imports wait, urgent flags do not.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        match self {
            Self::ImportCards { .. } => Priority::Low,
            Self::SetUrgent { urgent: true, .. } => Priority::High,
            _ => Priority::Normal,
        }
    }

    /// One change for two queued ones to the same field, the later on top.
    #[must_use]
    pub fn merge(&self, later: &Self) -> Option<Self> {
        match (self, later) {
            (Self::EditNotes { card, from, .. }, Self::EditNotes { card: same, from: base, to }) if card == same => {
                let follows = matches!(self, Self::EditNotes { to, .. } if to == base);
                follows.then(|| Self::EditNotes { card: *card, from: from.clone(), to: to.clone() })
            }
            _ => self.same_field(later).then(|| later.clone()),
        }
    }

    /// Whether both set the same field, so that the later wins. Notes are merged: no two edits of theirs count.
    pub(super) fn same_field(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::RenameBoard { .. }, Self::RenameBoard { .. }) => true,
            (Self::RenameList { list, .. }, Self::RenameList { list: same, .. })
            | (Self::MoveList { list, .. }, Self::MoveList { list: same, .. })
            | (Self::ArchiveList { list, .. }, Self::ArchiveList { list: same, .. }) => list == same,
            (Self::RenameCard { card, .. }, Self::RenameCard { card: same, .. })
            | (Self::SetDone { card, .. }, Self::SetDone { card: same, .. })
            | (Self::SetUrgent { card, .. }, Self::SetUrgent { card: same, .. })
            | (Self::SetDue { card, .. }, Self::SetDue { card: same, .. })
            | (Self::MoveCard { card, .. }, Self::MoveCard { card: same, .. })
            | (Self::ArchiveCard { card, .. }, Self::ArchiveCard { card: same, .. }) => card == same,
            (Self::SetLabel { card, label, .. }, Self::SetLabel { card: same, label: word, .. }) => {
                card == same && label == word
            }
            _ => false,
        }
    }
}
