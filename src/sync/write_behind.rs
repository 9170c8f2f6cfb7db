//! What a device keeps of one document, in two stages.
//!
//! The first stage is written at once and survives the program's end in the same moment, but is small and may reach the disk
//! late: localStorage. The second takes a while, and is then durable: IndexedDB. A record goes into the first before anything
//! else happens, then into the second; when it is durable there, it leaves the first. At the start the union of both is read.
//!
//! This is the policy; a driver does the writing. It tells of each first write whether that worked, asks for the
//! [next batch](WriteBehind::next_batch) for the second stage, writes it in one transaction, and says how that
//! [ended](WriteBehind::written).

use std::collections::{BTreeMap, BTreeSet};

use super::id::ChangeId;

/// What a record of the second stage is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// All own changes that were confirmed lately, by whichever client of this device: without a text they go back to the
    /// outbox. It comes before all others of its batch.
    EverySaved,
    /// An own change that is not saved.
    Outbox(ChangeId),
    /// An own change that was confirmed lately.
    Saved(ChangeId),
    /// The document, as confirmed.
    Document,
}

/// A record that is to say this; or, without a text, that is to go.
pub type Write = (Record, Option<String>);

/// How the second stage is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    /// It works, as far as is known.
    Works,
    /// The last batch was not written; it is tried again.
    Fails,
    /// There is none.
    Missing,
}

/// The records that are on their way to the second stage.
#[derive(Clone, Debug)]
pub struct WriteBehind {
    second: Second,
    /// The latest of each record that is not in a batch yet.
    waiting: BTreeMap<Record, Option<String>>,
    /// The batch that is being written.
    under_way: Option<BTreeMap<Record, Option<String>>>,
    /// Those of the outbox that neither stage has.
    in_memory: BTreeSet<ChangeId>,
}

impl Default for WriteBehind {
    fn default() -> Self {
        Self { second: Second::Works, waiting: BTreeMap::new(), under_way: None, in_memory: BTreeSet::new() }
    }
}

impl WriteBehind {
    /// A change is kept: the first stage has it, if `first`.
    pub fn keep(&mut self, id: ChangeId, text: String, first: bool) {
        if first {
            self.in_memory.remove(&id);
        } else {
            self.in_memory.insert(id);
        }
        if !first || self.second != Second::Missing {
            self.waiting.insert(Record::Outbox(id), Some(text));
        }
    }

    /// A change was confirmed: it moves from the outbox to the saved. Returns whether it is to leave the first stage now; if
    /// not, it does when that is written.
    pub fn save(&mut self, id: ChangeId, text: String) -> bool {
        self.in_memory.remove(&id);
        self.put_or_drop(Record::Outbox(id), None);
        self.put_or_drop(Record::Saved(id), Some(text));
        // While the second stage only fails, it may still have what this change replaces. The first then keeps this one, or the
        // older would be sent after it.
        self.second == Second::Missing
    }

    /// A change is to go from both stages, of the first at once.
    pub fn forget(&mut self, id: ChangeId) {
        self.in_memory.remove(&id);
        self.put_or_drop(Record::Outbox(id), None);
        self.put_or_drop(Record::Saved(id), None);
    }

    /// The server is not the one that confirmed what was confirmed: all of that is to be offered again. What other clients of
    /// this device had confirmed is in the outbox when the next batch is written, and is to be read from there then.
    pub fn offer_again(&mut self) {
        self.put_or_drop(Record::EverySaved, None);
    }

    /// Whether the batch that is being written puts every saved change back.
    #[must_use]
    pub fn is_offering_again(&self) -> bool {
        self.under_way.as_ref().is_some_and(|batch| batch.contains_key(&Record::EverySaved))
    }

    /// The document is another.
    pub fn set_document(&mut self, text: String) {
        self.put_or_drop(Record::Document, Some(text));
    }

    fn put_or_drop(&mut self, record: Record, text: Option<String>) {
        if self.second == Second::Missing && record != Record::EverySaved {
            self.waiting.remove(&record);
        } else {
            self.waiting.insert(record, text);
        }
    }

    /// The next batch for the second stage, to be written in one transaction. `None` if nothing waits, or one is under way.
    pub fn next_batch(&mut self) -> Option<Vec<Write>> {
        if self.second == Second::Missing || self.under_way.is_some() || self.waiting.is_empty() {
            return None;
        }
        let mut batch = std::mem::take(&mut self.waiting);
        if self.second == Second::Fails
            && batch.len() > 1
            && let Some(document) = batch.remove(&Record::Document)
        {
            // A document that there is no room for must not keep the changes out.
            self.waiting.insert(Record::Document, document);
        }
        let writes: Vec<_> = batch.iter().map(|(record, text)| (*record, text.clone())).collect();
        self.under_way = Some(batch);
        Some(writes)
    }

    /// The batch was written and is durable, or was not. Returns the changes that are to leave the first stage.
    pub fn written(&mut self, durable: bool) -> Vec<ChangeId> {
        let batch = self.under_way.take().unwrap_or_default();
        if !durable {
            self.second = Second::Fails;
            for (record, text) in batch {
                self.waiting.entry(record).or_insert(text);
            }
            return Vec::new();
        }
        self.second = Second::Works;
        let done = |record: &Record| match record {
            // What has changed since is not there yet.
            Record::Outbox(id) if !self.waiting.contains_key(record) => Some(*id),
            Record::EverySaved | Record::Outbox(_) | Record::Saved(_) | Record::Document => None,
        };
        let done: Vec<_> = batch.keys().filter_map(done).collect();
        for id in &done {
            self.in_memory.remove(id);
        }
        done
    }

    /// There is no second stage. What the first has stays there until it is confirmed.
    pub fn second_is_missing(&mut self) {
        self.second = Second::Missing;
        let batch = self.under_way.take().unwrap_or_default();
        for (record, text) in batch {
            self.waiting.entry(record).or_insert(text);
        }
        let in_memory = &self.in_memory;
        self.waiting.retain(|record, _| match record {
            Record::Outbox(id) => in_memory.contains(id),
            // Should it be there after all, what it has is to be offered.
            Record::EverySaved => true,
            Record::Saved(_) | Record::Document => false,
        });
    }

    /// There is a second stage after all.
    pub fn second_is_there(&mut self) {
        if self.second == Second::Missing {
            self.second = Second::Works;
        }
    }

    /// The last batch was not written.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.second == Second::Fails
    }

    /// Whether anything is to be tried again after a while.
    #[must_use]
    pub fn retries(&self) -> bool {
        self.second == Second::Fails || !self.in_memory.is_empty()
    }

    /// How many changes neither stage has.
    #[must_use]
    pub fn in_memory(&self) -> usize {
        self.in_memory.len()
    }

    /// Those changes, to be tried with the first stage again; then [`WriteBehind::keep`] says how it went.
    #[must_use]
    pub fn unkept(&self) -> Vec<(ChangeId, String)> {
        let text = |id: &ChangeId| {
            let record = Record::Outbox(*id);
            let text = self.waiting.get(&record).or_else(|| self.under_way.as_ref()?.get(&record))?;
            text.clone().map(|text| (*id, text))
        };
        self.in_memory.iter().filter_map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::id::uuid_v7;

    fn id(n: u64) -> ChangeId {
        ChangeId(uuid_v7(n, [0; 10]))
    }

    fn put(n: u64, text: &str) -> Write {
        (Record::Outbox(id(n)), Some(text.to_owned()))
    }

    #[test]
    fn a_record_leaves_the_first_stage_when_the_second_has_it() {
        let mut stages = WriteBehind::default();
        stages.keep(id(1), "A".to_owned(), true);
        assert_eq!(stages.next_batch(), Some(vec![put(1, "A")]));
        stages.keep(id(2), "B".to_owned(), true);
        assert_eq!(stages.next_batch(), None, "one at a time");
        assert_eq!(stages.written(true), [id(1)]);
        assert_eq!(stages.next_batch(), Some(vec![put(2, "B")]));
        assert_eq!(stages.written(true), [id(2)]);
        assert_eq!(stages.next_batch(), None);
    }

    #[test]
    fn what_has_changed_meanwhile_stays_in_the_first() {
        let mut stages = WriteBehind::default();
        stages.keep(id(1), "A".to_owned(), true);
        stages.next_batch();
        stages.keep(id(1), "A, refused".to_owned(), true);
        assert_eq!(stages.written(true), []);
        assert_eq!(stages.next_batch(), Some(vec![put(1, "A, refused")]));
        assert_eq!(stages.written(true), [id(1)]);
    }

    #[test]
    fn a_saved_change_moves_in_one_batch() {
        let mut stages = WriteBehind::default();
        stages.keep(id(1), "A".to_owned(), true);
        assert!(!stages.save(id(1), "A at 3".to_owned()), "the first keeps it until that is written");
        let moved = vec![(Record::Outbox(id(1)), None), (Record::Saved(id(1)), Some("A at 3".to_owned()))];
        assert_eq!(stages.next_batch(), Some(moved));
        assert_eq!(stages.written(true), [id(1)]);
        stages.forget(id(1));
        assert_eq!(stages.next_batch(), Some(vec![(Record::Outbox(id(1)), None), (Record::Saved(id(1)), None)]));
    }

    #[test]
    fn a_batch_that_was_not_written_is_tried_again_under_what_came_since() {
        let mut stages = WriteBehind::default();
        stages.keep(id(1), "A".to_owned(), true);
        stages.keep(id(2), "B".to_owned(), true);
        stages.next_batch();
        stages.keep(id(2), "B again".to_owned(), true);
        assert_eq!(stages.written(false), [], "they stay where they are");
        assert!(stages.is_failing() && stages.retries());
        assert!(!stages.save(id(1), "A at 3".to_owned()), "the first keeps it: the second may have what it replaces");
        let writes = stages.next_batch().expect("again");
        assert_eq!(writes[0].0, Record::Outbox(id(1)));
        assert_eq!(writes[1], put(2, "B again"));
        assert_eq!(stages.written(true), [id(1), id(2)]);
        assert!(!stages.is_failing() && !stages.retries());
    }

    #[test]
    fn a_document_that_there_is_no_room_for_does_not_keep_the_changes_out() {
        let mut stages = WriteBehind::default();
        stages.set_document("{}".to_owned());
        stages.keep(id(1), "A".to_owned(), true);
        assert_eq!(stages.next_batch().map(|batch| batch.len()), Some(2));
        stages.written(false);
        assert_eq!(stages.next_batch(), Some(vec![put(1, "A")]));
        assert_eq!(stages.written(true), [id(1)]);
        assert_eq!(stages.next_batch(), Some(vec![(Record::Document, Some("{}".to_owned()))]));
    }

    #[test]
    fn what_the_first_does_not_take_is_in_memory_until_the_second_has_it() {
        let mut stages = WriteBehind::default();
        stages.keep(id(1), "A".to_owned(), false);
        assert_eq!((stages.in_memory(), stages.unkept()), (1, vec![(id(1), "A".to_owned())]));
        stages.next_batch();
        assert_eq!(stages.unkept(), [(id(1), "A".to_owned())], "also while it is being written");
        stages.written(true);
        assert_eq!((stages.in_memory(), stages.retries()), (0, false));

        stages.keep(id(2), "B".to_owned(), false);
        stages.keep(id(2), "B".to_owned(), true);
        assert_eq!(stages.in_memory(), 0, "or the first has room again");
        stages.keep(id(3), "C".to_owned(), false);
        stages.save(id(3), "C at 4".to_owned());
        assert_eq!(stages.in_memory(), 0, "or the server has it");
        stages.keep(id(4), "D".to_owned(), false);
        stages.forget(id(4));
        assert_eq!(stages.in_memory(), 0, "or its author lets it go");
    }

    #[test]
    fn what_is_offered_again_comes_first_and_what_was_confirmed_since_after_it() {
        let mut stages = WriteBehind::default();
        stages.keep(id(1), "A".to_owned(), true);
        stages.offer_again();
        stages.save(id(1), "A at 3".to_owned());
        assert!(!stages.is_offering_again());
        let writes = stages.next_batch().expect("something waits");
        assert_eq!(writes[0], (Record::EverySaved, None));
        assert_eq!(writes[1..], [(Record::Outbox(id(1)), None), (Record::Saved(id(1)), Some("A at 3".to_owned()))]);
        assert!(stages.is_offering_again());
        stages.written(true);
        assert!(!stages.is_offering_again());
    }

    #[test]
    fn without_a_second_stage_the_first_is_all_there_is() {
        let mut stages = WriteBehind::default();
        stages.keep(id(1), "A".to_owned(), true);
        stages.keep(id(2), "B".to_owned(), false);
        stages.next_batch();
        stages.second_is_missing();
        stages.set_document("{}".to_owned());
        assert_eq!(stages.next_batch(), None);
        assert_eq!(stages.unkept(), [(id(2), "B".to_owned())]);
        assert!(stages.save(id(1), "A at 3".to_owned()), "it leaves the first at once");
        stages.keep(id(3), "C".to_owned(), true);
        assert_eq!((stages.in_memory(), stages.retries()), (1, true));
        stages.second_is_there();
        assert_eq!(stages.next_batch(), Some(vec![put(2, "B")]), "unless it comes back");
        assert_eq!(stages.written(true), [id(2)]);
        assert!(!stages.save(id(3), "C at 4".to_owned()));
    }
}
