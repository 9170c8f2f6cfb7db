//! The store for many servers: PostgreSQL, or what speaks like it.
//!
//! All servers are equal. An append is one statement, which moves the document's version on if it is where the server took it to
//! be, and writes the entries; of two that append at once, one finds that it was overtaken. Other servers get a hint ([`watch`]).

mod encryption;
mod error;
mod migrate;
mod read_only;
mod row;
mod seals;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::sync::mpsc;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use uuid::Uuid;

use self::error::failed;
use self::migrate::MigrateError;
use self::read_only::ReadOnly;
use self::row::{RECORD, signed};
use super::{
    Appended, Creation, End, Found, KeyHash, Keys, Listed, NewDocument, ReadStore, Replacement, RowFlaw, Store,
    StoreError, Stored, StoredSnapshot, snapshot_hash,
};
use crate::server::entries::Entries;
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::{ChangeId, DocumentId};
use crate::sync::message::Record;

/// Most connections of one server.
const CONNECTIONS: usize = 16;

/// How long is waited for a connection, or for the database to take one.
const WITHIN: Duration = Duration::from_secs(5);

/// A connection whose other end acknowledges nothing for this time is closed.
const GONE_AFTER: Duration = Duration::from_secs(15);

/// Most records read at a time.
const PAGE: i64 = 1_000;

/// A [`Store`] on PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    pool: Pool,
    read_only: ReadOnly,
    written: mpsc::UnboundedSender<DocumentId>,
    hints: Mutex<Option<mpsc::UnboundedReceiver<DocumentId>>>,
}

/// Why a store could not be opened. Each is for the person who starts the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be read.
    #[error("this is no address of a PostgreSQL database: {0}. Write one like postgres://name:password@host/database.")]
    Address(#[source] tokio_postgres::Error),
    /// The certificates that are to be trusted cannot be read.
    #[error("cannot read {}: {source}. Give it in PEM, as in `-----BEGIN CERTIFICATE-----`.", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: tokio_rustls::rustls::pki_types::pem::Error,
    },
    /// It cannot be reached, or does not let this program in.
    #[error("cannot use the PostgreSQL database: {0}. Check that it runs, and the address.")]
    Unreachable(String),
    /// The database is of a later program.
    #[error(
        "the database is of format {found}, made by a newer Sheetbend; this one reads up to {known}. Update Sheetbend."
    )]
    Newer {
        /// Its format.
        found: i32,
        /// The newest format known here.
        known: i32,
    },
}

impl Postgres {
    /// Opens the database at `address` (`postgres://…`), and brings its schema up to date.
    ///
    /// With `?sslmode=require` in the address the line is encrypted, and the database must show a certificate for its host that this
    /// machine trusts, or that one in the file `authority` has signed. With an `authority`, that is so without a word.
    ///
    /// # Errors
    /// [`OpenError`], as a sentence for the person who starts the server.
    pub async fn open(address: &str, authority: Option<&Path>) -> Result<Self, OpenError> {
        let mut config: Config = address.parse().map_err(OpenError::Address)?;
        config.application_name("sheetbend").connect_timeout(WITHIN);
        // A database that is gone without a word is noticed, also while it is waited for.
        config.keepalives_idle(WITHIN).keepalives_interval(WITHIN).keepalives_retries(2).tcp_user_timeout(GONE_AFTER);
        if config.get_hosts().len() > 1 && !address.contains("target_session_attrs=") {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if !address.contains("sslmode=") {
            config.ssl_mode(if authority.is_some() { SslMode::Require } else { SslMode::Disable });
        }
        let encryption = encryption::with(authority)?;
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config.clone(), encryption.clone(), manager_config);
        let read_only = ReadOnly::default();
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .pre_recycle(read_only.hook())
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WITHIN))
            .create_timeout(Some(WITHIN))
            .build()
            .map_err(|error| OpenError::Unreachable(error.to_string()))?;
        let unreachable = |error: &dyn std::error::Error| OpenError::Unreachable(with_causes(error));
        let mut client = pool.get().await.map_err(|error| unreachable(&error))?;
        migrate::run(&mut client).await.map_err(|error| match error {
            MigrateError::Newer { found, known } => OpenError::Newer { found, known },
            MigrateError::Postgres(error) => unreachable(&error),
        })?;
        seals::begin(&mut client).await.map_err(|error| unreachable(&error))?;
        drop(client);
        let (written, writes) = mpsc::unbounded_channel();
        let (hints, hinted) = mpsc::unbounded_channel();
        tokio::spawn(watch::tell(pool.clone(), writes));
        tokio::spawn(watch::hear(config, encryption, hints, read_only.clone()));
        Ok(Self { pool, read_only, written, hints: Mutex::new(Some(hinted)) })
    }

    async fn client(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(StoreError::failed)
    }

    /// What became of a write. If the database is read-only, as after a failover, its connections are not used again.
    fn not_written(&self, error: tokio_postgres::Error) -> StoreError {
        self.read_only.notice(&error);
        failed(error)
    }

    fn tell(&self, document: DocumentId) {
        // It is gone when the runtime ends.
        let _ = self.written.send(document);
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

impl ReadStore for Postgres {
    async fn find(&self, key: KeyHash) -> Result<Option<Found>, StoreError> {
        const FIND: &str = "SELECT document, access, keys_version FROM keys \
                            JOIN documents ON documents.id = keys.document WHERE hash = $1";
        let client = self.client().await?;
        let find = client.prepare_cached(FIND).await.map_err(failed)?;
        let row = client.query_opt(&find, &[&key.to_string()]).await.map_err(failed)?;
        row.map(|row| {
            let document = DocumentId(row.try_get(0).map_err(StoreError::failed)?);
            Ok(Found { document, access: row::access(&row, 1)?, keys_version: row::unsigned(&row, 2)? })
        })
        .transpose()
    }

    async fn load(&self, document: DocumentId) -> Result<Option<Stored>, StoreError> {
        let mut client = self.client().await?;
        // All reads see the same moment.
        let moment = client
            .build_transaction()
            .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(failed)?;
        let id = document.0;
        let end = moment
            .query_opt("SELECT version, digest, keys_version FROM documents WHERE id = $1", &[&id])
            .await
            .map_err(failed)?;
        let Some(end) = end else { return Ok(None) };
        let (end, keys_version) = (row::cursor(&end, 0)?, row::unsigned(&end, 2)?);
        let snapshot = moment
            .query_opt("SELECT version, digest, json, hash FROM snapshots WHERE document = $1", &[&id])
            .await
            .map_err(failed)?;
        let snapshot = snapshot
            .map(|row| {
                let (json, hash) =
                    (row.try_get(2).map_err(StoreError::failed)?, row.try_get(3).map_err(StoreError::failed)?);
                Ok::<_, StoreError>(StoredSnapshot { at: row::cursor(&row, 0)?, json, hash })
            })
            .transpose()?;
        let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.at.version);
        let tail = moment
            .query(
                &format!("SELECT {RECORD} FROM log WHERE document = $1 AND version > $2 ORDER BY version"),
                &[&id, &signed(after)],
            )
            .await
            .map_err(failed)?;
        let tail = tail.iter().map(row::record).collect::<Result<_, _>>()?;
        let ids = moment.query("SELECT id, version FROM log WHERE document = $1", &[&id]).await.map_err(failed)?;
        let ids = ids.iter().map(|row| {
            Ok::<_, StoreError>((ChangeId(row.try_get(0).map_err(StoreError::failed)?), row::unsigned(row, 1)?))
        });
        Ok(Some(Stored { cursor: end, keys_version, snapshot, tail, ids: ids.collect::<Result<_, _>>()? }))
    }

    async fn range(
        &self,
        document: DocumentId,
        after: u64,
        up_to: u64,
        max_bytes: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let client = self.client().await?;
        let sql = format!(
            "SELECT {RECORD} FROM log WHERE document = $1 AND version > $2 AND version <= $3 ORDER BY version LIMIT $4"
        );
        let select = client.prepare_cached(&sql).await.map_err(failed)?;
        let mut records: Vec<Record> = Vec::new();
        let mut bytes = 0;
        loop {
            let from = records.last().map_or(after, |last| last.version);
            let rows =
                client.query(&select, &[&document.0, &signed(from), &signed(up_to), &PAGE]).await.map_err(failed)?;
            let last_page = (rows.len() as u64) < PAGE.unsigned_abs();
            for row in &rows {
                if bytes > max_bytes {
                    return Ok(records);
                }
                let record = row::record(row)?;
                bytes += record.change.get().len();
                records.push(record);
            }
            if last_page || bytes > max_bytes {
                return Ok(records);
            }
        }
    }

    async fn digest_at(&self, document: DocumentId, version: u64) -> Result<Option<Digest>, StoreError> {
        let client = self.client().await?;
        if version == 0 {
            let there =
                client.query_opt("SELECT 1 FROM documents WHERE id = $1", &[&document.0]).await.map_err(failed)?;
            return Ok(there.map(|_| Digest::GENESIS));
        }
        let select = client
            .prepare_cached("SELECT digest FROM log WHERE document = $1 AND version = $2")
            .await
            .map_err(failed)?;
        let row = client.query_opt(&select, &[&document.0, &signed(version)]).await.map_err(failed)?;
        row.map(|row| row::parsed(&row, 0)).transpose()
    }

    async fn ends(&self, documents: Vec<DocumentId>) -> Result<Vec<End>, StoreError> {
        let ids: Vec<Uuid> = documents.into_iter().map(|document| document.0).collect();
        let client = self.client().await?;
        let select = client
            .prepare_cached("SELECT id, version, keys_version FROM documents WHERE id = ANY($1)")
            .await
            .map_err(failed)?;
        let rows = client.query(&select, &[&ids]).await.map_err(failed)?;
        let end = |row: &tokio_postgres::Row| {
            let document = DocumentId(row.try_get(0).map_err(StoreError::failed)?);
            Ok(End { document, version: row::unsigned(row, 1)?, keys_version: row::unsigned(row, 2)? })
        };
        rows.iter().map(end).collect()
    }

    async fn documents(&self, after: Option<DocumentId>, most: usize) -> Result<Vec<Listed>, StoreError> {
        const LIST: &str = "SELECT id, version, digest, created_at, edit.hash, view.hash FROM documents \
                            JOIN keys AS edit ON edit.document = id AND edit.access = 'edit' \
                            JOIN keys AS view ON view.document = id AND view.access = 'view' \
                            WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2";
        let client = self.client().await?;
        let after = after.map(|id| id.0);
        let rows = client.query(LIST, &[&after, &signed(most as u64)]).await.map_err(failed)?;
        let listed = |row: &tokio_postgres::Row| {
            Ok(Listed {
                id: DocumentId(row.try_get(0).map_err(StoreError::failed)?),
                end: row::cursor(row, 1)?,
                created_at: row::unsigned(row, 3)?,
                keys: Keys { edit: row::parsed(row, 4)?, view: row::parsed(row, 5)? },
            })
        };
        rows.iter().map(listed).collect()
    }

    async fn flaws(&self) -> Result<Vec<RowFlaw>, StoreError> {
        seals::flaws(&**self.client().await?).await
    }
}

impl Store for Postgres {
    async fn create(&self, new: NewDocument) -> Result<Creation, StoreError> {
        let failed = |error| self.not_written(error);
        let Keys { edit, view } = new.keys;
        let (edit, view) = (edit.to_string(), view.to_string());
        if edit == view {
            return Ok(Creation::Taken);
        }
        let mut client = self.client().await?;
        let transaction = client.transaction().await.map_err(failed)?;
        let made = transaction
            .execute(
                "INSERT INTO documents (id, digest, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                &[&new.id.0, &Digest::GENESIS.to_string(), &signed(new.created_at)],
            )
            .await
            .map_err(failed)?;
        if made == 1 {
            let keys = transaction
                .execute(
                    "INSERT INTO keys (hash, document, access) VALUES ($1, $3, 'edit'), ($2, $3, 'view') \
                     ON CONFLICT DO NOTHING",
                    &[&edit, &view, &new.id.0],
                )
                .await
                .map_err(failed)?;
            if keys == 2 {
                seals::renew(&transaction, new.id.0).await?;
                transaction.commit().await.map_err(failed)?;
                return Ok(Creation::Created);
            }
            return Ok(Creation::Taken);
        }
        let same = transaction
            .query_one(
                "SELECT count(*) FROM keys WHERE document = $3 AND (hash, access) IN (($1, 'edit'), ($2, 'view'))",
                &[&edit, &view, &new.id.0],
            )
            .await
            .map_err(failed)?;
        Ok(if same.get::<_, i64>(0) == 2 { Creation::Existed } else { Creation::Taken })
    }

    async fn append(&self, document: DocumentId, after: u64, entries: &Entries<'_>) -> Result<Appended, StoreError> {
        const APPEND: &str = "WITH moved AS (\
                UPDATE documents SET version = $2, digest = $3 WHERE id = $1 AND version = $4 RETURNING id) \
            INSERT INTO log (document, version, digest, id, author, timestamp, change, refusal) \
            SELECT moved.id, new.* FROM moved, \
                UNNEST($5::bigint[], $6::text[], $7::uuid[], $8::bytea[], $9::bigint[], $10::text[], $11::text[]) AS new";
        let failed = |error| self.not_written(error);
        let records = entries.records();
        let Some(last) = records.last() else { return Ok(Appended::Durable) };
        // Two strings: writing them cannot fail.
        let refusal =
            |record: &Record| record.refused.as_ref().map(|refusal| serde_json::to_string(refusal).unwrap_or_default());
        let client = self.client().await?;
        let append = client.prepare_cached(APPEND).await.map_err(failed)?;
        let appended = client
            .execute(
                &append,
                &[
                    &document.0,
                    &signed(last.version),
                    &last.digest.to_string(),
                    &signed(after),
                    &records.iter().map(|record| signed(record.version)).collect::<Vec<_>>(),
                    &records.iter().map(|record| record.digest.to_string()).collect::<Vec<_>>(),
                    &records.iter().map(|record| record.id.0).collect::<Vec<_>>(),
                    &records.iter().map(|record| record.author.as_bytes()).collect::<Vec<_>>(),
                    &records.iter().map(|record| signed(record.timestamp)).collect::<Vec<_>>(),
                    &records.iter().map(|record| record.change.get()).collect::<Vec<_>>(),
                    &records.iter().map(refusal).collect::<Vec<_>>(),
                ],
            )
            .await
            .map_err(failed)?;
        if appended == 0 {
            return Ok(Appended::Conflict);
        }
        self.tell(document);
        Ok(Appended::Durable)
    }

    async fn save_snapshot(&self, document: DocumentId, at: Cursor, json: String) -> Result<(), StoreError> {
        const SAVE: &str = "INSERT INTO snapshots (document, version, digest, json, hash) \
            SELECT document, version, digest, $4, $5 FROM log WHERE document = $1 AND version = $2 AND digest = $3 \
            ON CONFLICT (document) DO UPDATE \
            SET version = excluded.version, digest = excluded.digest, json = excluded.json, hash = excluded.hash \
            WHERE excluded.version > snapshots.version";
        let failed = |error| self.not_written(error);
        let client = self.client().await?;
        let hash = snapshot_hash(document, at, &json);
        let saved =
            client.execute(SAVE, &[&document.0, &signed(at.version), &at.digest.to_string(), &json, &hash]).await;
        saved.map(drop).map_err(failed)
    }

    async fn replace_keys(&self, document: DocumentId, current: KeyHash, new: Keys) -> Result<Replacement, StoreError> {
        const VERSION: &str = "SELECT keys_version FROM documents WHERE id = $1 FOR UPDATE";
        const EDITS: &str = "SELECT 1 FROM keys WHERE hash = $1 AND document = $2 AND access = 'edit'";
        let failed = |error| self.not_written(error);
        let (edit, view) = (new.edit.to_string(), new.view.to_string());
        let mut client = self.client().await?;
        let transaction = client.transaction().await.map_err(failed)?;
        let Some(row) = transaction.query_opt(VERSION, &[&document.0]).await.map_err(failed)? else {
            return Ok(Replacement::Refused);
        };
        let version = row::unsigned(&row, 0)?;
        if transaction.query_opt(EDITS, &[&edit, &document.0]).await.map_err(failed)?.is_some() {
            return Ok(Replacement::Replaced(version));
        }
        if transaction.query_opt(EDITS, &[&current.to_string(), &document.0]).await.map_err(failed)?.is_none() {
            return Ok(Replacement::Refused);
        }
        let added = transaction
            .execute(
                "INSERT INTO keys (hash, document, access) VALUES ($1, $3, 'edit'), ($2, $3, 'view') \
                 ON CONFLICT DO NOTHING",
                &[&edit, &view, &document.0],
            )
            .await;
        match added {
            Ok(2) => {}
            // One of them is in use, or both are the same.
            Ok(_) => return Ok(Replacement::Taken),
            Err(error) => return Err(failed(error)),
        }
        let old = "DELETE FROM keys WHERE document = $1 AND hash <> $2 AND hash <> $3";
        transaction.execute(old, &[&document.0, &edit, &view]).await.map_err(failed)?;
        let count = "UPDATE documents SET keys_version = keys_version + 1 WHERE id = $1";
        transaction.execute(count, &[&document.0]).await.map_err(failed)?;
        seals::renew(&transaction, document.0).await?;
        transaction.commit().await.map_err(failed)?;
        self.tell(document);
        Ok(Replacement::Replaced(version + 1))
    }

    fn watch(&self) -> Option<mpsc::UnboundedReceiver<DocumentId>> {
        // A server that asks again gets no hints, but still asks how things are.
        Some(
            self.hints
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
                .unwrap_or_else(|| mpsc::unbounded_channel().1),
        )
    }
}
