//! The server's side of one document: gives each change its place in the log, once.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::digest::{Cursor, Digest};
use super::document::{Document, Refusal};
use super::id::ChangeId;
use super::message::{Body, Limits, Proposal, Record};
use super::time::UnixMillis;

/// A document at the end of its log, with the id of every entry.
#[derive(Clone, Debug)]
pub struct Sequencer<D> {
    document: D,
    cursor: Cursor,
    ids: HashMap<ChangeId, u64>,
    limits: Limits,
}

/// Entries about to be made durable. They exist for nobody until [`Sequencer::commit`].
#[derive(Clone, Debug)]
pub struct Staged<D> {
    after: u64,
    document: D,
    cursor: Cursor,
    records: Vec<Record>,
    ids: HashMap<ChangeId, u64>,
}

impl<D> Staged<D> {
    /// The version that these entries follow.
    #[must_use]
    pub const fn after(&self) -> u64 {
        self.after
    }

    /// The entries, contiguous.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It has a place among the staged entries, applied or refused.
    Staged,
    /// The log has it already, at this version.
    Known(u64),
}

/// How a replica's cursor compares with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is at a place in this log.
    Here,
    /// It is at a place of another history.
    Rewound,
}

impl<D: Document> Sequencer<D> {
    /// A sequencer for `document`, which the log up to `cursor` has made; `ids` are all those in the log.
    #[must_use]
    pub fn new(document: D, cursor: Cursor, ids: HashMap<ChangeId, u64>, limits: Limits) -> Self {
        Self { document, cursor, ids, limits }
    }

    /// The document, as committed.
    #[must_use]
    pub const fn document(&self) -> &D {
        &self.document
    }

    /// The end of the log, as committed.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Begins a batch at the end of the log.
    #[must_use]
    pub fn stage(&self) -> Staged<D> {
        Staged {
            after: self.cursor.version,
            document: self.document.clone(),
            cursor: self.cursor,
            records: Vec::new(),
            ids: HashMap::new(),
        }
    }

    /// Gives a change, offered by the person who goes by `author`, its place in `staged`, unless the log or the batch has it.
    ///
    /// A change that cannot be applied gets a place too, with the reason: the fate of every change is found in the log.
    pub fn propose(
        &self,
        staged: &mut Staged<D>,
        author: &str,
        proposal: &Proposal<D::Change>,
        now: UnixMillis,
    ) -> Ruling {
        let Proposal { id, change } = proposal;
        if let Some(version) = self.ids.get(id).or_else(|| staged.ids.get(id)) {
            return Ruling::Known(*version);
        }
        let text = raw(change);
        let (text, verdict) = if text.get().len() > self.limits.change_bytes {
            // The text is not kept: a log must not be filled with what it refuses.
            let refusal = Refusal::too_large(text.get().len(), self.limits.change_bytes);
            (raw(&()), Err(refusal))
        } else {
            let verdict = match change {
                Body::Known(change) => D::check(change).and_then(|()| staged.document.apply(change)),
                Body::Unknown(_) => Err(Refusal::unknown_change()),
            };
            (text, verdict)
        };
        let mut record = Record {
            version: staged.cursor.version + 1,
            digest: Digest::GENESIS,
            id: *id,
            author: author.to_owned(),
            timestamp: now,
            change: text,
            refused: verdict.err(),
        };
        record.digest = staged.cursor.digest.then(&record);
        staged.cursor = Cursor { version: record.version, digest: record.digest };
        staged.ids.insert(record.id, record.version);
        staged.records.push(record);
        Ruling::Staged
    }

    /// The batch is durable: it is now the log's end. Returns its entries.
    ///
    /// # Panics
    /// If the log went on since the batch was staged: its place is taken, so it must be staged again.
    pub fn commit(&mut self, staged: Staged<D>) -> Vec<Record> {
        assert_eq!(staged.after, self.cursor.version, "a batch is committed where it was staged");
        self.document = staged.document;
        self.cursor = staged.cursor;
        self.ids.extend(staged.ids);
        staged.records
    }

    /// Compares a replica's cursor with the log; `digest` is the log's at the cursor's version, if it goes that far.
    #[must_use]
    pub fn standing(cursor: Cursor, digest: Option<Digest>) -> Standing {
        if digest == Some(cursor.digest) { Standing::Here } else { Standing::Rewound }
    }
}

fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    // Changes are plain data with string keys: writing them cannot fail.
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
