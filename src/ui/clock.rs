//! The page's clocks. On the server there is none, and nothing asks.

use std::future::Future;

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

/// Runs `work` for at most `limit_ms`. `None` if it has not ended by then; it is dropped.
pub async fn within<T>(limit_ms: u32, work: impl Future<Output = T>) -> Option<T> {
    #[cfg(feature = "hydrate")]
    return crate::browser::time_limit::within(limit_ms, work).await;
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = limit_ms;
        Some(work.await)
    }
}

/// Minutes that the device's local time is ahead of UTC at an instant, in seconds since 1970. 0 on the server.
#[must_use]
pub fn zone(seconds: i64) -> i32 {
    #[cfg(feature = "hydrate")]
    return crate::browser::clock::zone(seconds);
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = seconds;
        0
    }
}
