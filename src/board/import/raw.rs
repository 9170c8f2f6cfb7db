//! What a reader makes of a file, before it is fitted to a board's limits.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::{Import, ImportedCard, ImportedList, counted};

/// The list for cards whose list is not in the file.
const STRAYS: &str = "Cards without a list";
/// The list, and the card in it, for what was not imported.
const LEFT: &str = "Not imported";

#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) title: String,
    /// The title stands as it is, even if it is empty.
    pub(super) named: bool,
    pub(super) lists: Vec<ImportedList>,
    pub(super) remarks: Vec<String>,
    /// Texts that belong to no card.
    pub(super) left: Vec<String>,
}

impl Raw {
    /// Keeps a text that belongs to no card. It becomes the notes of a card "Not imported".
    pub(super) fn leave(&mut self, what: &str, text: &str) {
        self.left.push(format!("{what}:\n\n{text}"));
    }

    /// Puts cards into their lists, by the list's id. Cards whose list is not in the file get a list of their own.
    pub(super) fn fill(
        &mut self,
        lists: impl IntoIterator<Item = (Option<String>, ImportedList)>,
        cards: impl IntoIterator<Item = (Option<String>, ImportedCard)>,
    ) {
        let mut at = HashMap::new();
        for (id, list) in lists {
            at.entry(id.unwrap_or_default()).or_insert(self.lists.len());
            self.lists.push(list);
        }
        let mut strays = Vec::new();
        for (list, card) in cards {
            let list = list.and_then(|id| at.get(&id)).and_then(|at| self.lists.get_mut(*at));
            list.map_or(&mut strays, |list| &mut list.cards).push(card);
        }
        self.add_strays(strays);
    }

    /// Adds a list for cards whose list is not in the file, if there are any.
    pub(super) fn add_strays(&mut self, strays: Vec<ImportedCard>) {
        if !strays.is_empty() {
            self.remarks.push(format!("{} had no list; see \"{STRAYS}\".", counted(strays.len(), "card")));
            self.lists.push(ImportedList { title: STRAYS.to_owned(), archived: false, cards: strays });
        }
    }

    /// Adds the card "Not imported", if something was left, in a list of its own.
    pub(super) fn add_left(&mut self) {
        if self.left.is_empty() {
            return;
        }
        self.remarks.push(format!("Text that belongs to no card is in the card \"{LEFT}\"."));
        let card = ImportedCard { title: LEFT.to_owned(), notes: self.left.join("\n\n"), ..ImportedCard::default() };
        self.lists.push(ImportedList { title: LEFT.to_owned(), archived: false, cards: vec![card] });
    }
}

impl From<Raw> for Import {
    fn from(Raw { title, lists, remarks, .. }: Raw) -> Self {
        Self { title, lists, remarks, ..Self::default() }
    }
}

/// Compares places. Without a place is last; equal ones stay as they are in the file.
pub(super) fn by_place(a: Option<f64>, b: Option<f64>) -> Ordering {
    a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY))
}
