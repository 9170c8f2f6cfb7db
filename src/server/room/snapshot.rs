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

/// A room's snapshots: the one for clients, shared by all who need it, and what is known of the store's.
#[derive(Debug)]
pub(super) struct Snapshots {
    encoded: Option<(Cursor, DocumentJson)>,
    /// Length of the last one, in bytes; 0 if there was none.
    bytes: usize,
    /// Version of the one that is in the store, or on its way there.
    stored: u64,
}

impl Snapshots {
    /// The store has one at version `stored`, of `bytes` bytes.
    pub(super) const fn new(stored: u64, bytes: usize) -> Self {
        Self { encoded: None, bytes, stored }
    }

    /// Length of the last one that was encoded, in bytes; 0 if none was.
    pub(super) const fn last_bytes(&self) -> usize {
        self.bytes
    }

    /// A snapshot not older than the entries in `recent`. When many come back at once, they all get the same one, though
    /// some entries came in between, as long as those are few beside it.
    pub(super) fn encoded<D: Document>(
        &mut self,
        document: &D,
        end: Cursor,
        recent: &Recent,
    ) -> (Cursor, DocumentJson) {
        if let Some((at, json)) = &self.encoded
            && let Some(since) = recent.since(at.version)
            && since.map(frame::size).sum::<usize>() <= json.get().len() / 4
        {
            return (*at, Arc::clone(json));
        }
        let json = json(document);
        self.bytes = json.get().len();
        self.encoded = Some((end, Arc::clone(&json)));
        (end, json)
    }

    /// Whether a snapshot should be stored now that the log is at `version`; if so, it counts as stored.
    pub(super) const fn is_due(&mut self, version: u64, every: u64) -> bool {
        let due = version - self.stored >= every;
        if due {
            self.stored = version;
        }
        due
    }

    /// The same for a room that is about to go out of memory.
    pub(super) const fn is_due_at_the_end(&mut self, version: u64) -> bool {
        self.is_due(version, WORTH_KEEPING)
    }
}

/// A document's JSON.
fn json<D: Document>(document: &D) -> DocumentJson {
    // Documents are plain data with string keys: writing them cannot fail.
    serde_json::value::to_raw_value(document).unwrap_or_else(|_| RawValue::NULL.to_owned()).into()
}

/// Bytes that entries take in a frame.
pub(super) fn bytes<'a>(records: impl IntoIterator<Item = &'a Record>) -> usize {
    records.into_iter().map(frame::size).sum()
}
