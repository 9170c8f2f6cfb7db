//! Icons: outlines of 16 by 16, drawn in the colour of the text.

use leptos::prelude::*;

/// An icon; decoration only, the text beside it or its button's label says what it means.
///
/// Renders the same on the server and in the browser.
#[component]
pub fn Icon(
    /// The outline, as SVG path data.
    path: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// A plus.
pub const PLUS: &str = "M8 3.5v9M3.5 8h9";
/// Three dots.
pub const DOTS: &str = "M3.5 8h.01M8 8h.01M12.5 8h.01";
/// A calendar.
pub const CALENDAR: &str = "M3 4.5h10v8.5H3zM3 7.5h10M5.5 3v2.5M10.5 3v2.5";
/// Lines of text.
pub const NOTES: &str = "M3 4.5h10M3 8h10M3 11.5h6";
/// An exclamation mark in a triangle.
pub const URGENT: &str = "M8 2.8 14 13H2zM8 6.5v3M8 11.3v.01";
/// A box with a lid.
pub const ARCHIVE: &str = "M2.5 3.5h11v3h-11zM3.5 6.5V13h9V6.5M6.5 9h3";
/// A cross.
pub const CLOSE: &str = "m4 4 8 8M12 4l-8 8";
/// A chain link.
pub const SHARE: &str =
    "M6.5 9.5 9.5 6.5M7 4.8l1.4-1.4a2.9 2.9 0 0 1 4.2 4.2L11.2 9M9 11.2l-1.4 1.4a2.9 2.9 0 0 1-4.2-4.2L4.8 7";
/// An arrow to the right.
pub const MOVE: &str = "M3 8h9.5M9 4.5 12.5 8 9 11.5";
/// A bend of two ropes: the mark of the house.
pub const KNOT: &str = "M2 5.5h6.2a2.5 2.5 0 0 1 0 5H6.5M14 10.5H7.8a2.5 2.5 0 0 1 0-5h1.7";
/// A sheet with an arrow out of it.
pub const EXPORT: &str = "M8 9.5v-7M5.3 5 8 2.3 10.7 5M3 9v4.2h10V9";
/// A sheet with an arrow into it.
pub const IMPORT: &str = "M8 2.3v7M5.3 6.8 8 9.5l2.7-2.7M3 9v4.2h10V9";
/// A tick.
pub const CHECK: &str = "m3.5 8.5 3 3 6-7";
/// A clock.
pub const CLOCK: &str = "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2 1.3";
/// A wave, as of a signal.
pub const SIGNAL: &str = "M2 8h2.5l2-4.5 3 9 2-4.5H14";
/// A keyboard.
pub const KEYBOARD: &str = "M2 4.5h12v7H2zM4.5 7h.01M7 7h.01M9.5 7h.01M11.8 7h.01M5.5 9.5h5";
