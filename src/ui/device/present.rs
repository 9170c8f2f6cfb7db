//! The browser's half.

use uuid::Uuid;

use super::RecentBoard;
use crate::board::Date;
use crate::browser::{boards, clock, storage};
use crate::sync::id::{DocumentId, Key, uuid_v7};

/// Most boards that are remembered.
const MAX_RECENT: usize = 200;
const RECENT: &str = "sheetbend/boards";

/// An id for something new.
#[must_use]
pub fn new_id() -> Option<Uuid> {
    Some(uuid_v7(clock::unix_now(), clock::random()))
}

/// A key for a new board.
#[must_use]
pub fn new_key() -> Option<Key> {
    Some(Key::from_random(clock::random()))
}

/// The day it is here.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn today() -> Option<Date> {
    let now = js_sys::Date::new_0();
    Date::new(u16::try_from(now.get_full_year()).ok()?, now.get_month() as u8 + 1, now.get_date() as u8)
}

/// The boards that this person has opened on this device, the last one first.
#[must_use]
pub fn recent_boards() -> Vec<RecentBoard> {
    let mut boards: Vec<RecentBoard> = storage::read(RECENT).unwrap_or_default();
    boards.sort_by_key(|board| std::cmp::Reverse(board.opened_at));
    boards
}

/// Remembers a board, in place of what was remembered of it; the time of opening is now.
///
/// An edit key is not given up for a view key: the board stays editable from the list.
pub fn remember(mut board: RecentBoard) {
    use crate::sync::message::Access;

    let mut boards = recent_boards();
    if let Some(at) = boards.iter().position(|other| other.id == board.id) {
        let before = boards.remove(at);
        if before.access == Access::Edit && board.access == Access::View {
            board = RecentBoard { title: board.title, ..before };
        }
    }
    board.opened_at = clock::unix_now();
    boards.insert(0, board);
    boards.truncate(MAX_RECENT);
    // If the device keeps nothing, the list stays as it was: the link is still good.
    let _ = storage::write(RECENT, &boards);
}

/// Takes a board off the list; the board itself stays.
pub fn forget(id: DocumentId) {
    let boards: Vec<_> = recent_boards().into_iter().filter(|board| board.id != id).collect();
    let _ = storage::write(RECENT, &boards);
}

/// Registers a new board with the server. Doing it twice does it once.
///
/// # Errors
/// A sentence for the person.
pub async fn create_board(id: DocumentId, edit_key: Key) -> Result<(), String> {
    boards::create(id, &edit_key).await.map_err(|error| error.to_string())
}
