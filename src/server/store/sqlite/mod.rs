//! The embedded store: one SQLite database in a folder of its own.
//!
//! WAL with `synchronous=FULL`: a commit is on disk when it returns. One thread writes ([`writer`]), in groups: what waits
//! goes into one transaction and costs one fsync. Reads have connections of their own and do not wait for it ([`reader`]).

mod lock;
mod migrate;
mod open;
mod reader;
mod row;
mod statements;
mod writer;

use std::path::Path;

pub use self::open::OpenError;
pub use self::writer::Fatal;

use self::lock::FolderLock;
use self::reader::Readers;
use self::writer::Writer;
use super::{Appended, Creation, KeyHash, NewDocument, Store, StoreError, Stored};
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::{ChangeId, DocumentId};
use crate::sync::message::{Access, Record};

/// The database's file in the data folder.
pub const FILE: &str = "sheetbend.db";

/// A [`Store`] on SQLite.
#[derive(Debug)]
pub struct Sqlite {
    // Dropped in this order: the writer's connection, the last one, moves the WAL into the database; then the folder is free.
    readers: Readers,
    writer: Writer,
    _lock: FolderLock,
}

impl Sqlite {
    /// Opens the database in `folder`, or makes both. When the disk fails, the process ends: a commit that may or may not
    /// be on disk must not be followed by another (a retried fsync can lie).
    ///
    /// # Errors
    /// [`OpenError`], as a sentence for the person who starts the server.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_or(folder, Fatal::end_process())
    }

    /// [`Sqlite::open`], with another way to end when the disk fails.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_or(folder: &Path, fatal: Fatal) -> Result<Self, OpenError> {
        let lock = open::folder(folder)?;
        let path = folder.join(FILE);
        let connection = open::database(&path)?;
        let writer = Writer::start(connection, fatal).map_err(|source| OpenError::folder(folder, source))?;
        Ok(Self { readers: Readers::new(path), writer, _lock: lock })
    }

    /// Lets the database grow to `pages` pages (of 4 KiB), and no further; appends that need more are answered
    /// [`StoreError::Full`]. It never shrinks what is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        self.writer.run(move |db| db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))).await
    }
}

impl Store for Sqlite {
    async fn create(&self, new: NewDocument) -> Result<Creation, StoreError> {
        self.writer.run(move |db| statements::create(db, &new)).await
    }

    async fn find(&self, key: KeyHash) -> Result<Option<(DocumentId, Access)>, StoreError> {
        self.readers.run(move |db| statements::find(db, key)).await
    }

    async fn load(&self, document: DocumentId) -> Result<Option<Stored>, StoreError> {
        self.readers.run(move |db| statements::load(db, document)).await
    }

    async fn append(&self, document: DocumentId, after: u64, records: Vec<Record>) -> Result<Appended, StoreError> {
        self.writer.run(move |db| statements::append(db, document, after, &records)).await
    }

    async fn range(
        &self,
        document: DocumentId,
        after: u64,
        up_to: u64,
        max_bytes: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.readers.run(move |db| statements::range(db, document, after, up_to, max_bytes)).await
    }

    async fn digest_at(&self, document: DocumentId, version: u64) -> Result<Option<Digest>, StoreError> {
        self.readers.run(move |db| statements::digest_at(db, document, version)).await
    }

    async fn record_of(&self, document: DocumentId, id: ChangeId) -> Result<Option<Record>, StoreError> {
        self.readers.run(move |db| statements::record_of(db, document, id)).await
    }

    async fn save_snapshot(&self, document: DocumentId, at: Cursor, json: String) -> Result<(), StoreError> {
        self.writer.run(move |db| statements::save_snapshot(db, document, at, &json)).await
    }
}
