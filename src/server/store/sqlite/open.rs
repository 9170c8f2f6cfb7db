//! From a folder to a database that is ready, or a sentence that says why not.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    // A WAL that once grew large gives its room back.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}
