//! What a browser keeps of a board, the lock that its tabs share, and how it fails.

use std::collections::{BTreeMap, VecDeque};

use sheetbend::board::{Board, Change};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::faults::Line;
use sheetbend::sync::id::ChangeId;
use sheetbend::sync::message::Access;
use sheetbend::sync::outbox::Kept;
use sheetbend::sync::retained::Confirmed;
use sheetbend::sync::write_behind::{Record, Write};

use crate::tab::TabId;

/// How the second stage is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Works,
    /// It can be read, and not written.
    Fails,
    /// It does not open.
    Missing,
}

/// A browser.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) line: Line,
    /// The first stage: written at once.
    pub(crate) first: BTreeMap<ChangeId, String>,
    /// The first stage takes nothing more.
    pub(crate) first_full: bool,
    /// The second stage.
    pub(crate) second: BTreeMap<Record, String>,
    pub(crate) database: Database,
    /// Its storage has failed at some time: what was in memory only may be gone.
    pub(crate) has_failed: bool,
    /// Records are gone from it: it was wiped, lost power, had no database, or no room in its first stage.
    pub(crate) has_lost: bool,
    /// The server knows the document, as far as this device knows.
    pub(crate) registered: bool,
    pub(crate) access: Access,
    /// Its network refuses WebSockets, and nothing else.
    pub(crate) blocked: bool,
    /// Its clock is off by so much.
    pub(crate) clock: i64,
    /// Its line loses, doubles or reorders messages, as none over TCP does: the order of changes is not kept by it.
    pub(crate) disorderly: bool,
    /// `None` where there are no locks, as on plain http.
    pub(crate) lock: Option<Lock>,
}

/// A lock that one tab holds at a time.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    pub(crate) holder: Option<TabId>,
    waiting: VecDeque<TabId>,
}

impl Lock {
    /// Asks for it. Returns who is granted it now.
    pub(crate) fn request(&mut self, tab: TabId) -> Option<TabId> {
        self.waiting.push_back(tab);
        self.grant()
    }

    /// Takes it from whoever has it. Returns that one.
    pub(crate) fn steal(&mut self, tab: TabId) -> Option<TabId> {
        self.waiting.retain(|other| *other != tab);
        self.holder.replace(tab).filter(|robbed| *robbed != tab)
    }

    /// Gives it up, or stops waiting. Returns who is granted it now.
    pub(crate) fn release(&mut self, tab: TabId) -> Option<TabId> {
        self.waiting.retain(|other| *other != tab);
        if self.holder == Some(tab) {
            self.holder = None;
        }
        self.grant()
    }

    fn grant(&mut self) -> Option<TabId> {
        if self.holder.is_some() {
            return None;
        }
        self.holder = self.waiting.pop_front();
        self.holder
    }
}

impl Device {
    pub(crate) fn new(seed: u64, access: Access, registered: bool, locks: bool) -> Self {
        Self {
            line: crate::wire::line(seed),
            first: BTreeMap::new(),
            first_full: false,
            second: BTreeMap::new(),
            database: Database::Works,
            has_failed: false,
            has_lost: false,
            registered,
            access,
            blocked: seed.is_multiple_of(4),
            clock: 0,
            disorderly: false,
            lock: locks.then(Lock::default),
        }
    }

    /// The same profile, copied to another machine.
    pub(crate) fn cloned(&self, seed: u64) -> Self {
        Self {
            line: crate::wire::line(seed),
            first: self.first.clone(),
            second: self.second.clone(),
            lock: self.lock.is_some().then(Lock::default),
            ..*self
        }
    }

    /// Writes a batch, or not. A batch is one transaction.
    pub(crate) fn write(&mut self, writes: &[Write]) -> bool {
        if self.database != Database::Works {
            return false;
        }
        for (record, text) in writes {
            if *record == Record::EverySaved {
                for confirmed in self.saved() {
                    let id = confirmed.kept.id;
                    self.second.remove(&Record::Saved(id));
                    self.second.insert(Record::Outbox(id), serde_json::to_string(&confirmed.kept).expect("JSON"));
                }
                continue;
            }
            match text {
                Some(text) => self.second.insert(*record, text.clone()),
                None => self.second.remove(record),
            };
        }
        true
    }

    /// What the first stage has of the outbox.
    pub(crate) fn early(&self) -> Vec<Kept<Change>> {
        self.first.values().map(|text| read(text)).collect()
    }

    /// What the second stage has of the outbox.
    pub(crate) fn kept(&self) -> Vec<Kept<Change>> {
        let mine = self.second.iter().filter(|(record, _)| matches!(record, Record::Outbox(_)));
        mine.map(|(_, text)| read(text)).collect()
    }

    pub(crate) fn saved(&self) -> Vec<Confirmed<Change>> {
        let mine = self.second.iter().filter(|(record, _)| matches!(record, Record::Saved(_)));
        mine.map(|(_, text)| read(text)).collect()
    }

    pub(crate) fn document(&self) -> Option<(Board, Cursor)> {
        self.second.get(&Record::Document).map(|text| read(text))
    }

    /// Whether a change is on it, as pending or as lately confirmed.
    pub(crate) fn holds(&self, id: ChangeId) -> bool {
        self.first.contains_key(&id)
            || self.second.contains_key(&Record::Outbox(id))
            || self.second.contains_key(&Record::Saved(id))
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("a record reads as it was written")
}
