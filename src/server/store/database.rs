//! The store that the person who starts the server has chosen.

use tokio::sync::mpsc;

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{
    Appended, Creation, End, Found, KeyHash, Keys, Listed, NewDocument, ReadStore, Replacement, RowFlaw, Store,
    StoreError, Stored,
};
use crate::server::entries::Entries;
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::DocumentId;
use crate::sync::message::Record;

/// One of the stores there are.
#[derive(Debug)]
pub enum Database {
    /// A file, for one server.
    Sqlite(Sqlite),
    /// A PostgreSQL, for many.
    Postgres(Postgres),
}

/// Calls a method of the store that is chosen.
macro_rules! ask {
    ($database:expr, $($call:tt)+) => {
        match $database {
            Database::Sqlite(store) => store.$($call)+.await,
            Database::Postgres(store) => store.$($call)+.await,
        }
    };
}

impl ReadStore for Database {
    async fn find(&self, key: KeyHash) -> Result<Option<Found>, StoreError> {
        ask!(self, find(key))
    }

    async fn load(&self, document: DocumentId) -> Result<Option<Stored>, StoreError> {
        ask!(self, load(document))
    }

    async fn range(
        &self,
        document: DocumentId,
        after: u64,
        up_to: u64,
        max_bytes: usize,
    ) -> Result<Vec<Record>, StoreError> {
        ask!(self, range(document, after, up_to, max_bytes))
    }

    async fn digest_at(&self, document: DocumentId, version: u64) -> Result<Option<Digest>, StoreError> {
        ask!(self, digest_at(document, version))
    }

    async fn ends(&self, documents: Vec<DocumentId>) -> Result<Vec<End>, StoreError> {
        ask!(self, ends(documents))
    }

    async fn documents(&self, after: Option<DocumentId>, most: usize) -> Result<Vec<Listed>, StoreError> {
        ask!(self, documents(after, most))
    }

    async fn flaws(&self) -> Result<Vec<RowFlaw>, StoreError> {
        ask!(self, flaws())
    }
}

impl Store for Database {
    async fn create(&self, new: NewDocument) -> Result<Creation, StoreError> {
        ask!(self, create(new))
    }

    async fn append(&self, document: DocumentId, after: u64, entries: &Entries<'_>) -> Result<Appended, StoreError> {
        ask!(self, append(document, after, entries))
    }

    async fn save_snapshot(&self, document: DocumentId, at: Cursor, json: String) -> Result<(), StoreError> {
        ask!(self, save_snapshot(document, at, json))
    }

    async fn replace_keys(&self, document: DocumentId, current: KeyHash, new: Keys) -> Result<Replacement, StoreError> {
        ask!(self, replace_keys(document, current, new))
    }

    fn watch(&self) -> Option<mpsc::UnboundedReceiver<DocumentId>> {
        match self {
            Self::Sqlite(store) => store.watch(),
            Self::Postgres(store) => store.watch(),
        }
    }
}
