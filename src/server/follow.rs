//! What other servers have written to the same store: told by hints, and asked for now and then, since hints get lost.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval};

use super::Server;
use super::store::Store;
use crate::sync::document::Document;
use crate::sync::id::DocumentId;

/// Most documents that are asked about at a time.
const AT_A_TIME: usize = 500;

impl<D: Document, S: Store> Server<D, S> {
    /// Follows other servers, if there are any and they are not followed yet, until this one ends.
    pub(super) fn follow(&self) {
        let hints = self.inner.hints.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(hints) = hints {
            let server = self.clone();
            let ended = self.inner.runtime.draining.clone();
            self.inner.runtime.tasks.spawn(async move {
                tokio::select! {
                    () = server.tell_rooms(hints) => {}
                    () = ended.cancelled() => {}
                }
            });
        }
    }

    async fn tell_rooms(self, mut hints: UnboundedReceiver<DocumentId>) {
        let mut asks = interval(self.inner.runtime.settings.ask_every);
        asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let documents: Vec<_> = tokio::select! {
                Some(hint) = hints.recv() => {
                    let mut hinted = BTreeSet::from([hint]);
                    while let Ok(hint) = hints.try_recv() {
                        hinted.insert(hint);
                    }
                    hinted.into_iter().filter(|document| self.inner.rooms.is_live(*document)).collect()
                }
                _ = asks.tick() => self.inner.rooms.documents(),
            };
            for documents in documents.chunks(AT_A_TIME) {
                match self.inner.store.ends(documents.to_vec()).await {
                    Ok(ends) => ends.into_iter().for_each(|end| self.inner.rooms.tell(end)),
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "could not ask what other servers wrote"
                        );
                    }
                }
            }
        }
    }
}
