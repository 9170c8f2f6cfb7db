//! Loads the page again, or another in its place.

/// Loads the page again. What was not saved is kept on the device, and shown again.
pub fn reload() {
    // It fails only for a page that is being left.
    let _ = leptos::prelude::location().reload();
}

/// Loads the page at `path` in this one's place: going back does not come here again.
pub fn replace_with(path: &str) {
    let _ = leptos::prelude::location().replace(path);
}
