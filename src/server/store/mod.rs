//! Where logs are durable. One trait, so that rooms do not know which database is under them.
//!
//! Only [`Store::append`] decides what is in a log. Everything else follows from it.

pub mod sqlite;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::{ChangeId, DocumentId, Key};
use crate::sync::message::{Access, Record};
use crate::sync::time::UnixMillis;

/// A durable home for documents' logs. It does not know what is in a change.
pub trait Store: Send + Sync + 'static {
    /// Makes a document with an empty log. Saying the same again is harmless.
    fn create(&self, new: NewDocument) -> impl Future<Output = Result<Creation, StoreError>> + Send;

    /// The document that a key opens, and what the key allows.
    fn find(&self, key: KeyHash) -> impl Future<Output = Result<Option<(DocumentId, Access)>, StoreError>> + Send;

    /// Everything a room starts from, as of one moment; `None` if there is no such document.
    fn load(&self, document: DocumentId) -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

    /// Puts entries at the end of a log, if that is at version `after`. When this returns [`Appended::Durable`], they
    /// survive a power cut.
    fn append(
        &self,
        document: DocumentId,
        after: u64,
        records: Vec<Record>,
    ) -> impl Future<Output = Result<Appended, StoreError>> + Send;

    /// The entries after version `after`, up to and with `up_to`, in order. Ends early, after the entry that takes the
    /// changes' texts over `max_bytes`.
    fn range(
        &self,
        document: DocumentId,
        after: u64,
        up_to: u64,
        max_bytes: usize,
    ) -> impl Future<Output = Result<Vec<Record>, StoreError>> + Send;

    /// The log's digest at a version; `None` if it does not go that far.
    fn digest_at(
        &self,
        document: DocumentId,
        version: u64,
    ) -> impl Future<Output = Result<Option<Digest>, StoreError>> + Send;

    /// The entry of a change; `None` if the log has not got it.
    fn record_of(
        &self,
        document: DocumentId,
        id: ChangeId,
    ) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;

    /// Keeps a document's JSON as of `at`, so that loading need not replay what is before. One that is older than what is
    /// kept, or of another history than the log's, is not kept.
    fn save_snapshot(
        &self,
        document: DocumentId,
        at: Cursor,
        json: String,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A document to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// Made by the client.
    pub id: DocumentId,
    /// Hash of the key that allows changes.
    pub edit_key: KeyHash,
    /// Hash of the key that allows reading.
    pub view_key: KeyHash,
    /// The server's clock.
    pub created_at: UnixMillis,
}

/// What became of [`Store::create`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It is there now.
    Created,
    /// It was there already, with these keys.
    Existed,
    /// The id or a key belongs to another document; or the keys to this one, but not as said.
    Taken,
}

/// What became of [`Store::append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The entries are durable.
    Durable,
    /// The log is at another version; nothing was written.
    Conflict,
}

/// A document as a room starts from it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The end of the log.
    pub cursor: Cursor,
    /// The newest snapshot, and where in the log it was taken.
    pub snapshot: Option<(Cursor, String)>,
    /// The entries after the snapshot; all of them if there is none.
    pub tail: Vec<Record>,
    /// The id of every entry in the log, with its version.
    pub ids: Vec<(ChangeId, u64)>,
}

/// The SHA-256 of a key's text. The store never sees the key itself: who reads a backup cannot open a board with it.
///
/// Keys are looked up by their hash, so how long a look-up takes says nothing about the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        Self(Sha256::digest(key.as_str()).into())
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, or the room set aside for the database, is full. Nothing was written; later may do.
    #[error("the database has no room left")]
    Full,
    /// Anything else. Nothing was written, as far as can be told.
    #[error("the database failed")]
    Failed(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// A failure with its cause.
    pub fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(Arc::from(cause.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_sha256() {
        let key: Key = "AAAAAAAAAAAAAAAAAAAAAA".parse().expect("a key");
        let hash = KeyHash::of(&key);
        // printf AAAAAAAAAAAAAAAAAAAAAA | sha256sum
        assert_eq!(hash.to_string(), "8a5bdb4cc15164126c6ef2668de9dd240d299ce6397a42c95a9411b93d080ed8");
        assert_eq!(format!("{hash:?}"), "KeyHash(…)");
    }
}
