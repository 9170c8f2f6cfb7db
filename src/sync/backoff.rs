//! How long to wait before trying again.

use std::time::Duration;

use fastrand::Rng;

/// Exponential backoff with full jitter: uniform in `0 … min(cap, base · 2ⁿ)`, the cap inside the random range.
///
/// Full jitter spreads many clients best: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Range of the first delay.
    pub base: Duration,
    /// No range is longer.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The delay before attempt `attempt`, counted from 0.
    pub fn delay(&self, attempt: u32, rng: &mut Rng) -> Duration {
        uniform(self.base.saturating_mul(2_u32.saturating_pow(attempt)).min(self.cap), rng)
    }
}

/// A duration uniform in `0 …= most`, in whole milliseconds.
pub fn uniform(most: Duration, rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.u64(..=u64::try_from(most.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use proptest::prelude::*;

    use super::Backoff;

    proptest! {
        #[test]
        fn never_over_the_range_of_its_attempt(attempt in 0_u32..80, seed: u64) {
            let backoff = Backoff::default();
            let delay = backoff.delay(attempt, &mut Rng::with_seed(seed));
            prop_assert!(delay <= backoff.cap);
            prop_assert!(attempt > 4 || delay <= backoff.base * 2_u32.pow(attempt));
        }
    }

    #[test]
    fn delays_fill_their_range() {
        let mut rng = Rng::with_seed(7);
        let delays: Vec<_> = (0..1_000).map(|_| Backoff::default().delay(9, &mut rng).as_millis()).collect();
        let below = |ms| delays.iter().filter(|&&d| d < ms).count();
        assert!((200..300).contains(&below(7_500)), "a quarter is in the first quarter: {}", below(7_500));
        assert!((450..550).contains(&below(15_000)), "half is in the first half: {}", below(15_000));
    }
}
