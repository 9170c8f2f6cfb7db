//! What holds on a line.

use super::Direction;
use super::fault::{Directions, Fault, Incident};

/// What holds on a line until something else happens to it. All clear by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions {
    /// What becomes of new connections.
    pub connect: Connect,
    /// From the client.
    pub to_server: Way,
    /// From the server.
    pub to_client: Way,
}

/// What becomes of a new connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connect {
    /// It reaches the server.
    #[default]
    Accept,
    /// It is refused.
    Refuse,
    /// It is taken, and never answered.
    Silent,
    /// It reaches a captive portal, which answers every request with 200 and a page of its own.
    Portal,
}

/// What holds one way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Way {
    /// Nothing gets through; it is held.
    pub silent: bool,
    /// At least so long.
    pub delay_ms: u64,
    /// And up to so much more.
    pub jitter_ms: u64,
    /// In units of 1,000 bits a second; 0 for no limit.
    pub kbit_per_s: u64,
    /// Share that is lost.
    pub lose: f64,
    /// Share that arrives twice.
    pub duplicate: f64,
    /// Share that is held up.
    pub reorder: f64,
    /// By up to so much.
    pub reorder_ms: u64,
    /// The connection that carries the byte after so many more breaks.
    pub cut_after: Option<u64>,
}

impl Conditions {
    /// What holds one way.
    #[must_use]
    pub const fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }

    pub(super) const fn way_mut(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// A fault happens. Returns what is to be done at once, if it is of those that happen once.
    pub fn apply(&mut self, fault: &Fault) -> Option<Incident> {
        match *fault {
            Fault::Clear => *self = Self::default(),
            Fault::Offline => {
                self.connect = Connect::Refuse;
                return Some(Incident::Cut);
            }
            Fault::Slow3g => *self = Self::cell(1_000, 400, 400),
            Fault::Fast3g => *self = Self::cell(281, 675, 1_440),
            Fault::Refuse => self.connect = Connect::Refuse,
            Fault::SilentHandshake => self.connect = Connect::Silent,
            Fault::Portal => self.connect = Connect::Portal,
            Fault::HalfOpen { direction } => self.each(direction, |way| way.silent = true),
            Fault::Delay { ms, jitter_ms, direction } => self.each(direction, |way| {
                way.delay_ms = ms;
                way.jitter_ms = jitter_ms;
            }),
            Fault::Bandwidth { kbit_per_s, direction } => self.each(direction, |way| way.kbit_per_s = kbit_per_s),
            Fault::Lose { share, direction } => self.each(direction, |way| way.lose = share),
            Fault::Duplicate { share, direction } => self.each(direction, |way| way.duplicate = share),
            Fault::Reorder { share, within_ms, direction } => self.each(direction, |way| {
                way.reorder = share;
                way.reorder_ms = within_ms;
            }),
            Fault::CutAfter { bytes, direction } => self.each(direction, |way| way.cut_after = Some(bytes)),
            Fault::Cut => return Some(Incident::Cut),
            Fault::Close { code } => return Some(Incident::Close(code)),
            Fault::RestartServer => return Some(Incident::RestartServer),
            Fault::RestoreServer => return Some(Incident::RestoreServer),
            Fault::JumpClock { ms } => return Some(Incident::JumpClock(ms)),
        }
        None
    }

    /// `one_way_ms` is half of what people know as a cell's latency, which is there and back.
    fn cell(one_way_ms: u64, up: u64, down: u64) -> Self {
        let way = |kbit_per_s| Way { delay_ms: one_way_ms, kbit_per_s, ..Way::default() };
        Self { connect: Connect::Accept, to_server: way(up), to_client: way(down) }
    }

    fn each(&mut self, directions: Directions, change: impl Fn(&mut Way)) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            if directions.include(direction) {
                change(self.way_mut(direction));
            }
        }
    }
}
