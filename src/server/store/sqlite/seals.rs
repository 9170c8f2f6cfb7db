//! Hashes over the rows of documents and their keys, so that an alteration is noticed. No log vouches for them.

use rusqlite::{Connection, Result};

use super::RowFlaw;
use super::log;
use crate::server::store::seal;
use crate::sync::digest::Digest;

/// A row of `documents`, as it is.
struct Row {
    id: String,
    created_at: i64,
    keys_version: i64,
    seal: String,
}

impl Row {
    /// What the seal should be.
    fn computed(&self, db: &Connection) -> Result<String> {
        let mut keys = db.prepare_cached("SELECT access, hash FROM keys WHERE document = ?1 ORDER BY access, hash")?;
        let keys = keys.query_map([&self.id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let texts = keys.iter().map(|(access, hash)| (access.as_str(), hash.as_str()));
        Ok(seal(&self.id, self.created_at, self.keys_version, texts))
    }
}

fn rows(db: &Connection, which: &str) -> Result<Vec<Row>> {
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Row { id: row.get(0)?, created_at: row.get(1)?, keys_version: row.get(2)?, seal: row.get(3)? })
    };
    db.prepare_cached(&format!("SELECT id, created_at, keys_version, seal FROM documents WHERE {which}"))?
        .query_map([], row)?
        .collect()
}

/// Seals a document as it is now.
pub(super) fn renew(db: &Connection, id: &str) -> Result<()> {
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Row { id: id.to_owned(), created_at: row.get(0)?, keys_version: row.get(1)?, seal: String::new() })
    };
    let row =
        db.prepare_cached("SELECT created_at, keys_version FROM documents WHERE id = ?1")?.query_row([id], row)?;
    db.prepare_cached("UPDATE documents SET seal = ?1 WHERE id = ?2")?.execute((row.computed(db)?, id)).map(drop)
}

/// Seals the documents of a database that had no seals.
pub(super) fn begin(db: &Connection) -> Result<()> {
    rows(db, "seal = ''")?.into_iter().try_for_each(|row| renew(db, &row.id))
}

/// See [`ReadStore::flaws`](super::ReadStore::flaws).
pub(super) fn flaws(db: &mut Connection) -> Result<Vec<RowFlaw>> {
    // One transaction: all reads see the same moment.
    let moment = db.transaction()?;
    let mut flaws = Vec::new();
    let mut integrity = moment.prepare("PRAGMA integrity_check")?;
    for found in integrity.query_map([], |row| row.get::<_, String>(0))? {
        let found = found?;
        if found != "ok" {
            flaws.push(RowFlaw { document: None, what: format!("SQLite finds that {found}") });
        }
    }
    for row in rows(&moment, "true")? {
        if row.computed(&moment)? != row.seal {
            flaws.push(RowFlaw::keys(&row.id));
        }
        if !ends_in_its_log(&moment, &row.id)? {
            flaws.push(RowFlaw::end(&row.id));
        }
    }
    let mut strays = moment.prepare(
        "SELECT document FROM keys UNION SELECT document FROM blocks UNION SELECT document FROM journal
         UNION SELECT document FROM snapshots EXCEPT SELECT id FROM documents",
    )?;
    for stray in strays.query_map([], |row| row.get::<_, String>(0))? {
        flaws.push(RowFlaw::stray(stray?));
    }
    Ok(flaws)
}

/// Whether the place that a document's row has is in its log. The log may go on in the journal.
fn ends_in_its_log(db: &Connection, id: &str) -> Result<bool> {
    let Ok(document) = id.parse() else { return Ok(false) };
    let end = db
        .prepare_cached("SELECT version, digest FROM documents WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let Ok(version) = u64::try_from(end.0) else { return Ok(false) };
    let digest = if version == 0 { Some(Digest::GENESIS) } else { log::digest_at(db, document, version)? };
    Ok(digest.is_some_and(|digest| digest.to_string() == end.1))
}
