//! What the parts of a board's page share: the board as signals, where the person stands, and how changes are made.

use std::rc::Rc;

use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::mirror::Mirror;
use crate::board::position::{self, Position};
use crate::board::{Board, Card, CardId, Change, ListId};
use crate::sync::client::{Connection, Status, Turn};
use crate::sync::document::{Document, Refusal};
use crate::sync::id::{ChangeId, DocumentId, Key};
use crate::sync::message::{Access, Limits};
use crate::sync::network::Network;
use crate::sync::outbox::Kept;
use crate::sync::unsent::Unsent;
use crate::ui::api::BoardPage;
use crate::ui::device;

/// Takes a person's changes to a document of type `D`.
pub trait Editor<D: Document> {
    /// Makes a change: kept, shown, and sent when it can be.
    ///
    /// # Errors
    /// The reason why it can never be accepted; then nothing was done.
    fn edit(&self, change: D::Change) -> Result<ChangeId, Refusal>;
    /// Connects now.
    fn retry_now(&self);
    /// Lets a refused change go.
    fn dismiss(&self, id: ChangeId);
    /// Refused changes whose author has not decided.
    fn attention(&self) -> Vec<Kept<D::Change>>;
    /// All that is not saved.
    fn unsent(&self) -> Vec<Kept<D::Change>>;
    /// Takes in changes that were made elsewhere.
    fn admit(&self, changes: Vec<Kept<D::Change>>);
}

/// A sentence for the person, with a way back if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: String,
    /// Whether the last change can be undone from here.
    pub undo: bool,
    /// Stays until the person closes it.
    pub lasting: bool,
}

/// What the parts of a board's page share. Cheap to copy.
#[derive(Clone, Copy)]
pub struct BoardHandle {
    /// The board as signals.
    pub mirror: Mirror,
    /// Where the person stands.
    pub status: RwSignal<Status>,
    /// The card whose details are open.
    pub opened: RwSignal<Option<CardId>>,
    /// The card that "Move to…" is asking about.
    pub moving: RwSignal<Option<CardId>>,
    /// What happened last, for the person.
    pub note: RwSignal<Option<Note>>,
    /// What a screen reader says next.
    pub announcement: RwSignal<String>,
    /// Changes that the server refused.
    pub attention: RwSignal<Vec<Kept<Change>>>,
    /// This device keeps nothing: its storage failed.
    pub unkept: RwSignal<bool>,
    /// Whether changes can be made: the page has come alive and the key allows it.
    pub editable: Signal<bool>,
    /// The key that opened the board.
    pub key: StoredValue<Key>,
    /// The board's id.
    pub id: DocumentId,
    alive: RwSignal<bool>,
    /// Wrapped, since the server moves pages between threads; it has no editor, so it never touches one.
    editor: StoredValue<Option<SendWrapper<Rc<dyn Editor<Board>>>>>,
    undo: StoredValue<Vec<Change>>,
}

/// Most steps that "undo" goes back.
const MAX_UNDO: usize = 100;

impl BoardHandle {
    /// A handle for the page's first state; nothing is connected yet.
    #[must_use]
    pub fn new(page: &BoardPage) -> Self {
        let status = RwSignal::new(Status {
            connection: Connection::Off,
            network: Network::Unknown,
            pending: 0,
            in_flight: 0,
            settled: 0,
            attention: 0,
            last_sync: 0,
            access: page.access,
            version: page.cursor.version,
        });
        let alive = RwSignal::new(false);
        Self {
            mirror: Mirror::new(&page.board),
            status,
            opened: RwSignal::new(None),
            moving: RwSignal::new(None),
            note: RwSignal::new(None),
            announcement: RwSignal::new(String::new()),
            attention: RwSignal::new(Vec::new()),
            unkept: RwSignal::new(false),
            editable: Signal::derive(move || status.with(|status| status.access == Access::Edit) && alive.get()),
            key: StoredValue::new(page.key.clone()),
            id: page.id,
            alive,
            editor: StoredValue::new(None),
            undo: StoredValue::new(Vec::new()),
        }
    }

    /// The page has come alive: changes go to `editor` from now on.
    pub fn connect(&self, editor: Rc<dyn Editor<Board>>) {
        self.editor.set_value(Some(SendWrapper::new(editor)));
        self.alive.set(true);
    }

    /// The page is left: the connection closes. What was not saved stays kept.
    pub fn disconnect(&self) {
        self.editor.try_set_value(None);
    }

    /// Makes a change that can be undone. Returns whether it was made; if not, the person is told why.
    pub fn edit(&self, change: Change) -> bool {
        let undo = self.mirror.board.with_untracked(|board| board.inverse(&change));
        let made = self.submit(change);
        if made && self.note.with_untracked(|note| note.as_ref().is_some_and(|note| note.undo)) {
            // Its "Undo" was for the change before this one.
            self.note.set(None);
        }
        if let Some(undo) = undo
            && made
        {
            self.undo.update_value(|steps| {
                steps.push(undo);
                let over = steps.len().saturating_sub(MAX_UNDO);
                steps.drain(..over);
            });
        }
        made
    }

    /// Undoes this person's last change that was not undone.
    pub fn undo(&self) {
        if let Some(change) = self.undo.try_update_value(Vec::pop).flatten()
            && self.submit(change)
        {
            self.tell("Undone.");
        }
    }

    /// The connection took a turn: what the person cannot see from the pill is told.
    pub fn turned(&self, turn: &Turn) {
        if matches!(turn, Turn::Rewound { .. }) {
            self.tell("The server was restored from an older copy. What it had lost of your changes was sent again.");
        }
    }

    /// Makes the changes of an import, and tells the person what did not come along. An import is not undone: the board is new.
    pub fn import(&self, changes: Vec<Change>, remarks: &[String]) {
        let made = changes.into_iter().all(|change| self.submit(change));
        if made && !remarks.is_empty() {
            let text = remarks.join(" ");
            self.announcement.set(text.clone());
            self.note.set(Some(Note { text, undo: false, lasting: true }));
        }
    }

    fn editor(&self) -> Option<Rc<dyn Editor<Board>>> {
        self.editor.with_value(Clone::clone).map(SendWrapper::take)
    }

    fn submit(&self, change: Change) -> bool {
        let Some(editor) = self.editor() else { return false };
        match editor.edit(change) {
            Ok(_) => true,
            Err(refusal) => {
                self.tell(refusal.message);
                false
            }
        }
    }

    /// All that is not saved, as a file's text; `None` if there is nothing.
    #[must_use]
    pub fn unsent(&self) -> Option<String> {
        let changes = self.editor().map(|editor| editor.unsent()).unwrap_or_default();
        (!changes.is_empty()).then(|| Unsent::new(self.id, changes).to_json())
    }

    /// Takes in a file of changes that were not saved elsewhere, and says what came of it.
    pub fn take_in(&self, text: &str) {
        let Some(editor) = self.editor() else { return };
        match Unsent::read(text, self.id, &Limits::default()) {
            Ok(Unsent { changes, .. }) => {
                let count = changes.len();
                editor.admit(changes);
                self.tell(match count {
                    1 => "1 change taken in. If it was saved before, it is not made twice.".to_owned(),
                    _ => format!("{count} changes taken in. Those that were saved before are not made twice."),
                });
            }
            Err(why) => self.tell(why.to_string()),
        }
    }

    /// Connects now.
    pub fn retry_now(&self) {
        if let Some(editor) = self.editor() {
            editor.retry_now();
        }
    }

    /// Offers a refused change once more, as a new one.
    pub fn retry(&self, kept: &Kept<Change>) {
        if self.submit(kept.change.clone()) {
            self.dismiss(kept.id);
        }
    }

    /// Lets a refused change go.
    pub fn dismiss(&self, id: ChangeId) {
        if let Some(editor) = self.editor() {
            editor.dismiss(id);
        }
    }

    /// Tells the person something, aloud too.
    pub fn tell(&self, text: impl Into<String>) {
        let text = text.into();
        self.announcement.set(text.clone());
        self.note.set(Some(Note { text, undo: false, lasting: false }));
    }

    /// Tells the person what was done and offers to undo it.
    pub fn tell_undo(&self, text: impl Into<String>) {
        let text = text.into();
        self.announcement.set(text.clone());
        self.note.set(Some(Note { text, undo: true, lasting: false }));
    }

    /// Adds a list behind the others.
    pub fn add_list(&self, title: String) -> Option<ListId> {
        let last =
            self.mirror.board.with_untracked(|board| board.open_lists().pop().map(|(_, list)| list.position.clone()));
        let position = Position::between(last.as_ref(), None);
        let list = ListId(device::new_id()?);
        self.edit(Change::AddList { list, title, position, archived: false }).then_some(list)
    }

    /// Adds a card at the end of a list.
    pub fn add_card(&self, list: ListId, title: String) -> Option<CardId> {
        let last = self
            .mirror
            .board
            .with_untracked(|board| board.open_cards(list).pop().map(|(_, card)| card.position.clone()));
        let position = Position::between(last.as_ref(), None);
        let card = CardId(device::new_id()?);
        self.edit(Change::AddCard { card, content: Card::new(list, position, title) }).then_some(card)
    }

    /// Moves a card to the place `index` among the other cards of `list`, and says so.
    pub fn move_card(&self, card: CardId, list: ListId, index: usize) {
        let (siblings, there, title) = self.mirror.board.with_untracked(|board| {
            let cards = board.open_cards(list);
            let there = cards.iter().position(|(id, _)| *id == card);
            let others = cards.into_iter().filter(|(id, _)| *id != card);
            let siblings: Vec<_> = others.map(|(id, card)| (id, card.position.clone())).collect();
            (siblings, there, board.lists.get(&list).map(|list| list.title.clone()).unwrap_or_default())
        });
        let index = index.min(siblings.len());
        if there == Some(index) {
            return;
        }
        let (position, ties) = position::insert(&siblings, index);
        for (id, position) in ties {
            self.submit(Change::MoveCard { card: id, list, position });
        }
        if self.edit(Change::MoveCard { card, list, position }) {
            self.announcement.set(format!("Moved to {title}, place {} of {}.", index + 1, siblings.len() + 1));
        }
    }

    /// Moves a list to the place `index` among the others, and says so.
    pub fn move_list(&self, list: ListId, index: usize) {
        let lists = self.mirror.board.with_untracked(Board::open_lists);
        let there = lists.iter().position(|(id, _)| *id == list);
        let others = lists.into_iter().filter(|(id, _)| *id != list);
        let siblings: Vec<_> = others.map(|(id, list)| (id, list.position.clone())).collect();
        let index = index.min(siblings.len());
        if there == Some(index) {
            return;
        }
        let (position, ties) = position::insert(&siblings, index);
        for (id, position) in ties {
            self.submit(Change::MoveList { list: id, position });
        }
        if self.edit(Change::MoveList { list, position }) {
            self.announcement.set(format!("List moved to place {} of {}.", index + 1, siblings.len() + 1));
        }
    }

    /// Puts a card away.
    pub fn archive_card(&self, card: CardId) {
        if self.edit(Change::ArchiveCard { card, archived: true }) {
            self.tell_undo("Card archived.");
        }
    }

    /// Puts a list away, with its cards.
    pub fn archive_list(&self, list: ListId) {
        if self.edit(Change::ArchiveList { list, archived: true }) {
            self.tell_undo("List archived.");
        }
    }
}

impl std::fmt::Debug for BoardHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoardHandle").field("mirror", &self.mirror).finish_non_exhaustive()
    }
}

/// The page's board.
///
/// # Panics
/// Outside a board's page.
#[must_use]
pub fn use_board() -> BoardHandle {
    use_context().expect("a board's parts stand inside a BoardView, which provides the handle")
}
