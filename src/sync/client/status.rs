//! Where a person stands.

use super::{Client, Reading};
use crate::sync::document::Document;
use crate::sync::link::{Closed, Loss, State};
use crate::sync::message::{Access, Bye};
use crate::sync::network::Network;
use crate::sync::planted::{Bug, planted};
use crate::sync::time::{Moment, UnixMillis};
use crate::sync::transport::Transport;

/// Where a person stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The connection.
    pub connection: Connection,
    /// What carries it.
    pub transport: Transport,
    /// Where the device stands.
    pub network: Network,
    /// Own changes that the server has not confirmed.
    pub pending: usize,
    /// Those of them that are on their way.
    pub in_flight: usize,
    /// Own changes that were decided on since none was pending.
    pub settled: usize,
    /// Own changes that the server refused.
    pub attention: usize,
    /// The server's clock when this replica was last brought up to date; 0 for never.
    pub last_sync: UnixMillis,
    /// The device has not said yet what it keeps: there may be more own changes than those.
    pub reading: bool,
    /// What the key allows.
    pub access: Access,
    /// The version of the confirmed document.
    pub version: u64,
    /// What the server calls its build; empty before it was reached.
    pub server_build: String,
    /// Whether the server's disk takes changes, as far as it has said.
    pub server_saves: bool,
}

/// The connection, as people care about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Connecting or handshaking, for the first time or again.
    Connecting {
        /// Attempts that failed since the line was last stable.
        attempt: u32,
    },
    /// In sync with the server.
    Live,
    /// Between attempts.
    Waiting {
        /// When the next one starts.
        until: Moment,
        /// Attempts that failed since the line was last stable.
        attempt: u32,
        /// What ended the last one.
        why: Loss,
    },
    /// Held back, since the device is offline, or nobody looks and there is nothing to send.
    Suspended {
        /// What ended the last connection.
        why: Loss,
    },
    /// As many attempts failed as may.
    GaveUp {
        /// How many that were.
        attempts: u32,
    },
    /// Not started, or ended on purpose.
    Off,
    /// The server said that trying again cannot help.
    Refused(Bye),
    /// The server is newer than this client.
    Outdated,
}

/// How far this replica and the server agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronized {
    /// What is here may be old: the line is not live.
    Behind {
        /// Own changes that wait.
        pending: usize,
    },
    /// The line is live, and own changes are on their way, or the device has not said yet whether it keeps any.
    Syncing {
        /// Those that were decided on since none was pending.
        settled: usize,
        /// Those that were not.
        pending: usize,
    },
    /// All that is here is there, and the other way round.
    InSync,
}

impl Status {
    /// Where a person stands before anything was done about it.
    #[must_use]
    pub const fn initial(access: Access, version: u64) -> Self {
        Self {
            connection: Connection::Off,
            transport: Transport::WebSocket,
            network: Network::Unknown,
            pending: 0,
            in_flight: 0,
            settled: 0,
            attention: 0,
            last_sync: 0,
            reading: false,
            access,
            version,
            server_build: String::new(),
            server_saves: true,
        }
    }

    /// How far this replica and the server agree.
    #[must_use]
    pub fn synchronized(&self) -> Synchronized {
        let Self { pending, settled, reading, .. } = *self;
        match self.connection {
            Connection::Live if pending == 0 && !reading => Synchronized::InSync,
            Connection::Live => Synchronized::Syncing { settled, pending },
            _ => Synchronized::Behind { pending },
        }
    }
}

impl<D: Document> Client<D> {
    /// Where the person stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let connection = match self.link.state() {
            State::Idle | State::Closed(Closed::Intended) => Connection::Off,
            State::Connecting { .. } | State::Handshaking { .. } => {
                Connection::Connecting { attempt: self.link.attempt() }
            }
            State::Live { .. } => Connection::Live,
            State::Waiting { until, attempt, why } => {
                Connection::Waiting { until: *until, attempt: *attempt, why: why.clone() }
            }
            State::Suspended { why, .. } => Connection::Suspended { why: why.clone() },
            State::GaveUp { attempts, .. } => Connection::GaveUp { attempts: *attempts },
            State::Closed(Closed::Refused(bye)) => Connection::Refused(bye.clone()),
            State::Closed(Closed::Outdated) => Connection::Outdated,
        };
        Status {
            connection,
            transport: self.transport.present(),
            network: self.judge.network(),
            pending: self.outbox.len(),
            in_flight: self.outbox.in_flight(),
            settled: self.settled,
            attention: self.outbox.refused(),
            last_sync: self.last_sync,
            reading: self.reading == Reading::UnderWay && !planted(Bug::LateIsEmpty),
            access: self.access,
            version: self.replica.cursor().version,
            server_build: self.server_build.clone(),
            server_saves: self.server_saves,
        }
    }
}
