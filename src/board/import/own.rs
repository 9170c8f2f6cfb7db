//! Our own export: [`crate::board::export`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::raw::Raw;
use super::{ImportError, ImportedCard, ImportedList};
use crate::board::export::FORMAT;
use crate::board::model::{Board, Card, CardId, ListId};

pub(super) fn read(format: &str, text: &str) -> Result<Raw, ImportError> {
    if format != FORMAT {
        return Err(ImportError::Newer { format: format.chars().take(80).collect() });
    }
    let board: Board = serde_json::from_str(text).map_err(|error| ImportError::unreadable("Sheetbend", &error))?;
    let mut by_list: BTreeMap<ListId, Vec<(&CardId, &Arc<Card>)>> = BTreeMap::new();
    for (id, card) in &board.cards {
        by_list.entry(card.list).or_default().push((id, card));
    }
    let mut lists: Vec<_> = board.lists.iter().collect();
    lists.sort_by(|(a_id, a), (b_id, b)| (&a.position, a_id).cmp(&(&b.position, b_id)));
    let mut imported = Raw { title: board.title.clone(), named: true, ..Raw::default() };
    for (id, list) in lists {
        let cards = in_order(by_list.remove(id).unwrap_or_default());
        imported.lists.push(ImportedList { title: list.title.clone(), archived: list.archived, cards });
    }
    let strays = in_order(by_list.into_values().flatten().collect());
    imported.add_strays(strays);
    Ok(imported)
}

fn in_order(mut cards: Vec<(&CardId, &Arc<Card>)>) -> Vec<ImportedCard> {
    cards.sort_by(|(a_id, a), (b_id, b)| (&a.position, a_id).cmp(&(&b.position, b_id)));
    cards.into_iter().map(|(_, card)| imported(card)).collect()
}

fn imported(card: &Card) -> ImportedCard {
    ImportedCard {
        title: card.title.clone(),
        notes: card.notes.clone(),
        done: card.done,
        urgent: card.urgent,
        labels: card.labels.clone(),
        due: card.due,
        archived: card.archived,
    }
}
