//! What each change does, and so what becomes of changes made at the same time: they are applied in the order of the log.
//!
//! Fields are apart: a change to one leaves the others. In one field the later stays; notes are merged. Nothing is deleted,
//! only archived, so a change never meets a card that is gone.

use std::sync::Arc;

use uuid::Uuid;

use super::change::Change;
use super::model::{
    Board, Card, CardId, List, ListId, MAX_CARDS, MAX_LABEL, MAX_LABELS, MAX_LISTS, MAX_NOTES, MAX_TITLE,
};
use super::notes;
use super::position::Position;
use crate::sync::document::{Document, Priority, Refusal};

impl Document for Board {
    type Change = Change;

    fn check(change: &Change) -> Result<(), Refusal> {
        match change {
            Change::RenameBoard { title }
            | Change::AddList { title, .. }
            | Change::RenameList { title, .. }
            | Change::RenameCard { title, .. } => check_title(title),
            Change::AddCard { content, .. } => check_card(content),
            Change::ImportCards { cards } => cards.iter().try_for_each(|(_, card)| check_card(card)),
            Change::EditNotes { from, to, .. } => check_notes(from).and_then(|()| check_notes(to)),
            Change::SetLabel { label, .. } => check_label(label),
            Change::MoveList { .. }
            | Change::ArchiveList { .. }
            | Change::SetDone { .. }
            | Change::SetUrgent { .. }
            | Change::SetDue { .. }
            | Change::MoveCard { .. }
            | Change::ArchiveCard { .. } => Ok(()),
        }
    }

    fn apply(&mut self, change: &Change) -> Result<(), Refusal> {
        match change {
            Change::RenameBoard { title } => {
                self.title.clone_from(title);
                Ok(())
            }
            Change::AddList { list, title, position, archived } => self.add_list(*list, title, position, *archived),
            Change::RenameList { list, title } => self.list(*list).map(|list| list.title.clone_from(title)),
            Change::MoveList { list, position } => self.list(*list).map(|list| list.position = position.clone()),
            Change::ArchiveList { list, archived } => self.list(*list).map(|list| list.archived = *archived),
            Change::AddCard { card, content } => self.add_card(*card, content),
            Change::ImportCards { cards } => self.import_cards(cards),
            Change::RenameCard { card, title } => self.card(*card).map(|card| card.title.clone_from(title)),
            Change::EditNotes { card, from, to } => self.edit_notes(*card, from, to),
            Change::SetDone { card, done } => self.card(*card).map(|card| card.done = *done),
            Change::SetUrgent { card, urgent } => self.card(*card).map(|card| card.urgent = *urgent),
            Change::SetLabel { card, label, on } => self.set_label(*card, label, *on),
            Change::SetDue { card, due } => self.card(*card).map(|card| card.due = *due),
            Change::MoveCard { card, list, position } => self.move_card(*card, *list, position),
            Change::ArchiveCard { card, archived } => self.card(*card).map(|card| card.archived = *archived),
        }
    }

    fn touches(change: &Change) -> Vec<Uuid> {
        change.touches()
    }

    fn merge(earlier: &Change, later: &Change) -> Option<Change> {
        earlier.merge(later)
    }

    fn inverse(&self, change: &Change) -> Option<Change> {
        match change {
            Change::RenameBoard { .. } => Some(Change::RenameBoard { title: self.title.clone() }),
            Change::AddList { list, .. } => Some(Change::ArchiveList { list: *list, archived: true }),
            Change::AddCard { card, .. } => Some(Change::ArchiveCard { card: *card, archived: true }),
            Change::ImportCards { .. } => None,
            Change::RenameList { list, .. } | Change::MoveList { list, .. } | Change::ArchiveList { list, .. } => {
                self.lists.get(list).map(|before| undo_list(*list, before, change))
            }
            Change::RenameCard { card, .. }
            | Change::EditNotes { card, .. }
            | Change::SetDone { card, .. }
            | Change::SetUrgent { card, .. }
            | Change::SetLabel { card, .. }
            | Change::SetDue { card, .. }
            | Change::MoveCard { card, .. }
            | Change::ArchiveCard { card, .. } => self.cards.get(card).map(|before| undo_card(*card, before, change)),
        }
    }

    fn is_costly(change: &Change) -> bool {
        match change {
            Change::EditNotes { .. } => true,
            Change::ImportCards { cards } => cards.len() > 32,
            _ => false,
        }
    }

    fn priority(change: &Change) -> Priority {
        change.priority()
    }
}

impl Board {
    fn list(&mut self, id: ListId) -> Result<&mut List, Refusal> {
        self.lists.get_mut(&id).map(Arc::make_mut).ok_or_else(no_such_list)
    }

    fn card(&mut self, id: CardId) -> Result<&mut Card, Refusal> {
        self.cards.get_mut(&id).map(Arc::make_mut).ok_or_else(no_such_card)
    }

    fn add_list(&mut self, id: ListId, title: &str, position: &Position, archived: bool) -> Result<(), Refusal> {
        if self.lists.contains_key(&id) {
            return Err(Refusal::new("list_exists", "This list was added before."));
        }
        if self.lists.len() >= MAX_LISTS {
            return Err(Refusal::new(
                "too_many_lists",
                format!("A board holds at most {MAX_LISTS} lists. Start another board."),
            ));
        }
        self.lists.insert(id, Arc::new(List { title: title.to_owned(), position: position.clone(), archived }));
        Ok(())
    }

    fn admit_card(&self, id: CardId, card: &Card) -> Result<(), Refusal> {
        if self.cards.contains_key(&id) {
            return Err(Refusal::new("card_exists", "This card was added before."));
        }
        if !self.lists.contains_key(&card.list) {
            return Err(no_such_list());
        }
        if self.cards.len() >= MAX_CARDS {
            return Err(Refusal::new(
                "too_many_cards",
                format!("A board holds at most {MAX_CARDS} cards. Start another board."),
            ));
        }
        Ok(())
    }

    fn add_card(&mut self, id: CardId, card: &Card) -> Result<(), Refusal> {
        self.admit_card(id, card)?;
        self.cards.insert(id, Arc::new(card.clone()));
        Ok(())
    }

    fn import_cards(&mut self, cards: &[(CardId, Card)]) -> Result<(), Refusal> {
        let mut after = self.clone();
        cards.iter().try_for_each(|(id, card)| after.add_card(*id, card))?;
        *self = after;
        Ok(())
    }

    fn edit_notes(&mut self, id: CardId, from: &str, to: &str) -> Result<(), Refusal> {
        let card = self.card(id)?;
        let merged = notes::merge(from, &card.notes, to);
        check_notes(&merged)?;
        card.notes = merged;
        Ok(())
    }

    fn set_label(&mut self, id: CardId, label: &str, on: bool) -> Result<(), Refusal> {
        let card = self.card(id)?;
        if !on {
            card.labels.remove(label);
            return Ok(());
        }
        if card.labels.len() >= MAX_LABELS && !card.labels.contains(label) {
            return Err(Refusal::new(
                "too_many_labels",
                format!("A card holds at most {MAX_LABELS} labels. Take one off first."),
            ));
        }
        card.labels.insert(label.to_owned());
        Ok(())
    }

    /// Moving into an archived list is no conflict: the card is away with the list and comes back with it.
    fn move_card(&mut self, id: CardId, list: ListId, position: &Position) -> Result<(), Refusal> {
        if !self.lists.contains_key(&list) {
            return Err(no_such_list());
        }
        let card = self.card(id)?;
        card.list = list;
        card.position = position.clone();
        Ok(())
    }
}

fn undo_list(id: ListId, before: &List, change: &Change) -> Change {
    match change {
        Change::RenameList { .. } => Change::RenameList { list: id, title: before.title.clone() },
        Change::MoveList { .. } => Change::MoveList { list: id, position: before.position.clone() },
        _ => Change::ArchiveList { list: id, archived: before.archived },
    }
}

fn undo_card(id: CardId, before: &Card, change: &Change) -> Change {
    match change {
        Change::RenameCard { .. } => Change::RenameCard { card: id, title: before.title.clone() },
        Change::EditNotes { from, to, .. } => {
            Change::EditNotes { card: id, from: notes::merge(from, &before.notes, to), to: before.notes.clone() }
        }
        Change::SetDone { .. } => Change::SetDone { card: id, done: before.done },
        Change::SetUrgent { .. } => Change::SetUrgent { card: id, urgent: before.urgent },
        Change::SetLabel { label, .. } => {
            Change::SetLabel { card: id, label: label.clone(), on: before.labels.contains(label) }
        }
        Change::SetDue { .. } => Change::SetDue { card: id, due: before.due },
        Change::MoveCard { .. } => Change::MoveCard { card: id, list: before.list, position: before.position.clone() },
        _ => Change::ArchiveCard { card: id, archived: before.archived },
    }
}

fn check_title(title: &str) -> Result<(), Refusal> {
    at_most(title.chars().count(), MAX_TITLE, "title_too_long", "title", "characters")
}

fn check_notes(notes: &str) -> Result<(), Refusal> {
    at_most(notes.len(), MAX_NOTES, "notes_too_long", "note", "bytes")
}

fn check_label(label: &str) -> Result<(), Refusal> {
    if label.trim().is_empty() {
        return Err(Refusal::new("label_empty", "A label needs a name."));
    }
    at_most(label.chars().count(), MAX_LABEL, "label_too_long", "label", "characters")
}

fn check_card(card: &Card) -> Result<(), Refusal> {
    check_title(&card.title)?;
    check_notes(&card.notes)?;
    at_most(card.labels.len(), MAX_LABELS, "too_many_labels", "card's set of labels", "labels")?;
    card.labels.iter().try_for_each(|label| check_label(label))
}

fn at_most(found: usize, most: usize, code: &'static str, what: &str, unit: &str) -> Result<(), Refusal> {
    if found <= most {
        return Ok(());
    }
    Err(Refusal::new(code, format!("This {what} is too long: {found} {unit}, at most {most}. Shorten it.")))
}

fn no_such_list() -> Refusal {
    Refusal::new("no_such_list", "The list is not on this board. Copy what you wrote and add it to another list.")
}

fn no_such_card() -> Refusal {
    Refusal::new("no_such_card", "The card is not on this board. Copy what you wrote and add it to another card.")
}
