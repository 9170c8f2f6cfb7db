//! What an app implements to be synchronised.

use std::borrow::Cow;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A document: state that changes are applied to, in the one order that the server gives.
///
/// `Default` is the document before its first change. `clone` is called for every foreign entry, so it should be cheap:
/// persistent maps (`imbl`) are.
pub trait Document: Clone + Default + PartialEq + Debug + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// One thing a person did. Its JSON goes over the wire and into the log, so it may only grow.
    type Change: Clone + PartialEq + Debug + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Refuses a change that no state of the document could accept (a text over its limit), before it is queued.
    ///
    /// # Errors
    /// The reason, for the person who made the change.
    fn check(change: &Self::Change) -> Result<(), Refusal>;

    /// Applies a change. Deterministic: the same changes in the same order give the same document everywhere.
    ///
    /// # Errors
    /// The reason why the change cannot apply here; the document is then as it was.
    fn apply(&mut self, change: &Self::Change) -> Result<(), Refusal>;

    /// The entities that a change touches; empty for the document itself. A change never overtakes an earlier one that
    /// touches one of the same. By default all touch the document itself, and none overtakes another.
    fn touches(_change: &Self::Change) -> Vec<Uuid> {
        Vec::new()
    }

    /// One change that does what `earlier` and `later`, both still queued, do after each other; `None`, as by default, if there
    /// is none.
    fn merge(_earlier: &Self::Change, _later: &Self::Change) -> Option<Self::Change> {
        None
    }

    /// The change that undoes `change`, to be asked of the state before it; `None`, as by default, if there is none.
    fn inverse(&self, _change: &Self::Change) -> Option<Self::Change> {
        None
    }

    /// Whether applying a change may take longer than some microseconds; false by default. A server then does it apart from what
    /// serves everybody. It must be bounded all the same.
    fn is_costly(_change: &Self::Change) -> bool {
        false
    }

    /// How urgent a change is on a slow line; normal by default.
    fn priority(_change: &Self::Change) -> Priority {
        Priority::Normal
    }
}

/// How urgent a change is on a slow line. Ordered: `Low < Normal < High`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Bulk work: imports.
    Low,
    /// What people do by hand.
    #[default]
    Normal,
    /// What others wait for.
    High,
}

/// Why a change was not applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs: a word in snake_case.
    pub code: Cow<'static, str>,
    /// For people: a sentence, with what to do about it.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with a fixed code.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into() }
    }

    /// The server cannot read the change: its kind is newer than the server, or a field is missing or wrong.
    #[must_use]
    pub fn unknown_change() -> Self {
        Self::new(
            "unknown_change",
            "The server cannot read this change: it is of a kind or shape it does not know. Reload the page and \
             make it again.",
        )
    }

    /// The author holds a view key.
    #[must_use]
    pub fn view_only() -> Self {
        Self::new("view_only", "This link can only view. Ask for the edit link to make changes.")
    }

    /// The change is over [`super::message::Limits::change_bytes`].
    #[must_use]
    pub fn too_large(bytes: usize, limit: usize) -> Self {
        Self::new(
            "too_large",
            format!("This change is too large ({bytes} bytes; at most {limit}). Make it in smaller parts."),
        )
    }
}

/// Bytes of a change's JSON text.
pub fn size_of<C: Serialize>(change: &C) -> usize {
    // Changes are plain data with string keys: writing them cannot fail.
    serde_json::to_vec(change).map_or(usize::MAX, |text| text.len())
}
