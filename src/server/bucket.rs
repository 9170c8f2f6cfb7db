//! A token bucket: so much at once, and so much each second after that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What is left of an allowance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    burst: f64,
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    /// A full one. It holds `burst`, and `per_second` comes in each second.
    pub(super) const fn full(burst: f64, per_second: f64, now: Instant) -> Self {
        Self { burst, per_second, left: burst, at: now }
    }

    /// Takes `amount` if that is left; if not, says after what time it will be.
    pub(super) fn take(&mut self, amount: f64, now: Instant) -> Result<(), Duration> {
        self.fill(now);
        if self.left < amount {
            return Err(self.time_for(amount - self.left));
        }
        self.left -= amount;
        Ok(())
    }

    /// Takes `amount`, though it may not be left; returns after what time the debt is paid.
    pub(super) fn spend(&mut self, amount: f64, now: Instant) -> Duration {
        self.fill(now);
        self.left -= amount;
        self.time_for(-self.left)
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        let mut later = *self;
        later.fill(now);
        later.left >= self.burst
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = seconds.mul_add(self.per_second, self.left).min(self.burst);
        self.at = now;
    }

    fn time_for(&self, missing: f64) -> Duration {
        Duration::try_from_secs_f64(missing.max(0.0) / self.per_second).unwrap_or(Duration::MAX)
    }
}

/// What one connection may say: so many bytes a second, once it has said the eightfold. Clones are of the same connection.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Arc<Mutex<Bucket>>);

impl Allowance {
    const BURST_SECONDS: f64 = 8.0;

    /// What a message costs beside its length: an empty one is work too.
    const MESSAGE_COST: usize = 256;

    pub(super) fn new(bytes_per_second: u32) -> Self {
        let rate = f64::from(bytes_per_second);
        Self(Arc::new(Mutex::new(Bucket::full(rate * Self::BURST_SECONDS, rate, Instant::now()))))
    }

    /// A message of so many bytes came. Returns after what time the next is to be heard.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn spend(&self, bytes: usize) -> Duration {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.spend((bytes + Self::MESSAGE_COST) as f64, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_a_burst_and_then_a_rate() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut bucket = Bucket::full(10.0, 2.0, start);
        assert_eq!(bucket.spend(10.0, at(0)), Duration::ZERO);
        assert_eq!(bucket.spend(4.0, at(0)), Duration::from_secs(2), "in debt");
        assert_eq!(bucket.take(2.0, at(2)), Err(Duration::from_secs(1)));
        assert_eq!(bucket.take(2.0, at(3)), Ok(()));
        assert!(!bucket.is_full(at(7)) && bucket.is_full(at(8)));
    }
}
