//! The server's side of one document: gives each change its place in the log, once.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::digest::{Cursor, Digest};
use super::document::{Document, Refusal};
use super::id::ChangeId;
use super::message::{Body, Limits, Proposal, Record};
use super::time::UnixMillis;

/// A document at the end of its log, with the id of every entry.
#[derive(Clone, Debug)]
pub struct Sequencer<D> {
    document: D,
    cursor: Cursor,
    ids: HashMap<ChangeId, u64>,
    limits: Limits,
}

/// Entries about to be made durable. They exist for nobody until [`Sequencer::commit`].
#[derive(Clone, Debug)]
pub struct Staged<D> {
    after: u64,
    document: D,
    cursor: Cursor,
    records: Vec<Record>,
    ids: HashMap<ChangeId, u64>,
}

impl<D> Staged<D> {
    /// The version that these entries follow.
    #[must_use]
    pub const fn after(&self) -> u64 {
        self.after
    }

    /// The entries, contiguous.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It has a place among the staged entries, applied or refused.
    Staged,
    /// The log has it already, at this version.
    Known(u64),
}

/// How a replica's cursor compares with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is at a place in this log.
    Here,
    /// It is at a place of another history.
    Rewound,
}

/// An entry that a sequencer could not take over from a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It does not follow on the log's end.
    #[error("entry {found} came after version {at}")]
    Gap {
        /// The log's end.
        at: u64,
        /// The entry's version.
        found: u64,
    },
    /// Its digest is not that of the log with it: it was altered, or is of another history.
    #[error("entry {0} does not fit the digest chain")]
    Digest(u64),
    /// Its change has another place in the log already.
    #[error("entry {0} has the id of an earlier one")]
    Twice(u64),
    /// Its change does not read or apply as it did once: this program is older than the one that wrote it.
    #[error("entry {0} is from a newer version")]
    Newer(u64),
}

impl<D: Document> Sequencer<D> {
    /// A sequencer for `document`, which the log up to `cursor` has made; `ids` are all those in the log.
    #[must_use]
    pub fn new(document: D, cursor: Cursor, ids: HashMap<ChangeId, u64>, limits: Limits) -> Self {
        Self { document, cursor, ids, limits }
    }

    /// The document, as committed.
    #[must_use]
    pub const fn document(&self) -> &D {
        &self.document
    }

    /// The end of the log, as committed.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Begins a batch at the end of the log.
    #[must_use]
    pub fn stage(&self) -> Staged<D> {
        Staged {
            after: self.cursor.version,
            document: self.document.clone(),
            cursor: self.cursor,
            records: Vec::new(),
            ids: HashMap::new(),
        }
    }

    /// Gives a change, offered by the person who goes by `author`, its place in `staged`, unless the log or the batch has it.
    ///
    /// A change that cannot be applied gets a place too, with the reason: the fate of every change is found in the log.
    pub fn propose(
        &self,
        staged: &mut Staged<D>,
        author: &str,
        proposal: &Proposal<D::Change>,
        now: UnixMillis,
    ) -> Ruling {
        let Proposal { id, change } = proposal;
        if let Some(version) = self.ids.get(id).or_else(|| staged.ids.get(id)) {
            return Ruling::Known(*version);
        }
        let text = raw(change);
        let (text, verdict) = if text.get().len() > self.limits.change_bytes {
            // The text is not kept: a log must not be filled with what it refuses.
            let refusal = Refusal::too_large(text.get().len(), self.limits.change_bytes);
            (raw(&()), Err(refusal))
        } else {
            let verdict = match change {
                Body::Known(change) => D::check(change).and_then(|()| staged.document.apply(change)),
                Body::Unknown(_) => Err(Refusal::unknown_change()),
            };
            (text, verdict)
        };
        let mut record = Record {
            version: staged.cursor.version + 1,
            digest: Digest::GENESIS,
            id: *id,
            author: author.to_owned(),
            timestamp: now,
            change: text,
            refused: verdict.err(),
        };
        record.digest = staged.cursor.digest.then(&record);
        staged.cursor = record.cursor();
        staged.ids.insert(record.id, record.version);
        staged.records.push(record);
        Ruling::Staged
    }

    /// The batch is durable: it is now the log's end. Returns its entries.
    ///
    /// # Panics
    /// If the log went on since the batch was staged: its place is taken, so it must be staged again.
    pub fn commit(&mut self, staged: Staged<D>) -> Vec<Record> {
        assert_eq!(staged.after, self.cursor.version, "a batch is committed where it was staged");
        self.document = staged.document;
        self.cursor = staged.cursor;
        self.ids.extend(staged.ids);
        staged.records
    }

    /// Takes over an entry that is durable already: when the document is loaded, or checked.
    ///
    /// # Errors
    /// [`Misfit`]; the sequencer is then as it was.
    pub fn replay(&mut self, record: &Record) -> Result<(), Misfit> {
        let Self { document, cursor, ids, .. } = self;
        *cursor = follow(document, *cursor, ids.get(&record.id).copied(), record)?;
        ids.insert(record.id, record.version);
        Ok(())
    }

    /// Adds an entry that is durable already to a batch: another server has appended it.
    ///
    /// # Errors
    /// [`Misfit`]; the batch is then as it was.
    pub fn follow(&self, staged: &mut Staged<D>, record: Record) -> Result<(), Misfit> {
        let known = self.ids.get(&record.id).or_else(|| staged.ids.get(&record.id)).copied();
        staged.cursor = follow(&mut staged.document, staged.cursor, known, &record)?;
        staged.ids.insert(record.id, record.version);
        staged.records.push(record);
        Ok(())
    }

    /// Compares a replica's cursor with the log; `digest` is the log's at the cursor's version, if it goes that far.
    #[must_use]
    pub fn standing(cursor: Cursor, digest: Option<Digest>) -> Standing {
        if digest == Some(cursor.digest) { Standing::Here } else { Standing::Rewound }
    }
}

/// Applies a durable entry to the document at `cursor`, and returns its place. `known` is the place that its change has already.
fn follow<D: Document>(
    document: &mut D,
    cursor: Cursor,
    known: Option<u64>,
    record: &Record,
) -> Result<Cursor, Misfit> {
    let version = record.version;
    if version != cursor.version + 1 {
        return Err(Misfit::Gap { at: cursor.version, found: version });
    }
    if cursor.digest.then(record) != record.digest {
        return Err(Misfit::Digest(version));
    }
    if known.is_some_and(|known| known != version) {
        return Err(Misfit::Twice(version));
    }
    if record.refused.is_none() {
        let change = serde_json::from_str(record.change.get()).map_err(|_| Misfit::Newer(version))?;
        document.apply(&change).map_err(|_| Misfit::Newer(version))?;
    }
    Ok(record.cursor())
}

fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    // Changes are plain data with string keys: writing them cannot fail.
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::sync::document::Priority;
    use crate::sync::id::uuid_v7;

    /// Numbers in the order they came; each once.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Numbers(Vec<u8>);

    impl Document for Numbers {
        type Change = u8;

        fn check(change: &u8) -> Result<(), Refusal> {
            if *change == 0 { Err(Refusal::new("zero", "Not zero.")) } else { Ok(()) }
        }

        fn apply(&mut self, change: &u8) -> Result<(), Refusal> {
            if self.0.contains(change) {
                return Err(Refusal::new("twice", "Not twice."));
            }
            self.0.push(*change);
            Ok(())
        }

        fn touches(_: &u8) -> Vec<Uuid> {
            Vec::new()
        }

        fn merge(_: &u8, _: &u8) -> Option<u8> {
            None
        }

        fn inverse(&self, _: &u8) -> Option<u8> {
            None
        }

        fn priority(_: &u8) -> Priority {
            Priority::Normal
        }
    }

    fn empty() -> Sequencer<Numbers> {
        Sequencer::new(Numbers::default(), Cursor::default(), HashMap::new(), Limits::default())
    }

    fn id(n: u64) -> ChangeId {
        ChangeId(uuid_v7(n, [0; 10]))
    }

    /// A change that adds `n`, and has the id of that number.
    fn add(n: u8) -> Proposal<u8> {
        Proposal { id: id(n.into()), change: Body::Known(n) }
    }

    fn offer(sequencer: &mut Sequencer<Numbers>, changes: &[Proposal<u8>]) -> Vec<Ruling> {
        let mut staged = sequencer.stage();
        let rulings = changes.iter().map(|change| sequencer.propose(&mut staged, "Ada", change, 7)).collect();
        sequencer.commit(staged);
        rulings
    }

    fn log_of(sequencer: &mut Sequencer<Numbers>, changes: &[Proposal<u8>]) -> Vec<Record> {
        let mut staged = sequencer.stage();
        for change in changes {
            sequencer.propose(&mut staged, "Ada", change, 7);
        }
        sequencer.commit(staged)
    }

    fn codes(log: &[Record]) -> Vec<Option<&str>> {
        log.iter().map(|record| record.refused.as_ref().map(|refusal| &*refusal.code)).collect()
    }

    #[test]
    fn what_is_resent_keeps_its_place() {
        let mut sequencer = empty();
        assert_eq!(offer(&mut sequencer, &[add(1), add(2)]), [Ruling::Staged, Ruling::Staged]);
        let again = [add(2), add(1), add(3), add(3)];
        let rulings = [Ruling::Known(2), Ruling::Known(1), Ruling::Staged, Ruling::Known(3)];
        assert_eq!(offer(&mut sequencer, &again), rulings, "also within a batch, and in another order");
        assert_eq!((sequencer.document(), sequencer.cursor().version), (&Numbers(vec![1, 2, 3]), 3));
    }

    #[test]
    fn an_id_stands_for_what_came_first_under_it() {
        let mut sequencer = empty();
        let impostor = Proposal { id: id(1), change: Body::Known(9) };
        offer(&mut sequencer, &[add(1), impostor]);
        assert_eq!(sequencer.document(), &Numbers(vec![1]));
    }

    #[test]
    fn what_is_refused_has_a_place_too_and_changes_nothing() {
        let mut sequencer = Sequencer { limits: Limits { change_bytes: 20, ..Limits::default() }, ..empty() };
        let unknown = |n, change| Proposal { id: id(n), change: Body::Unknown(change) };
        let log = log_of(
            &mut sequencer,
            &[
                add(1),
                Proposal { id: id(2), change: Body::Known(1) },
                add(0),
                unknown(3, json!({ "kind": "new" })),
                unknown(4, json!("a long text, longer than it may be")),
            ],
        );
        assert_eq!(codes(&log), [None, Some("twice"), Some("zero"), Some("unknown_change"), Some("too_large")]);
        assert_eq!(sequencer.document(), &Numbers(vec![1]));
        assert_eq!((log[3].change.get(), log[4].change.get()), (r#"{"kind":"new"}"#, "null"), "too large is not kept");
        assert_eq!(offer(&mut sequencer, &[add(0)]), [Ruling::Known(3)], "a refusal is final");
    }

    #[test]
    fn what_was_not_committed_never_was() {
        let mut sequencer = empty();
        let mut staged = sequencer.stage();
        sequencer.propose(&mut staged, "Ada", &add(1), 7);
        assert_eq!((staged.after(), staged.records().len()), (0, 1));
        drop(staged);
        assert_eq!((sequencer.document(), sequencer.cursor()), (&Numbers::default(), Cursor::default()));
        assert_eq!(offer(&mut sequencer, &[add(1)]), [Ruling::Staged]);
    }

    #[test]
    #[should_panic(expected = "a batch is committed where it was staged")]
    fn a_batch_whose_place_was_taken_is_not_committed() {
        let mut sequencer = empty();
        let staged = sequencer.stage();
        offer(&mut sequencer, &[add(1)]);
        sequencer.commit(staged);
    }

    #[test]
    fn the_digest_tells_histories_apart() {
        let log = log_of(&mut empty(), &[add(1), add(2)]);
        let mut digest = Digest::GENESIS;
        for record in &log {
            digest = digest.then(record);
            assert_eq!(record.digest, digest);
        }
        let standing = |version, digest, here| Sequencer::<Numbers>::standing(Cursor { version, digest }, here);
        assert_eq!(standing(1, log[0].digest, Some(log[0].digest)), Standing::Here);
        assert_eq!(standing(1, log[1].digest, Some(log[0].digest)), Standing::Rewound);
        assert_eq!(standing(9, log[1].digest, None), Standing::Rewound, "ahead of the log");

        // Each field counts.
        let other = |alter: fn(&mut Record)| {
            let mut record = log[1].clone();
            alter(&mut record);
            log[0].digest.then(&record)
        };
        let altered: [fn(&mut Record); 6] = [
            |record| record.version += 1,
            |record| record.id = id(9),
            |record| record.author = "Bob".into(),
            |record| record.timestamp += 1,
            |record| record.change = raw(&9),
            |record| record.refused = Some(Refusal::view_only()),
        ];
        for alter in altered {
            assert_ne!(other(alter), log[1].digest);
        }
        assert_ne!(Digest::GENESIS.then(&log[1]), log[1].digest, "and so does what was before");
    }

    #[test]
    fn only_a_true_log_is_replayed() {
        let log = log_of(&mut empty(), &[add(1), add(2), add(0), add(3)]);
        let mut sequencer = empty();
        assert_eq!(sequencer.replay(&log[1]), Err(Misfit::Gap { at: 0, found: 2 }));
        let forged = Record { author: "Mallory".into(), ..log[0].clone() };
        assert_eq!(sequencer.replay(&forged), Err(Misfit::Digest(1)));
        for record in &log {
            assert_eq!(sequencer.replay(record), Ok(()));
        }
        assert_eq!(sequencer.replay(&log[3]), Err(Misfit::Gap { at: 4, found: 4 }), "not twice");
        let mut doubled = Record { version: 5, ..log[0].clone() };
        doubled.digest = sequencer.cursor().digest.then(&doubled);
        assert_eq!(sequencer.replay(&doubled), Err(Misfit::Twice(5)), "nor under another version");
        assert_eq!(sequencer.document(), &Numbers(vec![1, 2, 3]));
        assert_eq!(offer(&mut sequencer, &[add(2)]), [Ruling::Known(2)], "its ids are known");

        let change = raw(&json!({ "kind": "new" }));
        let mut newer = Record { version: 5, id: id(9), change, ..log[3].clone() };
        newer.digest = sequencer.cursor().digest.then(&newer);
        assert_eq!(sequencer.replay(&newer), Err(Misfit::Newer(5)));
        assert_eq!(sequencer.cursor().version, 4, "as it was");
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// A message comes, with changes that may have come before.
        Offer(Vec<u8>),
        /// The append fails, or another server is faster, and the batch is void.
        Lose(Vec<u8>),
        /// Another server appends.
        Elsewhere(Vec<u8>),
        /// The server starts again from its log.
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        let changes = || proptest::collection::vec(0..24_u8, 0..6);
        prop_oneof![
            4 => changes().prop_map(Step::Offer),
            1 => changes().prop_map(Step::Lose),
            1 => changes().prop_map(Step::Elsewhere),
            1 => Just(Step::Restart),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_resent_each_change_is_logged_once(steps in proptest::collection::vec(step(), 0..40)) {
            let mut sequencer = empty();
            let mut log: Vec<Record> = Vec::new();
            let mut offered = std::collections::BTreeSet::new();
            for step in steps {
                match step {
                    Step::Offer(numbers) => {
                        let changes: Vec<_> = numbers.iter().copied().map(add).collect();
                        offered.extend(numbers);
                        log.extend(log_of(&mut sequencer, &changes));
                    }
                    Step::Lose(numbers) => {
                        let mut staged = sequencer.stage();
                        for number in numbers {
                            sequencer.propose(&mut staged, "Ada", &add(number), 7);
                        }
                    }
                    Step::Elsewhere(numbers) => {
                        let changes: Vec<_> = numbers.iter().copied().map(add).collect();
                        offered.extend(numbers);
                        let theirs = log_of(&mut sequencer.clone(), &changes);
                        for record in &theirs {
                            prop_assert_eq!(sequencer.replay(record), Ok(()));
                        }
                        log.extend(theirs);
                    }
                    Step::Restart => {
                        sequencer = empty();
                        for record in &log {
                            prop_assert_eq!(sequencer.replay(record), Ok(()));
                        }
                    }
                }
            }

            let versions: Vec<_> = log.iter().map(|record| record.version).collect();
            prop_assert_eq!(versions, (1..=log.len() as u64).collect::<Vec<_>>(), "without gaps");
            let ids: std::collections::BTreeSet<_> = log.iter().map(|record| record.id).collect();
            prop_assert_eq!(ids.len(), log.len(), "none twice");
            prop_assert_eq!(ids, offered.into_iter().map(|n| id(n.into())).collect(), "none lost");

            let mut replayed = empty();
            for record in &log {
                prop_assert_eq!(replayed.replay(record), Ok(()));
            }
            prop_assert_eq!(replayed.document(), sequencer.document());
            prop_assert_eq!(replayed.cursor(), sequencer.cursor());
        }
    }
}
