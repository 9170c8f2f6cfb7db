//! The document: how often each name was counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sheetbend::sync::document::{Document, Refusal};

/// How often each name was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub counts: BTreeMap<String, i64>,
}

/// What people do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Count {
    Add { name: String, by: i64 },
}

impl Document for Tally {
    type Change = Count;

    fn check(Count::Add { name, .. }: &Count) -> Result<(), Refusal> {
        if (1..=40).contains(&name.trim().len()) {
            Ok(())
        } else {
            Err(Refusal::new("name", "A name has 1 to 40 characters."))
        }
    }

    fn apply(&mut self, change: &Count) -> Result<(), Refusal> {
        let Count::Add { name, by } = change;
        *self.counts.entry(name.clone()).or_default() += by;
        Ok(())
    }

    // What waits for one name becomes one change.
    fn merge(earlier: &Count, later: &Count) -> Option<Count> {
        let (Count::Add { name, by }, Count::Add { name: other, by: more }) = (earlier, later);
        (name == other).then(|| Count::Add { name: name.clone(), by: by + more })
    }
}
