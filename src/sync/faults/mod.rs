//! What a bad network can do, as seeded policy: no sockets, no clock.
//!
//! Drivers make the faults: a simulator that carries messages in memory, and the chaos proxy that carries bytes over TCP
//! ([`crate::sync`] knows neither). Both ask a [`Line`] what becomes of each attempt to connect and of each piece they carry,
//! and are told the [`Incident`]s that happen by themselves.
//!
//! | module | what it is |
//! |---|---|
//! | [`fault`] | one thing that happens to a line, and who can make it happen |
//! | [`conditions`] | what holds on a line until something else happens to it |
//! | [`script`] | faults on a timeline, as JSON, with a seed |
//! | [`preset`] | scripts with the numbers people know |
//! | [`line`] | a line under a script: decides, one piece at a time |

pub mod conditions;
pub mod fault;
pub mod line;
pub mod preset;
pub mod script;

pub use conditions::{Conditions, Connect, Way};
pub use fault::{Directions, Fault, Incident};
pub use line::{Line, Verdict};
pub use preset::Preset;
pub use script::{Script, Step};

use serde::{Deserialize, Serialize};

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// What is carried, and so what can become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Whole messages. They can be lost, doubled and overtaken one by one.
    Messages,
    /// The bytes of a TCP stream. TCP sends again what is lost, so a loss is a delay here ([`line::RETRANSMIT_MS`]); bytes
    /// are neither doubled nor overtaken.
    Stream,
}
