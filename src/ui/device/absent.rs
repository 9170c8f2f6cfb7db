//! The server's half: there is no device.

use uuid::Uuid;

use super::RecentBoard;
use crate::board::Date;
use crate::sync::id::{DocumentId, Key};

/// See the browser's.
#[must_use]
pub const fn new_id() -> Option<Uuid> {
    None
}

/// See the browser's.
#[must_use]
pub const fn new_key() -> Option<Key> {
    None
}

/// See the browser's.
#[must_use]
pub const fn today() -> Option<Date> {
    None
}

/// See the browser's.
#[must_use]
pub const fn recent_boards() -> Vec<RecentBoard> {
    Vec::new()
}

/// See the browser's.
pub fn remember(_board: RecentBoard) {}

/// See the browser's.
pub fn forget(_id: DocumentId) {}

/// See the browser's.
///
/// # Errors
/// Never.
#[allow(clippy::unused_async)]
pub async fn create_board(_id: DocumentId, _edit_key: Key) -> Result<(), String> {
    Ok(())
}
