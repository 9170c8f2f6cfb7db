//! Runs [`crate::sync::client`] in a page: socket, storage, clock, and the browser's word on network and page.
//!
//! Thin drivers: what they decide, they decide by asking the engine.

pub mod boards;
pub mod channel;
pub mod clock;
pub mod database;
pub mod drafts;
pub mod keeper;
pub mod lifecycle;
pub mod lock;
mod polled;
pub mod probe;
mod request;
pub mod session;
pub mod simulator;
pub mod socket;
pub mod storage;
pub mod time_limit;
