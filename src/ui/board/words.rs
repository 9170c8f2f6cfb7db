//! A board's changes in words.

use crate::board::{Board, Card, Change, export};
use crate::ui::connection::Words;

/// How this app puts its changes into words.
pub const WORDS: Words<Board> = Words { in_short: in_words, in_full, file_name };

fn file_name(board: &Board) -> String {
    export::file_name(board).trim_end_matches(".json").to_owned()
}

/// A change with all that its author wrote, for them to keep.
fn in_full(board: &Board, change: &Change) -> String {
    let card = |card: &Card| format!("{}\n{}\n", card.title, card.notes);
    match change {
        Change::AddCard { content, .. } => card(content),
        Change::ImportCards { cards } => cards.iter().map(|(_, content)| card(content)).collect(),
        Change::EditNotes { to, .. } => to.clone(),
        _ => in_words(board, change),
    }
}

/// A change in words, for its author.
#[must_use]
pub fn in_words(board: &Board, change: &Change) -> String {
    let card = |id| board.cards.get(id).map_or_else(|| "a card".to_owned(), |card| format!("“{}”", card.title));
    let list = |id| board.lists.get(id).map_or_else(|| "a list".to_owned(), |list| format!("“{}”", list.title));
    match change {
        Change::RenameBoard { title } => format!("Name the board “{title}”."),
        Change::AddList { title, .. } => format!("Add the list “{title}”."),
        Change::RenameList { title, .. } => format!("Name a list “{title}”."),
        Change::MoveList { list: id, .. } => format!("Move {}.", list(id)),
        Change::ArchiveList { list: id, archived: true } => format!("Archive {}.", list(id)),
        Change::ArchiveList { list: id, archived: false } => format!("Restore {}.", list(id)),
        Change::AddCard { content, .. } => format!("Add “{}”.", content.title),
        Change::ImportCards { cards } => format!("Import {} cards.", cards.len()),
        Change::RenameCard { title, .. } => format!("Name a card “{title}”."),
        Change::EditNotes { card: id, to, .. } => format!("Write in the notes of {}: “{to}”.", card(id)),
        Change::SetDone { card: id, done: true } => format!("Tick {}.", card(id)),
        Change::SetDone { card: id, done: false } => format!("Take the tick off {}.", card(id)),
        Change::SetUrgent { card: id, urgent: true } => format!("Mark {} urgent.", card(id)),
        Change::SetUrgent { card: id, urgent: false } => format!("Mark {} not urgent.", card(id)),
        Change::SetLabel { card: id, label, on: true } => format!("Label {} “{label}”.", card(id)),
        Change::SetLabel { card: id, label, on: false } => format!("Take the label “{label}” off {}.", card(id)),
        Change::SetDue { card: id, due: Some(due) } => format!("Make {} due on {}.", card(id), due.spoken()),
        Change::SetDue { card: id, due: None } => format!("Make {} not due.", card(id)),
        Change::MoveCard { card: id, list: to, .. } => format!("Move {} to {}.", card(id), list(to)),
        Change::ArchiveCard { card: id, archived: true } => format!("Archive {}.", card(id)),
        Change::ArchiveCard { card: id, archived: false } => format!("Restore {}.", card(id)),
    }
}
