//! From the store into memory.

use crate::server::cpu::Cpu;
use crate::server::store::{ReadStore, StoreError, Stored, StoredSnapshot};
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
    cpu: &Cpu,
) -> Result<Loaded<D>, LoadError> {
    let Stored { cursor: end, keys_version, snapshot, mut tail, ids } =
        store.load(document).await?.ok_or(LoadError::Gone)?;

    let snapshot_bytes = snapshot.as_ref().map_or(0, |snapshot| snapshot.json.len());
    let (start, state) = match snapshot {
        None => (Cursor::default(), D::default()),
        Some(snapshot) => match cpu.run(move || read(document, &snapshot)).await {
            Ok(read) => read,
            Err(reason) => {
                tracing::error!(%document, reason, "a snapshot is not used; replaying the whole log. Run sheetbend check");
                tail = store.range(document, 0, end.version, usize::MAX).await?;
                (Cursor::default(), D::default())
            }
        },
    };

    let sequencer = Sequencer::new(state, start, ids.into_iter().collect(), limits);
    let (sequencer, tail) = replayed(sequencer, tail, cpu).await?;
    if sequencer.cursor() != end {
        return Err(LoadError::Cut { found: sequencer.cursor(), said: end });
    }
    Ok(Loaded { sequencer, start, tail, keys_version, snapshot_bytes })
}

/// The document that a snapshot has, and its place; or why it is not to be trusted.
fn read<D: Document>(document: DocumentId, snapshot: &StoredSnapshot) -> Result<(Cursor, D), &'static str> {
    if !snapshot.is_whole(document) {
        return Err("it does not fit its hash");
    }
    // Not the error itself: it may quote the board.
    serde_json::from_str(&snapshot.json).map(|state| (snapshot.at, state)).map_err(|_| "it cannot be read")
}

/// Replays entries.
async fn replayed<D: Document>(
    sequencer: Sequencer<D>,
    records: Vec<Record>,
    cpu: &Cpu,
) -> Result<(Sequencer<D>, Vec<Record>), Misfit> {
    let step = |(sequencer, records, next, replayed): &mut (Sequencer<D>, Vec<Record>, usize, Result<(), Misfit>)| {
        let Some(record) = records.get(*next) else { return false };
        *replayed = sequencer.replay(record);
        *next += 1;
        replayed.is_ok()
    };
    let (sequencer, records, _, replayed) = cpu.run_in_steps((sequencer, records, 0, Ok(())), step).await;
    replayed.map(|()| (sequencer, records))
}
