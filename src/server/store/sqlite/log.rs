//! Documents' logs: the newest entries in a journal, in the order they came, and those before in blocks, each of entries that follow
//! each other in one log.
//!
//! So a transaction that appends to many logs changes the journal's last pages, and not some of each log. Some thousands of
//! entries at a time move into blocks. An entry is JSON, as clients are sent it.

use std::collections::HashMap;

use rusqlite::{Connection, Error, OptionalExtension as _, Result};
use uuid::Uuid;

use super::row::{self, signed};
use super::{Appended, End};
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::{ChangeId, DocumentId};
use crate::sync::message::Record;

/// Entries in the journal before they move: so many that logs are changed seldom, so few that reading the whole journal, which has no
/// index, takes little.
const JOURNAL: i64 = 2_048;

/// Most entries in a block, which is read as a whole.
const BLOCK: usize = 64;
/// No more go into a block that has so many bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// The connection that writes, and what it knows of the journal: nobody else writes there.
#[derive(Debug)]
pub(super) struct Log {
    db: Connection,
    /// Where the logs end that have entries in the journal. `None` until that is read from there.
    ends: Option<HashMap<DocumentId, Cursor>>,
}

impl Log {
    pub(super) const fn new(db: Connection) -> Self {
        Self { db, ends: None }
    }

    pub(super) const fn db(&self) -> &Connection {
        &self.db
    }

    /// A transaction was undone, and with it what it may have appended.
    pub(super) fn undone(&mut self) {
        self.ends = None;
    }

    pub(super) fn append(&mut self, document: DocumentId, after: u64, records: &[Record]) -> Result<Appended> {
        let Some(last) = records.last() else { return Ok(Appended::Durable) };
        let ends = match &mut self.ends {
            Some(ends) => ends,
            unread => unread.insert(ends_in_journal(&self.db)?),
        };
        let id = document.to_string();
        let end = match ends.get(&document) {
            Some(end) => Some(end.version),
            None => self
                .db
                .prepare_cached("SELECT version FROM documents WHERE id = ?1")?
                .query_row([&id], |row| row::unsigned(row, 0))
                .optional()?,
        };
        if end != Some(after) {
            return Ok(Appended::Conflict);
        }
        let mut insert =
            self.db.prepare_cached("INSERT INTO journal (document, version, id, entry) VALUES (?1, ?2, ?3, ?4)")?;
        for record in records {
            let entry = serde_json::to_string(record).map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
            insert.execute((&id, signed(record.version), record.id.0.as_bytes(), entry))?;
        }
        ends.insert(document, last.cursor());
        if self.db.last_insert_rowid() >= JOURNAL {
            empty_journal(&self.db, ends)?;
            ends.clear();
        }
        Ok(Appended::Durable)
    }
}

fn ends_in_journal(db: &Connection) -> Result<HashMap<DocumentId, Cursor>> {
    db.prepare("SELECT max(version), entry ->> 'digest', document FROM journal GROUP BY document")?
        .query_map([], |row| Ok((row::parsed(row, 2)?, row::cursor(row)?)))?
        .collect()
}

fn empty_journal(db: &Connection, ends: &HashMap<DocumentId, Cursor>) -> Result<()> {
    let mut update = db.prepare_cached("UPDATE documents SET version = ?1, digest = ?2 WHERE id = ?3")?;
    for (document, end) in ends {
        update.execute((signed(end.version), end.digest.to_string(), document.to_string()))?;
    }
    let mut entries =
        db.prepare_cached("SELECT document, version, id, entry FROM journal ORDER BY document, version")?;
    let mut rows = entries.query([])?;
    let mut block = Block::default();
    while let Some(row) = rows.next()? {
        let document = row.get_ref(0)?.as_str()?;
        if !block.takes(document) {
            block.write(db)?;
            block = Block { document: document.to_owned(), ..Block::default() };
        }
        block.push(row.get(1)?, row.get_ref(2)?.as_blob()?, row.get_ref(3)?.as_str()?);
    }
    block.write(db)?;
    db.prepare_cached("DELETE FROM journal")?.execute([])?;
    Ok(())
}

/// Entries that follow each other in one log.
#[derive(Debug, Default)]
struct Block {
    document: String,
    last: i64,
    ids: Vec<u8>,
    /// Each with what comes before it in a JSON array.
    entries: String,
}

impl Block {
    fn takes(&self, document: &str) -> bool {
        self.document == document && self.ids.len() / 16 < BLOCK && self.entries.len() < BLOCK_BYTES
    }

    fn push(&mut self, version: i64, id: &[u8], entry: &str) {
        self.last = version;
        self.ids.extend_from_slice(id);
        self.entries.push(if self.entries.is_empty() { '[' } else { ',' });
        self.entries.push_str(entry);
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
         FROM documents, (SELECT max(version) AS version, entry ->> 'digest' AS digest FROM journal WHERE document = ?1) AS newest
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
         SELECT version, '[' || entry || ']' FROM journal WHERE document = ?1 AND version > ?2
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
        "SELECT last, ids FROM blocks WHERE document = ?1 UNION ALL SELECT version, id FROM journal WHERE document = ?1",
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
