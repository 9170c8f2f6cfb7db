//! Puts a server under load and says how it fares: what `sheetbend load` and the comparison with peers are made of.
//!
//! The load is open: changes are sent when they are due, however the server fares, and a change's time runs from when it was due
//! (no coordinated omission). A generator that cannot keep up shows in its own processor time.
//!
//! People speak a [`Dialect`], [`Sheetbend`] with the [`Words`] of a document or a peer's, on plain sockets: they do what a page does on the line, and read no more
//! of what comes than is measured.

mod catch_up;
mod chaos;
mod crowd;
mod dialect;
mod durable;
mod figures;
mod idle;
mod sheetbend;
mod storm;
mod target;
mod traffic;

use super::boards::NotMade;

pub use self::catch_up::CatchUp;
pub use self::chaos::{Chaos, Cuts};
pub use self::crowd::Lost;
pub use self::dialect::{Dialect, Lasting, SentAway, Speaker};
pub use self::durable::Durable;
pub use self::figures::{Latency, Meter, Spent};
pub use self::idle::Idle;
pub use self::sheetbend::{Sheetbend, Words};
pub use self::storm::Storm;
pub use self::target::Target;
pub use self::traffic::{FanOut, Most, Traffic};

/// Why there are no figures. Each is a sentence for the person who asked for them.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server makes no board.
    #[error("cannot make a board: {0}.")]
    Board(#[from] NotMade),
    /// Someone who was to be there is not.
    #[error("{0}.")]
    Lost(#[from] Lost),
    /// A bug.
    #[error("a part of the load failed: {0}.")]
    Task(#[from] tokio::task::JoinError),
    /// There is no rate that is low enough.
    #[error("the server does not keep up with a change a second: something else holds it up.")]
    TooSlow,
    /// People did not come back.
    #[error("{away} of {people} people are not back after {seconds} s.")]
    Away {
        /// How many are missing.
        away: usize,
        /// How many there were.
        people: usize,
        /// How long they had.
        seconds: u64,
    },
}
