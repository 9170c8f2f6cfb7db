//! Registers documents with the server, over HTTP.

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
