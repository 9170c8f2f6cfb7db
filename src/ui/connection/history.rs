//! What became of the connection, for people to read. Pure.

use std::collections::VecDeque;

use crate::sync::client::{Connection, Status, Turn};
use crate::sync::link::Loss;
use crate::sync::time::UnixMillis;

/// Lines that are kept.
const MOST: usize = 50;

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// When, on the wall clock.
    pub at: UnixMillis,
    /// What, in words.
    pub what: String,
}

/// What became of the connection, the last first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(VecDeque<Happened>);

impl History {
    /// The lines, the last first.
    pub fn lines(&self) -> impl Iterator<Item = &Happened> {
        self.0.iter()
    }

    /// The connection took a turn.
    pub fn turned(&mut self, turn: &Turn, at: UnixMillis) {
        let what = match turn {
            Turn::Connected => "Connected".to_owned(),
            Turn::Disconnected(why) => format!("Lost: {}", because(why)),
            Turn::GaveUp => "Gave up".to_owned(),
            Turn::Rewound { offered } => {
                format!("The server was restored from an older copy; {offered} of your changes were offered again")
            }
        };
        self.push(at, what);
    }

    /// The status is another: an attempt may have failed.
    pub fn changed(&mut self, before: &Connection, after: &Status, at: UnixMillis) {
        match (before, &after.connection) {
            (Connection::Connecting { .. }, Connection::Waiting { attempt, why, .. }) => {
                self.push(at, format!("Attempt {attempt} failed: {}", because(why)));
            }
            (_, Connection::Refused(bye)) if !matches!(before, Connection::Refused(_)) => {
                self.push(at, format!("Ended: {}", bye.message));
            }
            (_, Connection::Outdated) if *before != Connection::Outdated => {
                self.push(at, "Ended: the server is newer than this page".to_owned());
            }
            _ => {}
        }
    }

    fn push(&mut self, at: UnixMillis, what: String) {
        self.0.push_front(Happened { at, what });
        self.0.truncate(MOST);
    }
}

/// Why a connection ended, as the rest of a sentence.
#[must_use]
pub fn because(why: &Loss) -> String {
    match why {
        Loss::Unreachable => "the server could not be reached".to_owned(),
        Loss::Dropped => "the line was cut".to_owned(),
        Loss::Silent => "the line was silent".to_owned(),
        Loss::Unreadable => "the server sent what this page cannot read".to_owned(),
        Loss::Bye(bye) if bye.message.is_empty() => "the server said goodbye".to_owned(),
        Loss::Bye(bye) => format!("the server said “{}”", bye.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::message::Access;
    use crate::sync::time::Moment;

    #[test]
    fn attempts_are_told_with_their_reasons_and_nothing_twice() {
        let mut history = History::default();
        history.turned(&Turn::Disconnected(Loss::Dropped), 1);
        let waiting = |attempt| Connection::Waiting { until: Moment::default(), attempt, why: Loss::Unreachable };
        let mut status = Status { connection: waiting(1), ..Status::initial(Access::Edit, 0) };
        history.changed(&Connection::Live, &status, 2);
        history.changed(&Connection::Connecting { attempt: 0 }, &status, 3);
        status.pending = 1;
        history.changed(&waiting(1), &status, 4);
        history.turned(&Turn::Connected, 5);
        let lines: Vec<_> = history.lines().map(|line| (line.at, line.what.as_str())).collect();
        let expected =
            [(5, "Connected"), (3, "Attempt 1 failed: the server could not be reached"), (1, "Lost: the line was cut")];
        assert_eq!(lines, expected);
    }

    #[test]
    fn it_has_an_end() {
        let mut history = History::default();
        (0..100).for_each(|at| history.turned(&Turn::Connected, at));
        assert_eq!((history.lines().count(), history.lines().next().map(|line| line.at)), (MOST, Some(99)));
    }
}
