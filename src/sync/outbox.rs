//! Own changes that the log has not decided on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::document::{Document, Priority, Refusal, size_of};
use super::id::ChangeId;
use super::message::{Body, Limits, Proposal};
use super::planted::{Bug, planted};
use super::time::UnixMillis;

/// A change as the device keeps it: one record a change, from when it is made until it is saved or discarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept<C> {
    /// The change's name for ever.
    pub id: ChangeId,
    /// What it does.
    pub change: C,
    /// The author's clock when it was made. For people.
    pub made_at: UnixMillis,
    /// Why the server refused it: it then waits for its author to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// An earlier change, never sent by whoever merged them, that this one does as well: its record is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ChangeId>,
}

impl<C> Kept<C> {
    /// A change that was just made.
    #[must_use]
    pub const fn new(id: ChangeId, change: C, made_at: UnixMillis) -> Self {
        Self { id, change, made_at, refused: None, replaces: None }
    }
}

/// What taking a change in came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Pushed<C> {
    /// It is queued.
    Added(Kept<C>),
    /// It is queued, and does what an earlier one to the same field was to do: it [`Kept::replaces`] that one.
    Merged(Kept<C>),
    /// Its id is here already; nothing is other than before.
    Known,
}

/// What admitting a change came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// It was not here yet, and is now.
    pub added: bool,
    /// The record of this change need not be kept: another one that is or was here does what it was to do.
    pub void: Option<ChangeId>,
}

#[derive(Clone, Debug)]
struct Slot<C> {
    kept: Kept<C>,
    bytes: usize,
    /// Its own priority, or that of a successor that must not wait for it.
    priority: Priority,
    /// Nobody has sent it: it may still go into a later one.
    fresh: bool,
    /// The number of the frame that carries it to the server; `None` while it is not in flight.
    frame: Option<u64>,
}

/// Pending changes, and refused ones that need their author's attention.
///
/// They are sent higher priority first, then older first, except that a change never overtakes an earlier one that touches
/// the same entity: that one inherits the priority. Ids are in the order of making (see [`super::id`]). Whatever the number
/// of changes, adding, sending and settling one costs a few look-ups in trees.
#[derive(Clone, Debug)]
pub struct Outbox<D: Document> {
    /// In the order of making.
    pending: BTreeMap<ChangeId, Slot<D::Change>>,
    /// Those that are not in flight, in the order of sending.
    queue: BTreeSet<(Reverse<Priority>, ChangeId)>,
    /// The pending changes that touch an entity. Along each, priorities never rise.
    touching: HashMap<Uuid, BTreeSet<ChangeId>>,
    attention: BTreeMap<ChangeId, Kept<D::Change>>,
    /// The refused changes that touch an entity.
    refused: HashMap<Uuid, BTreeSet<ChangeId>>,
    /// Entities whose mark may be another than it was.
    unmarked: BTreeSet<Uuid>,
    /// Changes that later ones replace. Sent after those, they would take back what is newer.
    replaced: HashSet<ChangeId>,
    /// The changes in flight, in the order of their frames.
    in_flight: BTreeSet<(u64, ChangeId)>,
    in_flight_bytes: usize,
    /// Frames that were sent, on whatever line.
    frames: u64,
    /// The latest frame of which the log has decided on a change.
    decided: u64,
    /// Refused changes came or went since this was last asked.
    attention_changed: bool,
    suspicion: Suspicion,
}

/// Whether a change seems to be what makes the server hang up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suspicion {
    None,
    /// One of those that were in flight: they are sent one by one. The one that is sent has failed so often.
    OneByOne {
        failures: u32,
    },
}

/// A change that alone has made the server hang up this often is set aside.
const MAX_FAILURES: u32 = 3;

impl<D: Document> Default for Outbox<D> {
    fn default() -> Self {
        Self {
            pending: BTreeMap::new(),
            queue: BTreeSet::new(),
            touching: HashMap::new(),
            attention: BTreeMap::new(),
            refused: HashMap::new(),
            unmarked: BTreeSet::new(),
            replaced: HashSet::new(),
            in_flight: BTreeSet::new(),
            in_flight_bytes: 0,
            frames: 0,
            decided: 0,
            attention_changed: false,
            suspicion: Suspicion::None,
        }
    }
}

impl<D: Document> Outbox<D> {
    /// An outbox with what a device kept.
    pub fn restore(kept: impl IntoIterator<Item = Kept<D::Change>>) -> Self {
        let mut outbox = Self::default();
        let kept: BTreeMap<_, _> = kept.into_iter().map(|kept| (kept.id, kept)).collect();
        for kept in kept.into_values() {
            outbox.admit(kept);
        }
        outbox
    }

    /// Takes in a change that was just made here, and which nobody else will send. It takes the place of the last queued
    /// change to the same field, if that was never sent and nothing else has touched the same since.
    pub fn push(&mut self, kept: Kept<D::Change>) -> Pushed<D::Change> {
        if self.contains(kept.id) {
            return Pushed::Known;
        }
        if let Some(merged) = self.merge(&kept) {
            return Pushed::Merged(merged);
        }
        self.add(kept.clone(), true);
        Pushed::Added(kept)
    }

    /// Takes in a change that may be sent from elsewhere too: by another tab, from a file, or in the past.
    pub fn admit(&mut self, kept: Kept<D::Change>) -> Admitted {
        if self.contains(kept.id) {
            return Admitted { added: false, void: None };
        }
        if self.replaced.contains(&kept.id) {
            return Admitted { added: false, void: Some(kept.id) };
        }
        // What is in flight may be in the log before it: both are then what their author did, in order.
        let void = kept.replaces.filter(|earlier| self.pending.get(earlier).is_some_and(|slot| slot.frame.is_none()));
        if let Some(earlier) = void {
            self.take_out(earlier);
        }
        Admitted { added: self.add(kept, false), void }
    }

    /// Others may send what is here from now on: it stays as it is, and goes into no later change.
    pub fn share(&mut self) {
        for slot in self.pending.values_mut() {
            slot.fresh = false;
        }
    }

    /// Another change, confirmed already, does what this one was to do.
    pub fn void(&mut self, replaced: Option<ChangeId>) {
        self.replaced.extend(replaced);
    }

    /// Whether a change is pending or refused.
    #[must_use]
    pub fn contains(&self, id: ChangeId) -> bool {
        self.pending.contains_key(&id) || self.attention.contains_key(&id)
    }

    fn add(&mut self, kept: Kept<D::Change>, fresh: bool) -> bool {
        let id = kept.id;
        if planted(Bug::OldestDropped) && self.pending.len() >= 5 {
            self.pending.keys().next().copied().map(|oldest| self.take_out(oldest));
        }
        if self.contains(id) {
            return false;
        }
        self.replaced.extend(kept.replaces.filter(|_| !planted(Bug::ReplacedStays)));
        if kept.refused.is_some() {
            self.set_aside(kept);
            return true;
        }
        let priority = D::priority(&kept.change);
        let entities = entities::<D>(&kept.change);
        // One that was made before others, as another tab's may be, must not be behind in priority of those that follow it.
        let inherited = entities.iter().filter_map(|entity| {
            let after = self.touching.get(entity)?.range(id..).next()?;
            self.pending.get(after).map(|slot| slot.priority)
        });
        let priority = inherited.fold(priority, Priority::max);
        enter(&mut self.touching, &entities, id);
        self.unmarked.extend(&entities);
        let bytes = size_of(&kept.change);
        self.pending.insert(id, Slot { kept, bytes, priority, fresh, frame: None });
        self.queue.insert((Reverse(priority), id));
        self.raise_before(id, priority);
        true
    }

    /// Gives the changes that `id` must not overtake its priority, and those that they must not.
    fn raise_before(&mut self, id: ChangeId, priority: Priority) {
        let mut followers = vec![id];
        while let Some(follower) = followers.pop() {
            let Some(slot) = self.pending.get(&follower) else { continue };
            for entity in entities::<D>(&slot.kept.change) {
                let before = self.touching.get(&entity).into_iter().flat_map(|ids| ids.range(..follower).rev());
                // Along an entity priorities never rise, so the first that is high enough ends the search.
                let lower: Vec<_> = before.copied().take_while(|id| self.pending[id].priority < priority).collect();
                for id in &lower {
                    self.set_priority(*id, priority);
                }
                followers.extend(lower);
            }
        }
    }

    fn set_priority(&mut self, id: ChangeId, priority: Priority) {
        if let Some(slot) = self.pending.get_mut(&id) {
            if self.queue.remove(&(Reverse(slot.priority), id)) {
                self.queue.insert((Reverse(priority), id));
            }
            slot.priority = priority;
        }
    }

    /// Merges a new change with the last queued one, if there is one to the same field. Under an id of its own: should someone
    /// have sent the earlier one after all, the later is not taken for its repeat.
    fn merge(&mut self, later: &Kept<D::Change>) -> Option<Kept<D::Change>> {
        let entities = entities::<D>(&later.change);
        let last = *self.touching.get(entities.first()?)?.last()?;
        let only = entities.iter().all(|entity| self.touching.get(entity).and_then(BTreeSet::last) == Some(&last));
        let slot = self.pending.get(&last)?;
        if planted(Bug::MergedIntoSent) && only && D::merge(&slot.kept.change, &later.change).is_some() {
            let slot = self.pending.get_mut(&last)?;
            slot.kept.change = D::merge(&slot.kept.change, &later.change)?;
            return Some(slot.kept.clone());
        }
        if !only || !slot.fresh || last > later.id || self::entities::<D>(&slot.kept.change) != entities {
            return None;
        }
        let change = D::merge(&slot.kept.change, &later.change)?;
        let merged = Kept { change, replaces: Some(last), ..later.clone() };
        self.take_out(last);
        self.add(merged.clone(), true);
        Some(merged)
    }

    /// Takes a pending change out of every list.
    fn take_out(&mut self, id: ChangeId) -> Option<Kept<D::Change>> {
        let Slot { kept, bytes, priority, frame, .. } = self.pending.remove(&id)?;
        if let Some(frame) = frame {
            self.in_flight.remove(&(frame, id));
            self.in_flight_bytes -= bytes;
        } else {
            self.queue.remove(&(Reverse(priority), id));
        }
        let entities = entities::<D>(&kept.change);
        leave(&mut self.touching, &entities, id);
        self.unmarked.extend(entities);
        Some(kept)
    }

    /// Puts a refused change with those that need attention.
    fn set_aside(&mut self, kept: Kept<D::Change>) {
        let entities = entities::<D>(&kept.change);
        enter(&mut self.refused, &entities, kept.id);
        self.unmarked.extend(entities);
        self.attention_changed = true;
        self.attention.insert(kept.id, kept);
    }

    /// Takes a refused change out.
    fn take_back(&mut self, id: ChangeId) -> Option<Kept<D::Change>> {
        let kept = self.attention.remove(&id)?;
        let entities = entities::<D>(&kept.change);
        leave(&mut self.refused, &entities, id);
        self.unmarked.extend(entities);
        self.attention_changed = true;
        Some(kept)
    }

    /// The next changes to send within the window of `limits`, now in flight. Empty when there is nothing to send, or no room.
    ///
    /// What is in flight stays in place: a batch never overtakes it. A change wider than the window goes alone.
    pub fn next_batch(&mut self, limits: &Limits) -> Vec<Proposal<D::Change>> {
        let most = match self.suspicion {
            Suspicion::None => limits.in_flight_changes,
            Suspicion::OneByOne { .. } => 1,
        };
        let mut batch = Vec::new();
        self.frames += 1;
        while let Some((_, id)) = self.queue.first().copied() {
            let Some(slot) = self.pending.get_mut(&id) else { break };
            let fits = self.in_flight.len() < most && self.in_flight_bytes + slot.bytes <= limits.in_flight_bytes;
            if !fits && !self.in_flight.is_empty() {
                break;
            }
            self.queue.pop_first();
            slot.frame = Some(self.frames);
            slot.fresh = false;
            self.in_flight.insert((self.frames, id));
            self.in_flight_bytes += slot.bytes;
            batch.push(Proposal { id, change: Body::Known(slot.kept.change.clone()) });
        }
        batch
    }

    /// The line is gone: nothing is in flight any more. What was sent will be sent again; ids make that harmless.
    ///
    /// When the `server` hung up over what it was sent, one change may be to blame. They then go one by one, and one that
    /// alone has made it hang up three times is set aside as refused, and returned.
    pub fn line_lost(&mut self, server: bool) -> Option<Kept<D::Change>> {
        let sent = self.requeue(u64::MAX);
        for id in &sent {
            if planted(Bug::TriesCounted) && id.0.as_u128() % 3 == 0 {
                self.take_out(*id);
            }
        }
        if !server || sent.is_empty() {
            return None;
        }
        self.suspicion = match (self.suspicion, &sent[..]) {
            (Suspicion::OneByOne { failures }, [poison]) if failures + 1 >= MAX_FAILURES => {
                self.suspicion = Suspicion::None;
                return self.settle(*poison, Some(poisonous()));
            }
            (Suspicion::OneByOne { failures }, [_]) => Suspicion::OneByOne { failures: failures + 1 },
            (Suspicion::None, [_]) => Suspicion::OneByOne { failures: 1 },
            _ => Suspicion::OneByOne { failures: 0 },
        };
        None
    }

    /// Queues changes again whose frame was lost on a live line: the log has decided on a change of a later frame, and the server
    /// takes frames in order. Ids make it harmless if a frame was only late.
    pub fn requeue_overtaken(&mut self) {
        if !planted(Bug::LossUnnoticed) {
            self.requeue(self.decided);
        }
    }

    /// Queues all changes in flight again, for the line that they were sent on.
    pub fn requeue_all(&mut self) {
        self.requeue(u64::MAX);
    }

    /// Queues the changes in flight again whose frame is before `frame`. Returns their ids.
    fn requeue(&mut self, frame: u64) -> Vec<ChangeId> {
        let mut sent = Vec::new();
        while let Some((_, id)) = self.in_flight.first().copied().filter(|(sent, _)| *sent < frame) {
            self.in_flight.pop_first();
            if let Some(slot) = self.pending.get_mut(&id) {
                slot.frame = None;
                self.in_flight_bytes -= slot.bytes;
                if planted(Bug::ResendOvertaken) {
                    slot.priority = Priority::Low;
                }
                self.queue.insert((Reverse(slot.priority), id));
            }
            sent.push(id);
        }
        sent
    }

    /// The log has decided on `id`: takes it out, if it is ours. With a refusal it moves to those that need attention, and is
    /// returned with it.
    pub fn settle(&mut self, id: ChangeId, refused: Option<Refusal>) -> Option<Kept<D::Change>> {
        if refused.is_none()
            && let Some(mut kept) = self.take_back(id)
        {
            // It was set aside here, and had reached the log all the same.
            kept.refused = None;
            return Some(kept);
        }
        let frame = self.pending.get(&id).and_then(|slot| slot.frame);
        let mut kept = self.take_out(id)?;
        self.decided = self.decided.max(frame.unwrap_or_default());
        self.suspicion = match self.suspicion {
            Suspicion::OneByOne { .. } if !self.pending.is_empty() => Suspicion::OneByOne { failures: 0 },
            Suspicion::OneByOne { .. } | Suspicion::None => Suspicion::None,
        };
        if refused.is_some() {
            kept.refused = refused;
            self.set_aside(kept.clone());
        }
        Some(kept)
    }

    /// Takes a change out, since its author lets it go: a refused one, or a pending one that is not on its way. What is on its
    /// way stays; the log will decide on it.
    pub fn discard(&mut self, id: ChangeId) -> Option<Kept<D::Change>> {
        if self.pending.get(&id).is_some_and(|slot| slot.frame.is_none()) {
            return self.take_out(id);
        }
        self.take_back(id)
    }

    /// How an entity stands, the document itself being [`Uuid::nil`].
    #[must_use]
    pub fn mark(&self, entity: Uuid) -> Mark {
        if self.refused.contains_key(&entity) {
            Mark::Refused
        } else if self.touching.contains_key(&entity) {
            Mark::Kept
        } else {
            Mark::Saved
        }
    }

    /// The entities whose mark may be another since this was last asked.
    pub fn take_unmarked(&mut self) -> BTreeSet<Uuid> {
        std::mem::take(&mut self.unmarked)
    }

    /// Whether refused changes came or went since this was last asked. Their number may be the same.
    pub const fn take_attention_changed(&mut self) -> bool {
        std::mem::replace(&mut self.attention_changed, false)
    }

    /// A change that is pending or refused.
    #[must_use]
    pub fn find(&self, id: ChangeId) -> Option<&Kept<D::Change>> {
        self.pending.get(&id).map(|slot| &slot.kept).or_else(|| self.attention.get(&id))
    }

    /// Whether a change was sent and the log has not decided on it.
    #[must_use]
    pub fn is_in_flight(&self, id: ChangeId) -> bool {
        self.pending.get(&id).is_some_and(|slot| slot.frame.is_some())
    }

    /// Changes the log has not decided on, in the order they were made.
    pub fn pending(&self) -> impl Iterator<Item = &Kept<D::Change>> {
        self.pending.values().map(|slot| &slot.kept)
    }

    /// Refused changes whose author has not decided, in the order they were made.
    pub fn attention(&self) -> impl Iterator<Item = &Kept<D::Change>> {
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

    /// How many are sent and not decided on.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Bytes of those.
    #[must_use]
    pub const fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes
    }

    /// The oldest pending change.
    #[must_use]
    pub fn oldest(&self) -> Option<&Kept<D::Change>> {
        self.pending.values().next().map(|slot| &slot.kept)
    }

    /// How many were refused and wait for their author.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.attention.len()
    }

    /// The id of the newest change here, pending or refused: new ones must come after it.
    #[must_use]
    pub fn newest(&self) -> Option<ChangeId> {
        self.pending.keys().next_back().max(self.attention.keys().next_back()).copied()
    }
}

/// How an entity stands with its author's changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The server has all of them.
    #[default]
    Saved,
    /// Some are kept on this device, and not saved.
    Kept,
    /// The server refused one, and its author has not decided on it.
    Refused,
}

fn enter(index: &mut HashMap<Uuid, BTreeSet<ChangeId>>, entities: &[Uuid], id: ChangeId) {
    for entity in entities {
        index.entry(*entity).or_default().insert(id);
    }
}

fn leave(index: &mut HashMap<Uuid, BTreeSet<ChangeId>>, entities: &[Uuid], id: ChangeId) {
    for entity in entities {
        if let Some(ids) = index.get_mut(entity) {
            ids.remove(&id);
            if ids.is_empty() {
                index.remove(entity);
            }
        }
    }
}

/// The entities that a change touches, the document itself being one.
fn entities<D: Document>(change: &D::Change) -> Vec<Uuid> {
    let mut touched = D::touches(change);
    if touched.is_empty() {
        touched.push(Uuid::nil());
    }
    touched.sort_unstable();
    touched.dedup();
    touched
}

fn poisonous() -> Refusal {
    Refusal::new(
        "poisonous",
        "The server hangs up whenever it is sent this change. Copy what you wrote and make it anew.",
    )
}
