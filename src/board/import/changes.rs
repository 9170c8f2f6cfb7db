//! The changes that put an import on a board.

use uuid::Uuid;

use super::{Import, ImportedCard, ImportedList};
use crate::board::change::Change;
use crate::board::model::{Card, CardId, ListId};
use crate::board::position::Position;
use crate::sync::document::size_of;

/// Cards of one change, as JSON: well below [`crate::sync::message::Limits::change_bytes`], and small enough for a slow line
/// to carry something urgent between two of them. A card that alone is larger has a change of its own.
const CHUNK_BYTES: usize = 24 * 1024;
/// Cards of one change.
const CHUNK_CARDS: usize = 100;

impl Import {
    /// The changes that put this on an empty board, to be made in this order; `new_id` gives each list and card its id.
    ///
    /// The board gets its title, then its lists, then their cards, so that the board's shape is there early.
    pub fn into_changes(self, new_id: &mut dyn FnMut() -> Uuid) -> Vec<Change> {
        let mut changes = Vec::new();
        if !self.title.is_empty() {
            changes.push(Change::RenameBoard { title: self.title });
        }
        let mut cards = Vec::new();
        let places: Vec<_> = Position::run_after(None, self.lists.len()).collect();
        for (list, position) in self.lists.into_iter().zip(places) {
            let ImportedList { title, archived, cards: own } = list;
            let id = ListId(new_id());
            changes.push(Change::AddList { list: id, title, position, archived });
            let places = Position::run_after(None, own.len());
            cards.extend(own.into_iter().zip(places).map(|(card, place)| (CardId(new_id()), card.placed(id, place))));
        }
        changes.extend(chunks(cards).into_iter().map(|cards| Change::ImportCards { cards }));
        changes
    }
}

impl ImportedCard {
    fn placed(self, list: ListId, position: Position) -> Card {
        let Self { title, notes, done, urgent, labels, due, archived } = self;
        Card { list, position, title, notes, done, urgent, labels, due, archived }
    }
}

/// The changes that add cards to a list behind `last`.
pub(super) fn add_cards(
    cards: Vec<ImportedCard>,
    list: ListId,
    last: Option<&Position>,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Vec<Change> {
    let places: Vec<_> = Position::run_after(last, cards.len()).collect();
    let cards = cards.into_iter().zip(places).map(|(card, place)| (CardId(new_id()), card.placed(list, place)));
    chunks(cards.collect()).into_iter().map(|cards| Change::ImportCards { cards }).collect()
}

fn chunks(cards: Vec<(CardId, Card)>) -> Vec<Vec<(CardId, Card)>> {
    let mut chunks: Vec<Vec<_>> = Vec::new();
    let mut room = 0;
    for card in cards {
        // With the comma after it.
        let bytes = size_of(&card) + 1;
        match chunks.last_mut() {
            Some(chunk) if bytes <= room && chunk.len() < CHUNK_CARDS => chunk.push(card),
            _ => {
                chunks.push(vec![card]);
                room = CHUNK_BYTES;
            }
        }
        room = room.saturating_sub(bytes);
    }
    chunks
}
