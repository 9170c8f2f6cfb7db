//! Bringing a client up to date, in as few bytes as will do.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;

use super::Join;
use super::snapshot::bytes;
use super::task::{Done, Member, Room};
use crate::server::entries::Entries;
use crate::server::frame;
use crate::server::metrics::Metrics;
use crate::server::outbound::Outbound;
use crate::server::runtime::now;
use crate::server::store::{Store, StoreError};
use crate::sync::digest::{Cursor, Digest};
use crate::sync::document::Document;
use crate::sync::id::DocumentId;
use crate::sync::message::{Bye, ByeCode, Record, Resume, SyncResponse};
use crate::sync::sequencer::{Sequencer, Standing};

/// A tail up to this many bytes is sent without asking how large a snapshot would be.
const SMALL: usize = 4 * 1024;

/// A tail of this many bytes is worth reading from the store, however small the snapshot is.
const WORTH_READING: usize = 64 * 1024;

/// What the store says of the digest at a version.
#[derive(Clone, Copy, Debug)]
enum Stored {
    /// It was not asked.
    NotAsked,
    /// It has this one, or does not go that far.
    Says(Option<Digest>),
}

/// What the store has about a client's place in the log.
#[derive(Debug)]
pub(super) struct Found {
    digest: Option<Digest>,
    /// The log's digest at the version of the client's witness.
    witness: Option<Digest>,
    /// The entries after it, up to version `up_to`; or fewer, if they are too many.
    tail: Vec<Record>,
    up_to: u64,
}

/// What brings a client up to date.
enum Answer {
    Tail(Vec<Record>),
    Snapshot { rewound: bool },
}

/// What an answer has to wait for.
enum Lacks {
    /// Only the store can tell.
    Store,
    /// A snapshot is needed, or its length.
    Snapshot,
}

impl<D: Document, S: Store> Room<D, S> {
    /// Answers a client and lets it in. One that has been further than this server knows the log to go waits until it has caught up.
    pub(super) fn admit(&mut self, join: Join) {
        if self.runtime.shared && self.is_ahead(&join) {
            self.ahead.push(join);
        } else {
            self.bring_up_to_date(join, None);
        }
    }

    fn is_ahead(&self, join: &Join) -> bool {
        let end = self.sequencer.cursor().version;
        join.cursor.version > end || join.witness.is_some_and(|witness| witness.version > end)
    }

    /// Answers a client, as far as this server knows the log; asks the store first if need be.
    pub(super) fn bring_up_to_date(&mut self, join: Join, found: Option<Found>) {
        if join.admitted.is_closed() {
            return;
        }
        self.replace_keys(join.keys_version);
        if join.keys_version < self.keys_version {
            join.outbound.close(Bye::link_replaced());
            let _ = join.admitted.send(());
            return;
        }
        let answer = match self.answer(&join, found) {
            Ok(answer) => answer,
            Err(Lacks::Store) => return self.look_up(join),
            Err(Lacks::Snapshot) => {
                self.waiting.push(join);
                return self.encode_snapshot();
            }
        };
        let sent = match (join.resume, answer) {
            (None, answer) => send_all(&join.outbound, self.response(&join, answer)),
            (Some(resume), Answer::Tail(tail)) => {
                self.says_what_it_saves(&join.outbound, resume) && send_all(&join.outbound, committed(&tail))
            }
            (Some(_), Answer::Snapshot { .. }) => {
                join.outbound.close(missed_too_much());
                false
            }
        };
        if sent {
            let member = Member { outbound: join.outbound, keys_version: join.keys_version };
            self.members.insert(join.connection, member);
        }
        let _ = join.admitted.send(());
    }

    /// What a client needs.
    fn answer(&self, join: &Join, found: Option<Found>) -> Result<Answer, Lacks> {
        let stored = |digest: fn(&Found) -> Option<Digest>| {
            found.as_ref().map_or(Stored::NotAsked, |found| Stored::Says(digest(found)))
        };
        let mut standing = self.standing(join.cursor, stored(|found| found.digest)).ok_or(Lacks::Store)?;
        if let (Standing::Here, Some(witness)) = (standing, join.witness) {
            standing = self.standing(witness, stored(|found| found.witness)).ok_or(Lacks::Store)?;
        }
        if standing == Standing::Rewound {
            return self.snapshot(join, true);
        }
        let tail = match (self.recent.since(join.cursor.version), found) {
            (Some(tail), _) => tail.cloned().collect(),
            (None, Some(found)) => match self.complete(found) {
                Some(tail) => tail,
                None => return self.snapshot(join, false),
            },
            (None, None) => return Err(Lacks::Store),
        };
        if self.is_smaller_than_a_snapshot(bytes(&tail))? {
            return Ok(Answer::Tail(tail));
        }
        self.snapshot(join, false)
    }

    /// Who resumes is not sent a snapshot.
    fn snapshot(&self, join: &Join, rewound: bool) -> Result<Answer, Lacks> {
        let there = join.resume.is_some() || self.snapshots.current(&self.recent).is_some();
        if there { Ok(Answer::Snapshot { rewound }) } else { Err(Lacks::Snapshot) }
    }

    /// Where `cursor` stands; `None` if only the store can tell.
    fn standing(&self, cursor: Cursor, stored: Stored) -> Option<Standing> {
        let digest = if cursor.version > self.sequencer.cursor().version {
            None
        } else if cursor.version == 0 {
            Some(Digest::GENESIS)
        } else if let Some(digest) = self.recent.digest_at(cursor.version) {
            Some(digest)
        } else {
            match stored {
                Stored::NotAsked => return None,
                Stored::Says(digest) => digest,
            }
        };
        Some(Sequencer::<D>::standing(cursor, digest))
    }

    /// A tail from the store, with what has come since; `None` if there is a gap.
    fn complete(&self, found: Found) -> Option<Vec<Record>> {
        let mut tail = found.tail;
        if tail.last().map(|record| record.version) != Some(found.up_to) {
            return None;
        }
        tail.extend(self.recent.since(found.up_to)?.cloned());
        Some(tail)
    }

    fn is_smaller_than_a_snapshot(&self, tail: usize) -> Result<bool, Lacks> {
        if tail <= SMALL || tail <= self.snapshots.last_bytes() / 2 {
            return Ok(true);
        }
        let (_, snapshot) = self.snapshots.current(&self.recent).ok_or(Lacks::Snapshot)?;
        Ok(tail <= snapshot.get().len())
    }

    /// Tells one who resumes whether the store takes changes, if it was told otherwise.
    fn says_what_it_saves(&self, outbound: &Outbound, resume: Resume) -> bool {
        resume.saving == self.is_saving() || outbound.send(frame::saving(self.is_saving()))
    }

    fn look_up(&mut self, join: Join) {
        let store = Arc::clone(&self.store);
        let (document, end) = (self.document, self.sequencer.cursor().version);
        let max_bytes = self.snapshots.last_bytes().max(WORTH_READING);
        self.background.spawn(async move {
            let found = look_up(&*store, document, &join, end, max_bytes).await;
            Done::LookedUp(join, found)
        });
    }

    /// The `sync_response`, and what came after the snapshot in it.
    fn response(&mut self, join: &Join, answer: Answer) -> Vec<(Utf8Bytes, Cursor)> {
        let end = self.sequencer.cursor();
        let (at, snapshot, changes, rewound) = match answer {
            Answer::Tail(changes) => (end, None, changes, false),
            Answer::Snapshot { rewound } => {
                let (at, json) = self.snapshots.current(&self.recent).expect("an answer that needs one waits for it");
                (at, Some(json), Vec::new(), rewound)
            }
        };
        tracing::debug!(
            connection = join.connection.0,
            from = join.cursor.version,
            to = end.version,
            snapshot = snapshot.is_some(),
            rewound,
            "joined"
        );
        let how = match (&snapshot, rewound) {
            (_, true) => "rewound",
            (Some(_), false) => "snapshot",
            (None, false) => "changes",
        };
        Metrics::count(&self.runtime.metrics.syncs, "by", how);
        let settings = &self.runtime.settings;
        let response = SyncResponse {
            document: self.document,
            server_version: at.version,
            digest: at.digest,
            timestamp: now(),
            access: join.access,
            snapshot,
            changes,
            rewound,
            reconnect_spread_ms: millis(self.runtime.reconnect_spread()),
            ping_interval_ms: millis(settings.ping_interval),
            limits: settings.limits,
            build: settings.build.clone(),
        };
        let mut frames = vec![(frame::sync_response(&response), at)];
        if !self.is_saving() {
            frames.push((frame::saving(false), at));
        }
        let since: Vec<_> = self.recent.since(at.version).into_iter().flatten().cloned().collect();
        frames.extend(committed(&since));
        frames
    }
}

fn committed(records: &[Record]) -> Vec<(Utf8Bytes, Cursor)> {
    Entries::new(records).into_frames().into_iter().map(|frame| (frame.text, frame.end)).collect()
}

fn send_all(outbound: &Outbound, frames: Vec<(Utf8Bytes, Cursor)>) -> bool {
    frames.into_iter().all(|(frame, cursor)| outbound.send_up_to(frame, cursor))
}

fn missed_too_much() -> Bye {
    let why = "More has happened than can be told change by change. Reconnect to catch up.";
    Bye::new(ByeCode::SlowConsumer, why)
}

async fn look_up<S: Store>(
    store: &S,
    document: DocumentId,
    join: &Join,
    up_to: u64,
    max_bytes: usize,
) -> Result<Found, StoreError> {
    let cursor = join.cursor;
    let witness = match join.witness {
        Some(witness) => store.digest_at(document, witness.version).await?,
        None => None,
    };
    let digest = store.digest_at(document, cursor.version).await?;
    let tail = if digest == Some(cursor.digest) {
        store.range(document, cursor.version, up_to, max_bytes).await?
    } else {
        Vec::new()
    };
    Ok(Found { digest, witness, tail, up_to })
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
