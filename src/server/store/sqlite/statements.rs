//! What the store asks of SQLite, but for [logs](log). Those that write are called inside the writer's transaction.

use rusqlite::{Connection, OptionalExtension as _, Result};

use super::log;
use super::row::{self, signed};
use super::{Creation, Found, KeyHash, Keys, Listed, NewDocument, Replacement, Stored, StoredSnapshot, seals};
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::DocumentId;

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
    seals::renew(db, &id)?;
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
    seals::renew(db, &id)?;
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

pub(super) fn documents(db: &Connection, after: Option<DocumentId>, most: usize) -> Result<Vec<Listed>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    db.prepare_cached(
        "SELECT coalesce(newest.version, documents.version), coalesce(newest.digest, documents.digest), id, created_at,
             edit.hash, view.hash
         FROM documents
         JOIN keys AS edit ON edit.document = id AND edit.access = 'edit'
         JOIN keys AS view ON view.document = id AND view.access = 'view'
         LEFT JOIN (SELECT document, max(last) AS version, entries ->> '$[#-1].digest' AS digest FROM journal GROUP BY document)
             AS newest ON newest.document = id
         WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?
    .query_map((after, signed(most as u64)), |row| {
        Ok(Listed {
            id: row::parsed(row, 2)?,
            end: row::cursor(row)?,
            created_at: row::unsigned(row, 3)?,
            keys: Keys { edit: row::parsed(row, 4)?, view: row::parsed(row, 5)? },
        })
    })?
    .collect()
}

pub(super) fn load(db: &mut Connection, document: DocumentId) -> Result<Option<Stored>> {
    // One transaction: all reads see the same moment.
    let moment = db.transaction()?;
    let Some((cursor, keys_version)) = log::end(&moment, document)? else { return Ok(None) };
    let snapshot = moment
        .prepare_cached("SELECT version, digest, json, hash FROM snapshots WHERE document = ?1")?
        .query_row([document.to_string()], |row| {
            Ok(StoredSnapshot { at: row::cursor(row)?, json: row.get(2)?, hash: row.get(3)? })
        })
        .optional()?;
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.at.version);
    let tail = log::range(&moment, document, after, cursor.version, usize::MAX)?;
    let ids = log::ids(&moment, document)?;
    Ok(Some(Stored { cursor, keys_version, snapshot, tail, ids }))
}

pub(super) fn save_snapshot(db: &Connection, document: DocumentId, at: Cursor, json: &str, hash: &str) -> Result<()> {
    if log::digest_at(db, document, at.version)? != Some(at.digest) {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO snapshots (document, version, digest, json, hash) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (document) DO UPDATE SET
             version = excluded.version, digest = excluded.digest, json = excluded.json, hash = excluded.hash
         WHERE excluded.version > snapshots.version",
    )?
    .execute((document.to_string(), signed(at.version), at.digest.to_string(), json, hash))?;
    Ok(())
}
