//! What a program keeps of one document on disk, so that its changes outlive it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};

use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::id::Key;
use crate::sync::outbox::Kept;
use crate::sync::retained::Confirmed;
use crate::sync::write_behind::{Record, Write};

/// Why a file cannot be used. Each is a sentence for the person who named it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is of another document.
    #[error("{} keeps the changes of another link. Name another file, or remove it if those changes need not be sent.", .0.display())]
    OtherLink(PathBuf),
    /// Another process has it.
    #[error("{} is in use by another program. End that first, or name another file.", .0.display())]
    InUse(PathBuf),
    /// It cannot be made, read or written, or is of another program.
    #[error("cannot keep changes in {}: {source}.", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// What was written could not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be kept on disk: {0}")]
pub struct NotKept(String);

/// A file that keeps the changes made through one link: those that are not saved, and those that were lately. It is an SQLite
/// database, written durably; one process has it at a time.
pub struct Disk {
    connection: Arc<Mutex<Connection>>,
    /// What was there when it was opened: kind and text of each record.
    found: Vec<(String, String)>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

/// What a file had.
#[derive(Debug)]
pub(super) struct Loaded<D: Document> {
    pub(super) outbox: Vec<Kept<D::Change>>,
    pub(super) saved: Vec<Confirmed<D::Change>>,
    pub(super) document: Option<(D, Cursor)>,
}

impl<D: Document> Default for Loaded<D> {
    fn default() -> Self {
        Self { outbox: Vec::new(), saved: Vec::new(), document: None }
    }
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS link (hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS records (
        kind TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
";

impl Disk {
    /// Opens the file at `path`, or makes it, for the changes made through the link with `key`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, key: &Key) -> Result<Self, OpenError> {
        let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy) => OpenError::InUse(path.to_owned()),
            _ => OpenError::Sqlite { path: path.to_owned(), source },
        };
        let mut connection = Connection::open(path).map_err(failed)?;
        if !prepare(&mut connection, key).map_err(failed)? {
            return Err(OpenError::OtherLink(path.to_owned()));
        }
        let found = find(&connection).map_err(failed)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), found })
    }

    /// What was there when it was opened. A record that cannot be read, of a newer program say, stays where it is.
    pub(super) fn load<D: Document>(&self) -> Loaded<D> {
        let mut loaded = Loaded::default();
        for (kind, text) in &self.found {
            match kind.as_str() {
                OUTBOX => loaded.outbox.extend(serde_json::from_str::<Kept<D::Change>>(text)),
                SAVED => loaded.saved.extend(serde_json::from_str::<Confirmed<D::Change>>(text)),
                _ => loaded.document = serde_json::from_str(text).ok(),
            }
        }
        loaded
    }

    /// Writes all of it or nothing; it is on disk when this returns.
    pub(super) async fn write(&self, writes: Vec<Write>) -> Result<(), NotKept> {
        let connection = Arc::clone(&self.connection);
        let written = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction()?;
            for (record, text) in &writes {
                write(&transaction, *record, text.as_deref())?;
            }
            transaction.commit()
        });
        match written.await {
            Ok(written) => written.map_err(|error| NotKept(error.to_string())),
            Err(error) => Err(NotKept(error.to_string())),
        }
    }
}

const OUTBOX: &str = "outbox";
const SAVED: &str = "saved";

/// Takes the file for this process, and returns whether it is of this key.
fn prepare(connection: &mut Connection, key: &Key) -> rusqlite::Result<bool> {
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    let hash: String = Sha256::digest(key.as_str()).iter().map(|byte| format!("{byte:02x}")).collect();
    let known: Option<String> = transaction.query_row("SELECT hash FROM link", [], |row| row.get(0)).optional()?;
    if known.is_none() {
        transaction.execute("INSERT INTO link VALUES (?1)", [&hash])?;
    }
    transaction.commit()?;
    Ok(known.is_none_or(|known| known == hash))
}

fn find(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut all = connection.prepare("SELECT kind, text FROM records ORDER BY kind, id")?;
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn write(transaction: &Transaction<'_>, record: Record, text: Option<&str>) -> rusqlite::Result<()> {
    let (kind, id) = match record {
        Record::Outbox(id) => (OUTBOX, id.to_string()),
        Record::Saved(id) => (SAVED, id.to_string()),
        Record::Document => ("document", String::new()),
        Record::EverySaved => {
            transaction.prepare_cached("DELETE FROM records WHERE kind = ?1")?.execute([SAVED])?;
            return Ok(());
        }
    };
    match text {
        Some(text) => transaction
            .prepare_cached("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)")?
            .execute(params![kind, id, text])?,
        None => {
            transaction.prepare_cached("DELETE FROM records WHERE kind = ?1 AND id = ?2")?.execute(params![kind, id])?
        }
    };
    Ok(())
}
