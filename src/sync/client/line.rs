//! The connection, and when it is held back.

use super::event::{Effect, Turn, Voice};
use super::progress::{Awaited, Remedy};
use super::{Client, send};
use crate::sync::document::Document;
use crate::sync::link::{self, Action, Loss, SocketId, State};
use crate::sync::message::{Access, ByeCode, ClientMessage, SyncRequest};
use crate::sync::network::{self, Network};
use crate::sync::time::Moment;

impl<D: Document> Client<D> {
    /// Whether it means to be connected.
    pub(super) const fn is_on(&self) -> bool {
        !matches!(self.link.state(), State::Idle | State::Closed(_))
    }

    /// Whether probes are of use: a page that rests is not to wake the device for them.
    pub(super) fn probes_network(&self) -> bool {
        self.is_on() && !self.rests()
    }

    /// Feeds the link, and tells what comes of it. When that costs the present socket, nothing is in flight any more.
    pub(super) fn drive(&mut self, event: link::Event, now: Moment) -> Vec<Effect<D>> {
        let (before, was_live) = (self.link.socket(), self.is_live());
        let actions = self.link.handle(event, now);
        if !was_live && matches!(actions[..], [Action::Close(_), Action::Open(_)]) && self.registered {
            // An attempt that is given up for another came to nothing as well: who retries often is to get the other way too.
            self.transport.failed();
        }
        let mut effects: Vec<_> = actions
            .into_iter()
            .map(|action| match action {
                Action::Open(socket) if self.registered => Effect::Open(socket, self.transport.begin()),
                Action::Open(socket) => Effect::Register(socket),
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
                self.transport.live(now);
                effects.push(Effect::Line(Turn::Connected));
            }
            (true, false) => {
                self.judge.handle(network::Event::Lost, now);
                self.transport.lost();
                if let Some(why) = self.loss() {
                    effects.push(Effect::Line(Turn::Disconnected(why.clone())));
                }
            }
            (false, false) if before.is_some() && self.came_to_nothing() && self.transport.failed() => {
                // The other way is not to wait for what went wrong this way.
                effects.extend(self.drive(link::Event::Nudge, now));
            }
            (true, true) | (false, false) => {}
        }
        if before.is_some() && matches!(self.link.state(), State::GaveUp { .. }) {
            effects.push(Effect::Line(Turn::GaveUp));
        }
        effects
    }

    /// Whether the last attempt ended, and the server, which knows the document, said nothing about it.
    const fn came_to_nothing(&self) -> bool {
        matches!(self.link.state(), State::Waiting { why: Loss::Unreachable | Loss::Silent, .. }) && self.registered
    }

    /// A WebSocket opens: it takes the place of what carries the line.
    pub(super) fn websocket_opened(&mut self, now: Moment) -> Vec<Effect<D>> {
        match *self.link.state() {
            State::Live { socket, .. } if self.transport.opened() => self.drive(link::Event::Again(socket), now),
            _ => Vec::new(),
        }
    }

    pub(super) const fn is_live(&self) -> bool {
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

    pub(super) fn woken(&mut self, now: Moment) -> Vec<Effect<D>> {
        let mut effects = self.drive(link::Event::Wake, now);
        if self.probes_network() {
            effects.extend(self.judged(network::Event::Wake, now));
        }
        effects.extend(self.unstick(now));
        if self.transport.is_to_try(now) {
            effects.push(Effect::TryWebSocket);
        }
        effects
    }

    /// What is waited for on the live line.
    pub(super) fn awaited(&self) -> Option<Awaited> {
        if !self.is_live() || self.access == Access::View || self.outbox.is_empty() {
            return None;
        }
        match self.voice {
            Voice::Silent => Some(Awaited::Left),
            Voice::Shared | Voice::Sole => Some(Awaited::Sent { bytes: self.outbox.in_flight_bytes() }),
        }
    }

    /// Sends a ping whose answer tells how long the line takes.
    pub(super) fn measure(&mut self, now: Moment) -> Option<Effect<D>> {
        let State::Live { socket, .. } = *self.link.state() else { return None };
        self.probes += 1;
        self.measuring = Some((self.probes, now));
        Some(send(socket, &ClientMessage::Ping { nonce: self.probes }))
    }

    /// Does something about changes that get nowhere.
    fn unstick(&mut self, now: Moment) -> Vec<Effect<D>> {
        let State::Live { socket, .. } = *self.link.state() else { return Vec::new() };
        let nonce = self.probes + 1;
        match self.progress.wake(nonce, now) {
            Some(Remedy::Ask) => {
                self.probes = nonce;
                vec![send(socket, &ClientMessage::Ping { nonce })]
            }
            // Where the server's disk takes nothing, nothing was lost.
            Some(Remedy::SendAgain) if !self.server_saves => Vec::new(),
            Some(Remedy::SendAgain) => {
                self.outbox.requeue_all();
                self.flush().into_iter().collect()
            }
            Some(Remedy::GiveUp) => self.drive(link::Event::Unanswered(socket), now),
            Some(Remedy::TakeOver) => vec![Effect::TakeOver],
            None => Vec::new(),
        }
    }

    pub(super) fn hinted(&mut self, online: bool, now: Moment) -> Vec<Effect<D>> {
        if online {
            self.transport.moved(now);
        }
        let mut effects = self.judged(network::Event::Hint(online), now);
        // The line knows best: it is probed either way, and there being none, "online" is a reason to try at once.
        if online || self.is_live() {
            effects.extend(self.hold(now));
            effects.extend(self.nudge(now));
        }
        effects
    }

    /// Looks whether the line is alive, and connects at once if there is none. A page that rests does not connect.
    pub(super) fn nudge(&mut self, now: Moment) -> Vec<Effect<D>> {
        if self.rests() { Vec::new() } else { self.drive(link::Event::Nudge, now) }
    }

    /// Whether nobody sees the page, nothing is to be sent, and there is no line: then nothing is tried until somebody looks.
    pub(super) fn rests(&self) -> bool {
        self.is_unneeded()
            && matches!(self.link.state(), State::Waiting { .. } | State::Suspended { .. } | State::GaveUp { .. })
    }

    fn is_unneeded(&self) -> bool {
        !self.visible && self.outbox.is_empty()
    }

    pub(super) fn seen(&mut self, visible: bool, now: Moment) -> Vec<Effect<D>> {
        self.visible = visible;
        let mut effects = self.hold(now);
        if visible {
            effects.extend(self.drive(link::Event::Nudge, now));
        }
        effects
    }

    /// Feeds the judge. Word that the server can be reached again is a reason to try at once.
    pub(super) fn judged(&mut self, event: network::Event, now: Moment) -> Vec<Effect<D>> {
        let before = self.judge.network();
        let mut effects: Vec<_> = self.judge.handle(event, now).map(Effect::Probe).into_iter().collect();
        if self.judge.network() == Network::Online && before != Network::Online && !self.is_live() {
            effects.extend(self.hold(now));
            effects.extend(self.nudge(now));
        }
        effects
    }

    /// Holds the link back, or lets it go.
    pub(super) fn hold(&mut self, now: Moment) -> Vec<Effect<D>> {
        let held = self.judge.network() == Network::Offline || self.is_unneeded();
        self.drive(link::Event::Hold(held), now)
    }

    /// The server knows the document now.
    pub(super) fn registered(&mut self, socket: SocketId) -> Vec<Effect<D>> {
        self.registered = true;
        let awaited = matches!(self.link.state(), State::Connecting { socket: present, .. } if *present == socket);
        awaited.then_some(Effect::Open(socket, self.transport.begin())).into_iter().collect()
    }

    pub(super) fn opened(&mut self, socket: SocketId, now: Moment) -> Vec<Effect<D>> {
        if !matches!(self.link.state(), State::Connecting { socket: present, .. } if *present == socket) {
            return Vec::new();
        }
        let mut effects = self.drive(link::Event::Opened(socket), now);
        let cursor = self.replica.cursor();
        self.asked = self.witness;
        effects.push(send(
            socket,
            &ClientMessage::SyncRequest(SyncRequest {
                key: self.settings.key.clone(),
                replica: self.settings.replica,
                version: cursor.version,
                digest: cursor.digest,
                last_sync_timestamp: self.last_sync,
                name: self.settings.name.clone(),
                witness: self.witness.filter(|witness| *witness != cursor),
                resume: None,
            }),
        ));
        effects
    }
}
