//! What a client is told, and what it asks for.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;

use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::id::ChangeId;
use crate::sync::link::{Loss, SocketId};
use crate::sync::message::Entry;
use crate::sync::network::{Answer, ProbeId};
use crate::sync::outbox::Kept;
use crate::sync::retained::Confirmed;
use crate::sync::transport::Transport;

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
    /// [`Client::deadline`](super::Client::deadline) has come.
    Wake,
    /// The person is back, or the device was woken: look whether the line is alive, and try at once if there is none. A page that
    /// nobody sees, and that has nothing to send, waits with that until somebody does.
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
    /// A WebSocket opens, as was to be tried by [`Effect::TryWebSocket`]. If it does not, nothing need be said.
    WebSocketOpened,
    /// What the device kept has been read.
    Recalled(Recalled<D>),
    /// Whether this client sends what the device keeps.
    Voice(Voice),
    /// The document is registered with the server, as [`Effect::Register`] asked. If it could not be, the socket is
    /// [`Event::Closed`] instead.
    Registered(SocketId),
    /// A person made a change. It has passed [`Client::admits`](super::Client::admits).
    Edit(Kept<D::Change>),
    /// Changes came that were made elsewhere, as in a file. Those that are here already change nothing.
    Admit(Vec<Kept<D::Change>>),
    /// Another client that shares the device's outbox, such as another tab, has given its changes away, as a file. Whoever has
    /// them may send them.
    TakenAlong,
    /// Another client that shares the device's outbox keeps this change.
    Elsewhere(Kept<D::Change>),
    /// The author of a change lets it go: a refused one, or one that is not on its way. What is on its way stays, and so does what
    /// has reached the server without word of it.
    Discard(ChangeId),
    /// Measure how long the line takes, there and back.
    Measure,
    /// Close, and do not come back.
    Stop,
}

/// Whether a client sends what the device keeps. Several may share a device's outbox, as tabs of a browser do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Another sends.
    Silent,
    /// It sends, and others may too.
    Shared,
    /// It alone sends. Then queued changes to one field may merge: nobody else may have sent what is replaced.
    Sole,
}

/// How reading the device went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It was read.
    Done,
    /// It cannot be read.
    Failed,
    /// It has not answered yet, and may have changes that nobody knows of here.
    UnderWay,
}

/// What a device kept, beyond what a client started with. Clients that share a device read it again when they get the voice: what
/// another kept in its last moment it may have told nobody. Until the device was read, or cannot be, nothing is said to be in sync.
#[derive(Clone, Debug)]
pub struct Recalled<D: Document> {
    /// Unless it was read, there is nothing here.
    pub reading: Reading,
    /// What the outbox held.
    pub kept: Vec<Kept<D::Change>>,
    /// Own changes that were confirmed lately.
    pub retained: Vec<Confirmed<D::Change>>,
    /// The document as it was last confirmed here. It takes the place of an older one that the client started with, unless it
    /// has begun to connect.
    pub document: Option<(D, Cursor)>,
}

impl<D: Document> Recalled<D> {
    /// Of a device that was not read.
    #[must_use]
    pub const fn unread(reading: Reading) -> Self {
        Self { reading, kept: Vec::new(), retained: Vec::new(), document: None }
    }
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
    /// Register the document with the server, which does not know it yet; then say [`Event::Registered`].
    Register(SocketId),
    /// Open a socket to the server: a line over what is said.
    Open(SocketId, Transport),
    /// Try whether a WebSocket opens, and close it again; then say [`Event::WebSocketOpened`].
    TryWebSocket,
    /// Send a text frame.
    Send(SocketId, String),
    /// Close a socket.
    Close(SocketId),
    /// Keep this record on the device, in place of one with the same id, before any later effect.
    Keep(Kept<D::Change>),
    /// The server has this change: its record leaves the outbox, and is retained with the lately confirmed.
    Saved(Confirmed<D::Change>),
    /// The record with this id need not be kept any more, neither in the outbox nor with the lately confirmed.
    Forget(ChangeId),
    /// Ask the server's `/api/ping` with this nonce, and say what became of it.
    Probe(ProbeId),
    /// Take the voice from the client that has it: that one gets nowhere. Then say [`Event::Voice`].
    TakeOver,
    /// The connection took a turn.
    Line(Turn),
    /// The log goes on with these. What a snapshot has in it already is not told one by one.
    Heard(Vec<Entry<D::Change>>),
    /// Changes of others were applied, in the order of the log. What a snapshot has in it already is not told one by one.
    Remote(Vec<D::Change>),
    /// [`Client::view`](super::Client::view) is another.
    ViewChanged,
    /// [`Client::status`](super::Client::status) is another.
    StatusChanged,
    /// The server refused an own change; it waits in [`Status::attention`].
    Refused(Kept<D::Change>),
    /// The refused changes that wait for their author are others, though there may be as many as before.
    AttentionChanged,
    /// The [`mark`](crate::sync::outbox::Outbox::mark) of these entities may be another.
    Marked(BTreeSet<Uuid>),
    /// The line took so long, there and back.
    Measured(Duration),
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
    /// The server's history was rewound. What it may have lost is offered again, and so is to be what other clients of this
    /// device had confirmed.
    Rewound {
        /// How many lately confirmed changes that were.
        offered: usize,
    },
}
