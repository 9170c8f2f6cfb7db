//! Judges where a device stands: online, offline, behind a captive portal, or online with the server out of reach.
//!
//! What the device says (`navigator.onLine`) is a hint: it is false behind some VPNs and true in aeroplane mode. The live
//! line is proof; without one, probes are. A probe is a request whose answer must echo its nonce, since captive portals, proxies
//! and content blockers answer too: see [`Answer::of_response`].

use std::time::Duration;

use super::time::Moment;

/// When to probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From the loss of the line to the first probe: most lines are back by then.
    pub first: Duration,
    /// From a first failed probe to the second, which settles it.
    pub second: Duration,
    /// Between probes after that, for as long as the line is not live.
    pub interval: Duration,
    /// A probe must be answered within this time.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            second: Duration::from_secs(3),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
        }
    }
}

/// Where the device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing speaks against it, nothing has proved it.
    Unknown,
    /// The server can be reached.
    Online,
    /// The device has no network.
    Offline,
    /// A log-in page answers in the server's place.
    Captive,
    /// The device says that it is online, and the server does not answer; a proxy's error page may.
    Unreachable,
}

/// One probe. Never used again; its number is the nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProbeId(pub u64);

/// The header that every response of the server has, error pages too. A response without it comes from something in between, and
/// says nothing about the document.
pub const SERVER_HEADER: &str = "x-sheetbend";

/// What became of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The server answered: the response has the probe's nonce.
    Echoed,
    /// A log-in page answered.
    LogIn,
    /// The server did not answer: there was no response, or a proxy's.
    Failed,
}

/// The first line of a response, as far as a browser shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// A redirect. It is not followed, and browsers do not say where it leads.
    Redirect,
    /// Any other response, with its status.
    Status(u16),
}

impl Answer {
    /// Judges the response to a probe. `echoed` is whether it has the probe's nonce.
    ///
    /// A log-in page answers with 511 (RFC 6585 §6), a redirect, or 200 with a page of its own. Any other response without the nonce
    /// is the error page of something in between: 502 to 504, 520 to 530, 403, 404 or 500 of a proxy whose origin is down.
    #[must_use]
    pub const fn of_response(response: Response, echoed: bool) -> Self {
        match response {
            Response::Status(_) if echoed => Self::Echoed,
            Response::Redirect | Response::Status(200 | 511) => Self::LogIn,
            Response::Status(_) => Self::Failed,
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// What the device says; a repeat counts, since devices change networks without going offline.
    Hint(bool),
    /// The line became live.
    Live,
    /// A frame came on the live line.
    Heard,
    /// The line is live no more.
    Lost,
    /// A probe was answered, or not.
    Answered(ProbeId, Answer),
    /// [`Judge::deadline`] has come.
    Wake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// The line is live: no probes, its heartbeat is better.
    Line,
    /// The next probe is due then.
    Resting(Moment),
    /// A probe is under way; after this moment it has failed.
    Probing(ProbeId, Moment),
}

/// The judge.
#[derive(Clone, Debug)]
pub struct Judge {
    settings: Settings,
    network: Network,
    hint: bool,
    watch: Watch,
    failures: u32,
    probes: u64,
}

impl Judge {
    /// A judge that knows nothing yet. `nonce` is the number of the first probe: any random number.
    #[must_use]
    pub fn new(settings: Settings, nonce: u64, now: Moment) -> Self {
        let watch = Watch::Resting(now + settings.first);
        Self { settings, network: Network::Unknown, hint: true, watch, failures: 0, probes: nonce }
    }

    /// Where the device stands.
    #[must_use]
    pub const fn network(&self) -> Network {
        self.network
    }

    /// When [`Event::Wake`] is due, if time alone leads on.
    #[must_use]
    pub const fn deadline(&self) -> Option<Moment> {
        match self.watch {
            Watch::Line => None,
            Watch::Resting(due) | Watch::Probing(_, due) => Some(due),
        }
    }

    /// Takes in what happened. Returns the probe to make, if one is due.
    pub fn handle(&mut self, event: Event, now: Moment) -> Option<ProbeId> {
        match event {
            Event::Hint(online) => {
                self.hint = online;
                self.failures = 0;
                self.network = if online { Network::Unknown } else { Network::Offline };
                return Some(self.probe(now));
            }
            Event::Live | Event::Heard => {
                self.watch = Watch::Line;
                self.failures = 0;
                self.network = Network::Online;
            }
            Event::Lost => {
                if self.watch == Watch::Line {
                    self.watch = Watch::Resting(now + self.settings.first);
                }
            }
            Event::Answered(probe, answer) => {
                if matches!(self.watch, Watch::Probing(present, _) if present == probe) {
                    self.answered(answer, now);
                }
            }
            Event::Wake => match self.watch {
                Watch::Resting(due) if now >= due => return Some(self.probe(now)),
                Watch::Probing(_, due) if now >= due => self.answered(Answer::Failed, now),
                Watch::Line | Watch::Resting(_) | Watch::Probing(..) => {}
            },
        }
        None
    }

    fn probe(&mut self, now: Moment) -> ProbeId {
        self.probes = self.probes.wrapping_add(1);
        let probe = ProbeId(self.probes);
        self.watch = Watch::Probing(probe, now + self.settings.timeout);
        probe
    }

    fn answered(&mut self, answer: Answer, now: Moment) {
        self.failures = if answer == Answer::Failed { self.failures.saturating_add(1) } else { 0 };
        self.network = match (answer, self.hint) {
            (Answer::Echoed, _) => Network::Online,
            (Answer::LogIn, _) => Network::Captive,
            (Answer::Failed, false) => Network::Offline,
            (Answer::Failed, true) if self.failures >= 2 => Network::Unreachable,
            (Answer::Failed, true) => self.network,
        };
        let rest = if self.failures == 1 { self.settings.second } else { self.settings.interval };
        self.watch = Watch::Resting(now + rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    fn judge() -> Judge {
        Judge::new(Settings::default(), 0, at(0))
    }

    fn answer(judge: &mut Judge, probe: Option<ProbeId>, answer: Answer, now: u64) {
        judge.handle(Event::Answered(probe.expect("a probe"), answer), at(now));
    }

    #[test]
    fn only_a_log_in_page_is_one() {
        use Response::{Redirect, Status};

        assert_eq!(Answer::of_response(Status(200), true), Answer::Echoed);
        for response in [Redirect, Status(200), Status(511)] {
            assert_eq!(Answer::of_response(response, false), Answer::LogIn, "{response:?}");
        }
        let proxies = (520..=530).chain(500..=504).chain([204, 400, 403, 404, 407, 410, 429, 451]);
        for status in proxies {
            assert_eq!(Answer::of_response(Status(status), false), Answer::Failed, "{status}");
        }
    }

    #[test]
    fn a_content_blocker_that_takes_the_probes_does_not_hide_a_live_line() {
        let mut judge = judge();
        let probe = judge.handle(Event::Wake, at(1_000));
        answer(&mut judge, probe, Answer::Failed, 1_001);
        judge.handle(Event::Live, at(1_500));
        assert_eq!((judge.network(), judge.deadline()), (Network::Online, None));
        let probe = judge.handle(Event::Hint(true), at(2_000));
        judge.handle(Event::Heard, at(2_010));
        answer(&mut judge, probe, Answer::Failed, 2_020);
        assert_eq!((judge.network(), judge.deadline()), (Network::Online, None));
    }

    #[test]
    fn false_offline_is_found_out() {
        let mut judge = judge();
        let probe = judge.handle(Event::Hint(false), at(10));
        assert_eq!(judge.network(), Network::Offline, "it is believed at once");
        answer(&mut judge, probe, Answer::Echoed, 60);
        assert_eq!(judge.network(), Network::Online, "and no longer than it must be");
    }

    #[test]
    fn a_frame_after_the_hint_is_proof() {
        let mut judge = judge();
        judge.handle(Event::Live, at(5));
        judge.handle(Event::Hint(false), at(10));
        judge.handle(Event::Heard, at(20));
        assert_eq!((judge.network(), judge.deadline()), (Network::Online, None));
    }

    #[test]
    fn false_online_is_unreachable_after_two_failed_probes() {
        let mut judge = judge();
        judge.handle(Event::Live, at(0));
        judge.handle(Event::Lost, at(100));
        let probe = judge.handle(Event::Wake, at(1_100));
        answer(&mut judge, probe, Answer::Failed, 1_200);
        assert_eq!(judge.network(), Network::Online, "one failure proves little");
        let probe = judge.handle(Event::Wake, at(4_200));
        assert!(probe.is_some());
        judge.handle(Event::Wake, at(9_200));
        assert_eq!(judge.network(), Network::Unreachable, "no answer in time is a failure too");
        assert_eq!(judge.deadline(), Some(at(39_200)), "then every 30 s");
    }

    #[test]
    fn a_captive_portal_is_no_server() {
        let mut judge = judge();
        let probe = judge.handle(Event::Hint(true), at(0));
        answer(&mut judge, probe, Answer::LogIn, 50);
        assert_eq!(judge.network(), Network::Captive);
    }

    #[test]
    fn late_answers_of_old_probes_change_nothing() {
        let mut judge = judge();
        let old = judge.handle(Event::Hint(true), at(0));
        let new = judge.handle(Event::Hint(true), at(10));
        assert_ne!(old, new);
        answer(&mut judge, old, Answer::LogIn, 20);
        assert_eq!(judge.network(), Network::Unknown);
    }

    #[test]
    fn nothing_is_done_before_its_time() {
        let mut judge = judge();
        assert_eq!(judge.handle(Event::Wake, at(999)), None);
        let probe = judge.handle(Event::Wake, at(1_000));
        assert!(probe.is_some());
        assert_eq!(judge.handle(Event::Wake, at(5_999)), None);
        answer(&mut judge, probe, Answer::Echoed, 5_999);
        assert_eq!((judge.network(), judge.deadline()), (Network::Online, Some(at(35_999))), "it was in time");
    }

    #[test]
    fn the_live_line_is_not_probed() {
        let mut judge = judge();
        judge.handle(Event::Live, at(0));
        assert_eq!((judge.deadline(), judge.handle(Event::Wake, at(100_000))), (None, None));
    }
}
