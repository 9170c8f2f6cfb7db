//! Sections and cards while they are read.

use super::fence::Fence;
use crate::board::import::{FIRST_LIST, ImportedCard, ImportedList, UNTITLED, one_line};
use crate::board::model::Date;

/// What stands under one heading.
#[derive(Default)]
pub(super) struct Section {
    /// 1 for `#`, and so on; 0 above the first heading.
    pub(super) level: usize,
    pub(super) title: String,
    pub(super) archived: bool,
    pub(super) cards: Vec<Draft>,
}

/// A card whose notes may go on.
#[derive(Default)]
pub(super) struct Draft {
    title: String,
    done: bool,
    due: Option<Date>,
    /// Lines with their indentation.
    notes: String,
    /// The least indentation of a line that is not blank.
    indent: Option<usize>,
    /// The notes begin with a block of code, which is all that the item has.
    is_code: bool,
}

impl Section {
    pub(super) fn into_list(self) -> ImportedList {
        ImportedList {
            title: if self.title.is_empty() { FIRST_LIST.to_owned() } else { self.title },
            archived: self.archived,
            cards: self.cards.into_iter().filter(|card| !card.is_empty()).map(Draft::into_card).collect(),
        }
    }
}

impl Draft {
    /// A card of an item's text. What is behind a `<br>` is notes, with the indentation `below` of what belongs to the item.
    pub(super) fn new(text: &str, below: usize, done: bool, due: Option<Date>) -> Self {
        let text = text.replace("<br />", "<br>").replace("<br/>", "<br>");
        let mut lines = text.split("<br>").map(one_line).filter(|line| !line.is_empty());
        let mut card = Self { title: lines.next().unwrap_or_default(), done, due, ..Self::default() };
        lines.for_each(|line| card.note(below, &line));
        card
    }

    /// Makes the item's text, which opens a block of code, the first line of the notes.
    pub(super) fn start_with_code(&mut self, below: usize, text: &str) {
        self.title.clear();
        self.is_code = true;
        self.note(below, text);
    }

    /// Adds a line of notes.
    pub(super) fn note(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.indent = Some(self.indent.map_or(indent, |least| least.min(indent)));
            self.notes.extend(std::iter::repeat_n(' ', indent));
            self.notes.push_str(text);
        }
        self.notes.push('\n');
    }

    /// An item with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.title.is_empty() && self.indent.is_none()
    }

    fn into_card(self) -> ImportedCard {
        let notes = self.dedented();
        let code = || notes.lines().find(|line| !line.is_empty() && Fence::opened(0, line, 0).is_none());
        let title = match self.title {
            title if !title.is_empty() => title,
            _ => code().filter(|_| self.is_code).map_or_else(|| UNTITLED.to_owned(), one_line),
        };
        ImportedCard { title, notes, done: self.done, due: self.due, ..ImportedCard::default() }
    }

    /// The notes without the indentation that all lines share, and without blank lines at the ends.
    fn dedented(&self) -> String {
        let shared = self.indent.unwrap_or_default();
        let lines = self.notes.lines().map(|line| line.get(shared..).unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
    }
}
