//! What a page opens.

use crate::sync::digest::Cursor;
use crate::sync::id::{DocumentId, Key};
use crate::sync::message::Access;

/// What to open.
#[derive(Clone, Debug)]
pub struct Opening<D> {
    /// The document's id: what its outbox is kept under.
    pub id: DocumentId,
    /// Its edit or view key.
    pub key: Key,
    /// The name this person goes by; may be empty.
    pub name: String,
    /// The document as the page came with it.
    pub document: D,
    /// Its place in the log.
    pub cursor: Cursor,
    /// What the key allows.
    pub access: Access,
    /// The server knows it. One that was made without a network is registered first, under the key.
    pub registered: bool,
}
