//! Runs [`crate::sync::client`] outside a browser, on tokio and tokio-tungstenite: for bots, command lines and tests.
//!
//! The same engine as the page's, so it reconnects, resends and settles as the page does. What is pending survives the line and
//! the server; with a [`Disk`], this process too.
//!
//! ```no_run
//! use sheetbend::board::{Board, Change};
//! use sheetbend::native::{Fate, Opening, Session};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let opening = Opening::of_link("https://plan.example/b/AAAAAAAAAAAAAAAAAAAAAA", "Bot")?;
//! let session = Session::<Board>::open(opening);
//! let fate = session.edit(Change::RenameBoard { title: "Harbour fair".into() }).await?;
//! // It is kept, and shown; when the server has it on disk, it is saved.
//! assert_eq!(session.view().document.title, "Harbour fair");
//! match fate.await? {
//!     Fate::Saved => println!("Saved."),
//!     Fate::Refused(why) => println!("{}", why.message),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `examples/bot.rs` follows a board and answers what people write on it.
//!
//! [`chaos`] is the other end of a test: a proxy that is a bad network. [`load`] is many people at once.

pub mod boards;
pub mod chaos;
pub mod clock;
pub mod disk;
pub mod load;
pub mod session;
pub mod socket;

pub use chaos::Chaos;
pub use disk::Disk;
pub use session::{Fate, Opening, Session};
