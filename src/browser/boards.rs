//! Opens documents, registers them with the server and replaces their keys, over HTTP.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::request::{NoAnswer, post_json};
use crate::sync::id::{DocumentId, Key};

/// Time limit for opening a board: a large one on a slow connection takes its time.
const OPENING_MS: u32 = 60_000;

/// Time limit for requests whose answers are small.
const ASKING_MS: u32 = 20_000;

/// Why a board was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// No answer of the server.
    #[error("The server can't be reached. Check the connection and try again.")]
    Unreachable,
    /// The server said no, with this status, or answered what this page cannot read.
    #[error("The server cannot open the board just now (status {0}). Try again in a moment.")]
    Failed(u16),
}

impl From<NoAnswer> for NotOpened {
    fn from(_: NoAnswer) -> Self {
        Self::Unreachable
    }
}

/// Asks the server for what `key` opens; `None` if it opens nothing.
///
/// # Errors
/// [`NotOpened`].
pub async fn open<T: DeserializeOwned>(key: &Key) -> Result<Option<T>, NotOpened> {
    #[derive(Serialize)]
    struct Asked<'a> {
        key: &'a Key,
    }

    let answer = post_json("/api/open", &Asked { key }, OPENING_MS).await?;
    let failed = NotOpened::Failed(answer.status);
    if answer.is_success() { serde_json::from_str(&answer.text).map_err(|_| failed) } else { Err(failed) }
}

/// Why a board was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCreated {
    /// No answer of the server.
    #[error("The server can't be reached. Check the connection and try again.")]
    Unreachable,
    /// The server said no, with this status.
    #[error("The server would not make the board (status {0}). Try again in a moment.")]
    Refused(u16),
}

impl From<NoAnswer> for NotCreated {
    fn from(_: NoAnswer) -> Self {
        Self::Unreachable
    }
}

/// Registers the document `id` under `edit_key`. Doing it twice does it once.
///
/// # Errors
/// [`NotCreated`].
pub async fn create(id: DocumentId, edit_key: &Key) -> Result<(), NotCreated> {
    #[derive(Serialize)]
    struct NewBoard<'a> {
        id: DocumentId,
        edit_key: &'a Key,
    }

    let answer = post_json("/api/boards", &NewBoard { id, edit_key }, ASKING_MS).await?;
    if answer.is_success() { Ok(()) } else { Err(NotCreated::Refused(answer.status)) }
}

/// Why a document's keys were not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReplaced {
    /// No answer of the server: they may have been. Asking again with the same keys tells.
    #[error("The server can't be reached. Try again when it can.")]
    Unknown,
    /// They were not.
    #[error("The server would not replace the links. They may have been replaced by somebody else.")]
    Refused,
}

impl From<NoAnswer> for NotReplaced {
    fn from(_: NoAnswer) -> Self {
        Self::Unknown
    }
}

/// Puts a new edit key, with its view key, in the place of those that open a document. Doing it twice does it once.
///
/// # Errors
/// [`NotReplaced`].
pub async fn replace_key(edit_key: &Key, new_edit_key: &Key) -> Result<(), NotReplaced> {
    #[derive(Serialize)]
    struct NewKey<'a> {
        edit_key: &'a Key,
        new_edit_key: &'a Key,
    }

    match post_json("/api/keys", &NewKey { edit_key, new_edit_key }, ASKING_MS).await?.status {
        200 => Ok(()),
        // The request came too slowly, or there were too many: it was not looked at.
        408 | 429 => Err(NotReplaced::Unknown),
        400..500 => Err(NotReplaced::Refused),
        _ => Err(NotReplaced::Unknown),
    }
}
