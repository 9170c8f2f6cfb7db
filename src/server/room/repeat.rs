//! Entries that a client offers though the log has them: it must have missed that they were saved, and hears it again.

use std::sync::Arc;

use super::Offer;
use super::task::{Done, Room};
use crate::server::entries::Entries;
use crate::server::outbound::Outbound;
use crate::server::store::{Store, StoreError};
use crate::sync::document::Document;
use crate::sync::id::DocumentId;
use crate::sync::message::{Bye, ByeCode, Record};

/// Bytes of changes that are read at a time.
const AT_A_TIME: usize = 256 * 1024;

impl<D: Document, S: Store> Room<D, S> {
    /// Sends entries again to the client of an offer.
    pub(super) fn repeat(&mut self, offer: &Offer<D::Change>, mut versions: Vec<u64>) {
        let Some(member) = self.members.get(&offer.from).filter(|_| !versions.is_empty()) else { return };
        let outbound = member.outbound.clone();
        versions.sort_unstable();
        versions.dedup();
        let (near, far): (Vec<_>, Vec<_>) =
            versions.into_iter().partition(|version| self.recent.get(*version).is_some());
        for run in runs(&near) {
            let records: Vec<_> = run.iter().filter_map(|version| self.recent.get(*version)).cloned().collect();
            send_all(&outbound, &records);
        }
        if far.is_empty() {
            return;
        }
        let (store, document, undecided) = (Arc::clone(&self.store), self.document, offer.undecided.clone());
        self.background.spawn(async move {
            if let Err(error) = repeat(&*store, document, &far, &outbound).await {
                tracing::error!(%document, error = &error as &dyn std::error::Error, "could not repeat entries");
                // The client offers them again when it comes back.
                outbound.close(Bye::new(ByeCode::ServerError, "The server has a problem. Reconnect in a moment."));
            }
            drop(undecided);
            Done::Repeated
        });
    }
}

/// Versions that follow each other.
fn runs(versions: &[u64]) -> impl Iterator<Item = &[u64]> {
    versions.chunk_by(|a, b| a + 1 == *b)
}

async fn repeat<S: Store>(
    store: &S,
    document: DocumentId,
    versions: &[u64],
    outbound: &Outbound,
) -> Result<(), StoreError> {
    for run in runs(versions) {
        let (mut after, last) = (run[0] - 1, run[run.len() - 1]);
        while after < last {
            let records = store.range(document, after, last, AT_A_TIME).await?;
            let Some(end) = records.last() else { break };
            after = end.version;
            if !send_all(outbound, &records) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether the client takes them: one that does not is on its way out.
fn send_all(outbound: &Outbound, records: &[Record]) -> bool {
    Entries::new(records).into_frames().into_iter().all(|frame| outbound.send_up_to(frame.text, frame.end))
}
