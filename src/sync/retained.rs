//! Own changes that were confirmed lately. A server that was restored from an older backup has lost them; they are offered to
//! it again.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::Cursor;
use super::id::ChangeId;
use super::outbox::Kept;
use super::time::UnixMillis;

/// At least this many are retained.
const COUNT: usize = 1_000;
/// So are those that were made within this time.
const AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// An own change that the server has confirmed, as the device keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmed<C> {
    /// The change.
    pub kept: Kept<C>,
    /// Its place in the log.
    pub at: Cursor,
}

/// Own changes that were confirmed lately, in the order of their confirmation.
#[derive(Clone, Debug)]
pub struct Retained<C> {
    changes: VecDeque<Confirmed<C>>,
}

impl<C> Default for Retained<C> {
    fn default() -> Self {
        Self { changes: VecDeque::new() }
    }
}

impl<C> Retained<C> {
    /// Takes in those that a device kept, in any order. Those that are here already stay as they are.
    pub fn recall(&mut self, changes: impl IntoIterator<Item = Confirmed<C>>) {
        let known: HashSet<_> = self.changes.iter().map(|confirmed| confirmed.kept.id).collect();
        self.changes.extend(changes.into_iter().filter(|confirmed| !known.contains(&confirmed.kept.id)));
        self.changes.make_contiguous().sort_by_key(|confirmed| (confirmed.at.version, confirmed.kept.id));
    }

    /// Retains one more. Returns the ids of those that need not be retained any longer: over the count, and too old.
    pub fn push(&mut self, confirmed: Confirmed<C>, now: UnixMillis) -> Vec<ChangeId> {
        self.changes.push_back(confirmed);
        let since = now.saturating_sub(u64::try_from(AGE.as_millis()).unwrap_or(u64::MAX));
        let mut over = Vec::new();
        while self.changes.len() > COUNT {
            let Some(oldest) = self.changes.pop_front_if(|oldest| oldest.kept.made_at < since) else { break };
            over.push(oldest.kept.id);
        }
        over
    }

    /// Takes all of them out, in the order of their confirmation.
    pub fn take(&mut self) -> Vec<Kept<C>> {
        self.changes.drain(..).map(|confirmed| confirmed.kept).collect()
    }

    /// All of them, in the order of their confirmation.
    pub fn iter(&self) -> impl Iterator<Item = &Confirmed<C>> {
        self.changes.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::id::uuid_v7;

    fn kept(made_at: u64) -> Confirmed<u8> {
        let kept = Kept::new(ChangeId(uuid_v7(made_at, [0; 10])), 0, made_at);
        Confirmed { kept, at: Cursor::default() }
    }

    #[test]
    fn a_thousand_are_retained_and_young_ones_beyond_that() {
        let week = u64::try_from(AGE.as_millis()).expect("fits");
        let mut retained = Retained::default();
        for n in 0..1_000 {
            assert_eq!(retained.push(kept(n), 10 * week), [], "old, and among the last thousand");
        }
        assert_eq!(retained.push(kept(9 * week + 1), 10 * week), [kept(0).kept.id]);
        for n in 0..2_000 {
            retained.push(kept(9 * week + 2 + n), 10 * week);
        }
        assert_eq!(retained.len(), 2_001, "the young ones");
    }
}
