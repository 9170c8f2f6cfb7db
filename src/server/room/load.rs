//! From the store into memory.

use crate::server::store::{ReadStore, StoreError, Stored};
use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::id::DocumentId;
use crate::sync::message::{Limits, Record};
use crate::sync::sequencer::{Misfit, Sequencer};

/// Why a document could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(in crate::server) enum LoadError {
    /// There is no such document.
    #[error("the document is not in the database")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be replayed.
    #[error("the log cannot be replayed")]
    Misfit(#[from] Misfit),
    /// The log does not end where the store says it does.
    #[error("the log ends at {found:?}, and should at {said:?}")]
    Cut {
        /// Where it ends.
        found: Cursor,
        /// Where it should.
        said: Cursor,
    },
}

/// A document as it comes out of the store.
#[derive(Debug)]
pub(in crate::server) struct Loaded<D> {
    /// At the end of the log.
    pub(in crate::server) sequencer: Sequencer<D>,
    /// Where the snapshot stands; where every log begins, if there is none.
    pub(in crate::server) start: Cursor,
    /// The entries after it, which were replayed.
    pub(in crate::server) tail: Vec<Record>,
    /// How often the document's keys were replaced.
    pub(in crate::server) keys_version: u64,
    /// The snapshot's length.
    pub(in crate::server) snapshot_bytes: usize,
}

/// Loads a document: its snapshot, with the entries after it replayed on top.
pub(in crate::server) async fn load<D: Document, S: ReadStore>(
    store: &S,
    document: DocumentId,
    limits: Limits,
) -> Result<Loaded<D>, LoadError> {
    let Stored { cursor: end, keys_version, snapshot, mut tail, ids } =
        store.load(document).await?.ok_or(LoadError::Gone)?;

    let snapshot_bytes = snapshot.as_ref().map_or(0, |(_, json)| json.len());
    let (start, state) = match snapshot.map(|(at, json)| (at, serde_json::from_str::<D>(&json))) {
        None => (Cursor::default(), D::default()),
        Some((at, Ok(state))) => (at, state),
        Some((at, Err(error))) => {
            // Not the error itself: it may quote the board.
            let kind = error.classify();
            tracing::warn!(%document, version = at.version, ?kind, "a snapshot is unreadable; replaying the whole log");
            tail = store.range(document, 0, end.version, usize::MAX).await?;
            (Cursor::default(), D::default())
        }
    };

    let mut sequencer = Sequencer::new(state, start, ids.into_iter().collect(), limits);
    for record in &tail {
        sequencer.replay(record)?;
    }
    if sequencer.cursor() != end {
        return Err(LoadError::Cut { found: sequencer.cursor(), said: end });
    }
    Ok(Loaded { sequencer, start, tail, keys_version, snapshot_bytes })
}
