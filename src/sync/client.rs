//! A client of one document: link, outbox and replica as one machine. Drivers feed it events and carry out its effects, in
//! order.

use std::time::Duration;

use super::digest::Cursor;
use super::document::{Document, Refusal, size_of};
use super::id::{ChangeId, Key, ReplicaId};
use super::link::{self, Action, Closed, Link, Loss, SocketId, State};
use super::message::{Access, Bye, ByeCode, ClientMessage, Entry, Limits, ServerMessage, SyncRequest, SyncResponse};
use super::network::{self, Answer, Judge, Network, ProbeId};
use super::outbox::{Kept, Outbox, Pushed};
use super::replica::{Misfit, Replica};
use super::retained::Retained;
use super::time::{Moment, UnixMillis};

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
    /// Timings of the probes.
    pub network: network::Settings,
    /// Nobody else sends what this outbox holds, as another tab of a browser would. Then queued changes to one field may merge:
    /// what one id stands for must not change once anyone may have sent it.
    pub alone: bool,
    /// Feeds the jitter and the nonces; any random number.
    pub seed: u64,
}

/// What the client starts with: the page's first state, or what the device kept.
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
    /// Own changes that were confirmed lately, in the order of their confirmation.
    pub retained: Vec<Kept<D::Change>>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event<D: Document> {
    /// Connect; a person's "Retry now" too.
    Start,
    /// A socket is open.
    Opened(SocketId),
    /// A text frame came.
    Received(SocketId, String),
    /// A socket closed, with its close code; 1006 if there was none.
    Closed(SocketId, u16),
    /// [`Client::deadline`] has come.
    Wake,
    /// The person is back, or the device was woken: look whether the line is alive, and try at once if there is none.
    Nudge,
    /// What the device says of its network.
    Hint {
        /// Whether it says that it is online.
        online: bool,
    },
    /// Whether anyone can see the page. A page that nobody sees starts no attempts, unless it has something to send.
    Visible(bool),
    /// What became of a probe.
    Probed(ProbeId, Answer),
    /// A person made a change. It has passed [`Client::admits`].
    Edit(Kept<D::Change>),
    /// Changes came that were made elsewhere: in another tab, or in a file. Those that are here already change nothing.
    Admit(Vec<Kept<D::Change>>),
    /// Another client that shares the device's outbox, such as another tab, keeps this change.
    Elsewhere(Kept<D::Change>),
    /// The author of a refused change has seen the reason and lets the change go.
    Dismiss(ChangeId),
    /// Close, and do not come back.
    Stop,
}

/// What a driver's socket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// It is open.
    Opened,
    /// A text frame came.
    Received(String),
    /// It is closed, with its close code; 1006 if there was none.
    Closed(u16),
}

impl<D: Document> Event<D> {
    /// What the socket `id` says.
    #[must_use]
    pub fn of_socket(id: SocketId, event: SocketEvent) -> Self {
        match event {
            SocketEvent::Opened => Self::Opened(id),
            SocketEvent::Received(text) => Self::Received(id, text),
            SocketEvent::Closed(code) => Self::Closed(id, code),
        }
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect<D: Document> {
    /// Open a socket to the server.
    Open(SocketId),
    /// Send a text frame.
    Send(SocketId, String),
    /// Close a socket.
    Close(SocketId),
    /// Keep this record on the device, in place of one with the same id, before any later effect.
    Keep(Kept<D::Change>),
    /// The server has this change: its record leaves the outbox, and is retained with the lately confirmed.
    Saved(Kept<D::Change>),
    /// The record with this id need not be kept any more, neither in the outbox nor with the lately confirmed.
    Forget(ChangeId),
    /// Ask the server's `/api/ping` with this nonce, and say what became of it.
    Probe(ProbeId),
    /// The connection took a turn.
    Line(Turn),
    /// [`Client::view`] is another.
    ViewChanged,
    /// [`Client::status`] is another.
    StatusChanged,
    /// The server refused an own change; it waits in [`Status::attention`].
    Refused(Kept<D::Change>),
}

/// A turn that the connection took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// In sync with the server.
    Connected,
    /// In sync no more, and why. It tries again.
    Disconnected(Loss),
    /// As many attempts failed as may. It tries again when told to.
    GaveUp,
    /// The server's history was rewound; what it may have lost was offered again.
    Rewound {
        /// How many lately confirmed changes that were.
        offered: usize,
    },
}

/// Where a person stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The connection.
    pub connection: Connection,
    /// Where the device stands.
    pub network: Network,
    /// Own changes that the server has not confirmed.
    pub pending: usize,
    /// Those of them that are on their way.
    pub in_flight: usize,
    /// Own changes that the server refused.
    pub attention: usize,
    /// The server's clock when this replica was last brought up to date; 0 for never.
    pub last_sync: UnixMillis,
    /// What the key allows.
    pub access: Access,
    /// The version of the confirmed document.
    pub version: u64,
}

/// The connection, as people care about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Connecting or handshaking, for the first time or again.
    Connecting {
        /// Attempts that failed since the line was last stable.
        attempt: u32,
    },
    /// In sync with the server.
    Live,
    /// Between attempts.
    Waiting {
        /// When the next one starts.
        until: Moment,
        /// Attempts that failed since the line was last stable.
        attempt: u32,
        /// What ended the last one.
        why: Loss,
    },
    /// Held back, since the device is offline, or nobody looks and there is nothing to send.
    Suspended {
        /// What ended the last connection.
        why: Loss,
    },
    /// As many attempts failed as may.
    GaveUp {
        /// How many that were.
        attempts: u32,
    },
    /// Not started, or ended on purpose.
    Off,
    /// The server said that trying again cannot help.
    Refused(Bye),
    /// The server is newer than this client.
    Outdated,
}

/// A client of one document.
#[derive(Clone, Debug)]
pub struct Client<D: Document> {
    settings: Settings,
    link: Link,
    judge: Judge,
    visible: bool,
    outbox: Outbox<D>,
    retained: Retained<D::Change>,
    replica: Replica<D>,
    access: Access,
    limits: Limits,
    last_sync: UnixMillis,
    probes: u64,
}

impl<D: Document> Client<D> {
    /// A client that has not connected yet.
    #[must_use]
    pub fn new(settings: Settings, start: Start<D>) -> Self {
        let mut client = Self {
            link: Link::new(settings.link, settings.seed),
            judge: Judge::new(settings.network, settings.seed, Moment::default()),
            visible: true,
            settings,
            outbox: Outbox::restore(start.kept),
            retained: Retained::restore(start.retained),
            replica: Replica::new(start.document, start.cursor),
            access: start.access,
            limits: Limits::default(),
            last_sync: 0,
            probes: 0,
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

    /// When [`Event::Wake`] is due, if time alone leads on.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        let probes = if self.is_on() { self.judge.deadline() } else { None };
        [self.link.deadline(), probes].into_iter().flatten().min()
    }

    /// Where the person stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let connection = match self.link.state() {
            State::Idle | State::Closed(Closed::Intended) => Connection::Off,
            State::Connecting { .. } | State::Handshaking { .. } => {
                Connection::Connecting { attempt: self.link.attempt() }
            }
            State::Live { .. } => Connection::Live,
            State::Waiting { until, attempt, why } => {
                Connection::Waiting { until: *until, attempt: *attempt, why: why.clone() }
            }
            State::Suspended { why, .. } => Connection::Suspended { why: why.clone() },
            State::GaveUp { attempts, .. } => Connection::GaveUp { attempts: *attempts },
            State::Closed(Closed::Refused(bye)) => Connection::Refused(bye.clone()),
            State::Closed(Closed::Outdated) => Connection::Outdated,
        };
        Status {
            connection,
            network: self.judge.network(),
            pending: self.outbox.len(),
            in_flight: self.outbox.in_flight(),
            attention: self.outbox.refused(),
            last_sync: self.last_sync,
            access: self.access,
            version: self.replica.cursor().version,
        }
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
            Event::Nudge => self.drive(link::Event::Nudge, now),
            Event::Wake => self.woken(now),
            Event::Stop => self.drive(link::Event::Stop, now),
            Event::Hint { online } => self.hinted(online, now),
            Event::Visible(visible) => self.seen(visible, now),
            Event::Probed(probe, answer) => self.judged(network::Event::Answered(probe, answer), now),
            Event::Opened(socket) => self.opened(socket, now),
            Event::Closed(socket, code) => self.drive(link::Event::Closed(socket, code), now),
            Event::Received(socket, text) if self.link.socket() == Some(socket) => self.received(socket, &text, now),
            Event::Received(..) => Vec::new(),
            Event::Edit(kept) => self.edit(kept),
            Event::Admit(changes) => self.admit(changes),
            // It is kept already: keeping it again could bring back what was let go meanwhile.
            Event::Elsewhere(kept) => {
                let mut effects = self.admit(vec![kept]);
                effects.retain(|effect| !matches!(effect, Effect::Keep(_)));
                effects
            }
            Event::Dismiss(id) => self.outbox.dismiss(id).map(|_| Effect::Forget(id)).into_iter().collect(),
        };
        effects.extend(self.hold(now));
        if self.status() != before {
            effects.push(Effect::StatusChanged);
        }
        effects
    }

    /// Whether it means to be connected.
    const fn is_on(&self) -> bool {
        !matches!(self.link.state(), State::Idle | State::Closed(_))
    }

    /// Feeds the link, and tells what comes of it. When that costs the present socket, nothing is in flight any more.
    fn drive(&mut self, event: link::Event, now: Moment) -> Vec<Effect<D>> {
        let (before, was_live) = (self.link.socket(), self.is_live());
        let actions = self.link.handle(event, now);
        let mut effects: Vec<_> = actions
            .into_iter()
            .map(|action| match action {
                Action::Open(socket) => Effect::Open(socket),
                Action::Close(socket) => Effect::Close(socket),
                Action::Probe(socket) => {
                    self.probes += 1;
                    send(socket, &ClientMessage::Ping { nonce: self.probes })
                }
            })
            .collect();
        if before.is_some() && self.link.socket() != before {
            effects.extend(self.line_lost());
        }
        match (was_live, self.is_live()) {
            (false, true) => {
                self.judge.handle(network::Event::Live, now);
                effects.push(Effect::Line(Turn::Connected));
            }
            (true, false) => {
                self.judge.handle(network::Event::Lost, now);
                if let Some(why) = self.loss() {
                    effects.push(Effect::Line(Turn::Disconnected(why.clone())));
                }
            }
            (true, true) | (false, false) => {}
        }
        if before.is_some() && matches!(self.link.state(), State::GaveUp { .. }) {
            effects.push(Effect::Line(Turn::GaveUp));
        }
        effects
    }

    const fn is_live(&self) -> bool {
        matches!(self.link.state(), State::Live { .. })
    }

    /// What ended the last connection, while there is none.
    const fn loss(&self) -> Option<&Loss> {
        match self.link.state() {
            State::Waiting { why, .. } | State::Suspended { why, .. } | State::GaveUp { why, .. } => Some(why),
            State::Idle
            | State::Connecting { .. }
            | State::Handshaking { .. }
            | State::Live { .. }
            | State::Closed(_) => None,
        }
    }

    fn line_lost(&mut self) -> Vec<Effect<D>> {
        let hung_up =
            matches!(self.loss(), Some(Loss::Bye(bye)) if matches!(bye.code, ByeCode::TooLarge | ByeCode::ServerError));
        let Some(poison) = self.outbox.line_lost(hung_up) else { return Vec::new() };
        self.replay();
        vec![Effect::Keep(poison.clone()), Effect::ViewChanged, Effect::Refused(poison)]
    }

    fn woken(&mut self, now: Moment) -> Vec<Effect<D>> {
        let mut effects = self.drive(link::Event::Wake, now);
        if self.is_on() {
            effects.extend(self.judged(network::Event::Wake, now));
        }
        effects
    }

    fn hinted(&mut self, online: bool, now: Moment) -> Vec<Effect<D>> {
        let mut effects = self.judged(network::Event::Hint(online), now);
        // The line knows best: it is probed either way, and there being none, "online" is a reason to try at once.
        if online || self.is_live() {
            effects.extend(self.hold(now));
            effects.extend(self.drive(link::Event::Nudge, now));
        }
        effects
    }

    fn seen(&mut self, visible: bool, now: Moment) -> Vec<Effect<D>> {
        self.visible = visible;
        let mut effects = self.hold(now);
        if visible {
            effects.extend(self.drive(link::Event::Nudge, now));
        }
        effects
    }

    /// Feeds the judge. Word that the server can be reached again is a reason to try at once.
    fn judged(&mut self, event: network::Event, now: Moment) -> Vec<Effect<D>> {
        let before = self.judge.network();
        let mut effects: Vec<_> = self.judge.handle(event, now).map(Effect::Probe).into_iter().collect();
        if self.judge.network() == Network::Online && before != Network::Online && !self.is_live() {
            effects.extend(self.hold(now));
            effects.extend(self.drive(link::Event::Nudge, now));
        }
        effects
    }

    /// Holds the link back, or lets it go.
    fn hold(&mut self, now: Moment) -> Vec<Effect<D>> {
        let unseen = !self.visible && self.outbox.is_empty();
        let held = self.judge.network() == Network::Offline || unseen;
        self.drive(link::Event::Hold(held), now)
    }

    fn opened(&mut self, socket: SocketId, now: Moment) -> Vec<Effect<D>> {
        if !matches!(self.link.state(), State::Connecting { socket: present, .. } if *present == socket) {
            return Vec::new();
        }
        let mut effects = self.drive(link::Event::Opened(socket), now);
        let cursor = self.replica.cursor();
        effects.push(send(
            socket,
            &ClientMessage::SyncRequest(SyncRequest {
                key: self.settings.key.clone(),
                replica: self.settings.replica,
                version: cursor.version,
                digest: cursor.digest,
                last_sync_timestamp: self.last_sync,
                name: self.settings.name.clone(),
            }),
        ));
        effects
    }

    fn received(&mut self, socket: SocketId, text: &str, now: Moment) -> Vec<Effect<D>> {
        let mut effects = self.drive(link::Event::Heard(socket), now);
        if self.is_live() {
            self.judge.handle(network::Event::Heard, now);
        }
        let Ok(message) = serde_json::from_str::<ServerMessage<D, D::Change>>(text) else {
            effects.extend(self.drive(link::Event::Unreadable(socket), now));
            return effects;
        };
        match message {
            ServerMessage::SyncResponse(response) if matches!(self.link.state(), State::Handshaking { .. }) => {
                effects.extend(self.synced(socket, response, now));
            }
            ServerMessage::Committed { entries } => effects.extend(self.take(socket, &entries, now)),
            ServerMessage::Ping { nonce } => effects.push(send(socket, &ClientMessage::Pong { nonce })),
            ServerMessage::Bye(bye) => effects.extend(self.drive(link::Event::Bye(socket, bye), now)),
            // A second answer is late: a snapshot in it would take the document back.
            ServerMessage::SyncResponse(_) | ServerMessage::Pong { .. } | ServerMessage::Unknown => {}
        }
        effects
    }

    fn synced(&mut self, socket: SocketId, response: SyncResponse<D, Entry<D::Change>>, now: Moment) -> Vec<Effect<D>> {
        self.access = response.access;
        self.limits = response.limits;
        self.last_sync = response.timestamp;
        let mut effects = Vec::new();
        if response.rewound {
            effects.extend(self.offer_again());
        }
        if let Some(document) = response.snapshot {
            self.replica.take_snapshot(document, Cursor { version: response.server_version, digest: response.digest });
            self.replay();
            effects.push(Effect::ViewChanged);
        }
        effects.extend(self.take(socket, &response.changes, now));
        let spread = Duration::from_millis(response.reconnect_spread_ms);
        effects.extend(self.drive(link::Event::Accepted(socket, spread), now));
        effects.extend(self.flush());
        effects
    }

    /// The server's log is not the one that confirmed what was confirmed here: offers it again, ids unchanged. What the log
    /// has nevertheless, it tells by a repeat.
    fn offer_again(&mut self) -> Vec<Effect<D>> {
        let retained = self.retained.take();
        let turn = Effect::Line(Turn::Rewound { offered: retained.len() });
        let admitted = retained.into_iter().filter(|kept| self.outbox.admit(kept.clone()));
        let mut effects: Vec<_> = admitted.map(Effect::Keep).collect();
        effects.push(turn);
        effects
    }

    fn take(&mut self, socket: SocketId, entries: &[Entry<D::Change>], now: Moment) -> Vec<Effect<D>> {
        let mut effects = Vec::new();
        let mut misfit = None;
        for entry in entries {
            if let Err(why) = self.replica.take(entry) {
                misfit = Some(why);
                break;
            }
            match self.outbox.settle(entry.id, entry.refused.clone()) {
                Some(kept) if kept.refused.is_some() => {
                    effects.push(Effect::Keep(kept.clone()));
                    effects.push(Effect::Refused(kept));
                }
                Some(kept) => {
                    effects.push(Effect::Saved(kept.clone()));
                    effects.extend(self.retained.push(kept, entry.timestamp).into_iter().map(Effect::Forget));
                }
                None => {}
            }
        }
        if !entries.is_empty() {
            self.replay();
            effects.push(Effect::ViewChanged);
        }
        match misfit {
            Some(Misfit::Gap { .. }) => effects.extend(self.drive(link::Event::Unreadable(socket), now)),
            Some(Misfit::Newer(_)) => effects.extend(self.drive(link::Event::Outdated(socket), now)),
            None => effects.extend(self.flush()),
        }
        effects
    }

    fn edit(&mut self, kept: Kept<D::Change>) -> Vec<Effect<D>> {
        // One that was made before others, as another tab's may be, belongs below them.
        let newest = self.outbox.newest().is_none_or(|newest| newest < kept.id);
        let pushed = if self.settings.alone {
            self.outbox.push(kept)
        } else if self.outbox.admit(kept.clone()) {
            Pushed::Added(kept)
        } else {
            Pushed::Known
        };
        let (kept, on_top) = match pushed {
            Pushed::Added(kept) => (kept, newest),
            // On top of what others wrote meanwhile, two changes can do other than the one that they were merged into.
            Pushed::Merged(kept) => (kept, false),
            Pushed::Known => return Vec::new(),
        };
        if on_top {
            self.replica.show(&kept.change);
        } else {
            self.replay();
        }
        let mut effects = vec![Effect::Keep(kept), Effect::ViewChanged];
        effects.extend(self.flush());
        effects
    }

    fn admit(&mut self, changes: Vec<Kept<D::Change>>) -> Vec<Effect<D>> {
        let admitted = changes.into_iter().filter(|kept| self.outbox.admit(kept.clone()));
        let mut effects: Vec<_> = admitted.map(Effect::Keep).collect();
        if !effects.is_empty() {
            self.replay();
            effects.push(Effect::ViewChanged);
            effects.extend(self.flush());
        }
        effects
    }

    /// Sends what the window has room for.
    fn flush(&mut self) -> Option<Effect<D>> {
        let State::Live { socket, .. } = *self.link.state() else { return None };
        if self.access == Access::View {
            return None;
        }
        let changes = self.outbox.next_batch(&self.limits);
        (!changes.is_empty()).then(|| send(socket, &ClientMessage::Changes { changes }))
    }

    fn replay(&mut self) {
        self.replica.replay(self.outbox.pending().map(|kept| &kept.change));
    }
}

fn send<D: Document>(socket: SocketId, message: &ClientMessage<D::Change>) -> Effect<D> {
    // Messages are plain data with string keys: writing them cannot fail.
    Effect::Send(socket, serde_json::to_string(message).unwrap_or_default())
}
