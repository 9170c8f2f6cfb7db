//! The embedded store: one SQLite database in a folder of its own.
//!
//! WAL with `synchronous=FULL`: a commit is on disk when it returns. One thread writes ([`writer`]), in groups: what waits
//! goes into one transaction and costs one fsync. Reads have connections of their own and do not wait for it ([`reader`]).

mod known_keys;
mod lock;
mod log;
mod migrate;
mod open;
mod reader;
mod row;
mod seals;
mod statements;
mod writer;

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

pub use self::open::OpenError;
pub use self::writer::Fatal;

use self::known_keys::KnownKeys;
use self::lock::FolderLock;
use self::log::{Log, Tail};
use self::reader::Readers;
use self::writer::Writer;
use super::{
    Appended, Creation, End, Found, KeyHash, Keys, Listed, NewDocument, ReadStore, Replacement, RowFlaw, Store,
    StoreError, Stored, StoredSnapshot, snapshot_hash,
};
use crate::server::entries::Entries;
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::DocumentId;
use crate::sync::message::Record;

/// The database's file in the data folder.
pub const FILE: &str = "sheetbend.db";

/// A [`Store`] on SQLite.
#[derive(Debug)]
pub struct Sqlite {
    // Dropped in this order: the writer's connection, the last one, moves the WAL into the database; then the folder is free.
    reader: SqliteReader,
    writer: Writer,
    known_keys: KnownKeys,
    _lock: FolderLock,
}

/// What is in a database, also while a server writes it.
#[derive(Debug)]
pub struct SqliteReader(Readers);

impl SqliteReader {
    /// Looks into the database in `folder`.
    ///
    /// # Errors
    /// [`OpenError`], as a sentence for the person who asks.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(FILE);
        open::check(&path)?;
        Ok(Self(Readers::new(path)))
    }

    /// Writes all that is in the database into a new file, as of one moment, though a server may be writing. When this returns,
    /// the file is on disk. It is a database like the one it is of.
    ///
    /// # Errors
    /// [`StoreError`], also if the file is there already.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let (target, text) = (file.to_owned(), file.to_string_lossy().into_owned());
        self.0.run(move |db| db.execute("VACUUM INTO ?1", [text]).map(drop)).await?;
        let sync = move || std::fs::File::open(target)?.sync_all();
        tokio::task::spawn_blocking(sync).await.map_err(StoreError::failed)?.map_err(StoreError::failed)
    }
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
        let writer = Writer::start(Log::new(connection), fatal).map_err(|source| OpenError::folder(folder, source))?;
        Ok(Self { reader: SqliteReader(Readers::new(path)), writer, known_keys: KnownKeys::default(), _lock: lock })
    }

    /// Lets the database grow to `pages` pages (of 4 KiB), and no further; appends that need more are answered
    /// [`StoreError::Full`]. It never shrinks what is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        self.writer
            .run(move |log| log.db().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())))
            .await
    }
}

/// A copy that [`SqliteReader::copy_to`] made, on its way into a folder whose database it is to take the place of. No server may be
/// using that. The database is as it was until [`Incoming::put_in_place`]; if this is dropped before, it stays.
#[derive(Debug)]
pub struct Incoming {
    file: PathBuf,
    folder: PathBuf,
    _lock: FolderLock,
}

impl Incoming {
    /// Takes a copy in. One of an older program is brought up to date.
    ///
    /// # Errors
    /// [`OpenError`]. Nothing has changed then.
    pub fn new(copy: &Path, folder: &Path) -> Result<Self, OpenError> {
        let lock = open::folder(folder)?;
        Ok(Self { file: open::take_in(copy, folder)?, folder: folder.to_owned(), _lock: lock })
    }

    /// What is in it.
    #[must_use]
    pub fn reader(&self) -> SqliteReader {
        SqliteReader(Readers::new(self.file.clone()))
    }

    /// Puts it in the place of the database. What was there is kept beside it; returns where, if there was something.
    ///
    /// Clients that have known more than is in the copy find out by the digest of its log: they start over from it and offer again
    /// what they still hold.
    ///
    /// # Errors
    /// [`OpenError`]. Nothing has changed then.
    pub fn put_in_place(self) -> Result<Option<PathBuf>, OpenError> {
        open::replace(&self.file, &self.folder)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Once it is in its place, there is nothing.
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(open::with_ending(&self.file, ending));
        }
    }
}

impl ReadStore for SqliteReader {
    async fn find(&self, key: KeyHash) -> Result<Option<Found>, StoreError> {
        self.0.run(move |db| statements::find(db, key)).await
    }

    async fn load(&self, document: DocumentId) -> Result<Option<Stored>, StoreError> {
        self.0.run(move |db| statements::load(db, document)).await
    }

    async fn range(
        &self,
        document: DocumentId,
        after: u64,
        up_to: u64,
        max_bytes: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.0.run(move |db| log::range(db, document, after, up_to, max_bytes)).await
    }

    async fn digest_at(&self, document: DocumentId, version: u64) -> Result<Option<Digest>, StoreError> {
        self.0.run(move |db| log::digest_at(db, document, version)).await
    }

    async fn ends(&self, documents: Vec<DocumentId>) -> Result<Vec<End>, StoreError> {
        self.0.run(move |db| log::ends(db, &documents)).await
    }

    async fn documents(&self, after: Option<DocumentId>, most: usize) -> Result<Vec<Listed>, StoreError> {
        self.0.run(move |db| statements::documents(db, after, most)).await
    }

    async fn flaws(&self) -> Result<Vec<RowFlaw>, StoreError> {
        self.0.run(seals::flaws).await
    }
}

impl ReadStore for Sqlite {
    async fn find(&self, key: KeyHash) -> Result<Option<Found>, StoreError> {
        let unknown = match self.known_keys.get(key) {
            Ok(found) => return Ok(Some(found)),
            Err(unknown) => unknown,
        };
        let found = self.reader.find(key).await?;
        if let Some(found) = found {
            self.known_keys.learn(&unknown, found);
        }
        Ok(found)
    }

    async fn load(&self, document: DocumentId) -> Result<Option<Stored>, StoreError> {
        self.reader.load(document).await
    }

    async fn range(
        &self,
        document: DocumentId,
        after: u64,
        up_to: u64,
        max_bytes: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.reader.range(document, after, up_to, max_bytes).await
    }

    async fn digest_at(&self, document: DocumentId, version: u64) -> Result<Option<Digest>, StoreError> {
        self.reader.digest_at(document, version).await
    }

    async fn ends(&self, documents: Vec<DocumentId>) -> Result<Vec<End>, StoreError> {
        self.reader.ends(documents).await
    }

    async fn documents(&self, after: Option<DocumentId>, most: usize) -> Result<Vec<Listed>, StoreError> {
        self.reader.documents(after, most).await
    }

    async fn flaws(&self) -> Result<Vec<RowFlaw>, StoreError> {
        self.reader.flaws().await
    }
}

impl Store for Sqlite {
    async fn create(&self, new: NewDocument) -> Result<Creation, StoreError> {
        self.writer.run(move |log| statements::create(log.db(), &new)).await
    }

    async fn append(&self, document: DocumentId, after: u64, entries: &Entries<'_>) -> Result<Appended, StoreError> {
        let Some(tail) = Tail::new(document, after, entries) else { return Ok(Appended::Durable) };
        self.writer.run(move |log| log.append(&tail)).await
    }

    async fn save_snapshot(&self, document: DocumentId, at: Cursor, json: String) -> Result<(), StoreError> {
        let (json, hash) = tokio::task::spawn_blocking(move || {
            let hash = snapshot_hash(document, at, &json);
            (json, hash)
        })
        .await
        .map_err(StoreError::failed)?;
        self.writer.run(move |log| statements::save_snapshot(log.db(), document, at, &json, &hash)).await
    }

    async fn replace_keys(&self, document: DocumentId, current: KeyHash, new: Keys) -> Result<Replacement, StoreError> {
        // The work has it, and not this future, which may be dropped before the work is done.
        let replacing = self.known_keys.replacing();
        let replace = move |log: &mut Log| {
            let _until_it_is_committed = &replacing;
            statements::replace_keys(log.db(), document, current, new)
        };
        self.writer.run(replace).await
    }

    fn watch(&self) -> Option<mpsc::UnboundedReceiver<DocumentId>> {
        None
    }
}
