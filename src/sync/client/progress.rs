//! Watches whether own changes get anywhere while the line is live.
//!
//! The line's heartbeat says that frames come; it says nothing of those that go. A line may be half-open, a proxy may have
//! swallowed a frame, the tab that is to send may sleep on its lock.

use std::time::Duration;

use crate::sync::planted::{Bug, planted};
use crate::sync::time::Moment;

/// How long changes may get nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From a change being sent, without any being decided on, to asking whether the line is alive; the answer gets the same
    /// time again. As long after an answer, changes are sent again on the line; four times as long after it, the line is given up.
    pub unconfirmed: Duration,
    /// From a change being left to another client, without any being decided on, to taking the voice from that one.
    pub unspoken: Duration,
    /// Bytes a second that the slowest line carries: what is in flight gets the time that it takes there.
    pub slowest: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self { unconfirmed: Duration::from_secs(5), unspoken: Duration::from_secs(5), slowest: 4 * 1024 }
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// Word of changes that this client has sent.
    Sent {
        /// How many bytes they have.
        bytes: usize,
    },
    /// Word of changes that another client is to send.
    Left,
}

/// What to do about no progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Ask for an answer on the line.
    Ask,
    /// Send again what is in flight: the line is alive, so its frame may be lost.
    SendAgain,
    /// Give the line up.
    GiveUp,
    /// Take the voice.
    TakeOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// Nothing is waited for.
    Off,
    /// No progress since then.
    Waiting(Moment),
    /// Asked, with this nonce, then.
    Asked(u64, Moment),
    /// Answered then: the line is alive.
    Answered(Moment),
    /// Answered then, and sent again since.
    SentAgain(Moment),
}

/// The watch.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    patience: Patience,
    awaited: Awaited,
    watch: Watch,
    /// Remedies since the last progress: each doubles the patience, up to 16 times.
    setbacks: u32,
}

impl Progress {
    pub(super) const fn new(patience: Patience) -> Self {
        Self { patience, awaited: Awaited::Left, watch: Watch::Off, setbacks: 0 }
    }

    /// What is waited for now, if anything.
    pub(super) fn wait_for(&mut self, awaited: Option<Awaited>, now: Moment) {
        let same = matches!(
            (awaited, self.awaited),
            (Some(Awaited::Sent { .. }), Awaited::Sent { .. }) | (Some(Awaited::Left), Awaited::Left)
        );
        match awaited {
            None => self.watch = Watch::Off,
            Some(awaited) => {
                self.awaited = awaited;
                if self.watch == Watch::Off || !same {
                    self.watch = Watch::Waiting(now);
                }
            }
        }
    }

    /// A change was decided on.
    pub(super) fn made(&mut self, now: Moment) {
        self.setbacks = 0;
        if self.watch != Watch::Off {
            self.watch = Watch::Waiting(now);
        }
    }

    /// The question with this nonce was answered.
    pub(super) fn answered(&mut self, nonce: u64, now: Moment) {
        if matches!(self.watch, Watch::Asked(asked, _) if asked == nonce) {
            self.watch = Watch::Answered(now);
        }
    }

    /// When patience ends, if anything is waited for.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let limit = self.limit();
        match self.watch {
            Watch::Off => None,
            Watch::Waiting(since) | Watch::Asked(_, since) | Watch::Answered(since) => Some(since + limit),
            Watch::SentAgain(answered) => Some(answered + limit * 4),
        }
    }

    /// Time has passed. `nonce` is for the question, should one be asked.
    pub(super) fn wake(&mut self, nonce: u64, now: Moment) -> Option<Remedy> {
        let unwatched = match self.awaited {
            Awaited::Sent { .. } => planted(Bug::LossUnnoticed),
            Awaited::Left => planted(Bug::SpeakerTrusted),
        };
        if unwatched || self.deadline().is_none_or(|due| now < due) {
            return None;
        }
        match (self.awaited, self.watch) {
            (Awaited::Sent { .. }, Watch::Waiting(_)) => {
                self.watch = Watch::Asked(nonce, now);
                Some(Remedy::Ask)
            }
            (Awaited::Sent { .. }, Watch::Answered(since)) => {
                self.watch = Watch::SentAgain(since);
                Some(Remedy::SendAgain)
            }
            (Awaited::Sent { .. }, _) => {
                self.setbacks += 1;
                self.watch = Watch::Off;
                Some(Remedy::GiveUp)
            }
            (Awaited::Left, _) => {
                self.setbacks += 1;
                self.watch = Watch::Waiting(now);
                Some(Remedy::TakeOver)
            }
        }
    }

    fn limit(&self) -> Duration {
        let patience = match self.awaited {
            Awaited::Sent { bytes } => {
                self.patience.unconfirmed + Duration::from_secs((bytes / self.patience.slowest) as u64)
            }
            Awaited::Left => self.patience.unspoken,
        };
        patience * 2_u32.pow(self.setbacks.min(4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Option<Awaited> = Some(Awaited::Sent { bytes: 100 });

    fn at(s: u64) -> Moment {
        Moment::from_millis(s * 1_000)
    }

    fn waiting(awaited: Option<Awaited>) -> Progress {
        let mut progress = Progress::new(Patience::default());
        progress.wait_for(awaited, at(0));
        progress
    }

    #[test]
    fn nothing_sent_is_nothing_watched() {
        let mut progress = waiting(None);
        assert_eq!((progress.deadline(), progress.wake(1, at(1_000))), (None, None));
        progress.made(at(1_000));
        assert_eq!(progress.deadline(), None);
    }

    #[test]
    fn a_line_that_does_not_answer_is_given_up() {
        let mut progress = waiting(SENT);
        assert_eq!(progress.wake(7, at(4)), None);
        assert_eq!(progress.wake(7, at(5)), Some(Remedy::Ask));
        progress.wait_for(SENT, at(7));
        progress.answered(6, at(7));
        assert_eq!(progress.deadline(), Some(at(10)), "an answer to something else is none");
        assert_eq!(progress.wake(8, at(10)), Some(Remedy::GiveUp));
        progress.wait_for(SENT, at(20));
        assert_eq!(progress.deadline(), Some(at(30)), "twice the time, should it happen again");
    }

    #[test]
    fn on_a_line_that_answers_changes_are_sent_again_before_it_is_given_up() {
        let mut progress = waiting(SENT);
        progress.wake(7, at(5));
        progress.answered(7, at(6));
        progress.wait_for(SENT, at(7));
        assert_eq!(progress.wake(8, at(10)), None);
        assert_eq!(progress.wake(8, at(11)), Some(Remedy::SendAgain));
        progress.wait_for(SENT, at(11));
        assert_eq!(progress.wake(8, at(25)), None, "once");
        assert_eq!(progress.wake(8, at(26)), Some(Remedy::GiveUp));
    }

    #[test]
    fn progress_starts_it_anew() {
        let mut progress = waiting(SENT);
        progress.wake(7, at(5));
        progress.wake(7, at(10));
        progress.wait_for(SENT, at(11));
        progress.made(at(30));
        assert_eq!(progress.deadline(), Some(at(35)), "and patience is as it was");
    }

    #[test]
    fn much_in_flight_gets_the_time_that_it_takes() {
        let progress = waiting(Some(Awaited::Sent { bytes: 256 * 1024 }));
        assert_eq!(progress.deadline(), Some(at(5 + 64)));
    }

    #[test]
    fn one_who_is_to_speak_and_does_not_loses_the_voice() {
        let mut progress = waiting(Some(Awaited::Left));
        assert_eq!(progress.wake(7, at(4)), None);
        assert_eq!(progress.wake(7, at(5)), Some(Remedy::TakeOver));
        assert_eq!(progress.deadline(), Some(at(15)), "asked again, after twice the time");
        progress.wait_for(SENT, at(6));
        assert_eq!(progress.deadline(), Some(at(16)), "now it is ours to send");
    }
}
