//! One thing that happens to a line.

use serde::{Deserialize, Serialize};

use super::{Direction, Level};

/// One thing that happens to a line. In JSON, `{"fault": "half_open", "direction": "to_client"}`.
///
/// Most hold until [`Fault::Clear`], one on top of the other; [`Fault::Cut`] and those below it happen once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Lifts all that holds.
    Clear,
    /// No network: what is open is cut, and new connections are refused.
    Offline,
    /// A cell at its edge, in place of what held: 400 kbit/s each way, 2,000 ms there and back (Chrome's Slow 3G).
    #[serde(rename = "slow_3g")]
    Slow3g,
    /// A middling cell, in place of what held: 1.44 Mbit/s down, 675 kbit/s up, 562 ms there and back (Chrome's Fast 3G).
    #[serde(rename = "fast_3g")]
    Fast3g,

    /// New connections are refused.
    Refuse,
    /// New connections are taken and never answered, not even when the fault is lifted.
    SilentHandshake,
    /// New connections reach a captive portal, which answers every request with a page of its own and status 200.
    Portal,
    /// Nothing gets through, and connections stay open. It is delivered afterwards to whoever has waited, as TCP does.
    HalfOpen {
        /// Which way; both, unless told.
        #[serde(default)]
        direction: Directions,
    },
    /// What is carried takes longer. Its order stays.
    Delay {
        /// At least so much longer, each way.
        ms: u64,
        /// And up to so much more, uniformly.
        #[serde(default)]
        jitter_ms: u64,
        /// Which way; both, unless told.
        #[serde(default)]
        direction: Directions,
    },
    /// So much a second and no more, shared by all connections of the line.
    Bandwidth {
        /// In units of 1,000 bits a second; 0 for no limit.
        kbit_per_s: u64,
        /// Which way; both, unless told.
        #[serde(default)]
        direction: Directions,
    },
    /// This share is lost: messages for good, packets of a stream until TCP sends them again.
    Lose {
        /// 0 to 1.
        share: f64,
        /// Which way; both, unless told.
        #[serde(default)]
        direction: Directions,
    },
    /// This share arrives twice. Messages only.
    Duplicate {
        /// 0 to 1.
        share: f64,
        /// Which way; both, unless told.
        #[serde(default)]
        direction: Directions,
    },
    /// This share is held up, so that later ones overtake it. Messages only.
    Reorder {
        /// 0 to 1.
        share: f64,
        /// Held up by up to so much.
        within_ms: u64,
        /// Which way; both, unless told.
        #[serde(default)]
        direction: Directions,
    },

    /// Every open connection breaks, with a reset.
    Cut,
    /// Every open connection breaks once so many more bytes have been carried: in the middle of a frame.
    CutAfter {
        /// So many more are let through.
        bytes: u64,
        /// Which way they are counted; both, each for itself, unless told.
        #[serde(default)]
        direction: Directions,
    },
    /// Every open connection is closed with this WebSocket close code. Messages only: a proxy does not know where frames end.
    Close {
        /// The close code.
        code: u16,
    },
    /// The server is killed and started again. For a harness that has one.
    RestartServer,
    /// The server is killed, an older copy of its data put back, and it is started again. For a harness that has one.
    RestoreServer,
    /// The client's clock jumps. For a harness that has one.
    JumpClock {
        /// By so much; may go back.
        ms: i64,
    },
}

impl Fault {
    /// Why a driver at `level` cannot make this happen; `None` if it can. A harness may make happen what only it can.
    #[must_use]
    pub const fn beyond(&self, level: Level) -> Option<&'static str> {
        match (self, level) {
            (Self::Duplicate { .. } | Self::Reorder { .. }, Level::Stream) => {
                Some("TCP keeps bytes in order and once: only a simulation of messages can double or reorder them")
            }
            (Self::Close { .. }, Level::Stream) => {
                Some("a proxy does not know where frames end: only a simulation of messages can close with a code")
            }
            (Self::RestartServer | Self::RestoreServer | Self::JumpClock { .. }, Level::Stream) => {
                Some("only a harness that holds the server and the clock can do that")
            }
            _ => None,
        }
    }
}

/// Which ways a fault applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directions {
    /// Both.
    #[default]
    Both,
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

impl Directions {
    /// Whether `direction` is one of them.
    #[must_use]
    pub const fn include(self, direction: Direction) -> bool {
        matches!(
            (self, direction),
            (Self::Both, _) | (Self::ToServer, Direction::ToServer) | (Self::ToClient, Direction::ToClient)
        )
    }
}

/// What a driver does at once, because a fault that happens once has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// Break every open connection, with a reset.
    Cut,
    /// Close every open connection with this code.
    Close(u16),
    /// Kill the server and start it again.
    RestartServer,
    /// Kill the server, put an older copy of its data back, and start it again.
    RestoreServer,
    /// The client's clock jumps by so many milliseconds.
    JumpClock(i64),
}
