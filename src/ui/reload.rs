//! Loads the page again.

/// Loads the page again. What was not saved is kept on the device, and shown again.
pub fn reload() {
    // It fails only for a page that is being left.
    let _ = leptos::prelude::location().reload();
}
