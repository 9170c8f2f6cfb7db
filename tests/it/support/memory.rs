//! A store in memory, which does what the tests tell it to: fail, wait, be overtaken.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sheetbend::server::entries::Entries;
use sheetbend::server::store::{
    Appended, Creation, End, Found, KeyHash, Keys, Listed, NewDocument, ReadStore, Replacement, RowFlaw, Store,
    StoreError, Stored, StoredSnapshot, snapshot_hash,
};
use sheetbend::sync::digest::{Cursor, Digest};
use sheetbend::sync::id::DocumentId;
use sheetbend::sync::message::{Access, Record};
use tokio::sync::{Semaphore, mpsc};

/// Clones are the same store.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Shared>);

struct Shared {
    documents: Mutex<HashMap<DocumentId, Kept>>,
    /// Other servers may write too.
    shared: AtomicBool,
    /// Appends are answered [`StoreError::Full`] while it is set.
    full: AtomicBool,
    /// One append in so many fails, before or after it was done; 0 for none.
    unreliable: AtomicUsize,
    /// Appends and loads that were asked for.
    appends: AtomicUsize,
    loads: AtomicUsize,
    /// Appends take a permit each; there are plenty unless [`Memory::hold`] took them.
    permits: Semaphore,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            documents: Mutex::default(),
            shared: AtomicBool::default(),
            full: AtomicBool::default(),
            unreliable: AtomicUsize::default(),
            appends: AtomicUsize::default(),
            loads: AtomicUsize::default(),
            permits: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }
}

struct Kept {
    new: NewDocument,
    keys_version: u64,
    log: Vec<Record>,
    snapshot: Option<(Cursor, String)>,
}

impl Kept {
    fn end(&self) -> Cursor {
        self.log.last().map(Record::cursor).unwrap_or_default()
    }
}

impl Memory {
    pub(crate) fn set_shared(&self) {
        self.0.shared.store(true, Ordering::SeqCst);
    }

    pub(crate) fn set_full(&self, full: bool) {
        self.0.full.store(full, Ordering::SeqCst);
    }

    pub(crate) fn set_unreliable(&self, one_in: usize) {
        self.0.unreliable.store(one_in, Ordering::SeqCst);
    }

    pub(crate) fn appends(&self) -> usize {
        self.0.appends.load(Ordering::SeqCst)
    }

    pub(crate) fn loads(&self) -> usize {
        self.0.loads.load(Ordering::SeqCst)
    }

    /// From now on each append waits for [`Memory::let_go`].
    pub(crate) fn hold(&self) {
        self.0.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn let_go(&self, appends: usize) {
        self.0.permits.add_permits(appends);
    }

    pub(crate) fn log(&self, document: DocumentId) -> Vec<Record> {
        self.with(document, |kept| kept.log.clone()).expect("it is there")
    }

    pub(crate) fn snapshot(&self, document: DocumentId) -> Option<(Cursor, String)> {
        self.with(document, |kept| kept.snapshot.clone()).expect("it is there")
    }

    fn with<T>(&self, document: DocumentId, work: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        self.0.documents.lock().expect("no test panicked").get_mut(&document).map(work)
    }
}

impl ReadStore for Memory {
    async fn find(&self, key: KeyHash) -> Result<Option<Found>, StoreError> {
        let documents = self.0.documents.lock().expect("no test panicked");
        Ok(documents.iter().find_map(|(id, kept)| {
            let access = match key {
                key if key == kept.new.keys.edit => Access::Edit,
                key if key == kept.new.keys.view => Access::View,
                _ => return None,
            };
            Some(Found { document: *id, access, keys_version: kept.keys_version })
        }))
    }

    async fn load(&self, document: DocumentId) -> Result<Option<Stored>, StoreError> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        Ok(self.with(document, |kept| {
            let after = kept.snapshot.as_ref().map_or(0, |(at, _)| at.version);
            Stored {
                cursor: kept.end(),
                keys_version: kept.keys_version,
                snapshot: kept.snapshot.clone().map(|(at, json)| {
                    let hash = snapshot_hash(document, at, &json);
                    StoredSnapshot { at, json, hash }
                }),
                tail: kept.log.iter().filter(|record| record.version > after).cloned().collect(),
                ids: kept.log.iter().map(|record| (record.id, record.version)).collect(),
            }
        }))
    }

    async fn range(
        &self,
        document: DocumentId,
        after: u64,
        up_to: u64,
        max_bytes: usize,
    ) -> Result<Vec<Record>, StoreError> {
        Ok(self
            .with(document, |kept| {
                let mut bytes = 0;
                let within = |record: &&Record| {
                    let fits = bytes <= max_bytes;
                    bytes += record.change.get().len();
                    fits
                };
                let wanted = kept.log.iter().filter(|record| (after + 1..=up_to).contains(&record.version));
                wanted.take_while(within).cloned().collect()
            })
            .unwrap_or_default())
    }

    async fn digest_at(&self, document: DocumentId, version: u64) -> Result<Option<Digest>, StoreError> {
        Ok(self
            .with(document, |kept| {
                if version == 0 {
                    return Some(Digest::GENESIS);
                }
                kept.log.iter().find(|record| record.version == version).map(|record| record.digest)
            })
            .flatten())
    }

    async fn ends(&self, documents: Vec<DocumentId>) -> Result<Vec<End>, StoreError> {
        let end = |document| {
            self.with(document, |kept| End { document, version: kept.end().version, keys_version: kept.keys_version })
        };
        Ok(documents.into_iter().filter_map(end).collect())
    }

    async fn documents(&self, after: Option<DocumentId>, most: usize) -> Result<Vec<Listed>, StoreError> {
        let documents = self.0.documents.lock().expect("no test panicked");
        let mut listed: Vec<_> = documents
            .values()
            .filter(|kept| after.is_none_or(|after| kept.new.id > after))
            .map(|kept| {
                let NewDocument { id, keys, created_at } = kept.new;
                Listed { id, end: kept.end(), keys, created_at }
            })
            .collect();
        listed.sort_by_key(|listed| listed.id);
        listed.truncate(most);
        Ok(listed)
    }

    async fn flaws(&self) -> Result<Vec<RowFlaw>, StoreError> {
        Ok(Vec::new())
    }
}

impl Store for Memory {
    async fn create(&self, new: NewDocument) -> Result<Creation, StoreError> {
        let mut documents = self.0.documents.lock().expect("no test panicked");
        if documents.get(&new.id).is_some_and(|kept| kept.new.keys == new.keys) {
            return Ok(Creation::Existed);
        }
        if documents.contains_key(&new.id) || are_taken(&documents, new.keys) {
            return Ok(Creation::Taken);
        }
        documents.insert(new.id, Kept { new, keys_version: 0, log: Vec::new(), snapshot: None });
        Ok(Creation::Created)
    }

    async fn append(&self, document: DocumentId, after: u64, entries: &Entries<'_>) -> Result<Appended, StoreError> {
        let append = self.0.appends.fetch_add(1, Ordering::SeqCst);
        let fails = |at: usize| match self.0.unreliable.load(Ordering::SeqCst) {
            0 => false,
            one_in => append % one_in == at,
        };
        self.0.permits.acquire().await.expect("open").forget();
        if self.0.full.load(Ordering::SeqCst) || fails(0) {
            return Err(StoreError::Full);
        }
        let done = self.with(document, |kept| {
            if kept.end().version != after {
                return Ok(Appended::Conflict);
            }
            let records = entries.records();
            if records.iter().any(|new| kept.log.iter().any(|old| old.id == new.id)) {
                return Err(StoreError::failed("an id is in the log already"));
            }
            kept.log.extend_from_slice(records);
            Ok(Appended::Durable)
        });
        if fails(1) {
            return Err(StoreError::failed("the answer was lost"));
        }
        done.unwrap_or(Ok(Appended::Conflict))
    }

    async fn save_snapshot(&self, document: DocumentId, at: Cursor, json: String) -> Result<(), StoreError> {
        self.with(document, |kept| {
            let known = kept.log.iter().any(|record| (record.version, record.digest) == (at.version, at.digest));
            if known && kept.snapshot.as_ref().is_none_or(|(kept, _)| kept.version < at.version) {
                kept.snapshot = Some((at, json));
            }
        });
        Ok(())
    }

    async fn replace_keys(&self, document: DocumentId, current: KeyHash, new: Keys) -> Result<Replacement, StoreError> {
        let mut documents = self.0.documents.lock().expect("no test panicked");
        let taken = are_taken(&documents, new);
        let Some(kept) = documents.get_mut(&document) else { return Ok(Replacement::Refused) };
        if kept.new.keys.edit == new.edit {
            return Ok(Replacement::Replaced(kept.keys_version));
        }
        if kept.new.keys.edit != current {
            return Ok(Replacement::Refused);
        }
        if taken {
            return Ok(Replacement::Taken);
        }
        kept.new.keys = new;
        kept.keys_version += 1;
        Ok(Replacement::Replaced(kept.keys_version))
    }

    fn watch(&self) -> Option<mpsc::UnboundedReceiver<DocumentId>> {
        // No hint ever comes.
        self.0.shared.load(Ordering::SeqCst).then(|| mpsc::unbounded_channel().1)
    }
}

fn are_taken(documents: &HashMap<DocumentId, Kept>, new: Keys) -> bool {
    let theirs = documents.values().flat_map(|kept| [kept.new.keys.edit, kept.new.keys.view]);
    new.edit == new.view || theirs.into_iter().any(|key| key == new.edit || key == new.view)
}
