//! The reconnecting connection, as a state machine.
//!
//! It owns no socket: it says when to open and close one, each under an id of its own, and is told what became of it. An
//! event of a socket that is not the present one changes nothing.

use std::time::Duration;

use fastrand::Rng;

use super::backoff::{Backoff, uniform};
use super::message::{Bye, ByeCode, Retry, Timing};
use super::planted::{Bug, planted};
use super::time::Moment;

/// One attempt at a connection. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketId(pub u64);

/// The link's timings; the defaults are those of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From asking for a socket to its being open. Doubled with each failed attempt, up to 16 times.
    pub connect_timeout: Duration,
    /// From its being open to `sync_response`. Doubled with each handshake in a row that took longer, up to 16 times: on a slow
    /// line a large board takes as long as it takes.
    pub handshake_timeout: Duration,
    /// Delays between attempts.
    pub backoff: Backoff,
    /// Live this long, the next loss starts again from attempt 0.
    pub stable_after: Duration,
    /// Silent this long, a live line is taken for dead. If that is noticed later by more than [`probe_timeout`](Self::probe_timeout),
    /// this device was asleep: then the line is probed first.
    pub silence: Duration,
    /// A probe must be answered within this time. A socket that was asked for this long ago, after one that failed, and is not open
    /// when the network is said to be back, is given up for another.
    pub probe_timeout: Duration,
    /// After this many failed attempts in a row it gives up, until it is told to start or the network is said to be back. By
    /// default it never does.
    pub attempt_limit: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            backoff: Backoff::default(),
            stable_after: Duration::from_secs(5),
            silence: Duration::from_millis(Timing::CLIENT_DEADLINE_MS),
            probe_timeout: Duration::from_secs(3),
            attempt_limit: None,
        }
    }
}

/// However few clients a server has, the backoff begins no lower.
const SMALLEST_BASE: Duration = Duration::from_millis(250);

/// Where the connection stands. Each state carries what only it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started.
    Idle,
    /// A socket was asked for.
    Connecting {
        /// It.
        socket: SocketId,
        /// When.
        since: Moment,
        /// When to give it up.
        until: Moment,
    },
    /// The socket is open; `sync_response` has not come.
    Handshaking {
        /// The open socket.
        socket: SocketId,
        /// When to give it up.
        until: Moment,
    },
    /// In sync with the server.
    Live {
        /// The open socket.
        socket: SocketId,
        /// Since when.
        since: Moment,
        /// When a frame last came.
        heard: Moment,
        /// When an unanswered probe condemns the line.
        probe: Option<Moment>,
    },
    /// Between attempts.
    Waiting {
        /// When the next one starts.
        until: Moment,
        /// Attempts that failed since the line was last stable.
        attempt: u32,
        /// What ended the last one.
        why: Loss,
    },
    /// Held back: the device is offline, or nobody looks and there is nothing to send. [`Event::Hold`] leads on, and
    /// [`Event::Nudge`] and [`Event::Start`].
    Suspended {
        /// Attempts that failed since the line was last stable.
        attempt: u32,
        /// What ended the last one.
        why: Loss,
    },
    /// Gave up after as many attempts as it may make. [`Event::Start`] and [`Event::Nudge`] lead on.
    GaveUp {
        /// How many that were.
        attempts: u32,
        /// What ended the last one.
        why: Loss,
    },
    /// Ended; only [`Event::Start`] leads on.
    Closed(Closed),
}

/// What ended a connection, or an attempt at one, that may be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// No socket, or it closed before `sync_response`.
    Unreachable,
    /// A live socket closed.
    Dropped,
    /// Nothing came for too long, or nothing in answer to what was sent.
    Silent,
    /// The server sent what this client cannot read.
    Unreadable,
    /// The server said why.
    Bye(Bye),
}

/// Why the connection ended for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It was asked to.
    Intended,
    /// The server said that trying again cannot help.
    Refused(Bye),
    /// The server speaks of changes that this client does not know.
    Outdated,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Connect, whatever the state; a person's "Retry now" too.
    Start,
    /// The socket is open.
    Opened(SocketId),
    /// `sync_response` came, with its `reconnect_spread_ms`.
    Accepted(SocketId, Duration),
    /// Any frame came: every frame is life.
    Heard(SocketId),
    /// A `bye` came.
    Bye(SocketId, Bye),
    /// Something unreadable came, or entries that do not follow.
    Unreadable(SocketId),
    /// What was sent on it gets no answer, whatever else comes.
    Unanswered(SocketId),
    /// Changes came that this client does not know.
    Outdated(SocketId),
    /// The socket closed, with its close code; 1006 if there was none.
    Closed(SocketId, u16),
    /// [`Link::deadline`] has come.
    Wake,
    /// The device or the person says that the network is back.
    Nudge,
    /// Begin again on a new socket, at once: the server is to look anew where this client stands.
    Again(SocketId),
    /// Start no attempts from here on, or start them again. A socket that is there stays.
    Hold(bool),
    /// Close, and do not come back.
    Stop,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a socket.
    Open(SocketId),
    /// Close it and forget it: nothing it says counts any more.
    Close(SocketId),
    /// Send a `ping` on it.
    Probe(SocketId),
}

/// A timeout, doubled so many times, 4 at most.
fn doubled(timeout: Duration, times: u32) -> Duration {
    timeout * 2_u32.pow(times.min(4))
}

/// The reconnecting connection.
#[derive(Clone, Debug)]
pub struct Link {
    settings: Settings,
    state: State,
    rng: Rng,
    sockets: u64,
    /// Failed attempts since the line was last stable: the backoff's exponent.
    attempt: u32,
    /// Handshakes in a row that took too long.
    unanswered: u32,
    /// What the server last asked for.
    spread: Option<Duration>,
    /// No attempts are to be started.
    held: bool,
}

impl Link {
    /// An idle link. `seed` feeds the jitter.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            state: State::Idle,
            rng: Rng::with_seed(seed),
            sockets: 0,
            attempt: 0,
            unanswered: 0,
            spread: None,
            held: false,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Attempts that failed since the line was last stable.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The socket in use, if any.
    #[must_use]
    pub const fn socket(&self) -> Option<SocketId> {
        match self.state {
            State::Connecting { socket, .. } | State::Handshaking { socket, .. } | State::Live { socket, .. } => {
                Some(socket)
            }
            State::Idle | State::Waiting { .. } | State::Suspended { .. } | State::GaveUp { .. } | State::Closed(_) => {
                None
            }
        }
    }

    /// When [`Event::Wake`] is due, if time alone leads on.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        match self.state {
            State::Connecting { until, .. } | State::Handshaking { until, .. } | State::Waiting { until, .. } => {
                Some(until)
            }
            State::Live { heard, probe, .. } => Some(probe.unwrap_or(heard + self.settings.silence)),
            State::Idle | State::Suspended { .. } | State::GaveUp { .. } | State::Closed(_) => None,
        }
    }

    /// Takes in what happened, and says what to do.
    pub fn handle(&mut self, event: Event, now: Moment) -> Vec<Action> {
        match event {
            Event::Start => self.start(now),
            Event::Nudge => self.nudge(now),
            Event::Hold(held) => self.hold(held, now),
            Event::Stop => self.end(Closed::Intended),
            Event::Wake => self.wake(now),
            Event::Opened(socket) => self.opened(socket, now),
            Event::Accepted(socket, spread) => self.accepted(socket, spread, now),
            Event::Heard(socket) => self.heard(socket, now),
            Event::Bye(socket, bye) if self.is_present(socket) => self.said_bye(bye, now),
            Event::Unreadable(socket) if self.is_present(socket) => self.lose(Loss::Unreadable, now),
            Event::Unanswered(socket) if self.is_present(socket) => self.lose(Loss::Silent, now),
            Event::Outdated(socket) if self.is_present(socket) => self.end(Closed::Outdated),
            Event::Again(socket) if self.is_present(socket) => self.again(socket, now),
            Event::Closed(socket, code) if self.is_present(socket) => self.closed(code, now),
            Event::Bye(..)
            | Event::Unreadable(_)
            | Event::Unanswered(_)
            | Event::Outdated(_)
            | Event::Again(_)
            | Event::Closed(..) => Vec::new(),
        }
    }

    fn is_present(&self, socket: SocketId) -> bool {
        self.socket() == Some(socket) || planted(Bug::LateEventsCount)
    }

    fn connect(&mut self, now: Moment) -> Vec<Action> {
        self.sockets += 1;
        let socket = SocketId(self.sockets);
        let until = now + doubled(self.settings.connect_timeout, self.attempt);
        self.state = State::Connecting { socket, since: now, until };
        vec![Action::Open(socket)]
    }

    fn start(&mut self, now: Moment) -> Vec<Action> {
        match self.state {
            State::Idle | State::Waiting { .. } | State::Suspended { .. } | State::GaveUp { .. } | State::Closed(_) => {
                self.attempt = 0;
                self.connect(now)
            }
            State::Connecting { .. } | State::Handshaking { .. } | State::Live { .. } => self.nudge(now),
        }
    }

    /// An attempt that was begun on a network that was gone may hang until its timeout, which has grown: another takes its place, or
    /// it is not waited for any longer than a first one.
    fn nudge(&mut self, now: Moment) -> Vec<Action> {
        let by = now + self.settings.probe_timeout;
        match &mut self.state {
            State::Connecting { socket, since, .. }
                if self.attempt > 0 && now.since(*since) >= self.settings.probe_timeout =>
            {
                let socket = *socket;
                self.attempt = 0;
                self.again(socket, now)
            }
            State::Connecting { since, until, .. } => {
                self.attempt = 0;
                *until = *since + self.settings.connect_timeout;
                Vec::new()
            }
            State::Waiting { .. } | State::Suspended { .. } | State::GaveUp { .. } => {
                self.attempt = 0;
                self.connect(now)
            }
            State::Live { socket, probe: probe @ None, .. } => {
                *probe = Some(by);
                vec![Action::Probe(*socket)]
            }
            State::Idle | State::Handshaking { .. } | State::Live { .. } | State::Closed(_) => Vec::new(),
        }
    }

    fn again(&mut self, socket: SocketId, now: Moment) -> Vec<Action> {
        let mut actions = vec![Action::Close(socket)];
        actions.extend(self.connect(now));
        actions
    }

    fn hold(&mut self, held: bool, now: Moment) -> Vec<Action> {
        if self.held == held {
            return Vec::new();
        }
        self.held = held;
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Waiting { attempt, why, .. } => {
                self.state = State::Suspended { attempt, why };
                Vec::new()
            }
            State::Suspended { .. } => {
                self.attempt = 0;
                self.connect(now)
            }
            state => {
                self.state = state;
                Vec::new()
            }
        }
    }

    fn opened(&mut self, socket: SocketId, now: Moment) -> Vec<Action> {
        if matches!(self.state, State::Connecting { socket: present, .. } if present == socket) {
            let until = now + doubled(self.settings.handshake_timeout, self.unanswered);
            self.state = State::Handshaking { socket, until };
        }
        Vec::new()
    }

    fn accepted(&mut self, socket: SocketId, spread: Duration, now: Moment) -> Vec<Action> {
        if matches!(self.state, State::Handshaking { socket: present, .. } if present == socket) {
            self.spread = Some(spread);
            self.unanswered = 0;
            self.state = State::Live { socket, since: now, heard: now, probe: None };
        }
        Vec::new()
    }

    fn heard(&mut self, socket: SocketId, now: Moment) -> Vec<Action> {
        if let State::Live { socket: present, heard, probe, .. } = &mut self.state
            && *present == socket
        {
            *heard = now;
            *probe = None;
        }
        Vec::new()
    }

    fn wake(&mut self, now: Moment) -> Vec<Action> {
        let Some(due) = self.deadline().filter(|due| now >= *due) else { return Vec::new() };
        match self.state {
            // What came while the device was asleep may not have been read yet.
            State::Live { probe: None, .. } if now.since(due) > self.settings.probe_timeout => self.nudge(now),
            State::Waiting { .. } => self.connect(now),
            State::Connecting { .. } => self.lose(Loss::Unreachable, now),
            State::Handshaking { .. } => {
                self.unanswered = self.unanswered.saturating_add(1);
                self.lose(Loss::Silent, now)
            }
            State::Live { .. } => self.lose(Loss::Silent, now),
            State::Idle | State::Suspended { .. } | State::GaveUp { .. } | State::Closed(_) => Vec::new(),
        }
    }

    fn closed(&mut self, code: u16, now: Moment) -> Vec<Action> {
        match ByeCode::from_close_code(code) {
            Some(code) => self.said_bye(Bye::new(code, ""), now),
            None if matches!(self.state, State::Live { .. }) => self.lose(Loss::Dropped, now),
            None => self.lose(Loss::Unreachable, now),
        }
    }

    fn said_bye(&mut self, bye: Bye, now: Moment) -> Vec<Action> {
        match bye.retry {
            Retry::Never => self.end(Closed::Refused(bye)),
            Retry::Later => self.lose(Loss::Bye(bye), now),
        }
    }

    /// Gives the present socket up and waits for the next attempt.
    ///
    /// After a stable connection the first delay is spread as the server asked, since all its clients lose it at once
    /// (RFC 6455 §7.2.3); every other delay is the backoff's. A server of few asks for a small spread, and few need not be as
    /// patient as many: then the backoff begins lower.
    fn lose(&mut self, why: Loss, now: Moment) -> Vec<Action> {
        let stable = matches!(self.state, State::Live { since, .. } if now.since(since) >= self.settings.stable_after);
        let delay = if stable {
            self.attempt = 0;
            uniform(self.spread.unwrap_or_default(), &mut self.rng)
        } else {
            let Backoff { base, cap } = self.settings.backoff;
            let hinted = self.spread.map_or(base, |spread| base.min(spread.max(SMALLEST_BASE)));
            Backoff { base: hinted, cap }.delay(self.attempt, &mut self.rng)
        };
        let least = match &why {
            Loss::Bye(bye) => Duration::from_millis(bye.retry_after_ms),
            Loss::Unreachable | Loss::Dropped | Loss::Silent | Loss::Unreadable => Duration::ZERO,
        };
        self.attempt = if stable { 0 } else { self.attempt.saturating_add(1) };
        let closing = self.socket().map(Action::Close);
        let attempt = self.attempt;
        self.state = match self.settings.attempt_limit {
            Some(limit) if attempt >= limit => State::GaveUp { attempts: attempt, why },
            _ if self.held => State::Suspended { attempt, why },
            _ => State::Waiting { until: now + delay.max(least), attempt, why },
        };
        closing.into_iter().collect()
    }

    fn end(&mut self, why: Closed) -> Vec<Action> {
        let closing = self.socket().map(Action::Close);
        self.state = State::Closed(why);
        closing.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPREAD: Duration = Duration::from_millis(200);

    fn at(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    fn live(now: u64) -> (Link, SocketId) {
        let mut link = Link::new(Settings::default(), 1);
        assert_eq!(link.handle(Event::Start, at(now)), [Action::Open(SocketId(1))]);
        link.handle(Event::Opened(SocketId(1)), at(now));
        link.handle(Event::Accepted(SocketId(1), SPREAD), at(now));
        assert!(matches!(link.state(), State::Live { .. }));
        (link, SocketId(1))
    }

    fn wait_of(link: &Link, now: u64) -> Duration {
        let State::Waiting { until, .. } = link.state() else { panic!("waits: {:?}", link.state()) };
        until.since(at(now))
    }

    #[test]
    fn a_stable_line_that_drops_comes_back_within_the_spread() {
        let (mut link, socket) = live(0);
        link.handle(Event::Closed(socket, 1006), at(60_000));
        assert!(wait_of(&link, 60_000) <= SPREAD);
        let due = link.deadline().expect("waits");
        assert_eq!(link.handle(Event::Wake, due), [Action::Open(SocketId(2))]);
    }

    #[test]
    fn the_backoff_of_a_server_of_few_begins_lower_and_ends_where_every_other_does() {
        let longest = |spread: Duration, attempt: u32| {
            let waits = (0..200).map(|seed| {
                let mut link = Link::new(Settings::default(), seed);
                link.spread = Some(spread);
                link.attempt = attempt;
                link.lose(Loss::Unreachable, at(0));
                wait_of(&link, 0)
            });
            waits.max().expect("some")
        };
        let few = longest(SPREAD, 0);
        assert!((Duration::from_millis(200)..=SMALLEST_BASE).contains(&few), "{few:?}");
        let many = longest(Duration::from_secs(10), 0);
        assert!((Duration::from_millis(800)..=Duration::from_secs(1)).contains(&many), "{many:?}");
        assert!(longest(SPREAD, 9) > Duration::from_secs(25));
    }

    #[test]
    fn a_line_that_flaps_backs_off() {
        let (mut link, mut socket) = live(0);
        let mut now = 0;
        for attempt in 1..=20 {
            link.handle(Event::Closed(socket, 1006), at(now));
            let State::Waiting { attempt: counted, until, .. } = *link.state() else { panic!("waits") };
            assert_eq!(counted, attempt);
            now = until.as_millis();
            let [Action::Open(next)] = link.handle(Event::Wake, until)[..] else { panic!("tries") };
            socket = next;
            link.handle(Event::Opened(socket), at(now));
            link.handle(Event::Accepted(socket, SPREAD), at(now));
        }
    }

    #[test]
    fn what_an_old_socket_says_changes_nothing() {
        let (mut link, old) = live(0);
        link.handle(Event::Closed(old, 1006), at(1_000));
        link.handle(Event::Nudge, at(1_000));
        let new = link.socket().expect("connects");
        link.handle(Event::Opened(new), at(1_000));
        link.handle(Event::Accepted(new, SPREAD), at(1_000));
        let before = link.state().clone();
        for event in [
            Event::Opened(old),
            Event::Accepted(old, SPREAD),
            Event::Heard(old),
            Event::Bye(old, Bye::new(ByeCode::UnknownKey, "")),
            Event::Unreadable(old),
            Event::Unanswered(old),
            Event::Outdated(old),
            Event::Again(old),
            Event::Closed(old, 1006),
        ] {
            assert_eq!(link.handle(event.clone(), at(2_000)), [], "{event:?}");
            assert_eq!(*link.state(), before, "{event:?}");
        }
    }

    #[test]
    fn it_begins_again_at_once_when_told_to() {
        let (mut link, socket) = live(0);
        assert_eq!(link.handle(Event::Again(socket), at(10)), [Action::Close(socket), Action::Open(SocketId(2))]);
        assert_eq!(link.socket(), Some(SocketId(2)));
    }

    #[test]
    fn why_a_line_was_lost_is_told() {
        let why = |event: Event| {
            let (mut link, _) = live(0);
            link.handle(event, at(10));
            let State::Waiting { why, .. } = link.state() else { panic!("waits: {:?}", link.state()) };
            why.clone()
        };
        let socket = SocketId(1);
        assert_eq!(why(Event::Closed(socket, 1006)), Loss::Dropped);
        assert_eq!(why(Event::Unanswered(socket)), Loss::Silent);
        assert_eq!(why(Event::Unreadable(socket)), Loss::Unreadable);
        let mut link = Link::new(Settings::default(), 1);
        link.handle(Event::Start, at(0));
        link.handle(Event::Closed(socket, 1006), at(10));
        assert!(matches!(link.state(), State::Waiting { why: Loss::Unreachable, .. }), "before it was live");
    }

    #[test]
    fn patience_grows_with_failed_attempts() {
        let mut link = Link::new(Settings::default(), 1);
        link.handle(Event::Start, at(0));
        for (failed, seconds) in [(1, 20), (2, 40), (3, 80), (4, 160), (5, 160)] {
            link.handle(Event::Closed(link.socket().expect("connects"), 1006), at(0));
            assert_eq!(link.attempt(), failed);
            let due = link.deadline().expect("waits");
            link.handle(Event::Wake, due);
            assert_eq!(link.deadline(), Some(due + Duration::from_secs(seconds)));
        }
        let (socket, now) = (link.socket().expect("connects"), link.deadline().expect("waits"));
        link.handle(Event::Opened(socket), now);
        let first = now + Duration::from_secs(10);
        assert_eq!(link.deadline(), Some(first), "that nothing opened does not tell that answers are slow");
    }

    #[test]
    fn patience_with_an_answer_grows_with_each_that_took_longer_and_begins_anew_once_live() {
        let mut link = Link::new(Settings::default(), 1);
        let mut now = at(0);
        for seconds in [10, 20, 40, 80, 160, 160] {
            link.handle(Event::Start, now);
            let socket = link.socket().expect("connects");
            link.handle(Event::Opened(socket), now);
            let until = link.deadline().expect("waits for the answer");
            assert_eq!(until.since(now), Duration::from_secs(seconds));
            now = until;
            assert_eq!(link.handle(Event::Wake, now), [Action::Close(socket)]);
        }
        link.handle(Event::Start, now);
        let socket = link.socket().expect("connects");
        link.handle(Event::Opened(socket), now);
        link.handle(Event::Accepted(socket, SPREAD), now);
        link.handle(Event::Again(socket), now);
        link.handle(Event::Opened(link.socket().expect("connects")), now);
        assert_eq!(link.deadline(), Some(now + Duration::from_secs(10)));
    }

    #[test]
    fn a_nudge_gives_up_what_hangs_for_a_new_attempt_and_lets_what_has_just_begun_go_on() {
        let hanging = |failed: u32| {
            let mut link = Link::new(Settings::default(), 1);
            link.attempt = failed;
            link.connect(at(0));
            link
        };
        for event in [Event::Nudge, Event::Start] {
            let mut link = hanging(4);
            assert_eq!(link.deadline(), Some(at(160_000)));
            assert_eq!(link.handle(event.clone(), at(2_999)), [], "it may open yet");
            assert_eq!((link.deadline(), link.attempt()), (Some(at(10_000)), 0), "no more patience than at first");

            let mut link = hanging(1);
            assert_eq!(link.handle(event, at(3_000)), [Action::Close(SocketId(1)), Action::Open(SocketId(2))]);
            assert_eq!(link.deadline(), Some(at(13_000)));
            assert_eq!(link.handle(Event::Nudge, at(12_999)), [], "a first attempt has its time, on a slow line too");
        }
        let mut link = hanging(0);
        link.handle(Event::Opened(SocketId(1)), at(2_000));
        assert_eq!(link.handle(Event::Nudge, at(11_000)), [], "an answer may be long: what has opened is let be");
        assert_eq!(link.deadline(), Some(at(12_000)));
    }

    #[test]
    fn connecting_and_handshake_time_out() {
        let mut link = Link::new(Settings::default(), 1);
        link.handle(Event::Start, at(0));
        assert_eq!(link.handle(Event::Wake, at(9_999)), []);
        assert_eq!(link.handle(Event::Wake, at(10_000)), [Action::Close(SocketId(1))]);

        let mut link = Link::new(Settings::default(), 1);
        link.handle(Event::Start, at(0));
        link.handle(Event::Opened(SocketId(1)), at(5_000));
        assert_eq!(link.handle(Event::Wake, at(14_999)), []);
        assert_eq!(link.handle(Event::Wake, at(15_000)), [Action::Close(SocketId(1))]);
    }

    #[test]
    fn silence_condemns_a_line_and_any_frame_is_life() {
        let (mut link, socket) = live(0);
        link.handle(Event::Heard(socket), at(20_000));
        assert_eq!(link.handle(Event::Wake, at(44_999)), []);
        assert_eq!(link.handle(Event::Wake, at(45_000)), [Action::Close(socket)]);
    }

    #[test]
    fn a_nudge_probes_a_live_line() {
        let (mut link, socket) = live(0);
        assert_eq!(link.handle(Event::Nudge, at(1_000)), [Action::Probe(socket)]);
        assert_eq!(link.handle(Event::Nudge, at(1_001)), [], "one probe at a time");
        assert_eq!(link.handle(Event::Wake, at(4_000)), [Action::Close(socket)]);

        let (mut link, socket) = live(0);
        link.handle(Event::Nudge, at(1_000));
        link.handle(Event::Heard(socket), at(1_100));
        assert_eq!(link.handle(Event::Wake, at(4_000)), []);
    }

    #[test]
    fn a_nudge_ends_waiting() {
        let (mut link, socket) = live(0);
        link.handle(Event::Bye(socket, Bye { retry_after_ms: 60_000, ..Bye::new(ByeCode::Draining, "") }), at(9_000));
        assert!(wait_of(&link, 9_000) >= Duration::from_secs(60), "the server's wish is obeyed");
        assert_eq!(link.handle(Event::Nudge, at(9_100)), [Action::Open(SocketId(2))]);
    }

    #[test]
    fn a_device_that_was_asleep_probes_its_line_before_it_gives_it_up() {
        let (mut link, socket) = live(0);
        assert_eq!(link.handle(Event::Wake, at(24_999)), []);
        let (mut awake, mut asleep) = (link.clone(), link);
        assert_eq!(awake.handle(Event::Wake, at(25_000)), [Action::Close(socket)], "nothing came in time");

        assert_eq!(asleep.handle(Event::Wake, at(600_000)), [Action::Probe(socket)]);
        assert_eq!(asleep.deadline(), Some(at(603_000)));
        let mut answered = asleep.clone();
        answered.handle(Event::Heard(socket), at(600_400));
        assert_eq!(answered.deadline(), Some(at(625_400)), "it is alive");
        assert_eq!(asleep.handle(Event::Wake, at(603_000)), [Action::Close(socket)]);
        assert!(matches!(asleep.state(), State::Waiting { why: Loss::Silent, .. }));
    }

    #[test]
    fn a_refusal_is_final_until_someone_starts_again() {
        for event in
            [Event::Bye(SocketId(1), Bye::new(ByeCode::UnknownKey, "No such board")), Event::Closed(SocketId(1), 4404)]
        {
            let (mut link, socket) = live(0);
            assert_eq!(link.handle(event, at(10)), [Action::Close(socket)]);
            assert!(matches!(link.state(), State::Closed(Closed::Refused(_))));
            assert_eq!(link.handle(Event::Nudge, at(20)), []);
            assert_eq!(link.handle(Event::Start, at(30)), [Action::Open(SocketId(2))]);
        }
    }

    #[test]
    fn a_held_link_starts_nothing_and_goes_on_when_let_go() {
        let (mut link, socket) = live(0);
        assert_eq!(link.handle(Event::Hold(true), at(1_000)), [], "what is live stays");
        link.handle(Event::Closed(socket, 1006), at(9_000));
        assert!(matches!(link.state(), State::Suspended { .. }));
        assert_eq!((link.deadline(), link.handle(Event::Wake, at(900_000))), (None, vec![]));
        assert_eq!(link.handle(Event::Hold(false), at(900_001)), [Action::Open(SocketId(2))]);

        link.handle(Event::Closed(SocketId(2), 1006), at(900_002));
        link.handle(Event::Hold(true), at(900_003));
        assert!(matches!(link.state(), State::Suspended { .. }), "waiting is held too");
        assert_eq!(link.handle(Event::Nudge, at(900_004)), [Action::Open(SocketId(3))], "a person overrules it");
    }

    #[test]
    fn a_limit_is_kept_and_can_be_lifted() {
        let mut link = Link::new(Settings { attempt_limit: Some(3), ..Settings::default() }, 1);
        link.handle(Event::Start, at(0));
        for socket in 1..=2 {
            link.handle(Event::Closed(SocketId(socket), 1006), at(0));
            let due = link.deadline().expect("tries again");
            assert_eq!(link.handle(Event::Wake, due), [Action::Open(SocketId(socket + 1))]);
        }
        link.handle(Event::Closed(SocketId(3), 1006), at(60_000));
        assert_eq!(link.state(), &State::GaveUp { attempts: 3, why: Loss::Unreachable });
        assert_eq!(link.deadline(), None);
        assert_eq!(link.handle(Event::Start, at(60_001)), [Action::Open(SocketId(4))]);
    }

    #[test]
    fn an_intended_close_stays_closed() {
        let (mut link, socket) = live(0);
        assert_eq!(link.handle(Event::Stop, at(10)), [Action::Close(socket)]);
        link.handle(Event::Closed(socket, 1000), at(11));
        assert_eq!((link.state(), link.deadline()), (&State::Closed(Closed::Intended), None));
    }

    fn any_event() -> impl Strategy<Value = Event> {
        let socket = (1_u64..6).prop_map(SocketId);
        let code = prop_oneof![Just(ByeCode::Draining), Just(ByeCode::UnknownKey)];
        prop_oneof![
            1 => Just(Event::Start),
            1 => Just(Event::Nudge),
            1 => Just(Event::Stop),
            1 => any::<bool>().prop_map(Event::Hold),
            4 => Just(Event::Wake),
            4 => socket.clone().prop_map(Event::Opened),
            4 => socket.clone().prop_map(|s| Event::Accepted(s, SPREAD)),
            1 => socket.clone().prop_map(Event::Heard),
            1 => socket.clone().prop_map(Event::Unreadable),
            1 => (socket.clone(), code).prop_map(|(s, c)| Event::Bye(s, Bye::new(c, ""))),
            1 => (socket, prop_oneof![Just(1006_u16), Just(1001), Just(4404)]).prop_map(|(s, c)| Event::Closed(s, c)),
        ]
    }

    proptest! {
        #[test]
        fn at_most_one_socket_and_always_a_way_on(events in proptest::collection::vec((any_event(), 0_u64..30_000), 1..120)) {
            let mut link = Link::new(Settings::default(), 3);
            let mut open = Vec::new();
            let mut now = 0;
            for (event, pause) in events {
                now += pause;
                for action in link.handle(event, at(now)) {
                    match action {
                        Action::Open(socket) => open.push(socket),
                        Action::Close(socket) => open.retain(|s| *s != socket),
                        Action::Probe(socket) => prop_assert!(open.contains(&socket)),
                    }
                }
                prop_assert!(open.len() <= 1, "at most one socket");
                prop_assert_eq!(open.first().copied(), link.socket(), "the link knows its socket");
                // These wait for a named outside signal.
                let ended = matches!(link.state(), State::Idle | State::Suspended { .. } | State::GaveUp { .. } | State::Closed(_));
                prop_assert!(ended || link.deadline().is_some(), "something will happen next");
            }
        }
    }
}
