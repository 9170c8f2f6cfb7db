//! What everything in one server shares: its settings, who is there, and whether it is coming to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::addresses::{Addresses, Counting};
use super::cpu::Cpu;
use super::metrics::{Metrics, Share};
use super::settings::Settings;
use super::socket::Refused;
use crate::sync::time::UnixMillis;

/// Names a connection to this server, in its logs and rooms. Never used again while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ConnectionId(pub(super) u64);

/// Shared by all tasks of a server.
#[derive(Debug)]
pub(super) struct Runtime {
    pub(super) settings: Settings,
    /// Cancelled when the server is to end: no new work is taken, what was taken is done.
    pub(super) draining: CancellationToken,
    /// Every task that must have ended before the server has.
    pub(super) tasks: TaskTracker,
    pub(super) metrics: Metrics,
    pub(super) addresses: Addresses,
    /// Where work is done that takes long: the tasks of the runtime only wait for it.
    pub(super) cpu: Cpu,
    /// Turns at being brought up to date: when all come back at once, the machine serves them one after the other.
    pub(super) joins: Semaphore,
    /// Other servers write to the same store.
    pub(super) shared: bool,
    /// Pages of these origins were refused, and the log says so.
    pub(super) refused_origins: Refused,
    /// Appends that the store does not take at the moment.
    pub(super) unsaved: AtomicUsize,
    sockets: AtomicUsize,
    numbered: AtomicU64,
}

impl Runtime {
    pub(super) fn new(settings: Settings, shared: bool) -> Self {
        Self {
            draining: CancellationToken::new(),
            tasks: TaskTracker::new(),
            metrics: Metrics::new(),
            addresses: Addresses::default(),
            cpu: Cpu::new(),
            joins: Semaphore::new(settings.joins),
            shared,
            refused_origins: Refused::default(),
            unsaved: AtomicUsize::new(0),
            settings,
            sockets: AtomicUsize::new(0),
            numbered: AtomicU64::new(0),
        }
    }

    /// Counts a socket in, until what is returned is dropped; its client has no more than it may, or is not counted.
    pub(super) fn connect(self: &Arc<Self>, counting: Option<Counting>) -> Connection {
        self.sockets.fetch_add(1, Ordering::Relaxed);
        let id = ConnectionId(self.numbered.fetch_add(1, Ordering::Relaxed) + 1);
        let share = Share::of(&self.metrics.sockets, 1);
        Connection { id, runtime: Arc::clone(self), _share: share, _counting: counting }
    }

    /// Within which time clients should come back, should they all be dropped now: a millisecond for each, so that about a
    /// thousand come a second.
    pub(super) fn reconnect_spread(&self) -> Duration {
        spread(self.sockets.load(Ordering::Relaxed))
    }
}

/// A connection that counts.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    runtime: Arc<Runtime>,
    _share: Share,
    _counting: Option<Counting>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.runtime.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

fn spread(connections: usize) -> Duration {
    Duration::from_millis(u64::try_from(connections).unwrap_or(u64::MAX).max(200))
}

/// The wall clock. It orders nothing.
pub(super) fn now() -> UnixMillis {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_clients_the_wider_they_spread() {
        for (clients, ms) in [(0, 200), (5, 200), (1_000, 1_000), (10_000, 10_000)] {
            assert_eq!(spread(clients), Duration::from_millis(ms));
        }
    }
}
