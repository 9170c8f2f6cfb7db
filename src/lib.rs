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

/// The page has arrived: brings it to life.
#[cfg(all(feature = "hydrate", feature = "app"))]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    ui::app::start();
}
