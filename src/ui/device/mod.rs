//! What only a browser has. On the server there is no device: nothing is remembered and nothing is made.

use serde::{Deserialize, Serialize};

use crate::sync::id::{DocumentId, Key};
use crate::sync::message::Access;

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod present;
#[cfg(feature = "hydrate")]
mod recent;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use present::*;

/// A board that this person has opened on this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentBoard {
    /// Its id.
    pub id: DocumentId,
    /// The key it was opened with.
    pub key: Key,
    /// What the key allows.
    pub access: Access,
    /// Its title when it was last open.
    pub title: String,
    /// When it was last opened, in milliseconds since the Unix epoch.
    pub opened_at: u64,
    /// The server knows it; one that was made here without a network it does not know yet.
    #[serde(default = "known")]
    pub registered: bool,
    /// The key that may have taken the place of `key`: the server was asked to replace it, and has not answered yet.
    #[serde(default)]
    pub replacing: Option<Key>,
}

/// Boards remembered before there was the field were registered when they were made.
const fn known() -> bool {
    true
}
