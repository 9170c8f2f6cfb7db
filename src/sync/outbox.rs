//! Own changes that the log has not decided on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::document::Refusal;
use super::id::ChangeId;
use super::message::{Body, Limits, Proposal};
use super::time::UnixMillis;

/// A change as the device keeps it: one record a change, from when it is made until it is saved or dismissed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept<C> {
    /// The change's name for ever.
    pub id: ChangeId,
    /// What it does.
    pub change: C,
    /// The author's clock when it was made. For people.
    pub made_at: UnixMillis,
    /// Why the server refused it: it then waits for its author to decide.
    #[serde(default)]
    pub refused: Option<Refusal>,
}

#[derive(Clone, Debug)]
struct Slot<C> {
    kept: Kept<C>,
    bytes: usize,
    sent: bool,
}

/// Pending changes, in the order they were made, and refused ones that need their author's attention.
///
/// Ids are in the order of making (see [`super::id`]), so the id is the key.
#[derive(Clone, Debug)]
pub struct Outbox<C> {
    pending: BTreeMap<ChangeId, Slot<C>>,
    attention: BTreeMap<ChangeId, Kept<C>>,
    in_flight: usize,
    in_flight_bytes: usize,
}

impl<C> Default for Outbox<C> {
    fn default() -> Self {
        Self { pending: BTreeMap::new(), attention: BTreeMap::new(), in_flight: 0, in_flight_bytes: 0 }
    }
}

impl<C: Clone + Serialize> Outbox<C> {
    /// An outbox with what a device kept.
    pub fn restore(kept: impl IntoIterator<Item = Kept<C>>) -> Self {
        let mut outbox = Self::default();
        for kept in kept {
            outbox.push(kept);
        }
        outbox
    }

    /// Takes a change in. A change whose id is there already changes nothing.
    pub fn push(&mut self, kept: Kept<C>) {
        if kept.refused.is_some() {
            self.attention.insert(kept.id, kept);
        } else {
            let bytes = size_of(&kept.change);
            self.pending.entry(kept.id).or_insert(Slot { kept, bytes, sent: false });
        }
    }

    /// The next changes to send within the window of `limits`, now in flight. Empty when there is nothing to send, or no room.
    ///
    /// What is in flight stays in place: a batch never overtakes it.
    pub fn next_batch(&mut self, limits: &Limits) -> Vec<Proposal<C>> {
        let mut batch = Vec::new();
        for slot in self.pending.values_mut().filter(|slot| !slot.sent) {
            // One that is wider than the window goes alone: it must not wait for ever.
            let fits = self.in_flight == 0
                || (self.in_flight < limits.in_flight_changes
                    && self.in_flight_bytes + slot.bytes <= limits.in_flight_bytes);
            if !fits {
                break;
            }
            slot.sent = true;
            self.in_flight += 1;
            self.in_flight_bytes += slot.bytes;
            batch.push(Proposal { id: slot.kept.id, change: Body::Known(slot.kept.change.clone()) });
        }
        batch
    }

    /// The line is gone: nothing is in flight any more. What was sent will be sent again; ids make that harmless.
    pub fn line_lost(&mut self) {
        self.in_flight = 0;
        self.in_flight_bytes = 0;
        for slot in self.pending.values_mut() {
            slot.sent = false;
        }
    }

    /// The log has decided on `id`: takes it out, if it is ours. With a refusal it moves to those that need attention, and is
    /// returned with it.
    pub fn settle(&mut self, id: ChangeId, refused: Option<Refusal>) -> Option<Kept<C>> {
        let Slot { mut kept, bytes, sent } = self.pending.remove(&id)?;
        if sent {
            self.in_flight -= 1;
            self.in_flight_bytes -= bytes;
        }
        if refused.is_some() {
            kept.refused = refused;
            self.attention.insert(id, kept.clone());
        }
        Some(kept)
    }

    /// Takes a refused change out: its author has decided.
    pub fn dismiss(&mut self, id: ChangeId) -> Option<Kept<C>> {
        self.attention.remove(&id)
    }

    /// Changes the log has not decided on, in the order they were made.
    pub fn pending(&self) -> impl Iterator<Item = &Kept<C>> {
        self.pending.values().map(|slot| &slot.kept)
    }

    /// Refused changes whose author has not decided, in the order they were made.
    pub fn attention(&self) -> impl Iterator<Item = &Kept<C>> {
        self.attention.values()
    }

    /// How many are pending.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// The id of the newest change here, pending or refused: new ones must come after it.
    #[must_use]
    pub fn newest(&self) -> Option<ChangeId> {
        self.pending.keys().next_back().max(self.attention.keys().next_back()).copied()
    }
}

/// Bytes of a change's JSON text.
pub fn size_of<C: Serialize>(change: &C) -> usize {
    // Changes are plain data with string keys: writing them cannot fail.
    serde_json::to_vec(change).map_or(usize::MAX, |text| text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::id::uuid_v7;

    fn id(n: u64) -> ChangeId {
        ChangeId(uuid_v7(n, [0; 10]))
    }

    fn kept(n: u64, change: &str) -> Kept<String> {
        Kept { id: id(n), change: change.into(), made_at: n, refused: None }
    }

    fn ids(batch: &[Proposal<String>]) -> Vec<ChangeId> {
        batch.iter().map(|p| p.id).collect()
    }

    #[test]
    fn sends_in_order_and_once() {
        let mut outbox = Outbox::restore([kept(2, "b"), kept(1, "a")]);
        let limits = Limits::default();
        assert_eq!(ids(&outbox.next_batch(&limits)), [id(1), id(2)]);
        assert!(outbox.next_batch(&limits).is_empty());
        outbox.push(kept(3, "c"));
        assert_eq!(ids(&outbox.next_batch(&limits)), [id(3)]);
        outbox.line_lost();
        assert_eq!(ids(&outbox.next_batch(&limits)), [id(1), id(2), id(3)]);
    }

    #[test]
    fn holds_to_the_window() {
        let mut outbox = Outbox::restore((1..=5).map(|n| kept(n, "1234567")));
        let two = Limits { in_flight_changes: 2, ..Limits::default() };
        assert_eq!(ids(&outbox.next_batch(&two)), [id(1), id(2)]);
        outbox.settle(id(1), None);
        assert_eq!(ids(&outbox.next_batch(&two)), [id(3)]);

        outbox.line_lost();
        let bytes = Limits { in_flight_bytes: 28, ..Limits::default() };
        assert_eq!(outbox.next_batch(&bytes).len(), 3, "9 bytes each with their quotes");
    }

    #[test]
    fn refused_changes_wait_for_their_author() {
        let mut outbox = Outbox::restore([kept(1, "a")]);
        outbox.next_batch(&Limits::default());
        let refused = outbox.settle(id(1), Some(Refusal::view_only())).expect("ours");
        assert_eq!(refused.refused, Some(Refusal::view_only()));
        assert_eq!((outbox.len(), outbox.attention().count()), (0, 1));
        assert_eq!(Outbox::restore([refused]).attention().count(), 1, "also after a reload");
        assert!(outbox.dismiss(id(1)).is_some());
        assert_eq!(outbox.newest(), None);
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let mut outbox = Outbox::restore([kept(1, "a")]);
        assert_eq!(outbox.settle(id(9), None), None);
        assert_eq!(outbox.len(), 1);
    }
}
