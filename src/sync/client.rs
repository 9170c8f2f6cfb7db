//! A client of one document: link, outbox and replica as one machine. Drivers feed it events and carry out its effects, in
//! order.

use std::time::Duration;

use super::digest::Cursor;
use super::document::{Document, Refusal};
use super::id::{ChangeId, DocumentId, Key, ReplicaId};
use super::link::{self, Action, Closed, Link, Loss, SocketId, State};
use super::message::{Access, Bye, ClientMessage, Entry, Limits, ServerMessage, SyncRequest, SyncResponse};
use super::outbox::{Kept, Outbox, size_of};
use super::replica::{Misfit, Replica};
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
    /// Feeds the jitter; any random number.
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
    /// The device says that the network is back, or the person that they are.
    Nudge,
    /// A person made a change. It has passed [`Client::admits`].
    Edit(Kept<D::Change>),
    /// The author of a refused change has seen the reason and lets the change go.
    Dismiss(ChangeId),
    /// Close, and do not come back.
    Stop,
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
    /// The record with this id need not be kept any more.
    Forget(ChangeId),
    /// [`Client::view`] is another.
    ViewChanged,
    /// [`Client::status`] is another.
    StatusChanged,
    /// The server refused an own change; it waits in [`Status::attention`].
    Refused(Kept<D::Change>),
}

/// Where a person stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The connection.
    pub connection: Connection,
    /// Own changes that the server has not confirmed.
    pub pending: usize,
    /// Own changes that the server refused.
    pub attention: usize,
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
    outbox: Outbox<D::Change>,
    replica: Replica<D>,
    access: Access,
    limits: Limits,
    document: Option<DocumentId>,
    last_sync: UnixMillis,
    probes: u64,
}

impl<D: Document> Client<D> {
    /// A client that has not connected yet.
    #[must_use]
    pub fn new(settings: Settings, start: Start<D>) -> Self {
        let mut client = Self {
            link: Link::new(settings.link, settings.seed),
            settings,
            outbox: Outbox::restore(start.kept),
            replica: Replica::new(start.document, start.cursor),
            access: start.access,
            limits: Limits::default(),
            document: None,
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
    pub const fn outbox(&self) -> &Outbox<D::Change> {
        &self.outbox
    }

    /// The document's id, once the server has told it.
    #[must_use]
    pub const fn document(&self) -> Option<DocumentId> {
        self.document
    }

    /// When [`Event::Wake`] is due, if time alone leads on.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.link.deadline()
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
            State::Closed(Closed::Refused(bye)) => Connection::Refused(bye.clone()),
            State::Closed(Closed::Outdated) => Connection::Outdated,
        };
        Status {
            connection,
            pending: self.outbox.len(),
            attention: self.outbox.attention().count(),
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
            Event::Wake => self.drive(link::Event::Wake, now),
            Event::Stop => self.drive(link::Event::Stop, now),
            Event::Opened(socket) => self.opened(socket, now),
            Event::Closed(socket, code) => self.drive(link::Event::Closed(socket, code), now),
            Event::Received(socket, text) if self.link.socket() == Some(socket) => self.received(socket, &text, now),
            Event::Received(..) => Vec::new(),
            Event::Edit(kept) => self.edit(kept),
            Event::Dismiss(id) => self.outbox.dismiss(id).map(|_| Effect::Forget(id)).into_iter().collect(),
        };
        if self.status() != before {
            effects.push(Effect::StatusChanged);
        }
        effects
    }

    /// Feeds the link. When that costs the present socket, nothing is in flight any more.
    fn drive(&mut self, event: link::Event, now: Moment) -> Vec<Effect<D>> {
        let before = self.link.socket();
        let actions = self.link.handle(event, now);
        if before.is_some() && self.link.socket() != before {
            self.outbox.line_lost();
        }
        actions
            .into_iter()
            .map(|action| match action {
                Action::Open(socket) => Effect::Open(socket),
                Action::Close(socket) => Effect::Close(socket),
                Action::Probe(socket) => {
                    self.probes += 1;
                    send(socket, &ClientMessage::Ping { nonce: self.probes })
                }
            })
            .collect()
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
        self.document = Some(response.document);
        self.access = response.access;
        self.limits = response.limits;
        self.last_sync = response.timestamp;
        let mut effects = Vec::new();
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
                Some(kept) => effects.push(Effect::Forget(kept.id)),
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
        // One that was made before others, as another tab's may be, belongs below them; one that is here already is shown once.
        let newest = self.outbox.newest().is_none_or(|newest| newest < kept.id);
        self.outbox.push(kept.clone());
        if newest {
            self.replica.show(&kept.change);
        } else {
            self.replay();
        }
        let mut effects = vec![Effect::Keep(kept), Effect::ViewChanged];
        effects.extend(self.flush());
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
