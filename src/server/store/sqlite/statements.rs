//! What the store asks of SQLite. Those that write are called inside the writer's transaction.

use rusqlite::{Connection, Error, OptionalExtension as _, Result, ffi, params};

use super::row::{self, RECORD, signed};
use super::{Appended, Creation, End, Found, KeyHash, Keys, Listed, NewDocument, Replacement, Stored};
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::DocumentId;
use crate::sync::message::Record;

pub(super) fn create(db: &Connection, new: &NewDocument) -> Result<Creation> {
    let id = new.id.to_string();
    let keys = named(new.keys);

    let mut owners = db.prepare_cached("SELECT 1 FROM keys WHERE hash = ?1 AND document = ?2 AND access = ?3")?;
    let same = |(hash, access): (KeyHash, &str)| (hash.to_string(), id.clone(), access.to_owned());
    if owners.exists(same(keys[0]))? && owners.exists(same(keys[1]))? {
        return Ok(Creation::Existed);
    }
    let there = db.prepare_cached("SELECT 1 FROM documents WHERE id = ?1")?.exists([&id])?;
    if there || are_taken(db, new.keys)? {
        return Ok(Creation::Taken);
    }

    db.prepare_cached("INSERT INTO documents (id, digest, created_at) VALUES (?1, ?2, ?3)")?.execute((
        &id,
        Digest::GENESIS.to_string(),
        signed(new.created_at),
    ))?;
    insert_keys(db, &id, new.keys)?;
    Ok(Creation::Created)
}

pub(super) fn replace_keys(db: &Connection, document: DocumentId, current: KeyHash, new: Keys) -> Result<Replacement> {
    let id = document.to_string();
    let mut edits = db.prepare_cached("SELECT 1 FROM keys WHERE hash = ?1 AND document = ?2 AND access = 'edit'")?;
    let version = |db: &Connection| {
        db.prepare_cached("SELECT keys_version FROM documents WHERE id = ?1")?
            .query_row([&id], |row| row::unsigned(row, 0))
    };
    if edits.exists((new.edit.to_string(), &id))? {
        return Ok(Replacement::Replaced(version(db)?));
    }
    if !edits.exists((current.to_string(), &id))? {
        return Ok(Replacement::Refused);
    }
    if are_taken(db, new)? {
        return Ok(Replacement::Taken);
    }
    db.prepare_cached("DELETE FROM keys WHERE document = ?1")?.execute([&id])?;
    insert_keys(db, &id, new)?;
    db.prepare_cached("UPDATE documents SET keys_version = keys_version + 1 WHERE id = ?1")?.execute([&id])?;
    Ok(Replacement::Replaced(version(db)?))
}

fn named(keys: Keys) -> [(KeyHash, &'static str); 2] {
    [(keys.edit, "edit"), (keys.view, "view")]
}

/// Whether these cannot be the keys of another document.
fn are_taken(db: &Connection, Keys { edit, view }: Keys) -> Result<bool> {
    let mut taken = db.prepare_cached("SELECT 1 FROM keys WHERE hash IN (?1, ?2)")?;
    Ok(edit == view || taken.exists((edit.to_string(), view.to_string()))?)
}

fn insert_keys(db: &Connection, id: &str, keys: Keys) -> Result<()> {
    let mut insert = db.prepare_cached("INSERT INTO keys (hash, document, access) VALUES (?1, ?2, ?3)")?;
    for (hash, access) in named(keys) {
        insert.execute((hash.to_string(), id, access))?;
    }
    Ok(())
}

pub(super) fn find(db: &Connection, key: KeyHash) -> Result<Option<Found>> {
    db.prepare_cached(
        "SELECT document, access, keys_version FROM keys JOIN documents ON documents.id = document WHERE hash = ?1",
    )?
    .query_row([key.to_string()], |row| {
        Ok(Found { document: row::parsed(row, 0)?, access: row::access(row, 1)?, keys_version: row::unsigned(row, 2)? })
    })
    .optional()
}

pub(super) fn ends(db: &Connection, documents: &[DocumentId]) -> Result<Vec<End>> {
    let mut select = db.prepare_cached("SELECT version, keys_version FROM documents WHERE id = ?1")?;
    let end = |document: &DocumentId| {
        select
            .query_row([document.to_string()], |row| {
                Ok(End { document: *document, version: row::unsigned(row, 0)?, keys_version: row::unsigned(row, 1)? })
            })
            .optional()
            .transpose()
    };
    documents.iter().filter_map(end).collect()
}

pub(super) fn documents(db: &Connection, after: Option<DocumentId>, most: usize) -> Result<Vec<Listed>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    db.prepare_cached(
        "SELECT id, version, digest, created_at, edit.hash, view.hash FROM documents
         JOIN keys AS edit ON edit.document = id AND edit.access = 'edit'
         JOIN keys AS view ON view.document = id AND view.access = 'view'
         WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?
    .query_map((after, signed(most as u64)), |row| {
        Ok(Listed {
            id: row::parsed(row, 0)?,
            end: Cursor { version: row::unsigned(row, 1)?, digest: row::parsed(row, 2)? },
            created_at: row::unsigned(row, 3)?,
            keys: Keys { edit: row::parsed(row, 4)?, view: row::parsed(row, 5)? },
        })
    })?
    .collect()
}

pub(super) fn load(db: &mut Connection, document: DocumentId) -> Result<Option<Stored>> {
    // One transaction: all reads see the same moment.
    let moment = db.transaction()?;
    let id = document.to_string();
    let end = moment
        .prepare_cached("SELECT version, digest, keys_version FROM documents WHERE id = ?1")?
        .query_row([&id], |row| Ok((cursor(row)?, row::unsigned(row, 2)?)))
        .optional()?;
    let Some((end, keys_version)) = end else { return Ok(None) };
    let snapshot = moment
        .prepare_cached("SELECT version, digest, json FROM snapshots WHERE document = ?1")?
        .query_row([&id], |row| Ok((cursor(row)?, row.get(2)?)))
        .optional()?;
    let after = snapshot.as_ref().map_or(0, |(at, _): &(Cursor, String)| at.version);
    let tail = range(&moment, document, after, end.version, usize::MAX)?;
    let ids = moment
        .prepare_cached("SELECT id, version FROM entries WHERE document = ?1")?
        .query_map([&id], |row| Ok((row::parsed(row, 0)?, row::unsigned(row, 1)?)))?
        .collect::<Result<_>>()?;
    Ok(Some(Stored { cursor: end, keys_version, snapshot, tail, ids }))
}

fn cursor(row: &rusqlite::Row<'_>) -> Result<Cursor> {
    Ok(Cursor { version: row::unsigned(row, 0)?, digest: row::parsed(row, 1)? })
}

/// Entries in the journal before they move into the log: so many that a log's pages are changed seldom, so few that the move takes some
/// 10 ms and that reading past an index takes little.
const JOURNAL: i64 = 2_048;

pub(super) fn append(db: &Connection, document: DocumentId, after: u64, records: &[Record]) -> Result<Appended> {
    let Some(last) = records.last() else { return Ok(Appended::Durable) };
    let id = document.to_string();
    let moved = db
        .prepare_cached("UPDATE documents SET version = ?1, digest = ?2 WHERE id = ?3 AND version = ?4")?
        .execute((signed(last.version), last.digest.to_string(), &id, signed(after)))?;
    if moved == 0 {
        return Ok(Appended::Conflict);
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO journal (document, version, digest, id, author, timestamp, change, refusal)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM log WHERE document = ?1 AND id = ?4)",
    )?;
    for record in records {
        // Two strings: writing them cannot fail.
        let refusal = record.refused.as_ref().map(|refusal| serde_json::to_string(refusal).unwrap_or_default());
        let inserted = insert.execute(params![
            id,
            signed(record.version),
            record.digest.to_string(),
            record.id.to_string(),
            record.author,
            signed(record.timestamp),
            record.change.get(),
            refusal,
        ])?;
        if inserted == 0 {
            let why = format!("the log has an entry of the change {} already", record.id);
            return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CONSTRAINT_UNIQUE), Some(why)));
        }
    }
    if db.last_insert_rowid() >= JOURNAL {
        empty_journal(db)?;
    }
    Ok(Appended::Durable)
}

fn empty_journal(db: &Connection) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO log SELECT document, version, digest, id, author, timestamp, change, refusal FROM journal
         ORDER BY document, version",
    )?
    .execute([])?;
    db.prepare_cached("DELETE FROM journal")?.execute([])?;
    Ok(())
}

pub(super) fn range(
    db: &Connection,
    document: DocumentId,
    after: u64,
    up_to: u64,
    max_bytes: usize,
) -> Result<Vec<Record>> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {RECORD} FROM entries WHERE document = ?1 AND version > ?2 AND version <= ?3 ORDER BY version"
    ))?;
    let mut rows = select.query((document.to_string(), signed(after), signed(up_to)))?;
    let mut records = Vec::new();
    let mut bytes = 0;
    while bytes <= max_bytes
        && let Some(row) = rows.next()?
    {
        let record = row::record(row)?;
        bytes += record.change.get().len();
        records.push(record);
    }
    Ok(records)
}

pub(super) fn digest_at(db: &Connection, document: DocumentId, version: u64) -> Result<Option<Digest>> {
    if version == 0 {
        return db
            .prepare_cached("SELECT 1 FROM documents WHERE id = ?1")?
            .exists([document.to_string()])
            .map(|there| there.then_some(Digest::GENESIS));
    }
    db.prepare_cached("SELECT digest FROM entries WHERE document = ?1 AND version = ?2")?
        .query_row((document.to_string(), signed(version)), |row| row::parsed(row, 0))
        .optional()
}

pub(super) fn save_snapshot(db: &Connection, document: DocumentId, at: Cursor, json: &str) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO snapshots (document, version, digest, json)
         SELECT document, version, digest, ?4 FROM entries WHERE document = ?1 AND version = ?2 AND digest = ?3
         ON CONFLICT (document) DO UPDATE SET version = excluded.version, digest = excluded.digest, json = excluded.json
         WHERE excluded.version > snapshots.version",
    )?
    .execute((document.to_string(), signed(at.version), at.digest.to_string(), json))?;
    Ok(())
}
