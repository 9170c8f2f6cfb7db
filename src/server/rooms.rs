//! Which documents are in memory. Of each there is one room at most, ever.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::gauge::Gauge;

use super::metrics::{Metrics, Share};
use super::room::{self, Handle, Place};
use super::store::{End, Store};
use crate::sync::document::Document;
use crate::sync::id::DocumentId;

/// The rooms that are live.
pub(super) struct Rooms<D: Document> {
    listing: Mutex<Listing<D>>,
    most: usize,
    gauge: Gauge,
}

struct Listing<D: Document> {
    /// The way into each, and its number.
    rooms: HashMap<DocumentId, (Handle<D>, u64)>,
    /// Rooms that ever were: the next one's number.
    numbered: u64,
}

impl<D: Document> Rooms<D> {
    /// None yet, and at most so many ever.
    pub(super) fn new(most: usize, metrics: &Metrics) -> Self {
        let listing = Mutex::new(Listing { rooms: HashMap::new(), numbered: 0 });
        Self { listing, most, gauge: metrics.rooms.clone() }
    }

    /// The way into a document's room, which comes to be if there is none; `None` if that would be one too many. The document
    /// must be in the store.
    pub(super) fn enter<S: Store>(self: &Arc<Self>, place: Place<S>) -> Option<Handle<D>> {
        let document = place.document;
        let mut listing = self.lock();
        if let Some((handle, _)) = listing.rooms.get(&document) {
            return Some(handle.clone());
        }
        if listing.rooms.len() >= self.most {
            return None;
        }
        listing.numbered += 1;
        let room = listing.numbered;
        let (handle, doors) = room::doors();
        listing.rooms.insert(document, (handle.clone(), room));
        let share = Share::of(&self.gauge, 1);
        let registration = Registration { rooms: Arc::clone(self), document, room, _share: share };
        let tasks = place.runtime.tasks.clone();
        tasks.spawn(room::live(place, doors, registration));
        Some(handle)
    }

    /// Tells a document's room, if it is live, how the store has it.
    pub(super) fn tell(&self, end: End) {
        if let Some((handle, _)) = self.lock().rooms.get(&end.document) {
            handle.tell(end);
        }
    }

    /// Which are live.
    pub(super) fn documents(&self) -> Vec<DocumentId> {
        self.lock().rooms.keys().copied().collect()
    }

    /// Whether a document's room is live.
    pub(super) fn is_live(&self, document: DocumentId) -> bool {
        self.lock().rooms.contains_key(&document)
    }

    /// How many are live.
    pub(super) fn len(&self) -> usize {
        self.lock().rooms.len()
    }

    fn lock(&self) -> MutexGuard<'_, Listing<D>> {
        self.listing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Document> fmt::Debug for Rooms<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rooms").field("live", &self.len()).finish()
    }
}

/// A room's place in the registry. It gives it up when dropped, also when the room panics.
#[derive(Debug)]
pub(super) struct Registration<D: Document> {
    rooms: Arc<Rooms<D>>,
    document: DocumentId,
    room: u64,
    _share: Share,
}

impl<D: Document> Registration<D> {
    /// Gives the place up if nobody is outside. While that is found out nobody can come: a handle is only given out under
    /// the same lock.
    pub(super) fn retire(&self, nobody_outside: impl FnOnce() -> bool) -> bool {
        let mut listing = self.rooms.lock();
        let retires = nobody_outside();
        if retires {
            listing.rooms.remove(&self.document);
        }
        retires
    }
}

impl<D: Document> Drop for Registration<D> {
    fn drop(&mut self) {
        let mut listing = self.rooms.lock();
        // The document may have another room by now.
        if listing.rooms.get(&self.document).is_some_and(|(_, room)| *room == self.room) {
            listing.rooms.remove(&self.document);
        }
    }
}
