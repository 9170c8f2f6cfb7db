//! Making a batch durable, however long that takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Offer;
use crate::server::entries::{Committed, Entries};
use crate::server::metrics::seconds;
use crate::server::runtime::Runtime;
use crate::server::store::{Appended, Store, StoreError};
use crate::sync::document::Document;
use crate::sync::id::DocumentId;
use crate::sync::message::Record;
use crate::sync::sequencer::Staged;

/// Most bytes of changes that are read at a time to catch up with another server.
pub(super) const CATCH_UP_BYTES: usize = 4 * 1024 * 1024;

/// Entries on their way into the log, and the offers they were made of.
#[derive(Debug)]
pub(super) struct Batch<D: Document> {
    pub(super) staged: Staged<D>,
    pub(super) offers: Vec<Offer<D::Change>>,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is durable. These frames carry its entries.
    Durable(Vec<Committed>),
    /// The log has gone on without us, with these: another server's. The batch is void.
    Behind(Vec<Record>),
    /// The server has to end, and the store does not take the batch. It is void; its authors still have their changes.
    GivenUp,
}

/// Appends a batch. As long as the store fails, tries again, and says in `saves` that it does; nobody is told that anything is
/// saved.
pub(super) async fn append<D: Document, S: Store>(
    store: Arc<S>,
    runtime: Arc<Runtime>,
    saves: watch::Sender<bool>,
    document: DocumentId,
    batch: Batch<D>,
) -> (Batch<D>, Outcome) {
    let (after, start) = (batch.staged.after(), Instant::now());
    let entries = Entries::new(batch.staged.records());
    let metrics = &runtime.metrics;
    // Until the store takes it, the server is not ready.
    let mut unsaved = None;
    loop {
        match try_append(&*store, document, after, &entries).await {
            Ok(Some(outcome)) => {
                metrics.commit_seconds.observe(seconds(start.elapsed()));
                saves.send_if_modified(|saves| !std::mem::replace(saves, true));
                return (batch, outcome);
            }
            Ok(None) => tracing::warn!(%document, after, "the log's end is in doubt; trying again"),
            Err(StoreError::Full) => tracing::error!(%document, "the database has no room left; trying again"),
            Err(error) => {
                tracing::error!(%document, error = &error as &dyn std::error::Error, "could not append; trying again");
            }
        }
        metrics.append_failures.inc();
        saves.send_if_modified(|saves| std::mem::replace(saves, false));
        unsaved.get_or_insert_with(|| Unsaved::new(&runtime));
        tokio::select! {
            () = tokio::time::sleep(runtime.settings.append_pause) => {}
            () = runtime.draining.cancelled() => return (batch, Outcome::GivenUp),
        }
    }
}

/// A batch that the store does not take at the moment.
#[derive(Debug)]
struct Unsaved<'a>(&'a Runtime);

impl<'a> Unsaved<'a> {
    fn new(runtime: &'a Runtime) -> Self {
        runtime.unsaved.fetch_add(1, Ordering::Relaxed);
        Self(runtime)
    }
}

impl Drop for Unsaved<'_> {
    fn drop(&mut self) {
        self.0.unsaved.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What became of it; `None` if that cannot be told.
async fn try_append<S: Store>(
    store: &S,
    document: DocumentId,
    after: u64,
    entries: &Entries<'_>,
) -> Result<Option<Outcome>, StoreError> {
    match store.append(document, after, entries).await? {
        Appended::Durable => Ok(Some(Outcome::Durable(entries.frames().to_vec()))),
        Appended::Conflict => {
            let missed = store.range(document, after, u64::MAX, CATCH_UP_BYTES).await?;
            Ok((!missed.is_empty()).then_some(Outcome::Behind(missed)))
        }
    }
}
