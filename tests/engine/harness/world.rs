//! The server, the people, and the time.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use sheetbend::sync::client::{Connection, Effect, Event};
use sheetbend::sync::document::{Document, Refusal};
use sheetbend::sync::id::ChangeId;
use sheetbend::sync::message::Access;
use sheetbend::sync::outbox::Kept;
use sheetbend::sync::time::Moment;

use super::person::{Line, Person};
use super::server::{Frames, Server};

/// Rounds of a second in which everyone must have come to rest: more than the longest that an answer to a handshake is waited for,
/// on a line that fell silent after four others had.
const ROUNDS: usize = 200;

/// A server and people.
#[derive(Debug)]
pub(crate) struct World<D: Document> {
    pub(crate) server: Server<D>,
    pub(crate) people: Vec<Person<D>>,
    pub(crate) now: Moment,
    /// What the server lets people do.
    pub(crate) access: Access,
    /// The server was restored from an older copy.
    restored: bool,
    rng: Rng,
}

impl<D: Document> World<D> {
    /// So many people, none of whom has connected, and a log with `changes`.
    pub(crate) fn new(people: usize, changes: impl IntoIterator<Item = D::Change>) -> Self {
        let mut server = Server::new();
        server.log_changes(changes);
        Self {
            server,
            people: (0..people as u64).map(Person::new).collect(),
            now: Moment::from_millis(1_000_000),
            access: Access::Edit,
            restored: false,
            rng: Rng::with_seed(1),
        }
    }

    /// So many people who are all live.
    pub(crate) fn live(people: usize, changes: impl IntoIterator<Item = D::Change>) -> Self {
        let mut world = Self::new(people, changes);
        world.settle();
        world
    }

    pub(crate) fn person(&self, who: usize) -> &Person<D> {
        &self.people[who]
    }

    pub(crate) fn view(&self, who: usize) -> &D {
        self.people[who].client.view()
    }

    /// The server is restored from an older copy of itself; every line is cut.
    pub(crate) fn restore(&mut self, copy: Server<D>) {
        for who in 0..self.people.len() {
            self.cut(who);
        }
        self.server = copy;
        self.restored = true;
    }

    /// Something happens to a person's client; the effects are carried out.
    pub(crate) fn feed(&mut self, who: usize, event: Event<D>) {
        let person = &mut self.people[who];
        if let Event::Discard(id) = &event
            && !person.client.outbox().is_in_flight(*id)
        {
            person.made.retain(|made| made != id);
        }
        person.effects = person.client.handle(event, self.now);
        for effect in person.effects.clone() {
            match effect {
                Effect::Open(socket, _) => {
                    let session = self.server.connect(self.access);
                    let (up, down) = Default::default();
                    person.line = Some(Line { socket, session, open: false, dead: false, up, down });
                }
                Effect::Send(socket, text) => {
                    let line = person.line.as_mut().filter(|line| line.socket == socket && line.open);
                    line.expect("frames go to the open socket").up.push_back(text);
                }
                Effect::Close(socket) => {
                    let line = person.line.take_if(|line| line.socket == socket).expect("the present socket");
                    self.server.disconnect(line.session);
                }
                Effect::Keep(kept) => {
                    person.retained.retain(|retained| retained.kept.id != kept.id);
                    person.made.retain(|id| Some(*id) != kept.replaces);
                    person.device.insert(kept.id, kept);
                }
                Effect::Saved(confirmed) => {
                    let was = person.device.remove(&confirmed.kept.id).expect("what is saved was kept");
                    // One that was set aside here may be saved all the same.
                    assert_eq!(Kept { refused: None, ..was }, confirmed.kept);
                    person.retained.push(confirmed);
                }
                Effect::Forget(id) => {
                    let retained = person.retained.len();
                    person.retained.retain(|confirmed| confirmed.kept.id != id);
                    let was = person.device.remove(&id).is_some() || person.retained.len() < retained;
                    assert!(was, "what is forgotten was kept");
                }
                Effect::Probe(probe) => person.probes.push(probe),
                Effect::Refused(kept) => assert!(kept.refused.is_some(), "with the reason"),
                Effect::Register(_) | Effect::TakeOver | Effect::TryWebSocket => {
                    panic!("a known document, nobody to share it with, and WebSockets only")
                }
                Effect::Heard(entries) => {
                    assert!(entries.windows(2).all(|two| two[1].version == two[0].version + 1), "in order");
                    let last = entries.last().expect("something was heard").version;
                    assert_eq!(last, person.client.confirmed().1.version, "up to where the document stands");
                }
                Effect::Remote(changes) => assert!(!changes.is_empty(), "something was applied"),
                Effect::Line(_)
                | Effect::AttentionChanged
                | Effect::ViewChanged
                | Effect::StatusChanged
                | Effect::Marked(_)
                | Effect::Measured(_) => {}
            }
        }
        self.check(who);
    }

    /// What must hold at every moment.
    fn check(&self, who: usize) {
        let person = &self.people[who];
        let (confirmed, cursor) = person.client.confirmed();
        // Who was not told yet that the server was restored is at a place of the history before.
        let elsewhere = self.restored
            && (cursor.version > self.server.cursor().version || self.server.at(cursor.version).1 != cursor.digest);
        if !elsewhere {
            assert_eq!((confirmed, cursor.digest), self.server.at(cursor.version), "confirmed is what the log makes");
        }

        let mut view = confirmed.clone();
        for kept in person.client.outbox().pending() {
            let _ = view.apply(&kept.change);
        }
        assert_eq!(*person.client.view(), view, "the view is the confirmed document with the pending changes on top");

        let outbox = person.client.outbox();
        let held: BTreeSet<_> = outbox.pending().chain(outbox.attention()).map(|kept| kept.id).collect();
        let kept: BTreeSet<_> = person.device.keys().copied().collect();
        assert_eq!(held, kept, "the device keeps what is not saved, and nothing else");
        for id in &person.made {
            let logged = self.server.log().iter().any(|record| record.id == *id);
            let retained = self.restored && person.retained.iter().any(|confirmed| confirmed.kept.id == *id);
            assert!(logged || kept.contains(id) || retained, "a change is in the log or on the device");
        }
    }

    /// A person makes a change, if the client admits it.
    pub(crate) fn edit(&mut self, who: usize, change: D::Change) -> Result<ChangeId, Refusal> {
        let at = self.now.as_millis();
        let person = &mut self.people[who];
        person.client.admits(&change)?;
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let id = person.ids.next(at, random);
        self.feed(who, Event::Edit(Kept::new(id, change, at)));
        self.people[who].made.push(id);
        Ok(id)
    }

    /// The socket that was asked for is open.
    pub(crate) fn open(&mut self, who: usize) {
        if let Some(line) = self.people[who].line.as_mut().filter(|line| !line.open && !line.dead) {
            line.open = true;
            let socket = line.socket;
            self.feed(who, Event::Opened(socket));
        }
    }

    /// The next frame from a person reaches the server. False if there is none.
    pub(crate) fn deliver_up(&mut self, who: usize) -> bool {
        let Some(line) = self.people[who].line.as_mut().filter(|line| !line.dead) else { return false };
        let Some(frame) = line.up.pop_front() else { return false };
        let session = line.session;
        let frames = self.server.handle(session, &frame, self.now.as_millis());
        self.send_down(frames);
        true
    }

    /// The next frame from the server reaches a person. False if there is none.
    pub(crate) fn deliver_down(&mut self, who: usize) -> bool {
        let Some(line) = self.people[who].line.as_mut().filter(|line| !line.dead) else { return false };
        let Some(frame) = line.down.pop_front() else { return false };
        let socket = line.socket;
        self.feed(who, Event::Received(socket, frame));
        true
    }

    /// The server sends frames.
    pub(crate) fn send_down(&mut self, frames: Frames) {
        for (session, frame) in frames {
            let lines = self.people.iter_mut().filter_map(|person| person.line.as_mut());
            if let Some(line) = lines.into_iter().find(|line| line.session == session) {
                line.down.push_back(frame);
            }
        }
    }

    /// Everything under way between a person and the server arrives.
    pub(crate) fn deliver_all(&mut self, who: usize) {
        self.open(who);
        while self.deliver_up(who) || self.deliver_down(who) {}
    }

    /// The line is cut, with all that is under way.
    pub(crate) fn cut(&mut self, who: usize) {
        if let Some(Line { socket, session, .. }) = self.people[who].line {
            self.server.disconnect(session);
            self.feed(who, Event::Closed(socket, 1006));
            assert!(self.people[who].line.is_none(), "a line that is cut is given up");
        }
    }

    /// Nothing comes through any more, and neither end is told.
    pub(crate) fn go_silent(&mut self, who: usize) {
        if let Some(line) = &mut self.people[who].line {
            line.dead = true;
        }
    }

    /// The tab is reloaded.
    pub(crate) fn reload(&mut self, who: usize) {
        if let Some(line) = &self.people[who].line {
            self.server.disconnect(line.session);
        }
        let seed = self.rng.u64(..);
        self.people[who].reload(seed);
        self.check(who);
    }

    /// Time passes; whose deadline has come is woken.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        for who in 0..self.people.len() {
            if self.people[who].client.deadline().is_some_and(|due| due <= self.now) {
                self.feed(who, Event::Wake);
            }
        }
    }

    /// The network is good and everyone wants to be live: goes on until all is at rest, and checks that nothing is missing.
    pub(crate) fn settle(&mut self) {
        for _ in 0..ROUNDS {
            for who in 0..self.people.len() {
                match self.people[who].client.status().connection {
                    Connection::Off | Connection::GaveUp { .. } | Connection::Refused(_) | Connection::Outdated => {
                        self.feed(who, Event::Start);
                    }
                    Connection::Waiting { .. } | Connection::Suspended { .. } | Connection::Connecting { .. } => {
                        self.feed(who, Event::Nudge);
                    }
                    Connection::Live => {}
                }
                self.deliver_all(who);
            }
            if (0..self.people.len()).all(|who| self.is_settled(who)) {
                return self.check_settled();
            }
            // Who waits for a dead line finds out.
            self.wait(Duration::from_secs(1));
        }
        panic!(
            "nobody comes to rest: {:#?}",
            self.people.iter().map(|person| person.client.status()).collect::<Vec<_>>()
        );
    }

    fn is_settled(&self, who: usize) -> bool {
        let status = self.people[who].client.status();
        let line = self.people[who].line.as_ref();
        status.connection == Connection::Live
            && line.is_some_and(|line| !line.dead && line.up.is_empty() && line.down.is_empty())
            && (status.pending == 0 || status.access == Access::View)
            && status.version == self.server.cursor().version
    }

    fn check_settled(&self) {
        for person in &self.people {
            assert_eq!(
                person.client.confirmed(),
                (self.server.document(), self.server.cursor()),
                "the same everywhere"
            );
            for id in &person.made {
                let entries: Vec<_> = self.server.log().iter().filter(|record| record.id == *id).collect();
                let pending = person.client.outbox().pending().any(|kept| kept.id == *id);
                assert_eq!(entries.len(), usize::from(!pending), "every change is in the log once");
                let refused = entries.iter().any(|record| record.refused.is_some());
                let attention = person.client.outbox().attention().any(|kept| kept.id == *id);
                assert_eq!(refused, attention, "a refused change waits for its author");
            }
        }
    }
}
