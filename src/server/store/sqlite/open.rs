//! From a folder to a database that is ready, or a sentence that says why not.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};

use super::lock::FolderLock;
use super::migrate::{self, MigrateError};

/// Why a store could not be opened. Each is for the person who starts the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be made, read or written.
    #[error("cannot keep data in {}: {source}. Name another folder with --data, or make this one writable.", path.display())]
    Folder {
        /// The data folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another server holds the lock.
    #[error("another server is using the data in {}. Stop it first, or name another folder with --data.", path.display())]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// The database is of a later program.
    #[error(
        "the database {} is of format {found}, made by a newer Sheetbend; this one reads up to {known}. Update Sheetbend.",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The database is of an earlier program, and cannot be changed now.
    #[error("the database {} was made by an older Sheetbend: serve it once with this one, which brings it up to date.", path.display())]
    Older {
        /// The database.
        path: PathBuf,
    },
    /// The database is of another program.
    #[error("{} is not a Sheetbend database. Name another folder with --data.", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite failed.
    #[error("cannot open the database {}: {source}.", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl OpenError {
    pub(super) fn folder(path: &Path, source: io::Error) -> Self {
        Self::Folder { path: path.to_owned(), source }
    }
}

/// Makes the data folder if need be, and takes it.
pub(super) fn folder(folder: &Path) -> Result<FolderLock, OpenError> {
    std::fs::create_dir_all(folder).map_err(|source| OpenError::folder(folder, source))?;
    FolderLock::take(folder)
        .map_err(|source| OpenError::folder(folder, source))?
        .ok_or_else(|| OpenError::InUse { path: folder.to_owned() })
}

/// Looks whether a database is there that this program reads.
pub(super) fn check(path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Database { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    migrate::check(&connection).map_err(|error| refused(path, error))
}

/// Copies a copy beside the database, and brings it up to date there: it may be an older program's. The copy itself stays as it is.
pub(super) fn take_in(copy: &Path, folder: &Path) -> Result<PathBuf, OpenError> {
    match check(copy) {
        Ok(()) | Err(OpenError::Older { .. }) => {}
        Err(error) => return Err(error),
    }
    let failed = |source| OpenError::folder(folder, source);
    let incoming = folder.join(format!("{}.incoming", super::FILE));
    std::fs::copy(copy, &incoming).map_err(failed)?;
    drop(database(&incoming)?);
    File::open(&incoming).and_then(|file| file.sync_all()).map_err(failed)?;
    Ok(incoming)
}

/// Puts what was taken in in the database's place, and returns where that is now.
pub(super) fn replace(incoming: &Path, folder: &Path) -> Result<Option<PathBuf>, OpenError> {
    let database = folder.join(super::FILE);
    let failed = |source| OpenError::folder(folder, source);
    let mut kept = None;
    if database.exists() {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let aside = folder.join(format!("{}.before-restore-{}", super::FILE, since_1970.as_millis()));
        // Then there is one file to move, and no moment at which half of it is gone. One that is too broken for that goes as it is.
        let _ =
            Connection::open(&database).and_then(|db| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        // What goes with it has its name, and must keep to that.
        for ending in ["-wal", "-shm", ""] {
            let (from, to) = (with_ending(&database, ending), with_ending(&aside, ending));
            match std::fs::rename(from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        kept = Some(aside);
    }
    std::fs::rename(incoming, &database).map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(kept)
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn refused(path: &Path, error: MigrateError) -> OpenError {
    let path = path.to_owned();
    match error {
        MigrateError::Newer { found, known } => OpenError::Newer { path, found, known },
        MigrateError::Older => OpenError::Older { path },
        MigrateError::Foreign => OpenError::Foreign { path },
        MigrateError::Sqlite(source) => OpenError::Database { path, source },
    }
}

/// The connection that writes, with the schema up to date.
pub(super) fn database(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Database { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(failed)?;
    migrate::run(&mut connection).map_err(|error| refused(path, error))?;
    prepare(&connection).map_err(failed)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // A person with a `sqlite3` shell may hold the database for a moment.
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The pages that every append changes are written back to the database every 16 MiB of them, once however often they changed, and
    // are at hand meanwhile (64 MiB).
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    // A WAL that once grew large gives its room back.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}
