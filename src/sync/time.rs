//! Readings of clocks. The engine is told the time; it never looks.

use std::ops::Add;
use std::time::Duration;

/// A reading of a monotonic clock in milliseconds, from an origin of the driver's choosing (`performance.now()` in a page).
///
/// `std::time::Instant` will not do: it panics on `wasm32-unknown-unknown` and cannot be made up by a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The moment `ms` milliseconds after the clock's origin.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the clock's origin.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, rest: Duration) -> Self {
        let ms = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ms))
    }
}

/// A wall-clock time in milliseconds since the Unix epoch. For people to read and for making ids; it orders nothing.
pub type UnixMillis = u64;
