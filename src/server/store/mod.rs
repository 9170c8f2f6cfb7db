//! Where logs are durable. Two traits, so that rooms do not know which database is under them: what reads, and what writes too.
//!
//! Only [`Store::append`] decides what is in a log. Everything else follows from it.

pub mod database;
pub mod postgres;
pub mod sqlite;

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::entries::Entries;
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::{ChangeId, DocumentId, Key};
use crate::sync::message::{Access, Record};
use crate::sync::time::UnixMillis;

/// Reads documents' logs. It does not know what is in a change.
pub trait ReadStore: Send + Sync + 'static {
    /// The document that a key opens, and what the key allows.
    fn find(&self, key: KeyHash) -> impl Future<Output = Result<Option<Found>, StoreError>> + Send;

    /// Everything a room starts from, as of one moment; `None` if there is no such document.
    fn load(&self, document: DocumentId) -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

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

    /// How these documents stand, those that there are.
    fn ends(&self, documents: Vec<DocumentId>) -> impl Future<Output = Result<Vec<End>, StoreError>> + Send;

    /// The next documents after `after`, in the order of their ids, `most` of them at most.
    fn documents(
        &self,
        after: Option<DocumentId>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Listed>, StoreError>> + Send;

    /// What is wrong with the rows that no log vouches for: documents, their keys, and what belongs to no document. Reads all of them.
    fn flaws(&self) -> impl Future<Output = Result<Vec<RowFlaw>, StoreError>> + Send;
}

/// A durable home for documents' logs.
pub trait Store: ReadStore {
    /// Makes a document with an empty log. Saying the same again is harmless.
    fn create(&self, new: NewDocument) -> impl Future<Output = Result<Creation, StoreError>> + Send;

    /// Puts entries at the end of a log, if that is at version `after`. When this returns [`Appended::Durable`], they
    /// survive a power cut.
    fn append(
        &self,
        document: DocumentId,
        after: u64,
        entries: &Entries<'_>,
    ) -> impl Future<Output = Result<Appended, StoreError>> + Send;

    /// Keeps a document's JSON as of `at`, so that loading need not replay what is before. One that is older than what is
    /// kept, or of another history than the log's, is not kept.
    fn save_snapshot(
        &self,
        document: DocumentId,
        at: Cursor,
        json: String,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts two keys in the place of all that open a document, if `current` is one of these and allows changes. Saying the same
    /// again is harmless.
    fn replace_keys(
        &self,
        document: DocumentId,
        current: KeyHash,
        new: Keys,
    ) -> impl Future<Output = Result<Replacement, StoreError>> + Send;

    /// Of which documents other servers have written lately, if there are other servers. A hint: one may be lost, or tell nothing
    /// new, and [`ReadStore::ends`] says how it is. `None` if only this server writes. The first to ask gets it.
    fn watch(&self) -> Option<mpsc::UnboundedReceiver<DocumentId>>;
}

/// The hashes of the keys that open a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Of the key that allows changes.
    pub edit: KeyHash,
    /// Of the key that allows reading.
    pub view: KeyHash,
}

/// A document that a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub document: DocumentId,
    /// What the key allows.
    pub access: Access,
    /// How often the document's keys were replaced.
    pub keys_version: u64,
}

/// How a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its id.
    pub document: DocumentId,
    /// The version of its last entry.
    pub version: u64,
    /// How often its keys were replaced.
    pub keys_version: u64,
}

/// A document in a list of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: DocumentId,
    /// The end of its log.
    pub end: Cursor,
    /// Its keys.
    pub keys: Keys,
    /// When it was made, by the server's clock.
    pub created_at: UnixMillis,
}

/// What became of [`Store::replace_keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// The new keys open it, the old ones do not. They were replaced so often by now.
    Replaced(u64),
    /// The key that was given does not allow changes to this document.
    Refused,
    /// A new key is in use already.
    Taken,
}

/// A document to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// Made by the client.
    pub id: DocumentId,
    /// The keys that open it.
    pub keys: Keys,
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
    /// How often the document's keys were replaced.
    pub keys_version: u64,
    /// The newest snapshot.
    pub snapshot: Option<StoredSnapshot>,
    /// The entries after the snapshot; all of them if there is none.
    pub tail: Vec<Record>,
    /// The id of every entry in the log, with its version.
    pub ids: Vec<(ChangeId, u64)>,
}

/// A document as it was at a place in its log, as it comes out of a store. It may have been altered there.
#[derive(Clone, Debug)]
pub struct StoredSnapshot {
    /// The place.
    pub at: Cursor,
    /// The document's JSON.
    pub json: String,
    /// What [`snapshot_hash`] said when it was stored.
    pub hash: String,
}

impl StoredSnapshot {
    /// Whether the snapshot is the one that was stored for `document`.
    #[must_use]
    pub fn is_whole(&self, document: DocumentId) -> bool {
        self.hash == snapshot_hash(document, self.at, &self.json)
    }
}

/// The SHA-256 of a snapshot and of the place that it belongs to, as 64 hexadecimal digits.
#[must_use]
pub fn snapshot_hash(document: DocumentId, at: Cursor, json: &str) -> String {
    hex(Sha256::new()
        .chain_update(format!("{document}\n{}\n{}\n", at.version, at.digest))
        .chain_update(json)
        .finalize())
}

/// The SHA-256 of what a store has of a document beside its log, as 64 hexadecimal digits: its id, when it was made, how often
/// its keys were replaced, and all keys, each with what it allows, in the order of that.
#[must_use]
pub fn seal<'a>(
    id: &str,
    created_at: i64,
    keys_version: i64,
    keys: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut text = format!("{id}\n{created_at}\n{keys_version}\n");
    for (access, hash) in keys {
        text += &format!("{access} {hash}\n");
    }
    hex(Sha256::digest(text))
}

fn hex(hash: impl AsRef<[u8]>) -> String {
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Something that is wrong with the rows of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFlaw {
    /// The id of the document, as it is written there; none if it is the whole database.
    pub document: Option<String>,
    /// What is wrong, as the end of a sentence.
    pub what: String,
}

impl RowFlaw {
    pub(super) fn of(document: impl Into<String>, what: &str) -> Self {
        Self { document: Some(document.into()), what: what.to_owned() }
    }

    pub(super) fn keys(document: impl Into<String>) -> Self {
        Self::of(document, "its keys, or when it was made, are not as the server wrote them")
    }

    pub(super) fn end(document: impl Into<String>) -> Self {
        Self::of(document, "its row says another end than its log has")
    }

    pub(super) fn stray(document: impl Into<String>) -> Self {
        Self::of(document, "there are rows of it, but no such board")
    }
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

impl FromStr for KeyHash {
    type Err = NotAKeyHash;

    fn from_str(text: &str) -> Result<Self, NotAKeyHash> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotAKeyHash);
        }
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| NotAKeyHash)?;
        }
        Ok(Self(bytes))
    }
}

/// A text that is no [`KeyHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's hash is 64 hexadecimal digits")]
pub struct NotAKeyHash;

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
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for text in ["", "8a", &"x".repeat(64), &"é".repeat(32)] {
            assert_eq!(text.parse::<KeyHash>(), Err(NotAKeyHash), "{text}");
        }
    }
}
