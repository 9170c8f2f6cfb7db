//! The page's clocks. On the server there is none, and nothing asks.

use crate::sync::time::{Moment, UnixMillis};

/// Monotonic, from the page's start.
#[must_use]
pub fn now() -> Moment {
    #[cfg(feature = "hydrate")]
    return crate::browser::clock::now();
    #[cfg(not(feature = "hydrate"))]
    Moment::default()
}

/// The wall clock.
#[must_use]
pub fn unix_now() -> UnixMillis {
    #[cfg(feature = "hydrate")]
    return crate::browser::clock::unix_now();
    #[cfg(not(feature = "hydrate"))]
    0
}
