//! The browser's clocks and its randomness.

use crate::sync::time::{Moment, UnixMillis};

/// `performance.now()`: monotonic, from the page's start.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn now() -> Moment {
    let ms = web_sys::window().and_then(|window| window.performance()).map_or_else(js_sys::Date::now, |p| p.now());
    Moment::from_millis(ms as u64)
}

/// `Date.now()`: the wall clock.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn unix_now() -> UnixMillis {
    js_sys::Date::now() as UnixMillis
}

/// Minutes that local time is ahead of UTC at an instant, in seconds since 1970. 0 for instants that no browser knows.
#[must_use]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
pub fn zone(seconds: i64) -> i32 {
    let date = js_sys::Date::new(&(seconds as f64 * 1000.0).into());
    // A cast makes 0 of NaN.
    -(date.get_timezone_offset() as i32)
}

/// Random bytes fit for keys.
///
/// # Panics
/// In a browser without `crypto.getRandomValues`: keys that can be guessed would be worse than no page.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    web_sys::window()
        .and_then(|window| window.crypto().ok())
        .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).ok())
        .expect("every browser that runs WebAssembly has crypto.getRandomValues");
    bytes
}
