//! Runs [`crate::sync::client`] outside a browser, on tokio and tokio-tungstenite: for bots, command lines and tests.
//!
//! The same engine as the page's, so it reconnects, resends and settles as the page does. What is pending is in memory: it
//! survives the line and the server, not this process.
//!
//! [`chaos`] is the other end of a test: a proxy that is a bad network.

pub mod chaos;
pub mod clock;
pub mod session;
pub mod socket;

pub use chaos::Chaos;
pub use session::{Fate, Opening, Session};
