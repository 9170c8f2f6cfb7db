//! When a document's snapshot is worth writing, and the last one that was.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::server::frame::{self, DocumentJson};
use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::message::Record;

use super::recent::Recent;

/// Fewer entries than these after the stored snapshot are replayed faster than a new one is written.
const WORTH_KEEPING: u64 = 16;

/// A snapshot is stored when the entries after the last one come to this part of its length. With a large document and small
/// changes, writing one every so many entries would cost far more than the entries do.
const PART: usize = 4;

/// A room's snapshots: the one for clients, shared by all who need it, and what is known of the store's.
#[derive(Debug)]
pub(super) struct Snapshots {
    encoded: Option<(Cursor, DocumentJson)>,
    /// One is being encoded.
    pub(super) encoding: bool,
    /// Length of the last one, in bytes; 0 if there was none.
    bytes: usize,
    /// Version of the one that is in the store, or on its way there.
    stored: u64,
    /// Bytes of the entries after that.
    since: usize,
}

impl Snapshots {
    /// The store has one at version `stored`, of `bytes` bytes, and `tail` after it.
    pub(super) fn new<'a>(stored: u64, bytes: usize, tail: impl IntoIterator<Item = &'a Record>) -> Self {
        Self { encoded: None, encoding: false, bytes, stored, since: self::bytes(tail) }
    }

    /// Length of the last one that was encoded, in bytes; 0 if none was.
    pub(super) const fn last_bytes(&self) -> usize {
        self.bytes
    }

    /// A snapshot not older than the entries in `recent`, if there is one. When many come back at once, they all get the same one,
    /// though some entries came in between, as long as those are few beside it.
    pub(super) fn current(&self, recent: &Recent) -> Option<(Cursor, DocumentJson)> {
        let (at, json) = self.encoded.as_ref()?;
        let since = recent.since(at.version)?.map(frame::size).sum::<usize>();
        (since <= json.get().len() / 4).then(|| (*at, Arc::clone(json)))
    }

    /// One was encoded.
    pub(super) fn take(&mut self, at: Cursor, json: DocumentJson) {
        self.bytes = json.get().len();
        self.encoded = Some((at, json));
        self.encoding = false;
    }

    /// Entries came.
    pub(super) fn count<'a>(&mut self, records: impl IntoIterator<Item = &'a Record>) {
        self.since += bytes(records);
    }

    /// Whether a snapshot should be stored now that the log is at `version`; if so, it counts as stored.
    pub(super) const fn is_due(&mut self, version: u64, every: u64) -> bool {
        let due = version - self.stored >= every && self.since >= self.bytes / PART;
        if due {
            self.stored = version;
            self.since = 0;
        }
        due
    }

    /// The same for a room that is about to go out of memory.
    pub(super) const fn is_due_at_the_end(&mut self, version: u64) -> bool {
        self.is_due(version, WORTH_KEEPING)
    }

    /// One of so many bytes is in the store.
    pub(super) const fn was_stored(&mut self, bytes: usize) {
        self.bytes = bytes;
    }
}

/// A document's JSON.
pub(super) fn json<D: Document>(document: &D) -> DocumentJson {
    // Documents are plain data with string keys: writing them cannot fail.
    serde_json::value::to_raw_value(document).unwrap_or_else(|_| RawValue::NULL.to_owned()).into()
}

/// Bytes that entries take in a frame.
pub(super) fn bytes<'a>(records: impl IntoIterator<Item = &'a Record>) -> usize {
    records.into_iter().map(frame::size).sum()
}
