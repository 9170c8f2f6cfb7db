//! Connections to a database that became read-only, as the old primary does in a failover: they answer, and take no change.
//!
//! New connections may lead to the new primary. So when a write finds its connection read-only, all connections that were there by
//! then are closed before they are used again.

use std::time::{Duration, Instant};

use deadpool_postgres::{Hook, HookError};
use tokio::sync::watch;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Shortest time between two rounds of closing: while the whole database is read-only, connections are not opened for nothing.
const PAUSE: Duration = Duration::from_secs(1);

/// When a connection was last found read-only. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct ReadOnly(watch::Sender<Option<Instant>>);

impl Default for ReadOnly {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl ReadOnly {
    /// Looks whether `error` says that the connection is read-only.
    pub(super) fn notice(&self, error: &Error) {
        if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) && self.found(Instant::now()) {
            tracing::warn!("the database is read-only; connecting anew, in case another one takes changes by now");
        }
    }

    /// A connection was found read-only. Returns whether that closes connections.
    fn found(&self, now: Instant) -> bool {
        self.0.send_if_modified(|last| {
            let due = last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE);
            if due {
                *last = Some(now);
            }
            due
        })
    }

    /// Whether a connection that was made at `created` is to be closed.
    fn closes(&self, created: Instant) -> bool {
        self.0.borrow().is_some_and(|found| created <= found)
    }

    /// Keeps the pool from handing out connections that are to be closed.
    pub(super) fn hook(&self) -> Hook {
        let this = self.clone();
        Hook::sync_fn(move |_, metrics| {
            if this.closes(metrics.created) { Err(HookError::message("the database was read-only")) } else { Ok(()) }
        })
    }

    /// Waits until connections are to be closed the next time.
    pub(super) async fn again(&self) {
        // This has a sender, so it does not end.
        let _ = self.0.subscribe().changed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_from_before_are_closed_and_later_ones_stay() {
        let (read_only, start) = (ReadOnly::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!read_only.closes(at(0)));
        assert!(read_only.found(at(1)));
        assert!(read_only.closes(at(0)) && read_only.closes(at(1)) && !read_only.closes(at(2)));
        assert!(!read_only.found(start + Duration::from_millis(1_900)), "not that often");
        assert!(read_only.found(at(2)) && read_only.closes(at(2)));
    }
}
