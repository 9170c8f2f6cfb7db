//! Whether the other side of a connection is still there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// When a connection last showed a sign of life: bytes came in, or a socket that was full took some more. A long message on
/// a slow line is one, from its first byte on, though its frame is not complete for minutes.
///
/// Clones are of the same connection.
#[derive(Clone, Debug)]
pub(in crate::server) struct Pulse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// Milliseconds after `start`.
    last: AtomicU64,
}

impl Pulse {
    /// Alive now.
    pub(in crate::server) fn new() -> Self {
        Self(Arc::new(Inner { start: Instant::now(), last: AtomicU64::new(0) }))
    }

    /// A sign of life.
    pub(in crate::server) fn beat(&self) {
        let since = u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last.store(since, Ordering::Relaxed);
    }

    /// When the last one was.
    pub(in crate::server) fn last(&self) -> Instant {
        self.0.start + Duration::from_millis(self.0.last.load(Ordering::Relaxed))
    }
}
