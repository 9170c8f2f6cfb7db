//! The clipboard.

use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::clock::within;

/// Time limit for the browser, which may ask the person and never hear, in milliseconds.
const LIMIT_MS: u32 = 5_000;

/// Copies a text. False where the browser gives no clipboard: outside secure contexts, when the person said no, or when it does not
/// answer.
pub async fn copy_text(text: &str) -> bool {
    let window = window();
    if !window.is_secure_context() {
        return false;
    }
    let written = JsFuture::from(window.navigator().clipboard().write_text(text));
    matches!(within(LIMIT_MS, written).await, Some(Ok(_)))
}
