//! Brings a board's page to life: runs the engine in this page.

use std::rc::Rc;

use super::handle::{BoardHandle, Editor};
use crate::board::{Board, Change};
use crate::browser::session::{Notice, Opening, Session};
use crate::sync::document::Refusal;
use crate::sync::id::ChangeId;
use crate::sync::outbox::Kept;
use crate::ui::api::BoardPage;
use crate::ui::device;
use leptos::prelude::*;

impl Editor<Board> for Session<Board> {
    fn edit(&self, change: Change) -> Result<ChangeId, Refusal> {
        self.edit(change)
    }

    fn retry_now(&self) {
        self.retry_now();
    }

    fn dismiss(&self, id: ChangeId) {
        self.dismiss(id);
    }

    fn attention(&self) -> Vec<Kept<Change>> {
        self.attention()
    }

    fn unsent(&self) -> Vec<Kept<Change>> {
        self.unsent()
    }

    fn admit(&self, changes: Vec<Kept<Change>>) {
        self.admit(changes);
    }
}

/// Opens the session and lets `handle` show what it tells.
pub(super) fn connect(handle: BoardHandle, page: BoardPage) {
    let opening = Opening {
        id: page.id,
        key: page.key,
        name: String::new(),
        document: page.board,
        cursor: page.cursor,
        access: page.access,
        registered: page.registered,
    };
    let id = page.id;
    let session = Session::open(opening, move |notice| match notice {
        Notice::View(board) => handle.mirror.show(&board),
        Notice::Status(status) => handle.status.set(status),
        Notice::Attention(list) => handle.attention.set(list),
        Notice::Line(turn) => handle.turned(&turn),
        Notice::Kept(kept) => handle.unkept.set(!kept),
        Notice::Registered => device::set_registered(id),
    });
    handle.attention.set(session.attention());
    handle.connect(Rc::new(session));
}
