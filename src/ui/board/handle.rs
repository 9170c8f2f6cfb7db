//! What the parts of a board's page share: the board as signals, where the person stands, and how changes are made.

use leptos::prelude::*;

use super::focus::keep_focus;
use super::mirror::Mirror;
use super::words::WORDS;
use crate::board::position::{self, Position};
use crate::board::{Board, Card, CardId, Change, ListId};
use crate::sync::client::{Opening, Status, Turn};
use crate::sync::document::Document as _;
use crate::sync::id::{DocumentId, Key};
use crate::sync::message::Access;
use crate::ui::api::BoardPage;
use crate::ui::connection::{ConnectionHandle, DocumentHandle, News, use_document};
use crate::ui::device;
use crate::ui::toast::{Kind, Toast, Toasts, use_toasts};

/// What the parts of a board's page share. Cheap to copy.
#[derive(Clone, Copy)]
pub struct BoardHandle {
    /// The board as signals.
    pub mirror: Mirror,
    /// Its connection.
    pub connection: ConnectionHandle,
    /// Where the person stands.
    pub status: RwSignal<Status>,
    /// The card whose details are open.
    pub opened: RwSignal<Option<CardId>>,
    /// The card that "Move to…" is asking about.
    pub moving: RwSignal<Option<CardId>>,
    /// The page has come alive: changes are kept from now on.
    pub alive: RwSignal<bool>,
    /// Whether the key allows changes. What makes them is on the page from the start, so that nothing moves when it comes alive.
    pub may_edit: Signal<bool>,
    /// Whether changes can be made: the page has come alive and the key allows it.
    pub editable: Signal<bool>,
    /// The key that opened the board.
    pub key: StoredValue<Key>,
    /// The board's id.
    pub id: DocumentId,
    /// Where messages go.
    pub toasts: Toasts,
    document: DocumentHandle<Board>,
    undo: StoredValue<Vec<Change>>,
}

/// The name of the toast that offers to undo the last change.
const UNDO: &str = "undo";

const REWOUND: &str = "The server was restored from an older copy. What it had lost of your changes was sent again.";

/// Most steps that "undo" goes back.
const MAX_UNDO: usize = 100;

impl BoardHandle {
    /// A handle for the page's first state. In the browser it connects once the page has come alive.
    #[must_use]
    pub fn new(page: &BoardPage) -> Self {
        let (mirror, toasts, id) = (Mirror::new(&page.board), use_toasts(), page.id);
        let opening = Opening {
            id,
            key: page.key.clone(),
            name: String::new(),
            document: page.board.clone(),
            cursor: page.cursor,
            access: page.access,
            registered: page.registered,
        };
        let document = use_document(opening, WORDS, move |news| match news {
            News::View(board) => keep_focus(|| mirror.show(&board)),
            News::Marks(marks) => keep_focus(|| mirror.set_marks(marks)),
            News::Line(Turn::Rewound { .. }) => toasts.show_text(REWOUND),
            News::Line(_) => {}
            News::Registered => device::set_registered(id),
        });
        // There is nothing to undo on another page.
        on_cleanup(move || toasts.dismiss_named(UNDO));
        let (connection, alive) = (document.connection, document.alive);
        let status = connection.status;
        let may_edit = Memo::new(move |_| status.with(|status| status.access == Access::Edit));
        // Not derived: each card that asks would be asked again at every turn of the status.
        let editable = RwSignal::new(false);
        Effect::new(move |_| {
            let now = may_edit.get() && alive.get();
            if now != editable.get_untracked() {
                editable.set(now);
            }
        });
        Self {
            mirror,
            connection,
            status,
            alive,
            opened: RwSignal::new(None),
            moving: RwSignal::new(None),
            may_edit: may_edit.into(),
            editable: editable.into(),
            key: StoredValue::new(page.key.clone()),
            id,
            toasts,
            document,
            undo: StoredValue::new(Vec::new()),
        }
    }

    /// Makes a change that can be undone. Returns whether it was made; if not, the person is told why.
    pub fn edit(&self, change: Change) -> bool {
        let undo = self.mirror.board.with_untracked(|board| board.inverse(&change));
        let made = self.submit(change);
        if made {
            // Its "Undo" was for the change before this one.
            self.toasts.dismiss_named(UNDO);
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
            self.toasts.show_text("Undone.");
        }
    }

    /// Makes the changes of an import, and tells the person what did not come along. An import is not undone: the board is new.
    pub fn import(&self, changes: Vec<Change>, remarks: &[String]) {
        let made = changes.into_iter().all(|change| self.submit(change));
        if made && !remarks.is_empty() {
            self.toasts.show(Toast::new(remarks.join(" ")).lasting());
        }
    }

    fn submit(&self, change: Change) -> bool {
        match self.document.edit(change) {
            Some(Ok(_)) => true,
            Some(Err(refusal)) => {
                self.toasts.show(Toast::new(refusal.message).kind(Kind::Warning));
                false
            }
            None => false,
        }
    }

    /// Tells the person what was done and offers to undo it.
    fn tell_undo(&self, text: &'static str) {
        let this = *self;
        self.toasts.show(Toast::new(text).action("Undo", move || this.undo()).named(UNDO));
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
            self.toasts.say(false, format!("Moved to {title}, place {} of {}.", index + 1, siblings.len() + 1));
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
            self.toasts.say(false, format!("List moved to place {} of {}.", index + 1, siblings.len() + 1));
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
