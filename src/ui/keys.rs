//! Keys as people mean them.

use leptos::ev::KeyboardEvent;
use wasm_bindgen::JsCast;

/// Whether there was a key at all. Chromium sends a `keydown` without one when it fills in a field.
#[must_use]
pub fn is_key(event: &KeyboardEvent) -> bool {
    event.is_instance_of::<KeyboardEvent>()
}

/// Whether an input method has the key: Enter then confirms a word, and Escape gives it up; neither is meant for the page.
///
/// Safari ends the composition before it sends the Enter that confirmed it. `isComposing` is false then; `keyCode` is 229.
#[must_use]
pub fn is_composing(event: &KeyboardEvent) -> bool {
    is_key(event) && (event.is_composing() || event.key_code() == 229)
}

/// Whether Enter was pressed, and meant for the page.
#[must_use]
pub fn is_enter(event: &KeyboardEvent) -> bool {
    is_key(event) && event.key() == "Enter" && !is_composing(event)
}

/// Whether Escape was pressed, and meant for the page.
#[must_use]
pub fn is_escape(event: &KeyboardEvent) -> bool {
    is_key(event) && event.key() == "Escape" && !is_composing(event)
}
