//! What carries the line: a WebSocket, or plain HTTP where something on the way refuses WebSockets.
//!
//! Some proxies refuse upgrades, and let every other request through. That is told from a server that is down by the probes: they
//! are answered, while attempts at a WebSocket come to nothing. A content blocker may take the probes too. So without answered
//! probes, a few attempts at one transport are followed by one at the other.

use std::time::Duration;

use super::time::Moment;

/// What carries the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// Requests and long polls: [`Polling`](super::polling::Polling).
    Http,
}

/// When to take the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// After so many attempts at a WebSocket that came to nothing while probes were answered, HTTP carries the line.
    pub refusals: u32,
    /// After so many attempts at one transport that came to nothing while probes were not answered, the next attempt is made with
    /// the other.
    pub blind_refusals: u32,
    /// From the line's being live over HTTP to trying whether a WebSocket opens by now. Doubled each time it does not.
    pub try_after: Duration,
    /// The longest time between two tries.
    pub try_at_least_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            refusals: 2,
            blind_refusals: 3,
            try_after: Duration::from_secs(60),
            try_at_least_every: Duration::from_secs(16 * 60),
        }
    }
}

/// Chooses what carries the line.
#[derive(Clone, Debug)]
pub struct Chooser {
    /// `None`: a WebSocket always.
    settings: Option<Settings>,
    present: Transport,
    /// What is to carry the next.
    next: Transport,
    /// What carried the last live line.
    proven: Transport,
    /// The server has answered a probe since the line was live.
    answered: bool,
    /// Attempts since then that came to nothing.
    failed: u32,
    /// Attempts since the line was live that came to nothing while no probe was answered.
    blind: u32,
    /// When to try whether a WebSocket opens.
    due: Option<Moment>,
    pause: Duration,
}

impl Chooser {
    /// Begins with a WebSocket. Without `settings` it stays with it.
    #[must_use]
    pub fn new(settings: Option<Settings>) -> Self {
        let pause = settings.unwrap_or_default().try_after;
        let present = Transport::WebSocket;
        Self {
            settings,
            present,
            next: present,
            proven: present,
            answered: false,
            failed: 0,
            blind: 0,
            due: None,
            pause,
        }
    }

    /// What carries the line, or did last.
    #[must_use]
    pub const fn present(&self) -> Transport {
        self.present
    }

    /// The next attempt begins. Returns what is to carry it.
    pub const fn begin(&mut self) -> Transport {
        self.present = self.next;
        self.present
    }

    /// When [`Chooser::is_to_try`] has an answer.
    #[must_use]
    pub const fn deadline(&self) -> Option<Moment> {
        self.due
    }

    /// A probe was answered by the server, or was not.
    pub const fn probed(&mut self, answered: bool) {
        self.answered = answered;
    }

    /// The line is live.
    pub fn live(&mut self, now: Moment) {
        // An attempt with the other transport may have met a server that was just back: WebSockets are not known to be blocked.
        let by_chance = !self.answered && self.present != self.proven;
        self.proven = self.present;
        self.next = self.present;
        self.answered = false;
        self.failed = 0;
        self.blind = 0;
        match self.present {
            Transport::WebSocket => self.pause = self.settings.unwrap_or_default().try_after,
            Transport::Http if by_chance => self.due = Some(now),
            Transport::Http => self.due = Some(now + self.pause),
        }
    }

    /// The line is live no more.
    pub const fn lost(&mut self) {
        self.due = None;
    }

    /// An attempt came to nothing, without a word from the server. Returns whether the next one is to be made the other way.
    pub const fn failed(&mut self) -> bool {
        let Some(settings) = self.settings else { return false };
        if !self.answered {
            // The server may be down: the next attempt waits for its time, whatever carries it.
            self.blind = self.blind.wrapping_add(1);
            let turns = self.blind % (settings.blind_refusals + 1) == settings.blind_refusals;
            self.next = match (self.proven, turns) {
                (Transport::WebSocket, true) | (Transport::Http, false) => Transport::Http,
                (Transport::Http, true) | (Transport::WebSocket, false) => Transport::WebSocket,
            };
            return false;
        }
        self.failed += 1;
        let (most, other) = match self.present {
            Transport::WebSocket => (settings.refusals, Transport::Http),
            Transport::Http => (1, Transport::WebSocket),
        };
        let changes = self.failed >= most;
        if changes {
            self.next = other;
            self.proven = other;
            self.failed = 0;
        }
        changes
    }

    /// Whether it is time to try whether a WebSocket opens, beside the line that is live.
    pub fn is_to_try(&mut self, now: Moment) -> bool {
        let Some(settings) = self.settings.filter(|_| self.due.is_some_and(|due| due <= now)) else { return false };
        self.pause = (self.pause * 2).min(settings.try_at_least_every);
        self.due = Some(now + self.pause);
        true
    }

    /// A WebSocket opened. It carries the next line; should that come to nothing, HTTP is next at once. Returns whether the present
    /// line is another's.
    pub const fn opened(&mut self) -> bool {
        let (Transport::Http, Some(settings)) = (self.present, self.settings) else { return false };
        self.next = Transport::WebSocket;
        self.answered = true;
        self.failed = settings.refusals.saturating_sub(1);
        self.due = None;
        true
    }

    /// The device may be in another network, which may let WebSockets through.
    pub fn moved(&mut self, now: Moment) {
        let Some(settings) = self.settings else { return };
        self.pause = settings.try_after;
        match self.due {
            Some(_) => self.due = Some(now),
            None => {
                self.next = Transport::WebSocket;
                self.proven = Transport::WebSocket;
                self.blind = 0;
            }
        }
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1_000)
    }

    fn chooser() -> Chooser {
        Chooser::new(Some(Settings::default()))
    }

    fn on_http() -> Chooser {
        let mut chooser = chooser();
        chooser.probed(true);
        assert!(!chooser.failed());
        assert!(chooser.failed());
        assert_eq!(chooser.begin(), Transport::Http);
        chooser.live(at(0));
        chooser
    }

    #[test]
    fn a_server_that_is_down_is_no_proxy() {
        let mut chooser = chooser();
        for _ in 0..8 {
            assert!(!chooser.failed(), "no attempt is made out of turn");
        }
        chooser.probed(true);
        assert!(!chooser.failed(), "what failed before it answered says nothing");
        chooser.probed(false);
        assert!(!chooser.failed());
        assert_eq!(chooser.begin(), Transport::WebSocket);
    }

    #[test]
    fn http_is_tried_where_probes_and_sockets_are_both_blocked() {
        let mut chooser = chooser();
        let carried: Vec<_> = (0..8)
            .map(|_| {
                let transport = chooser.begin();
                assert!(!chooser.failed());
                transport
            })
            .collect();
        let four = [Transport::WebSocket, Transport::WebSocket, Transport::WebSocket, Transport::Http];
        assert_eq!(carried, four.repeat(2));
        while chooser.begin() == Transport::WebSocket {
            chooser.failed();
        }
        chooser.live(at(0));
        assert!(chooser.is_to_try(at(0)), "the server may just be back, so a WebSocket is tried at once");
        assert_eq!(chooser.deadline(), Some(at(120)), "and if it does not open, not soon again");
        chooser.lost();
        assert!(!chooser.failed());
        assert_eq!(chooser.begin(), Transport::Http, "what has worked comes first");
    }

    #[test]
    fn a_websocket_is_tried_now_and_then_and_taken_when_it_opens() {
        let mut chooser = on_http();
        assert_eq!(chooser.deadline(), Some(at(60)));
        assert!(!chooser.is_to_try(at(59)) && chooser.is_to_try(at(60)));
        assert_eq!(chooser.deadline(), Some(at(180)), "twice the time");
        for _ in 0..9 {
            let due = chooser.deadline().expect("goes on");
            assert!(chooser.is_to_try(due));
        }
        let due = chooser.deadline().expect("goes on");
        assert!(chooser.is_to_try(due));
        assert_eq!(chooser.deadline(), Some(due + Duration::from_secs(16 * 60)));
        assert!(chooser.opened());
        assert_eq!(chooser.deadline(), None);
        assert_eq!((chooser.present(), chooser.begin()), (Transport::Http, Transport::WebSocket));
        assert!(!chooser.opened(), "a late word changes nothing");
        assert!(chooser.failed(), "it opened, and carried nothing");
        assert_eq!(chooser.begin(), Transport::Http);
    }

    #[test]
    fn http_that_does_not_work_either_is_left_at_once() {
        let mut chooser = on_http();
        chooser.lost();
        assert!(!chooser.failed(), "the server may be down");
        chooser.probed(true);
        assert!(chooser.failed());
        assert_eq!(chooser.begin(), Transport::WebSocket);
    }

    #[test]
    fn another_network_is_another_chance() {
        let mut chooser = on_http();
        chooser.moved(at(10));
        assert_eq!(chooser.present(), Transport::Http, "what is live stays");
        assert!(chooser.is_to_try(at(10)));
        chooser.lost();
        chooser.moved(at(20));
        assert_eq!(chooser.begin(), Transport::WebSocket);
    }

    #[test]
    fn who_wants_no_http_gets_none() {
        let mut chooser = Chooser::new(None);
        chooser.probed(true);
        assert!((0..9).all(|_| !chooser.failed()));
    }
}
