//! The boards that this person has opened on this device: a list in localStorage, which is at hand when a page starts, and a record
//! each in IndexedDB, which is there after a crash too.

use std::cell::RefCell;
use std::collections::HashMap;

use futures_channel::oneshot;
use leptos::task::spawn_local;
use serde::Deserialize as _;

use super::RecentBoard;
use crate::browser::database::{self, Database, OPEN_MS, Store, Write};
use crate::browser::time_limit::within;
use crate::browser::{clock, storage};
use crate::sync::id::DocumentId;
use crate::sync::message::Access;

/// Most boards that are remembered in the list.
const MOST: usize = 200;
const NAME: &str = "sheetbend/boards";

/// What is at hand at once, the last one first.
#[must_use]
pub fn local() -> Vec<RecentBoard> {
    in_order(storage::read(NAME).unwrap_or_default())
}

/// The first that is `wanted`: in the list, which is at hand, or else among all.
pub(super) async fn find(wanted: &dyn Fn(&RecentBoard) -> bool) -> Option<RecentBoard> {
    let listed = local().into_iter().find(wanted);
    if listed.is_some() {
        return listed;
    }
    all().await.into_iter().find(wanted)
}

/// All of them, the last one first. Waits for the device for as long as it takes: one that is slow is not one that has none.
pub async fn all() -> Vec<RecentBoard> {
    let mut boards: HashMap<DocumentId, RecentBoard> = HashMap::new();
    for board in local().into_iter().chain(kept().await) {
        boards
            .entry(board.id)
            .and_modify(|other| {
                let registered = other.registered || board.registered;
                if board.opened_at > other.opened_at {
                    *other = board.clone();
                }
                other.registered = registered;
            })
            .or_insert(board);
    }
    in_order(boards.into_values().collect())
}

/// Remembers a board, in place of what was remembered of it; the time of opening is now.
///
/// An edit key is not given up for a view key: the board stays editable from the list.
pub fn remember(board: RecentBoard) {
    // If the device keeps nothing, the list stays as it was: the link is still good.
    let (board, _) = list(board);
    drop(keep(board.id, Some(board)));
}

/// [`remember`], and waits until it is kept for good, for as long as a device may take. Returns whether the device has it, be it in
/// the list alone.
pub(super) async fn remember_for_good(board: RecentBoard) -> bool {
    let (board, listed) = list(board);
    let written = keep(board.id, Some(board));
    matches!(within(OPEN_MS, written).await, Some(Ok(true))) || listed
}

/// Puts a board in the list. Returns what is remembered of it now, and whether the list has it.
fn list(mut board: RecentBoard) -> (RecentBoard, bool) {
    let mut boards = local();
    if let Some(at) = boards.iter().position(|other| other.id == board.id) {
        let before = boards.remove(at);
        board.registered |= before.registered;
        if before.access == Access::Edit && board.access == Access::View {
            board = RecentBoard { title: board.title, ..before };
        } else if before.key == board.key {
            board.replacing = board.replacing.or(before.replacing);
        }
    }
    board.opened_at = clock::unix_now();
    boards.insert(0, board.clone());
    boards.truncate(MOST);
    let listed = storage::write(NAME, &boards).is_ok();
    (board, listed)
}

/// Takes a board off the list; the board itself stays.
pub fn forget(id: DocumentId) {
    let boards: Vec<_> = local().into_iter().filter(|board| board.id != id).collect();
    let _ = storage::write(NAME, &boards);
    drop(keep(id, None));
}

/// Puts a board back in the list and the database as it was before [`forget`]. One that was opened meanwhile stays as it is.
pub fn put_back(board: RecentBoard) {
    let mut boards = local();
    if boards.iter().any(|other| other.id == board.id) {
        return;
    }
    boards.push(board.clone());
    boards = in_order(boards);
    boards.truncate(MOST);
    // If the list cannot be written, the database has the board.
    let _ = storage::write(NAME, &boards);
    drop(keep(board.id, Some(board)));
}

/// The server knows the board now.
pub fn set_registered(id: DocumentId) {
    let mut boards = local();
    if let Some(board) = boards.iter_mut().find(|board| board.id == id && !board.registered) {
        board.registered = true;
        let board = board.clone();
        // If the device keeps nothing, the server is told once more next time, which is harmless.
        let _ = storage::write(NAME, &boards);
        drop(keep(id, Some(board)));
    }
}

fn in_order(mut boards: Vec<RecentBoard>) -> Vec<RecentBoard> {
    boards.sort_by_key(|board| std::cmp::Reverse(board.opened_at));
    boards
}

async fn kept() -> Vec<RecentBoard> {
    let read = async || Database::open().await?.read(Store::Opened, "").await;
    let texts = database::patiently(read).await.unwrap_or_default();
    let read = |text: &String| RecentBoard::deserialize(&serde_json::from_str::<serde_json::Value>(text).ok()?).ok();
    texts.iter().filter_map(read).collect()
}

/// What is to be written next, and whether someone is at it.
#[derive(Default)]
struct Waiting {
    boards: Vec<(DocumentId, ToWrite)>,
    writing: bool,
}

/// What is to be remembered of a board, and who waits to hear whether it was written.
#[derive(Default)]
struct ToWrite {
    board: Option<RecentBoard>,
    tell: Vec<oneshot::Sender<bool>>,
}

thread_local! {
    static WAITING: RefCell<Waiting> = RefCell::default();
}

/// Has what is remembered of a board written, durably: one write after the other, and of what changes meanwhile the newest. Returns
/// where it is told whether it, or what came in its place, was written.
fn keep(id: DocumentId, board: Option<RecentBoard>) -> oneshot::Receiver<bool> {
    let (tell, written) = oneshot::channel();
    let begin = WAITING.with_borrow_mut(|waiting| {
        let at = waiting.boards.iter().position(|(other, _)| *other == id);
        let mut next = at.map(|at| waiting.boards.remove(at).1).unwrap_or_default();
        next.board = board;
        next.tell.retain(|tell| !tell.is_canceled());
        next.tell.push(tell);
        waiting.boards.push((id, next));
        !std::mem::replace(&mut waiting.writing, true)
    });
    let next = || {
        WAITING.with_borrow_mut(|waiting| {
            let next = waiting.boards.pop();
            waiting.writing = next.is_some();
            next
        })
    };
    if begin {
        spawn_local(async move {
            while let Some((id, next)) = next() {
                let kept = write(id, next.board).await;
                for tell in next.tell {
                    // Most do not wait: the list has it too, for as long as the device is well.
                    let _ = tell.send(kept);
                }
            }
        });
    }
    written
}

/// Writes what is remembered of a board. Returns whether it was.
async fn write(id: DocumentId, board: Option<RecentBoard>) -> bool {
    let Ok(database) = Database::open().await else { return false };
    let text = board.and_then(|board| serde_json::to_string(&board).ok());
    database.write(&[Write::Record { store: Store::Opened, key: id.to_string(), text }]).await.is_ok()
}
