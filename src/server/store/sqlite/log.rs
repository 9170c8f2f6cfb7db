//! Documents' logs, in blocks: each is of entries that follow each other in one log, as the JSON that clients are sent. The newest are in a
//! journal, in the order they came, and without an index: a transaction that appends to many logs changes its last pages, and not some
//! of each log. Some thousands at a time they move, and become larger ones.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Result};
use uuid::Uuid;

use super::row::{self, signed};
use super::{Appended, End};
use crate::server::entries::{Committed, Entries};
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::{ChangeId, DocumentId};
use crate::sync::message::Record;

/// Entries in the journal before they move: so many that logs are changed seldom, so few that the move, which all wait for, and looking
/// through the journal take little.
const JOURNAL: usize = 2_048;
/// Bytes of entries in the journal before they move: however large entries are, the move is short.
const JOURNAL_BYTES: usize = 8 * 1024 * 1024;

/// Bytes of an entry's id.
const ID: usize = size_of::<Uuid>();

/// Most entries in a block, which is read as a whole; more only if they were appended at once.
const BLOCK: usize = 64;
/// Most bytes in a block that is made of several.
const BLOCK_BYTES: usize = 64 * 1024;

/// The connection that writes, and what it knows of the journal: nobody else writes there.
#[derive(Debug)]
pub(super) struct Log {
    db: Connection,
    /// `None` until that is read from there.
    journal: Option<Journal>,
}

impl Log {
    pub(super) const fn new(db: Connection) -> Self {
        Self { db, journal: None }
    }

    pub(super) const fn db(&self) -> &Connection {
        &self.db
    }

    /// A transaction was undone, and with it what it may have appended.
    pub(super) fn undone(&mut self) {
        self.journal = None;
    }

    pub(super) fn append(&mut self, tail: &Tail) -> Result<Appended> {
        let journal = match &mut self.journal {
            Some(journal) => journal,
            unread => unread.insert(Journal::read(&self.db)?),
        };
        if journal.end(&self.db, tail.document)? != Some(tail.after) {
            return Ok(Appended::Conflict);
        }
        journal.push(&self.db, tail)?;
        if journal.entries >= JOURNAL || journal.bytes >= JOURNAL_BYTES {
            journal.empty(&self.db)?;
        }
        Ok(Appended::Durable)
    }
}

/// What is in the journal.
#[derive(Debug, Default)]
struct Journal {
    entries: usize,
    bytes: usize,
    /// Where the logs end that have entries in it.
    ends: HashMap<DocumentId, Cursor>,
}

impl Journal {
    fn read(db: &Connection) -> Result<Self> {
        let mut journal = Self::default();
        let mut logs = db.prepare(
            "SELECT max(last), entries ->> '$[#-1].digest', document, sum(length(ids)), sum(octet_length(entries))
             FROM journal GROUP BY document",
        )?;
        let mut rows = logs.query([])?;
        while let Some(row) = rows.next()? {
            journal.ends.insert(row::parsed(row, 2)?, row::cursor(row)?);
            journal.entries += usize::try_from(row::unsigned(row, 3)?).unwrap_or(usize::MAX) / ID;
            journal.bytes += usize::try_from(row::unsigned(row, 4)?).unwrap_or(usize::MAX);
        }
        Ok(journal)
    }

    /// The version at which a log ends; `None` if there is no such document.
    fn end(&self, db: &Connection, document: DocumentId) -> Result<Option<u64>> {
        if let Some(end) = self.ends.get(&document) {
            return Ok(Some(end.version));
        }
        db.prepare_cached("SELECT version FROM documents WHERE id = ?1")?
            .query_row([document.to_string()], |row| row::unsigned(row, 0))
            .optional()
    }

    fn push(&mut self, db: &Connection, tail: &Tail) -> Result<()> {
        let id = tail.document.to_string();
        let mut insert =
            db.prepare_cached("INSERT INTO journal (document, last, ids, entries) VALUES (?1, ?2, ?3, ?4)")?;
        for (ids, frame) in &tail.frames {
            insert.execute((&id, signed(frame.end.version), ids, frame.json()))?;
            self.entries += frame.entries;
            self.bytes += frame.json().len();
        }
        self.ends.insert(tail.document, tail.end);
        Ok(())
    }

    /// Moves all that is in it.
    fn empty(&mut self, db: &Connection) -> Result<()> {
        let mut update = db.prepare_cached("UPDATE documents SET version = ?1, digest = ?2 WHERE id = ?3")?;
        for (document, end) in self.ends.drain() {
            update.execute((signed(end.version), end.digest.to_string(), document.to_string()))?;
        }
        let mut journal =
            db.prepare_cached("SELECT document, last, ids, entries FROM journal ORDER BY document, last")?;
        let mut rows = journal.query([])?;
        let mut block = Block::default();
        while let Some(row) = rows.next()? {
            let (document, ids) = (row.get_ref(0)?.as_str()?, row.get_ref(2)?.as_blob()?);
            let entries = row.get_ref(3)?.as_str()?;
            if !block.takes(document, ids, entries) {
                block.write(db)?;
                block = Block { document: document.to_owned(), ..Block::default() };
            }
            block.push(row.get(1)?, ids, entries)?;
        }
        block.write(db)?;
        db.prepare_cached("DELETE FROM journal")?.execute([])?;
        self.entries = 0;
        self.bytes = 0;
        Ok(())
    }
}

/// What is to be appended to a log.
#[derive(Debug)]
pub(super) struct Tail {
    document: DocumentId,
    /// The version that it follows.
    after: u64,
    end: Cursor,
    /// Each with the ids of its entries.
    frames: Vec<(Vec<u8>, Committed)>,
}

impl Tail {
    /// `None` if there are no entries.
    pub(super) fn new(document: DocumentId, after: u64, entries: &Entries<'_>) -> Option<Self> {
        let mut records = entries.records().iter();
        let with_ids = |frame: &Committed| {
            let ids = records.by_ref().take(frame.entries).flat_map(|record| *record.id.0.as_bytes()).collect();
            (ids, frame.clone())
        };
        let frames = entries.frames().iter().map(with_ids).collect();
        Some(Self { document, after, end: entries.records().last()?.cursor(), frames })
    }
}

/// Entries that follow each other in one log.
#[derive(Debug, Default)]
struct Block {
    document: String,
    last: i64,
    ids: Vec<u8>,
    /// A JSON array, but for its end.
    entries: String,
}

impl Block {
    fn takes(&self, document: &str, ids: &[u8], entries: &str) -> bool {
        self.document == document
            && (self.ids.len() + ids.len()) / ID <= BLOCK
            && self.entries.len() + entries.len() <= BLOCK_BYTES
    }

    fn push(&mut self, last: i64, ids: &[u8], entries: &str) -> Result<()> {
        let inner = entries.strip_prefix('[').and_then(|entries| entries.strip_suffix(']'));
        let inner = inner.ok_or_else(|| row::unreadable(3, "no JSON array"))?;
        self.last = last;
        self.ids.extend_from_slice(ids);
        self.entries.push(if self.entries.is_empty() { '[' } else { ',' });
        self.entries.push_str(inner);
        Ok(())
    }

    fn write(mut self, db: &Connection) -> Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        self.entries.push(']');
        db.prepare_cached("INSERT INTO blocks (document, last, ids, entries) VALUES (?1, ?2, ?3, ?4)")?.execute((
            self.document,
            self.last,
            self.ids,
            self.entries,
        ))?;
        Ok(())
    }
}

/// How a document stands, by what the database has.
pub(super) fn end(db: &Connection, document: DocumentId) -> Result<Option<(Cursor, u64)>> {
    db.prepare_cached(
        "SELECT coalesce(newest.version, documents.version), coalesce(newest.digest, documents.digest), keys_version
         FROM documents, (SELECT max(last) AS version, entries ->> '$[#-1].digest' AS digest FROM journal WHERE document = ?1) AS newest
         WHERE id = ?1",
    )?
    .query_row([document.to_string()], |row| Ok((row::cursor(row)?, row::unsigned(row, 2)?)))
    .optional()
}

pub(super) fn ends(db: &Connection, documents: &[DocumentId]) -> Result<Vec<End>> {
    let mut ends = Vec::new();
    for document in documents {
        if let Some((Cursor { version, .. }, keys_version)) = end(db, *document)? {
            ends.push(End { document: *document, version, keys_version });
        }
    }
    Ok(ends)
}

/// The entries after `after`, up to and with `up_to`; see [`ReadStore::range`](super::ReadStore::range).
pub(super) fn range(
    db: &Connection,
    document: DocumentId,
    after: u64,
    up_to: u64,
    max_bytes: usize,
) -> Result<Vec<Record>> {
    // One statement: it sees one moment, and so each entry in one place.
    let mut select = db.prepare_cached(
        "SELECT last, entries FROM blocks WHERE document = ?1 AND last > ?2
         UNION ALL
         SELECT last, entries FROM journal WHERE document = ?1 AND last > ?2
         ORDER BY 1",
    )?;
    let mut rows = select.query((document.to_string(), signed(after)))?;
    let mut records = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let entries: Vec<Record> =
            serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(|error| row::unreadable(1, error))?;
        for record in entries.into_iter().skip_while(|record| record.version <= after) {
            if record.version > up_to || bytes > max_bytes {
                return Ok(records);
            }
            bytes += record.change.get().len();
            records.push(record);
        }
    }
    Ok(records)
}

/// The ids of all entries, with their versions.
pub(super) fn ids(db: &Connection, document: DocumentId) -> Result<Vec<(ChangeId, u64)>> {
    let mut select = db.prepare_cached(
        "SELECT last, ids FROM blocks WHERE document = ?1 UNION ALL SELECT last, ids FROM journal WHERE document = ?1",
    )?;
    let mut rows = select.query([document.to_string()])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        let (last, block) = (row::unsigned(row, 0)?, row.get_ref(1)?.as_blob()?);
        let (block, rest) = block.as_chunks();
        if !rest.is_empty() {
            return Err(row::unreadable(1, "an id has 16 bytes"));
        }
        ids.extend(
            block.iter().rev().zip(0..=last).map(|(id, before)| (ChangeId(Uuid::from_bytes(*id)), last - before)),
        );
    }
    Ok(ids)
}

pub(super) fn digest_at(db: &Connection, document: DocumentId, version: u64) -> Result<Option<Digest>> {
    let Some(before) = version.checked_sub(1) else {
        let there = db.prepare_cached("SELECT 1 FROM documents WHERE id = ?1")?.exists([document.to_string()])?;
        return Ok(there.then_some(Digest::GENESIS));
    };
    Ok(range(db, document, before, version, usize::MAX)?.first().map(|record| record.digest))
}
