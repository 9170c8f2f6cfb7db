//! What is done to a store beside serving it: checking it, copying it into another, taking a document out or putting one in.

use std::collections::HashMap;

use crate::server::cpu::Cpu;
use crate::server::entries::Entries;
use crate::server::room::{LoadError, load};
use crate::server::runtime::now;
use crate::server::store::{
    Appended, Creation, Listed, NewDocument, ReadStore, Store, StoreError, Stored, StoredSnapshot,
};
use crate::sync::digest::Cursor;
use crate::sync::document::{Document, Refusal};
use crate::sync::id::{ChangeId, DocumentId};
use crate::sync::message::{Body, Limits, Proposal};
use crate::sync::sequencer::{Misfit, Sequencer};

/// About how many bytes of changes are read at a time.
const AT_A_TIME: usize = 4 * 1024 * 1024;

/// Most documents that are listed at a time.
const LISTED: usize = 500;

/// What is wrong with a document in a store.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// An entry that does not follow from those before it.
    #[error("{0}")]
    Misfit(#[from] Misfit),
    /// The log does not end where the store says it does.
    #[error("its log ends at version {}, and should at {}", found.version, said.version)]
    End {
        /// Where it ends.
        found: Cursor,
        /// Where it should.
        said: Cursor,
    },
    /// The store knows more ids of changes, or fewer, than the log has entries.
    #[error("there are {found} ids for {said} entries")]
    Ids {
        /// How many ids there are.
        found: usize,
        /// How many there should be.
        said: u64,
    },
    /// The store knows the change of an entry by another id than the entry has.
    #[error("entry {0} has another id than is kept beside it")]
    Id(u64),
    /// The snapshot is not what the log makes of the document.
    #[error("its snapshot at version {0} is not what the log comes to")]
    Snapshot(u64),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Store(#[from] StoreError),
}

/// Why a copy did not come about.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The store that is read, or the one that is written, failed.
    #[error("document {0}: {1}")]
    Store(DocumentId, #[source] StoreError),
    /// The id or a key is in use in the other store, by another document.
    #[error("document {0} is in the other database already, with other keys or another history")]
    Taken(DocumentId),
    /// The copy is not what it is a copy of.
    #[error("the copy of document {0} has a flaw: {1}")]
    Flaw(DocumentId, #[source] Flaw),
}

/// Lists all documents of a store.
///
/// # Errors
/// [`StoreError`].
pub async fn list(store: &impl ReadStore) -> Result<Vec<Listed>, StoreError> {
    let mut all: Vec<Listed> = Vec::new();
    loop {
        let more = store.documents(all.last().map(|listed| listed.id), LISTED).await?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

/// Walks a document's log from its first entry to its last: that each digest follows from the one before, each change still applies,
/// and the snapshot is what the log comes to.
///
/// # Errors
/// [`Flaw`], the first one.
pub async fn check<D: Document>(store: &impl ReadStore, listed: &Listed) -> Result<(), Flaw> {
    let Some(Stored { cursor, mut snapshot, ids, .. }) = store.load(listed.id).await? else {
        return Err(Flaw::End { found: Cursor::default(), said: listed.end });
    };
    if ids.len() as u64 != cursor.version {
        return Err(Flaw::Ids { found: ids.len(), said: cursor.version });
    }
    let is_true = |snapshot: &StoredSnapshot| snapshot.is_whole(listed.id) && snapshot.at.version <= cursor.version;
    if let Some(altered) = snapshot.as_ref().filter(|snapshot| !is_true(snapshot)) {
        return Err(Flaw::Snapshot(altered.at.version));
    }
    let mut ids: HashMap<u64, ChangeId> = ids.into_iter().map(|(id, version)| (version, id)).collect();
    let mut log = Sequencer::new(D::default(), Cursor::default(), HashMap::new(), Limits::default());
    while log.cursor().version < listed.end.version {
        let records = store.range(listed.id, log.cursor().version, listed.end.version, AT_A_TIME).await?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            log.replay(record)?;
            if ids.remove(&record.version) != Some(record.id) {
                return Err(Flaw::Id(record.version));
            }
            if let Some(StoredSnapshot { at, json, .. }) =
                snapshot.take_if(|snapshot| snapshot.at.version == record.version)
            {
                let same = serde_json::from_str(&json).is_ok_and(|document: D| &document == log.document());
                if !same || at != log.cursor() {
                    return Err(Flaw::Snapshot(at.version));
                }
            }
        }
    }
    if log.cursor() != listed.end {
        return Err(Flaw::End { found: log.cursor(), said: listed.end });
    }
    // A server that goes on meanwhile may have stored one of a place after the end that was listed.
    match snapshot.filter(|snapshot| snapshot.at.version <= listed.end.version) {
        Some(nowhere) => Err(Flaw::Snapshot(nowhere.at.version)),
        None => Ok(()),
    }
}

/// Copies a document with its keys and its whole log into another store, and checks the copy. What is there already of it is not
/// copied again, so a copy that broke off is taken up where it was.
///
/// # Errors
/// [`CopyError`].
pub async fn copy<D: Document>(from: &impl ReadStore, to: &impl Store, listed: &Listed) -> Result<(), CopyError> {
    let Listed { id, keys, created_at, end } = *listed;
    let failed = |error| CopyError::Store(id, error);
    if to.create(NewDocument { id, keys, created_at }).await.map_err(failed)? == Creation::Taken {
        return Err(CopyError::Taken(id));
    }
    let there = to.ends(vec![id]).await.map_err(failed)?;
    let mut at = there.first().map_or(0, |end| end.version);
    while at < end.version {
        let records = from.range(id, at, end.version, AT_A_TIME).await.map_err(failed)?;
        let Some(last) = records.last().map(|last| last.version) else { break };
        if to.append(id, at, &Entries::new(&records)).await.map_err(failed)? == Appended::Conflict {
            return Err(CopyError::Taken(id));
        }
        at = last;
    }
    check::<D>(to, listed).await.map_err(|flaw| CopyError::Flaw(id, flaw))
}

/// A document as it is at the end of its log.
///
/// # Errors
/// Why it cannot be read, in words.
pub async fn read<D: Document>(store: &impl ReadStore, document: DocumentId) -> Result<D, String> {
    let loaded = load::<D, _>(store, document, Limits::default(), &Cpu::new())
        .await
        .map_err(|error: LoadError| error.to_string())?;
    Ok(loaded.sequencer.document().clone())
}

/// Why a document was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The document does not take a change.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// Its id or a key is in use.
    #[error("its id or a key is in use already; try again")]
    Taken,
}

/// Makes a document of changes by `author`, each with its id.
///
/// # Errors
/// [`MakeError`]. If a change is refused, the document is not made.
pub async fn make<D: Document>(
    store: &impl Store,
    new: NewDocument,
    author: &str,
    changes: Vec<(ChangeId, D::Change)>,
) -> Result<(), MakeError> {
    let log = Sequencer::<D>::new(D::default(), Cursor::default(), HashMap::new(), Limits::default());
    let mut staged = log.stage();
    for (id, change) in changes {
        log.propose(&mut staged, author, &Proposal { id, change: Body::Known(change) }, now());
    }
    if let Some(refusal) = staged.records().iter().find_map(|record| record.refused.clone()) {
        return Err(MakeError::Refused(refusal));
    }
    let id = new.id;
    match store.create(new).await? {
        Creation::Created => {}
        Creation::Existed | Creation::Taken => return Err(MakeError::Taken),
    }
    match store.append(id, 0, &Entries::new(staged.records())).await? {
        Appended::Durable => Ok(()),
        Appended::Conflict => Err(MakeError::Taken),
    }
}
