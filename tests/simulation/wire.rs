//! Connections over lines that fail: a device has one line, which carries the connections of all its tabs.

use std::collections::VecDeque;

use sheetbend::sync::faults::{Direction, Level, Line, Verdict};
use sheetbend::sync::link::SocketId;
use sheetbend::sync::time::Moment;

use crate::tab::TabId;

/// One attempt at a connection.
pub(crate) type Connection = u64;

/// A connection, as both ends see it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) device: usize,
    pub(crate) tab: TabId,
    pub(crate) socket: SocketId,
    /// The client has not closed it, and was not told that it is closed.
    pub(crate) client_open: bool,
    /// The server has it.
    pub(crate) server_open: bool,
    /// Frames that a silent line holds, to the server and to the client.
    held: [VecDeque<String>; 2],
    /// Frames on their way.
    pub(crate) under_way: u32,
}

const fn at(direction: Direction) -> usize {
    match direction {
        Direction::ToServer => 0,
        Direction::ToClient => 1,
    }
}

/// What becomes of a frame.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It arrives then, or then and again.
    Arrives(Vec<u64>),
    /// It never arrives.
    Lost,
    /// The line holds it.
    Held,
    /// The connection breaks then.
    Breaks(u64),
}

impl Wire {
    pub(crate) fn new(device: usize, tab: TabId, socket: SocketId) -> Self {
        Self { device, tab, socket, client_open: true, server_open: false, held: Default::default(), under_way: 0 }
    }

    /// A frame is put on the line.
    pub(crate) fn carry(&mut self, line: &mut Line, direction: Direction, frame: &str, now: u64) -> Fate {
        if !self.held[at(direction)].is_empty() {
            self.held[at(direction)].push_back(frame.to_owned());
            return Fate::Held;
        }
        let fate = match line.carry(direction, frame.len(), Moment::from_millis(now)) {
            Verdict::Deliver(at) => Fate::Arrives(vec![at.as_millis()]),
            Verdict::Twice(first, again) => Fate::Arrives(vec![first.as_millis(), again.as_millis()]),
            Verdict::Lost => Fate::Lost,
            Verdict::Held => {
                self.held[at(direction)].push_back(frame.to_owned());
                Fate::Held
            }
            Verdict::Cut { at, .. } => Fate::Breaks(at.as_millis()),
        };
        if let Fate::Arrives(times) = &fate {
            self.under_way += u32::try_from(times.len()).expect("two at most");
        }
        fate
    }

    /// The line may have changed: the frames that it held are to be put on it again.
    pub(crate) fn release(&mut self) -> Vec<(Direction, String)> {
        let ways = [Direction::ToServer, Direction::ToClient];
        ways.into_iter()
            .flat_map(|way| std::mem::take(&mut self.held[at(way)]).into_iter().map(move |frame| (way, frame)))
            .collect()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.under_way > 0 || self.held.iter().any(|held| !held.is_empty())
    }
}

/// A clear line.
pub(crate) fn line(seed: u64) -> Line {
    Line::new(Level::Messages, seed)
}
