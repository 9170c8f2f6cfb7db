//! A document that is easy to tell apart: words in the order they were said.

use serde::{Deserialize, Serialize};
use sheetbend::sync::document::{Document, Priority, Refusal};
use uuid::Uuid;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Words(pub(crate) Vec<String>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Change {
    /// Says a word that was not said before.
    Say { word: String },
}

impl Document for Words {
    type Change = Change;

    fn check(_: &Change) -> Result<(), Refusal> {
        Ok(())
    }

    fn apply(&mut self, change: &Change) -> Result<(), Refusal> {
        let Change::Say { word } = change;
        if self.0.contains(word) {
            return Err(Refusal::new("said_before", "Say something else."));
        }
        self.0.push(word.clone());
        Ok(())
    }

    fn touches(_: &Change) -> Vec<Uuid> {
        Vec::new()
    }

    fn merge(_: &Change, _: &Change) -> Option<Change> {
        None
    }

    fn inverse(&self, _: &Change) -> Option<Change> {
        None
    }

    fn priority(_: &Change) -> Priority {
        Priority::Normal
    }
}
