//! Server functions: what the page asks the server outside the sync socket.

use leptos::prelude::*;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::board::Board;
use crate::sync::digest::Cursor;
use crate::sync::id::{DocumentId, Key};
use crate::sync::message::Access;

/// A board as a page starts with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoardPage {
    /// The board's id.
    pub id: DocumentId,
    /// The key that opened it.
    pub key: Key,
    /// What the key allows.
    pub access: Access,
    /// Its place in the log.
    pub cursor: Cursor,
    /// The board.
    pub board: Board,
    /// The server knows the board; one that was made here without a network it does not know yet.
    #[serde(skip)]
    pub registered: bool,
}

/// By way of [`Value`], as everything that a page reads: one decoder of a board in its wasm, not one for each way in.
impl<'de> Deserialize<'de> for BoardPage {
    fn deserialize<R: Deserializer<'de>>(reader: R) -> Result<Self, R::Error> {
        #[derive(Deserialize)]
        #[serde(remote = "BoardPage")]
        struct Fields {
            id: DocumentId,
            key: Key,
            access: Access,
            cursor: Cursor,
            board: Board,
            #[serde(skip, default = "known")]
            registered: bool,
        }
        // What comes from the server, the server knows.
        const fn known() -> bool {
            true
        }

        Fields::deserialize(&Value::deserialize(reader)?).map_err(R::Error::custom)
    }
}

/// The server of boards that server functions find in their context.
#[cfg(feature = "ssr")]
pub type BoardServer = crate::server::Server<Board, crate::server::store::database::Database>;

/// The board that `key` opens; `None` if there is none, or `key` is no key.
///
/// # Errors
/// If the server cannot be reached or cannot read its store.
#[server(prefix = "/api", endpoint = "open", input = server_fn::codec::Json)]
pub async fn open_board(
    /// The key, as it stands in the link.
    key: String,
) -> Result<Option<BoardPage>, ServerFnError> {
    let Ok(key) = key.parse::<Key>() else { return Ok(None) };
    let server = expect_context::<BoardServer>();
    let opened = server.open(&key).await.map_err(|_| ServerFnError::new("The board cannot be read just now."))?;
    Ok(opened.map(|opened| BoardPage {
        id: opened.document,
        key,
        access: opened.access,
        cursor: opened.cursor,
        board: opened.view,
        registered: true,
    }))
}
