//! A client of one document: link, outbox and replica as one machine. Drivers feed it events and carry out its effects, in
//! order.
//!
//! | file | what it has |
//! |---|---|
//! | `event` | what a client is told, and what it asks for |
//! | `opening` | what a page opens |
//! | `status` | where a person stands |
//! | `line` | the connection, and when it is held back |
//! | `log` | what the server says |
//! | `changes` | what the person does, and who sends it |
//! | `progress` | whether changes get anywhere |

mod changes;
mod event;
mod line;
mod log;
mod opening;
mod progress;
mod status;

pub use self::event::{Effect, Event, Reading, Recalled, SocketEvent, Turn, Voice};
pub use self::opening::Opening;
pub use self::progress::Patience;
use self::progress::Progress;
pub use self::status::{Connection, Status, Synchronized};

use std::collections::BTreeSet;

use uuid::Uuid;

use super::digest::Cursor;
use super::document::{Document, Refusal, size_of};
use super::id::{Key, ReplicaId};
use super::link::{self, Link, SocketId};
use super::message::{Access, ClientMessage, Limits};
use super::network::{self, Answer, Judge};
use super::outbox::{Kept, Outbox};
use super::replica::Replica;
use super::retained::{Confirmed, Retained};
use super::time::{Moment, UnixMillis};
use super::transport::{self, Chooser};

/// What a client is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The document's edit or view key.
    pub key: Key,
    /// This running client.
    pub replica: ReplicaId,
    /// The name this person goes by; may be empty.
    pub name: String,
    /// Timings of the connection.
    pub link: link::Settings,
    /// When HTTP carries the line; `None` for never.
    pub transport: Option<transport::Settings>,
    /// Timings of the probes.
    pub network: network::Settings,
    /// How long changes may get nowhere.
    pub patience: Patience,
    /// Whether this client sends what the device keeps, to begin with.
    pub voice: Voice,
    /// Feeds the jitter and the nonces; any random number.
    pub seed: u64,
}

/// What the client starts with: the page's first state, and what is at hand of what the device kept. The rest comes with
/// [`Event::Recalled`].
#[derive(Clone, Debug)]
pub struct Start<D: Document> {
    /// The document as confirmed at `cursor`.
    pub document: D,
    /// Its place in the log.
    pub cursor: Cursor,
    /// What the key allows, as far as is known.
    pub access: Access,
    /// What the outbox held.
    pub kept: Vec<Kept<D::Change>>,
    /// The server knows the document. One that was made without a network is registered first.
    pub registered: bool,
}

/// A client of one document.
#[derive(Clone, Debug)]
pub struct Client<D: Document> {
    settings: Settings,
    link: Link,
    transport: Chooser,
    judge: Judge,
    visible: bool,
    outbox: Outbox<D>,
    retained: Retained<D::Change>,
    replica: Replica<D>,
    access: Access,
    limits: Limits,
    last_sync: UnixMillis,
    /// The furthest place in the log at which a change of this device was confirmed, until the server has looked whether that is
    /// in its log.
    witness: Option<Cursor>,
    /// The witness that the server was asked about.
    asked: Option<Cursor>,
    /// How reading what the device kept went, at best.
    reading: Reading,
    registered: bool,
    voice: Voice,
    progress: Progress,
    settled: usize,
    probes: u64,
    /// The ping that measures the line, and when it was sent.
    measuring: Option<(u64, Moment)>,
    /// What the server calls its build.
    server_build: String,
    /// As far as the server has said.
    server_saves: bool,
}

impl<D: Document> Client<D> {
    /// A client that has not connected yet.
    #[must_use]
    pub fn new(settings: Settings, start: Start<D>) -> Self {
        let mut client = Self {
            link: Link::new(settings.link, settings.seed),
            transport: Chooser::new(settings.transport),
            judge: Judge::new(settings.network, settings.seed, Moment::default()),
            visible: true,
            outbox: Outbox::restore(start.kept),
            retained: Retained::default(),
            replica: Replica::new(start.document, start.cursor),
            access: start.access,
            limits: Limits::default(),
            last_sync: 0,
            witness: None,
            asked: None,
            reading: Reading::UnderWay,
            registered: start.registered,
            voice: settings.voice,
            progress: Progress::new(settings.patience),
            settled: 0,
            probes: 0,
            measuring: None,
            server_build: String::new(),
            server_saves: true,
            settings,
        };
        client.replay();
        client
    }

    /// What the person sees: the confirmed document with their pending changes on top.
    #[must_use]
    pub const fn view(&self) -> &D {
        self.replica.view()
    }

    /// The document as the server has confirmed it, and its place in the log.
    #[must_use]
    pub const fn confirmed(&self) -> (&D, Cursor) {
        (self.replica.confirmed(), self.replica.cursor())
    }

    /// Own changes that are not saved.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox<D> {
        &self.outbox
    }

    /// Own changes that were confirmed lately, in the order of their confirmation.
    pub fn retained(&self) -> impl Iterator<Item = &Confirmed<D::Change>> {
        self.retained.iter()
    }

    /// The entities that own changes touch, as far as they were not told of by [`Effect::Marked`].
    pub fn marked(&mut self) -> BTreeSet<Uuid> {
        self.outbox.take_unmarked()
    }

    /// When [`Event::Wake`] is due, if time alone leads on.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        let probes = if self.probes_network() { self.judge.deadline() } else { None };
        [self.link.deadline(), probes, self.progress.deadline(), self.transport.deadline()].into_iter().flatten().min()
    }

    /// Whether a change may be queued: one that can never be accepted must not be.
    ///
    /// # Errors
    /// The reason, for the person who made it.
    pub fn admits(&self, change: &D::Change) -> Result<(), Refusal> {
        if self.access == Access::View {
            return Err(Refusal::view_only());
        }
        let bytes = size_of(change);
        if bytes > self.limits.change_bytes {
            return Err(Refusal::too_large(bytes, self.limits.change_bytes));
        }
        D::check(change)
    }

    /// Takes in what happened, and says what to do.
    pub fn handle(&mut self, event: Event<D>, now: Moment) -> Vec<Effect<D>> {
        let before = self.status();
        let mut effects = match event {
            Event::Start => self.drive(link::Event::Start, now),
            Event::Nudge => self.nudge(now),
            Event::Wake => self.woken(now),
            Event::Stop => self.drive(link::Event::Stop, now),
            Event::Hint { online } => self.hinted(online, now),
            Event::Visible(visible) => self.seen(visible, now),
            Event::Probed(probe, answer) => {
                self.transport.probed(answer == Answer::Echoed);
                self.judged(network::Event::Answered(probe, answer), now)
            }
            Event::WebSocketOpened => self.websocket_opened(now),
            Event::Opened(socket) => self.opened(socket, now),
            Event::Closed(socket, code) => self.drive(link::Event::Closed(socket, code), now),
            Event::Received(socket, text) if self.link.socket() == Some(socket) => self.received(socket, &text, now),
            Event::Received(..) => Vec::new(),
            Event::Registered(socket) => self.registered(socket),
            Event::Recalled(recalled) => self.recall(recalled, now),
            Event::Voice(voice) => self.take_voice(voice),
            Event::Edit(kept) => self.edit(kept),
            Event::Admit(changes) => self.admit(changes),
            Event::TakenAlong => self.share(),
            Event::Elsewhere(kept) => self.take_elsewhere(kept),
            Event::Discard(id) => self.discard(id),
            Event::Measure => self.measure(now).into_iter().collect(),
        };
        effects.extend(self.hold(now));
        self.progress.wait_for(self.awaited(), now);
        if self.outbox.is_empty() {
            self.settled = 0;
        }
        if self.status() != before {
            effects.push(Effect::StatusChanged);
        }
        if self.outbox.take_attention_changed() {
            effects.push(Effect::AttentionChanged);
        }
        let unmarked = self.outbox.take_unmarked();
        if !unmarked.is_empty() {
            effects.push(Effect::Marked(unmarked));
        }
        effects
    }
}

fn send<D: Document>(socket: SocketId, message: &ClientMessage<D::Change>) -> Effect<D> {
    // Messages are plain data with string keys: writing them cannot fail.
    Effect::Send(socket, serde_json::to_string(message).unwrap_or_default())
}
