//! What must hold whatever fails, and the books that it is checked against.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sheetbend::board::{Board, Change};
use sheetbend::sync::digest::Digest;
use sheetbend::sync::document::Document;
use sheetbend::sync::id::ChangeId;
use sheetbend::sync::message::Record;
use uuid::Uuid;

use crate::tally::Tally;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Promise {
    /// What is kept is in the log, on a device, or in a page that is open.
    Kept,
    /// A change is kept on the device before it is sent.
    KeptFirst,
    /// "Saved" is said of what is in the durable log.
    SavedMeansSaved,
    /// No change is in the log twice.
    Once,
    /// What a server sends is durable.
    DurableFirst,
    /// On one thing, a page's changes are logged in the order they were made.
    InOrder,
    /// A page that is loaded shows what its device knows to be confirmed, though the document that it has is older.
    Remembered,
    /// A change that another replaced does not come after it, and so take back what is newer.
    NothingTakenBack,
    /// The confirmed document is what the log makes, at every place.
    SameEverywhere,
    /// The view is the confirmed document with the pending changes on top.
    ViewIsBoth,
    /// A refused change waits for its author.
    RefusedIsShown,
    /// Who has not the voice does not send.
    OneVoice,
    /// What an old socket says changes nothing.
    OldSocketsAreDeaf,
    /// A client has at most one socket.
    OneSocket,
    /// Something always comes next.
    NeverStuck,
    /// The status says what is so.
    Truth,
    /// When nothing fails any more, all is saved, soon.
    ComesBack,
    /// What a restored server has lost comes back from those who made it.
    Heals,
}

impl Promise {
    pub(crate) const ALL: [Self; 18] = [
        Self::Kept,
        Self::KeptFirst,
        Self::SavedMeansSaved,
        Self::Once,
        Self::DurableFirst,
        Self::InOrder,
        Self::Remembered,
        Self::NothingTakenBack,
        Self::SameEverywhere,
        Self::ViewIsBoth,
        Self::RefusedIsShown,
        Self::OneVoice,
        Self::OldSocketsAreDeaf,
        Self::OneSocket,
        Self::NeverStuck,
        Self::Truth,
        Self::ComesBack,
        Self::Heals,
    ];
}

/// Fails, naming the promise, unless it holds.
#[track_caller]
pub(crate) fn hold(tally: &mut Tally, promise: Promise, holds: bool, what: impl FnOnce() -> String) {
    tally.looked(promise);
    assert!(holds, "{promise:?} is broken: {}", what());
}

/// A change that was kept.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) device: usize,
    /// As it was kept last.
    pub(crate) change: Change,
    /// Which page made it; pages are numbered through.
    pub(crate) page: u64,
    pub(crate) entities: Vec<Uuid>,
    /// The change that does what it was to do.
    pub(crate) replaced_by: Option<ChangeId>,
    /// Its author let it go.
    pub(crate) dismissed: bool,
    /// Why it may be gone: a fault that no program can make up for.
    pub(crate) excused: Option<&'static str>,
}

/// The books of a run.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) made: BTreeMap<ChangeId, Made>,
    /// Every change that was ever durable, in whatever history.
    pub(crate) durable: BTreeSet<ChangeId>,
    /// Those of them that a restored server had lost, and which are on a device.
    pub(crate) to_heal: BTreeSet<ChangeId>,
    /// The document at every place of every history.
    pub(crate) documents: HashMap<Digest, Board>,
    /// The server was restored from an older copy.
    pub(crate) restored: bool,
    /// A profile was copied: what merges in one is sent by the other.
    pub(crate) cloned: bool,
}

impl Ledger {
    /// An entry is durable.
    pub(crate) fn durable(&mut self, before: Digest, record: &Record) {
        self.durable.insert(record.id);
        let mut document = self.documents.get(&before).cloned().unwrap_or_default();
        if record.refused.is_none() {
            let change = serde_json::from_str(record.change.get()).expect("what was applied can be read");
            document.apply(&change).expect("what was applied applies");
        }
        self.documents.insert(record.digest, document);
    }

    /// The change that carries what `id` was to do.
    pub(crate) fn carrier(&self, mut id: ChangeId) -> ChangeId {
        while let Some(next) = self.made.get(&id).and_then(|made| made.replaced_by) {
            id = next;
        }
        id
    }

    /// Changes of `device` that are not in `log` may be gone from here on.
    pub(crate) fn excuse(&mut self, why: &'static str, lost: impl Fn(ChangeId, &Made) -> bool) {
        for (id, made) in &mut self.made {
            if made.excused.is_none() && lost(*id, made) {
                made.excused = Some(why);
            }
        }
    }
}
