//! Sheetbend: a shared board that keeps working when the network does not, and the connection-resilience engine under it.
//!
//! Arrows point down only:
//!
//! ```text
//!  main.rs  (server program)                 lib.rs (wasm entry)
//!     │           ui/  Leptos components: connection/ (for any app) and board/ (this app)
//!     ▼            │
//!  server/   native/   board/   browser/     thin drivers, and this app's document
//!     └────────┴─────┬───┴─────────┘
//!                  sync/                      the engine: pure
//! ```

// A page's type nests as deep as its elements do; the compiler stops at 128 unless told.
#![recursion_limit = "256"]

pub mod board;
pub mod sync;

#[cfg(feature = "hydrate")]
pub mod browser;
#[cfg(feature = "ssr")]
pub mod native;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ui")]
pub mod ui;

/// Hydrates the page. `failed` is called when the program panics.
#[cfg(all(feature = "hydrate", feature = "app"))]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate(failed: js_sys::Function) {
    report_panics(failed);
    ui::app::hydrate();
}

/// Renders the app into an empty page. `failed` is called when the program panics.
#[cfg(all(feature = "hydrate", feature = "app"))]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn mount(failed: js_sys::Function) {
    report_panics(failed);
    ui::app::mount();
}

/// Tells the script that started the program of a panic: what comes after one is not to be relied on, this program's own page included.
#[cfg(all(feature = "hydrate", feature = "app"))]
fn report_panics(failed: js_sys::Function) {
    let failed = send_wrapper::SendWrapper::new(failed);
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        // The script does not throw; there is nothing left to do if it did.
        let _ = failed.call0(&wasm_bindgen::JsValue::UNDEFINED);
    }));
}
