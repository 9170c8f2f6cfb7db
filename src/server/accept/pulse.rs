//! Whether the other side of a connection is still there.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

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

    /// Waits for a silence of so long.
    pub(in crate::server) fn silence(&self, most: Duration) -> Silence {
        Silence { pulse: self.clone(), most, timer: Box::pin(sleep(most)) }
    }

    fn last(&self) -> Instant {
        self.0.start + Duration::from_millis(self.0.last.load(Ordering::Relaxed))
    }
}

/// A connection's silence. One timer serves for as long as the connection lasts: signs of life do not touch it.
#[derive(Debug)]
pub(in crate::server) struct Silence {
    pulse: Pulse,
    most: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Silence {
    /// Returns when there was no sign of life for so long. Cancel-safe.
    pub(in crate::server) async fn too_long(&mut self) {
        loop {
            let due = self.pulse.last() + self.most;
            if due <= Instant::now() {
                return;
            }
            if self.timer.is_elapsed() {
                self.timer.as_mut().reset(due);
            }
            self.timer.as_mut().await;
        }
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
        let mut silence = pulse.silence(Duration::from_secs(40));
        tokio::join!(beats, silence.too_long());
        assert_eq!(start.elapsed().as_secs(), 5 * 30 + 40);
    }
}
