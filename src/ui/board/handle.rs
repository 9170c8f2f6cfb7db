//! What the parts of a board's page share: the board as signals, where the person stands, and how changes are made.

use leptos::prelude::*;

use super::focus::{focus_drawn_card, focus_restored};
use super::mirror::Mirror;
use super::place::Place;
use super::typing::Typing;
use super::words::WORDS;
use crate::board::position;
use crate::board::undo::{History, Undo};
use crate::board::{Board, CardId, Change, ListId};
use crate::sync::client::{Opening, Status, Turn};
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
    /// Counts how often drafts came back: from a page that ended, or because the person took a discard back.
    pub drafts_came: RwSignal<u64>,
    /// Texts that were discarded since the last change, with what the person had started from.
    pub discarded: StoredValue<Vec<(Place, String, String)>>,
    /// The names of toasts that offer to change this board.
    pub offers: StoredValue<Vec<String>>,
    /// The page has come alive: changes are kept from now on.
    pub alive: RwSignal<bool>,
    /// Whether the key allows changes. What makes them is on the page from the start, so that nothing moves when it comes alive.
    pub may_edit: Signal<bool>,
    /// Whether changes can be made: the page has come alive and the key allows it.
    pub editable: Signal<bool>,
    /// The key that opened the board.
    pub key: StoredValue<Key>,
    /// This page is replacing the board's links.
    pub replacing: RwSignal<bool>,
    /// Whether the server knows the board.
    pub registered: RwSignal<bool>,
    /// The board's id.
    pub id: DocumentId,
    /// Where messages go.
    pub toasts: Toasts,
    /// Whether the keys that are pressed are text.
    pub typing: StoredValue<Typing>,
    document: DocumentHandle<Board>,
    history: StoredValue<History>,
}

/// The name of the toast that offers to undo the last change.
const UNDO: &str = "undo";

const REWOUND: &str = "The server was restored from an older copy. What it had lost of your changes was sent again.";

const OVERWRITTEN: &str = "Somebody changed it since, so it stays as it is.";

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
        let history = StoredValue::new(History::default());
        let registered = RwSignal::new(page.registered);
        let document = use_document(opening, WORDS, move |news| match news {
            News::View(board) => mirror.show(&board),
            News::Marks(marks) => mirror.set_marks(marks),
            News::Remote(changes) => {
                let remote = |board: &Board| {
                    history.try_update_value(|history| changes.iter().for_each(|change| history.remote(change, board)));
                };
                let _ = mirror.board.try_with_untracked(remote);
            }
            News::Line(Turn::Rewound { .. }) => toasts.show_text(REWOUND),
            News::Line(_) => {}
            News::Registered => {
                device::set_registered(id);
                let _ = registered.try_set(true);
            }
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
            drafts_came: RwSignal::new(0),
            discarded: StoredValue::new(Vec::new()),
            offers: StoredValue::new(Vec::new()),
            moving: RwSignal::new(None),
            may_edit: may_edit.into(),
            editable: editable.into(),
            key: StoredValue::new(page.key.clone()),
            replacing: RwSignal::new(false),
            registered,
            id,
            toasts,
            typing: StoredValue::new(Typing::default()),
            document,
            history,
        }
    }

    /// Makes a change that can be undone. Returns whether it was made; if not, the person is told why.
    pub fn edit(&self, change: Change) -> bool {
        self.edit_all(vec![change]) == 1
    }

    /// Makes changes that are undone in one step. Returns how many were made: all, or those before the first that was rejected; then
    /// the person is told why.
    pub fn edit_all(&self, mut changes: Vec<Change>) -> usize {
        let Some(before) = self.mirror.board.try_get_untracked() else { return 0 };
        let made = changes.iter().take_while(|change| self.submit((*change).clone())).count();
        changes.truncate(made);
        if made > 0 {
            // Its "Undo" was for the changes before these.
            self.toasts.dismiss_named(UNDO);
            let _ = self.discarded.try_update_value(Vec::clear);
            let _ = self.history.try_update_value(|history| history.record(&before, &changes));
        }
        made
    }

    /// Makes an edit of notes that goes on with the last one: both are undone in one step. Returns whether it was made; if not, the
    /// person is told why.
    pub fn edit_on(&self, change: Change) -> bool {
        let Some(before) = self.mirror.board.try_get_untracked() else { return false };
        let made = self.submit(change.clone());
        if made {
            self.toasts.dismiss_named(UNDO);
            let _ = self.history.try_update_value(|history| history.record_on(&before, &change));
        }
        made
    }

    /// Undoes this person's last step that was not undone, as far as nobody else has changed it since: a discarded text, or changes.
    pub fn undo(&self) {
        if self.undo_discard() {
            return;
        }
        self.toasts.dismiss_named(UNDO);
        let board = self.mirror.board.get_untracked();
        let undo = self.history.try_update_value(|history| history.undo(&board)).unwrap_or(Undo::Nothing);
        match undo {
            Undo::Nothing => self.toasts.show_text("There is nothing to undo."),
            Undo::Overwritten => self.toasts.show_text(OVERWRITTEN),
            Undo::Changes { changes, partly } => {
                let restored = restored_card(&changes);
                if !changes.into_iter().all(|change| self.submit(change)) {
                    return;
                }
                self.toasts.show_text(if partly {
                    "Undone, except for what somebody changed since."
                } else {
                    "Undone."
                });
                if let Some(card) = restored {
                    focus_restored(*self, card);
                }
            }
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
    pub(super) fn tell_undo(&self, text: impl Into<String>) {
        let this = *self;
        self.toasts.show(Toast::new(text).action("Undo", move || this.undo()).named(UNDO));
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
        let ties = ties.into_iter().map(|(id, position)| Change::MoveCard { card: id, list, position });
        let moves: Vec<_> = ties.chain([Change::MoveCard { card, list, position }]).collect();
        let count = moves.len();
        if self.edit_all(moves) == count {
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
        let ties = ties.into_iter().map(|(id, position)| Change::MoveList { list: id, position });
        let moves: Vec<_> = ties.chain([Change::MoveList { list, position }]).collect();
        let count = moves.len();
        if self.edit_all(moves) == count {
            self.toasts.say(false, format!("List moved to place {} of {}.", index + 1, siblings.len() + 1));
        }
    }

    /// Archives a card. Its neighbour gets the focus.
    pub fn archive_card(&self, card: CardId) {
        if self.edit(Change::ArchiveCard { card, archived: true }) {
            self.tell_undo("Card archived.");
            focus_drawn_card(*self, card);
        }
    }

    /// Puts a list away, with its cards.
    pub fn archive_list(&self, list: ListId) {
        if self.edit(Change::ArchiveList { list, archived: true }) {
            self.tell_undo("List archived.");
        }
    }
}

/// The card that comes back by these changes.
fn restored_card(changes: &[Change]) -> Option<CardId> {
    changes.iter().find_map(|change| match change {
        Change::ArchiveCard { card, archived: false } => Some(*card),
        _ => None,
    })
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
