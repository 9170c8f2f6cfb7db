//! The clipboard.

use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Copies a text. False where the browser gives no clipboard: outside secure contexts, or when the person said no.
pub async fn copy_text(text: &str) -> bool {
    let window = window();
    window.is_secure_context() && JsFuture::from(window.navigator().clipboard().write_text(text)).await.is_ok()
}
