//! Registers documents with the server and replaces their keys, over HTTP.

use gloo_net::http::Request;
use serde::Serialize;

use super::simulator::{Passage, Simulator};
use crate::sync::id::{DocumentId, Key};

/// Why a board was not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCreated {
    /// No answer.
    #[error("The server can't be reached. Check the connection and try again.")]
    Unreachable,
    /// The server said no, with this status.
    #[error("The server would not make the board (status {0}). Try again in a moment.")]
    Refused(u16),
}

#[derive(Serialize)]
struct NewBoard<'a> {
    id: DocumentId,
    edit_key: &'a Key,
}

/// Registers the document `id` under `edit_key`. Doing it twice does it once.
///
/// # Errors
/// [`NotCreated`].
pub async fn create(id: DocumentId, edit_key: &Key) -> Result<(), NotCreated> {
    if Simulator::of_page().passes(false).await != Passage::Through {
        return Err(NotCreated::Unreachable);
    }
    let request = Request::post("/api/boards").json(&NewBoard { id, edit_key }).map_err(|_| NotCreated::Unreachable)?;
    let response = request.send().await.map_err(|_| NotCreated::Unreachable)?;
    if response.ok() { Ok(()) } else { Err(NotCreated::Refused(response.status())) }
}

/// Why a document's keys were not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReplaced {
    /// No answer: they may have been. Asking again with the same keys tells.
    #[error("The server can't be reached. Try again when it can.")]
    Unknown,
    /// They were not.
    #[error("The server would not replace the links. They may have been replaced by somebody else.")]
    Refused,
}

#[derive(Serialize)]
struct NewKey<'a> {
    edit_key: &'a Key,
    new_edit_key: &'a Key,
}

/// Puts a new edit key, with its view key, in the place of those that open a document. Doing it twice does it once.
///
/// # Errors
/// [`NotReplaced`].
pub async fn replace_key(edit_key: &Key, new_edit_key: &Key) -> Result<(), NotReplaced> {
    if Simulator::of_page().passes(false).await != Passage::Through {
        return Err(NotReplaced::Unknown);
    }
    let request =
        Request::post("/api/keys").json(&NewKey { edit_key, new_edit_key }).map_err(|_| NotReplaced::Unknown)?;
    let response = request.send().await.map_err(|_| NotReplaced::Unknown)?;
    match response.status() {
        200 => Ok(()),
        // The request came too slowly, or there were too many: it was not looked at.
        408 | 429 => Err(NotReplaced::Unknown),
        400..500 => Err(NotReplaced::Refused),
        _ => Err(NotReplaced::Unknown),
    }
}
