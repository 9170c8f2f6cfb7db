//! The server's half: there is no device.

use leptos::prelude::ServerFnError;
use uuid::Uuid;

use super::RecentBoard;
use crate::board::Date;
use crate::sync::id::{DocumentId, Key};
use crate::ui::api::{BoardPage, open_board};

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
#[must_use]
pub const fn stores() -> bool {
    true
}

/// See the browser's.
pub fn remember(_board: RecentBoard) {}

/// See the browser's.
pub fn forget(_id: DocumentId) {}

/// See the browser's.
pub fn put_back(_board: RecentBoard) {}

/// See the browser's.
pub fn set_registered(_id: DocumentId) {}

/// See the browser's.
#[allow(clippy::unused_async)]
pub async fn all_recent_boards() -> Vec<RecentBoard> {
    Vec::new()
}

/// See the browser's.
#[allow(clippy::unused_async)]
pub async fn kept_board(_key: &Key) -> Option<BoardPage> {
    None
}

/// See the browser's.
#[allow(clippy::unused_async)]
pub async fn unsent_here(_key: &Key) -> Option<BoardPage> {
    None
}

/// See the browser's: on the server nobody types.
pub mod drafts {
    use crate::sync::drafts::Draft;
    use crate::sync::id::DocumentId;

    /// See the browser's.
    pub fn open(_document: DocumentId, _came: impl Fn() + Clone + 'static) {}

    /// See the browser's.
    #[must_use]
    pub const fn get(_document: DocumentId, _place: &str) -> Option<Draft> {
        None
    }

    /// See the browser's.
    #[must_use]
    pub const fn all(_document: DocumentId) -> Vec<(String, Draft)> {
        Vec::new()
    }

    /// See the browser's.
    #[must_use]
    pub fn put(_document: DocumentId, _place: &str, _text: String, _from: String) -> bool {
        true
    }

    /// See the browser's.
    pub const fn remove(_document: DocumentId, _place: &str) {}
}

/// See the browser's.
///
/// # Errors
/// The server's.
pub async fn open(key: String, _handed: Option<DocumentId>) -> Result<Option<BoardPage>, ServerFnError> {
    open_board(key).await
}

/// See the browser's.
///
/// # Errors
/// None.
#[allow(clippy::unused_async)]
pub async fn replace_links(board: RecentBoard) -> Result<Key, String> {
    Ok(board.key)
}

/// See the browser's.
#[allow(clippy::unused_async)]
pub async fn key_after(_id: DocumentId, _key: &Key) -> Option<Key> {
    None
}

/// See the browser's.
#[allow(clippy::unused_async)]
pub async fn take_up_replacement(_key: &Key) -> Option<Key> {
    None
}

/// See the browser's.
#[allow(clippy::unused_async)]
pub async fn server_answers(_wanted: impl Fn() -> bool) -> bool {
    false
}
