//! Bugs that tests plant, to see that the simulation finds them. Without the feature `planted`, which only tests turn on, there
//! are none.

/// A bug. Each is one that someone has shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// A change that was sent is taken for saved.
    SentIsSaved,
    /// A `sync_response` clears what is pending.
    SyncClearsPending,
    /// With more than a few queued, the oldest goes.
    OldestDropped,
    /// What was sent three times without an answer goes.
    TriesCounted,
    /// The server gives a change that it knows a second place.
    NoDedupe,
    /// The server compares versions, and no digests.
    DigestNotCompared,
    /// After a rewound server, what was confirmed is not offered again.
    NoReoffer,
    /// A page does not say how far its device has been.
    NoWitness,
    /// New changes are sent before those that are sent again.
    ResendOvertaken,
    /// A change is sent, and then kept.
    SentBeforeKept,
    /// Who has not the voice sends all the same.
    TwoSpeakers,
    /// A change merges into one that was sent, under its id.
    MergedIntoSent,
    /// A server that starts from a snapshot knows only the ids after it.
    SnapshotForgetsIds,
    /// What an old socket says counts.
    LateEventsCount,
    /// The server tells of entries before they are durable.
    SavedBeforeDurable,
    /// A refused change is taken out and not shown.
    RefusedDropped,
    /// What was confirmed later than the document that the device kept is not shown until the server says it.
    RecallForgetsLater,
    /// A message that was lost on a live line is not missed.
    LossUnnoticed,
    /// A record leaves the first stage when its batch is begun, and not when it is durable.
    FirstStageClearedEarly,
    /// A tab that waits for another to speak waits for ever.
    SpeakerTrusted,
    /// What a merged change replaces stays on the device.
    ReplacedStays,
    /// A device that has not answered is taken for one that keeps nothing.
    LateIsEmpty,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::SentIsSaved,
        Self::SyncClearsPending,
        Self::OldestDropped,
        Self::TriesCounted,
        Self::NoDedupe,
        Self::DigestNotCompared,
        Self::NoReoffer,
        Self::NoWitness,
        Self::ResendOvertaken,
        Self::SentBeforeKept,
        Self::TwoSpeakers,
        Self::MergedIntoSent,
        Self::SnapshotForgetsIds,
        Self::LateEventsCount,
        Self::SavedBeforeDurable,
        Self::RefusedDropped,
        Self::RecallForgetsLater,
        Self::LossUnnoticed,
        Self::FirstStageClearedEarly,
        Self::SpeakerTrusted,
        Self::ReplacedStays,
        Self::LateIsEmpty,
    ];
}

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in what this thread does from here on, or takes it out.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether this bug is planted here.
#[cfg(feature = "planted")]
#[must_use]
pub fn planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Whether this bug is planted here: never.
#[cfg(not(feature = "planted"))]
#[must_use]
#[inline]
pub const fn planted(_bug: Bug) -> bool {
    false
}
