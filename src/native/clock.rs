//! This machine's clocks and its randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use uuid::Uuid;

use crate::sync::id::uuid_v7;
use crate::sync::time::{Moment, UnixMillis};

/// A monotonic clock that starts at zero. On tokio's time, so that a paused runtime pauses it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Its reading.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::default() + self.origin.elapsed()
    }

    /// When it will read `moment`.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.origin + moment.since(Moment::default())
    }
}

/// The wall clock.
#[must_use]
pub fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An id that nothing else has.
///
/// # Panics
/// As [`random`] does.
#[must_use]
pub fn uuid() -> Uuid {
    uuid_v7(unix_now(), random())
}

/// Random bytes fit for keys.
///
/// # Panics
/// On a system without a source of randomness: keys that can be guessed would be worse than no program.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("every system that tokio runs on has a source of randomness");
    bytes
}
