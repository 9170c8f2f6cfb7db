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

pub mod board;
pub mod sync;
