//! Boards, and changes to them made of small numbers.

use std::path::Path;

use serde_json::json;
use sheetbend::board::position::Position;
use sheetbend::board::{Board, Card, CardId, Change, ListId};
use sheetbend::server::store::sqlite::Sqlite;
use sheetbend::server::{Server, Settings};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::uuid_v7;

use super::http::ask;
use super::ids::{document_id, key};
use super::program::Running;

/// Makes board 1, opened by key 1.
pub(crate) async fn make_board(running: &Running) {
    make_board_number(running, 1).await;
}

/// Makes board `n`, opened by key `n`.
pub(crate) async fn make_board_number(running: &Running, n: u8) {
    let body = json!({ "id": document_id(n.into()), "edit_key": key(n) }).to_string();
    assert_eq!(ask(running.address, "POST /api/boards", &[], &body).await.status, 201);
}

pub(crate) fn add_list(who: u8, n: u64) -> Change {
    let list = ListId(uuid_v7(n, [who; 10]));
    Change::AddList { list, title: format!("{who}: {n}"), position: Position::default(), archived: false }
}

/// Adds a card to the list that `add_list(1, 1)` adds.
pub(crate) fn add_card(who: u8, n: u64) -> Change {
    let list = ListId(uuid_v7(1, [1; 10]));
    let content = Card::new(list, Position::default(), format!("{who}: {n}"));
    Change::AddCard { card: card_id(who, n), content }
}

pub(crate) fn card_id(who: u8, n: u64) -> CardId {
    CardId(uuid_v7(n, [who; 10]))
}

/// Board 1, read from a server's data when the server has ended.
pub(crate) async fn on_disk(data: &Path) -> (Board, Cursor) {
    let store = Sqlite::open(data).expect("opens");
    let server: Server<Board, Sqlite> = Server::new(store, Settings::default());
    let opened = server.open(&key(1)).await.expect("works").expect("is there");
    (opened.view, opened.cursor)
}
