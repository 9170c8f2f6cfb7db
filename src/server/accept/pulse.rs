//! Whether the other side of a connection is still there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

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

    /// Returns when there was no sign of life for the time of `silence`. Cancel-safe.
    pub(in crate::server) async fn stopped(&self, silence: Duration) {
        loop {
            let due = self.last() + silence;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn last(&self) -> Instant {
        self.0.start + Duration::from_millis(self.0.last.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn stops_so_long_after_the_last_beat() {
        let (start, pulse) = (Instant::now(), Pulse::new());
        let beats = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(30)).await;
                pulse.beat();
            }
        };
        tokio::join!(beats, pulse.stopped(Duration::from_secs(40)));
        assert_eq!(start.elapsed().as_secs(), 5 * 30 + 40);
    }
}
