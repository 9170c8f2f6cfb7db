//! The task that is a room.

use std::collections::HashMap;
use std::mem;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{BoxFuture, OptionFuture};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::Instant;

use super::commit::{self, Batch, Outcome};
use super::gathered::Gathered;
use super::join::Found;
use super::load::{self, Loaded};
use super::recent::Recent;
use super::snapshot::{self, Snapshots};
use super::staging::{Places, Staging, follow};
use super::{Doors, Join, Offer, Request};
use crate::server::entries::{Committed, Entries};
use crate::server::frame::{self, DocumentJson};
use crate::server::metrics::Share;
use crate::server::outbound::Outbound;
use crate::server::rooms::Registration;
use crate::server::runtime::{ConnectionId, Runtime};
use crate::server::store::{Store, StoreError};
use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::id::DocumentId;
use crate::sync::message::{Bye, Record};
use crate::sync::sequencer::{Misfit, Sequencer, Staged};

/// With so much going on beside the room, no more offers come in: each may ask for entries to be read from the store.
const BESIDE: usize = 32;

/// Where a room is: of which document, over which store, in which server.
#[derive(Debug)]
pub(in crate::server) struct Place<S> {
    pub(in crate::server) document: DocumentId,
    pub(in crate::server) store: Arc<S>,
    pub(in crate::server) runtime: Arc<Runtime>,
}

/// A room's whole life: loads the document, serves those who come, and ends when nobody has come for a while or the server
/// ends.
pub(in crate::server) async fn live<D: Document, S: Store>(
    place: Place<S>,
    mut doors: Doors<D>,
    registration: Registration<D>,
) {
    let document = place.document;
    let loaded = load::load::<D, S>(&place.store, document, place.runtime.settings.limits, &place.runtime.cpu).await;
    match loaded {
        Ok(loaded) => {
            tracing::debug!(%document, version = loaded.sequencer.cursor().version, "loaded");
            if let Err(error) = Room::new(place, loaded).serve(&mut doors, &registration).await {
                tracing::error!(%document, error = &error as &dyn std::error::Error, "the room cannot go on");
            }
        }
        // Those who wait at the doors are told when these go.
        Err(error) => {
            tracing::error!(%document, error = &error as &dyn std::error::Error, "could not load the document");
        }
    }
    // First out of the registry: then nobody new comes to doors that are gone.
    drop(registration);
}

/// A document in memory, and who is there.
#[derive(Debug)]
pub(super) struct Room<D: Document, S> {
    pub(super) document: DocumentId,
    pub(super) store: Arc<S>,
    pub(super) runtime: Arc<Runtime>,
    /// Shared with what is being staged, and nothing changes it until that is committed.
    pub(super) sequencer: Arc<Sequencer<D>>,
    pub(super) recent: Recent,
    pub(super) snapshots: Snapshots,
    pub(super) members: HashMap<ConnectionId, Member>,
    pub(super) background: JoinSet<Done<D>>,
    /// How often the document's keys were replaced, as far as is known.
    pub(super) keys_version: u64,
    /// Clients who have been further than this server knows the log to go: they are answered when it has caught up.
    pub(super) ahead: Vec<Join>,
    /// Clients who wait for a snapshot that is being encoded.
    pub(super) waiting: Vec<Join>,
    gathered: Gathered<D::Change>,
    /// How far the store has the log, as far as is known: another server may have gone on.
    known_end: u64,
    /// What others have appended is being read. Nothing is appended meanwhile.
    catching_up: bool,
    /// Whether the store takes what it is given.
    saving: bool,
    /// When someone last came, went, or did something.
    stirred: Instant,
}

/// A client in the room.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) outbound: Outbound,
    /// How often the document's keys had been replaced when its key was found.
    pub(super) keys_version: u64,
}

/// Work on the next batch, of which there is one at a time.
type Appending<D> = BoxFuture<'static, Step<D>>;

/// How far the work on a batch is.
enum Step<D: Document> {
    /// Its changes have their places.
    Staged(Places<D>),
    /// The store has decided on it.
    Appended(Batch<D>, Outcome),
}

/// What went on beside the room, and is done.
#[derive(Debug)]
pub(super) enum Done<D> {
    /// The store was asked about a client's place in the log.
    LookedUp(Join, Result<Found, StoreError>),
    /// What the log has after this server's end.
    Missed(Result<Result<Staged<D>, Misfit>, StoreError>),
    /// A snapshot for clients.
    Encoded(Cursor, DocumentJson),
    /// A client was sent entries again.
    Repeated,
    /// A snapshot of so many bytes is in the store, or could not be written.
    SnapshotStored(Option<usize>),
}

impl<D: Document, S: Store> Room<D, S> {
    fn new(place: Place<S>, loaded: Loaded<D>) -> Self {
        let runtime = &place.runtime;
        let mut recent = Recent::after(loaded.start, Share::of(&runtime.metrics.recent, 0), runtime.settings.recent);
        let snapshots = Snapshots::new(loaded.start.version, loaded.snapshot_bytes, &loaded.tail);
        recent.extend(loaded.tail);
        Self {
            document: place.document,
            store: place.store,
            runtime: place.runtime,
            sequencer: Arc::new(loaded.sequencer),
            recent,
            snapshots,
            members: HashMap::new(),
            background: JoinSet::new(),
            keys_version: loaded.keys_version,
            ahead: Vec::new(),
            waiting: Vec::new(),
            gathered: Gathered::default(),
            known_end: 0,
            catching_up: false,
            saving: true,
            stirred: Instant::now(),
        }
    }

    async fn serve(mut self, doors: &mut Doors<D>, registration: &Registration<D>) -> Result<(), Misfit> {
        let mut append: OptionFuture<Appending<D>> = None.into();
        let mut appending = false;
        let (saves, mut saving) = watch::channel(true);
        let runtime = Arc::clone(&self.runtime);
        let mut drained = pin!(runtime.draining.cancelled());
        loop {
            if !appending && !self.catching_up && self.is_behind() {
                self.catch_up();
            }
            if !appending
                && !self.catching_up
                && let Some(next) = self.stage(&saves)
            {
                append = Some(next).into();
                appending = true;
            }
            let draining = runtime.draining.is_cancelled();
            if draining && !appending && !self.catching_up && doors.offers.is_empty() {
                self.say_goodbye();
                return Ok(());
            }
            let quiet = !appending && self.members.is_empty() && self.background.is_empty();

            tokio::select! {
                // First what others wait for. Offers wait for all else, as their senders do for them.
                biased;
                Some(step) = &mut append, if appending => {
                    let next = match step {
                        Step::Staged(places) => self.append(places, &saves),
                        Step::Appended(batch, outcome) => {
                            self.settle(batch, outcome);
                            None
                        }
                    };
                    appending = next.is_some();
                    append = next.into();
                }
                Some(request) = doors.requests.recv() => self.answer_request(request),
                Ok(()) = saving.changed() => self.say_whether_it_saves(*saving.borrow_and_update()),
                Some(done) = self.background.join_next() => self.take_back(done)?,
                Some(offer) = doors.offers.recv(), if self.has_room() => {
                    self.gather(offer);
                    if !appending {
                        // Who else has something to say at this moment says it in the same commit: each goes to everybody by itself.
                        yield_now().await;
                        while self.has_room()
                            && let Ok(offer) = doors.offers.try_recv()
                        {
                            self.gather(offer);
                        }
                    }
                }
                () = &mut drained, if !draining => {}
                () = tokio::time::sleep_until(self.stirred + runtime.settings.room_idle), if quiet => {
                    if self.store_last_snapshot() {
                        continue;
                    }
                    if registration.retire(|| doors.nobody_outside()) {
                        tracing::debug!(document = %self.document, "unloaded");
                        return Ok(());
                    }
                    self.stirred = Instant::now();
                }
            }
        }
    }

    fn gather(&mut self, offer: Offer<D::Change>) {
        self.stirred = Instant::now();
        // Who came with a key that was replaced is on the way out, and may not have heard it yet.
        if offer.keys_version >= self.keys_version {
            self.gathered.push(offer);
        }
    }

    /// Whether more offers may come in; if not, they wait at the door, and their senders in their sockets.
    fn has_room(&self) -> bool {
        self.gathered.has_room() && self.background.len() < BESIDE
    }

    fn answer_request(&mut self, request: Request<D>) {
        self.stirred = Instant::now();
        match request {
            Request::Join(join) => self.admit(join),
            Request::Leave(connection) => {
                self.members.remove(&connection);
            }
            Request::View(reply) => {
                let _ = reply.send((self.sequencer.cursor(), self.sequencer.document().clone()));
            }
            Request::End(end) => {
                self.replace_keys(end.keys_version);
                self.known_end = self.known_end.max(end.version);
            }
        }
    }

    /// Keys were replaced so often: who came with one from before must go.
    pub(super) fn replace_keys(&mut self, version: u64) {
        if version <= self.keys_version {
            return;
        }
        self.keys_version = version;
        self.members.retain(|_, member| {
            let stays = member.keys_version >= version;
            if !stays {
                member.outbound.close(Bye::link_replaced());
            }
            stays
        });
    }

    fn is_behind(&self) -> bool {
        self.known_end > self.sequencer.cursor().version || !self.ahead.is_empty()
    }

    /// Reads what other servers have appended.
    fn catch_up(&mut self) {
        self.catching_up = true;
        let (store, document, end) = (Arc::clone(&self.store), self.document, self.sequencer.cursor().version);
        let (sequencer, cpu) = (Arc::clone(&self.sequencer), self.runtime.cpu.clone());
        self.background.spawn(async move {
            match store.range(document, end, u64::MAX, commit::CATCH_UP_BYTES).await {
                Ok(missed) => Done::Missed(Ok(follow(sequencer, missed, cpu).await)),
                Err(error) => Done::Missed(Err(error)),
            }
        });
    }

    fn take_in(&mut self, missed: Result<Result<Staged<D>, Misfit>, StoreError>) -> Result<(), Misfit> {
        self.catching_up = false;
        match missed {
            Ok(staged) => {
                let staged = staged?;
                let missed = staged.records();
                // More than fits at a time is read in turns. Those who are ahead are answered when there is no more: how far they
                // have been is what they say, and not what is known.
                let known = missed.last().is_some_and(|last| last.version >= self.known_end);
                let whole = missed.is_empty() || (known && self.ahead.is_empty());
                self.take_over(staged);
                if whole {
                    self.known_end = self.sequencer.cursor().version;
                    for join in mem::take(&mut self.ahead) {
                        self.bring_up_to_date(join, None);
                    }
                }
            }
            Err(error) => {
                tracing::error!(document = %self.document, error = &error as &dyn std::error::Error, "could not catch up");
                // It is told again how the store has it, soon; those who were ahead come back.
                self.known_end = 0;
                self.ahead.clear();
            }
        }
        Ok(())
    }

    /// Says to all whether the store takes what it is given.
    fn say_whether_it_saves(&mut self, saving: bool) {
        self.saving = saving;
        let frame = frame::saving(saving);
        self.members.retain(|_, member| member.outbound.send(frame.clone()));
    }

    /// What one who comes must know.
    pub(super) fn is_saving(&self) -> bool {
        self.saving
    }

    /// Gives gathered changes their places, and appends them.
    fn stage(&mut self, saves: &watch::Sender<bool>) -> Option<Appending<D>> {
        while !self.gathered.is_empty() {
            let staging = Staging::new(&self.sequencer, self.gathered.take_batch());
            if !staging.is_cheap() {
                let cpu = self.runtime.cpu.clone();
                return Some(Box::pin(async move { Step::Staged(staging.finish_apart(cpu).await) }));
            }
            let appending = self.append(staging.finish(), saves);
            if appending.is_some() {
                return appending;
            }
        }
        None
    }

    /// Appends what has its places. What the log had already is sent to its author again, who must have missed it; there may be
    /// nothing else.
    fn append(&mut self, places: Places<D>, saves: &watch::Sender<bool>) -> Option<Appending<D>> {
        let Places { batch, known } = places;
        for (offer, known) in batch.offers.iter().zip(known) {
            self.repeat(offer, known);
        }
        if batch.staged.records().is_empty() {
            return None;
        }
        let (store, runtime, saves) = (Arc::clone(&self.store), Arc::clone(&self.runtime), saves.clone());
        let appended = commit::append(store, runtime, saves, self.document, batch);
        Some(Box::pin(async move {
            let (batch, outcome) = appended.await;
            Step::Appended(batch, outcome)
        }))
    }

    fn settle(&mut self, batch: Batch<D>, outcome: Outcome) {
        match outcome {
            Outcome::Durable(frames) => {
                let records = Arc::make_mut(&mut self.sequencer).commit(batch.staged);
                let (commits, refused) =
                    (records.len(), records.iter().filter(|record| record.refused.is_some()).count());
                self.runtime.metrics.commits.inc_by(commits as u64);
                self.runtime.metrics.refusals.inc_by(refused as u64);
                self.publish(records, frames);
            }
            Outcome::Behind(missed) => {
                tracing::info!(document = %self.document, entries = missed.len(), "another server was faster");
                self.gathered.put_back(batch.offers);
                self.catching_up = true;
                let (sequencer, cpu) = (Arc::clone(&self.sequencer), self.runtime.cpu.clone());
                self.background.spawn(async move { Done::Missed(Ok(follow(sequencer, missed, cpu).await)) });
            }
            // Their authors still have them, and offer them again.
            Outcome::GivenUp => drop(mem::take(&mut self.gathered)),
        }
    }

    /// Goes on with what another server appended.
    fn take_over(&mut self, missed: Staged<D>) {
        let frames = Entries::new(missed.records()).into_frames();
        let records = Arc::make_mut(&mut self.sequencer).commit(missed);
        self.publish(records, frames);
    }

    /// Sends entries that are durable to everyone, by the frames that carry them.
    fn publish(&mut self, records: Vec<Record>, frames: Vec<Committed>) {
        for frame in frames {
            self.members.retain(|_, member| member.outbound.send_up_to(frame.text.clone(), frame.end));
        }
        self.snapshots.count(&records);
        self.recent.extend(records);
        let version = self.sequencer.cursor().version;
        if self.snapshots.is_due(version, self.runtime.settings.snapshot_every) {
            self.store_snapshot();
        }
    }

    fn store_last_snapshot(&mut self) -> bool {
        let due = self.snapshots.is_due_at_the_end(self.sequencer.cursor().version);
        if due {
            self.store_snapshot();
        }
        due
    }

    fn store_snapshot(&mut self) {
        let (store, document, at) = (Arc::clone(&self.store), self.document, self.sequencer.cursor());
        let (state, cpu) = (self.sequencer.document().clone(), self.runtime.cpu.clone());
        self.background.spawn(async move {
            let stored = async {
                let json = cpu.run(move || serde_json::to_string(&state)).await.map_err(StoreError::failed)?;
                let bytes = json.len();
                store.save_snapshot(document, at, json).await?;
                Ok::<_, StoreError>(bytes)
            };
            let stored = stored.await.inspect_err(|error| {
                // Loading then takes longer; nothing is lost.
                tracing::warn!(%document, error = error as &dyn std::error::Error, "could not store a snapshot");
            });
            Done::SnapshotStored(stored.ok())
        });
    }

    /// Encodes a snapshot for clients, unless that is under way.
    pub(super) fn encode_snapshot(&mut self) {
        if mem::replace(&mut self.snapshots.encoding, true) {
            return;
        }
        let (state, at, cpu) = (self.sequencer.document().clone(), self.sequencer.cursor(), self.runtime.cpu.clone());
        self.background.spawn(async move { Done::Encoded(at, cpu.run(move || snapshot::json(&state)).await) });
    }

    fn take_back(&mut self, done: Result<Done<D>, tokio::task::JoinError>) -> Result<(), Misfit> {
        match done {
            Ok(Done::Missed(missed)) => self.take_in(missed)?,
            Ok(Done::LookedUp(join, Ok(found))) => self.bring_up_to_date(join, Some(found)),
            // The client hears that the room failed it when `join` goes, and comes back.
            Ok(Done::LookedUp(_, Err(error))) => {
                tracing::error!(document = %self.document, error = &error as &dyn std::error::Error, "could not look up");
            }
            Ok(Done::Encoded(at, json)) => {
                self.snapshots.take(at, json);
                for join in mem::take(&mut self.waiting) {
                    self.bring_up_to_date(join, None);
                }
            }
            Ok(Done::SnapshotStored(bytes)) => {
                if let Some(bytes) = bytes {
                    self.snapshots.was_stored(bytes);
                }
            }
            Ok(Done::Repeated) => {}
            // Not the error itself: it has a panic's message, which may quote contents.
            Err(error) => {
                tracing::error!(document = %self.document, panicked = error.is_panic(), "work beside the room failed");
                // It may be what others waited for: they come back.
                self.snapshots.encoding = false;
                self.waiting.clear();
                self.ahead.clear();
                (self.catching_up, self.known_end) = (false, 0);
            }
        }
        Ok(())
    }

    /// The server ends: everything that was taken is committed and sent.
    fn say_goodbye(&mut self) {
        for member in self.members.values() {
            member.outbound.close(Bye::draining());
        }
    }
}
