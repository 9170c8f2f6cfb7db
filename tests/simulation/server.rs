//! The server's program, which dies, and the store, which does not.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use sheetbend::board::{Board, Change};
use sheetbend::sync::digest::{Cursor, Digest};
use sheetbend::sync::id::{ChangeId, DocumentId};
use sheetbend::sync::message::{
    Access, Bye, ByeCode, ClientMessage, Limits, Proposal, Record, ServerFrame, SyncRequest, SyncResponse,
};
use sheetbend::sync::planted::{Bug, planted};
use sheetbend::sync::sequencer::{Ruling, Sequencer, Staged, Standing};
use uuid::Uuid;

use crate::wire::Connection;

/// What the tests' clients are told to spread their first retry over.
const SPREAD_MS: u64 = 200;

/// What is durable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) log: Vec<Record>,
    pub(crate) snapshot: Option<(usize, Board)>,
    /// Entries up to this version are not sent any more: whoever is behind it gets the document.
    pub(crate) horizon: u64,
    /// The document is known under its key.
    pub(crate) registered: bool,
}

impl Store {
    pub(crate) fn cursor_at(&self, version: usize) -> Cursor {
        let digest = version.checked_sub(1).map_or(Digest::GENESIS, |last| self.log[last].digest);
        Cursor { version: version as u64, digest }
    }

    pub(crate) fn end(&self) -> Cursor {
        self.cursor_at(self.log.len())
    }

    pub(crate) fn has(&self, id: ChangeId) -> bool {
        self.log.iter().any(|record| record.id == id)
    }

    /// Whether a change is in the log and applied: then nobody need hold it any more.
    pub(crate) fn has_applied(&self, id: ChangeId) -> bool {
        self.log.iter().any(|record| record.id == id && record.refused.is_none())
    }

    /// The log before a place near its end goes; ids and digests stay.
    pub(crate) fn compact(&mut self, rng: &mut Rng) -> bool {
        let horizon = rng.u64(0..=self.log.len() as u64);
        let further = horizon > self.horizon;
        self.horizon = self.horizon.max(horizon);
        further
    }
}

#[derive(Clone, Debug)]
struct Session {
    access: Access,
    synced: bool,
    heard: u64,
    /// The version that its client was taken to.
    reached: u64,
}

/// The program.
#[derive(Debug)]
struct Program {
    sequencer: Sequencer<Board>,
    sessions: BTreeMap<Connection, Session>,
    gathered: Vec<(Connection, Vec<Proposal<Change>>)>,
    staged: Option<Staged<Board>>,
}

/// A frame, and who gets it; a close code instead of one is the end.
pub(crate) type Out = Vec<(Connection, Result<String, u16>)>;

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) store: Store,
    program: Option<Program>,
    /// Counts its lives: what one life has begun, the next knows nothing of.
    pub(crate) life: u64,
    pub(crate) disk_full: bool,
    limits: Limits,
    nonce: u64,
}

impl Server {
    pub(crate) fn new(registered: bool, limits: Limits) -> Self {
        let store = Store { registered, ..Store::default() };
        let mut server = Self { store, program: None, life: 0, disk_full: false, limits, nonce: 0 };
        server.start();
        server
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.program.is_some()
    }

    pub(crate) fn document(&self) -> Option<(&Board, Cursor)> {
        let program = self.program.as_ref()?;
        Some((program.sequencer.document(), program.sequencer.cursor()))
    }

    pub(crate) fn start(&mut self) {
        self.life += 1;
        let (at, document) = self.store.snapshot.clone().unwrap_or_default();
        let known = if planted(Bug::SnapshotForgetsIds) { at } else { 0 };
        let ids: HashMap<_, _> = self.store.log[known..].iter().map(|record| (record.id, record.version)).collect();
        let mut sequencer = Sequencer::new(document, self.store.cursor_at(at), ids, self.limits);
        for record in &self.store.log[at..] {
            sequencer.replay(record).expect("the store has a true log");
        }
        let (sessions, gathered) = Default::default();
        self.program = Some(Program { sequencer, sessions, gathered, staged: None });
    }

    /// Killed. Returns the connections that it had.
    pub(crate) fn kill(&mut self) -> Vec<Connection> {
        self.life += 1;
        self.program.take().map(|program| program.sessions.into_keys().collect()).unwrap_or_default()
    }

    pub(crate) fn has_something_under_way(&self) -> bool {
        self.program.as_ref().is_some_and(|program| program.staged.is_some())
    }

    pub(crate) fn connect(&mut self, connection: Connection, access: Access, now: u64) {
        if let Some(program) = &mut self.program {
            program.sessions.insert(connection, Session { access, synced: false, heard: now, reached: 0 });
        }
    }

    pub(crate) fn leave(&mut self, connection: Connection) {
        if let Some(program) = &mut self.program {
            program.sessions.remove(&connection);
        }
    }

    pub(crate) fn connections(&self) -> Vec<Connection> {
        self.program.iter().flat_map(|program| program.sessions.keys().copied()).collect()
    }

    /// A frame came.
    pub(crate) fn receive(&mut self, connection: Connection, frame: &str, now: u64) -> Out {
        let registered = self.store.registered;
        let Some(session) = self.program.as_mut().and_then(|program| program.sessions.get_mut(&connection)) else {
            return Out::new();
        };
        session.heard = now;
        let (access, synced) = (session.access, session.synced);
        let message: ClientMessage<Change> = serde_json::from_str(frame).expect("clients write what can be read");
        match message {
            ClientMessage::SyncRequest(_) if !registered => self.bye(connection, ByeCode::UnknownKey, 0),
            ClientMessage::SyncRequest(request) if !synced => self.sync(connection, &request, now),
            ClientMessage::Changes { .. } if synced && access == Access::View => {
                self.bye(connection, ByeCode::ViewOnly, 0)
            }
            ClientMessage::Changes { .. } if synced && frame.contains(crate::people::POISON) => {
                self.bye(connection, ByeCode::TooLarge, 0)
            }
            ClientMessage::Changes { changes } if synced => {
                let program = self.program.as_mut().expect("it is up");
                program.gathered.push((connection, changes));
                Out::new()
            }
            ClientMessage::SyncRequest(_) | ClientMessage::Changes { .. } => {
                self.bye(connection, ByeCode::BadMessage, 0)
            }
            ClientMessage::Ping { nonce } => vec![(connection, Ok(frame_of(&ServerFrame::Pong { nonce })))],
            ClientMessage::Pong { .. } | ClientMessage::Unknown => Out::new(),
        }
    }

    fn sync(&mut self, connection: Connection, request: &SyncRequest, now: u64) -> Out {
        let program = self.program.as_mut().expect("it is up");
        let store = &self.store;
        let end = program.sequencer.cursor();
        let standing_of = |cursor: Cursor| {
            let digest = usize::try_from(cursor.version).ok().filter(|version| *version <= store.log.len());
            let digest = digest.map(|version| store.cursor_at(version).digest);
            if planted(Bug::DigestNotCompared) && digest.is_some() {
                return Standing::Here;
            }
            Sequencer::<Board>::standing(cursor, digest)
        };
        let here = standing_of(request.cursor()) == Standing::Here
            && request.witness.is_none_or(|witness| standing_of(witness) == Standing::Here);
        let tail = match usize::try_from(request.version).ok().filter(|_| here) {
            Some(version) if request.version >= store.horizon => {
                let tail = &store.log[version..];
                // Whichever is smaller; a snapshot is, of a long tail.
                (tail.len() <= 8).then_some(tail)
            }
            _ => None,
        };
        let session = program.sessions.get_mut(&connection).expect("it is in the room");
        (session.synced, session.reached) = (true, end.version);
        let response = SyncResponse {
            document: DocumentId(Uuid::from_u128(1)),
            server_version: end.version,
            digest: end.digest,
            timestamp: now,
            access: session.access,
            snapshot: if tail.is_none() { Some(program.sequencer.document().clone()) } else { None },
            changes: tail.map(<[Record]>::to_vec).unwrap_or_default(),
            rewound: !here,
            reconnect_spread_ms: SPREAD_MS,
            ping_interval_ms: 15_000,
            limits: self.limits,
            build: String::new(),
        };
        vec![(connection, Ok(frame_of(&ServerFrame::SyncResponse(&response))))]
    }

    /// Gives what was gathered its places. What the log has already is sent to its author again.
    pub(crate) fn stage(&mut self, now: u64) -> Out {
        let Some(program) = self.program.as_mut().filter(|program| program.staged.is_none()) else {
            return Out::new();
        };
        let mut staged = program.sequencer.stage();
        let mut out = Out::new();
        for (connection, proposals) in std::mem::take(&mut program.gathered) {
            for mut proposal in proposals {
                if planted(Bug::NoDedupe) && self.store.has(proposal.id) {
                    // As a server would that gives each change an id of its own.
                    proposal.id = ChangeId(Uuid::from_u128(proposal.id.0.as_u128().wrapping_add(1 << 70)));
                }
                let ruling = program.sequencer.propose(&mut staged, "someone", &proposal, now);
                if let Ruling::Known(version) = ruling
                    && version <= program.sequencer.cursor().version
                {
                    let record = &self.store.log[usize::try_from(version).expect("short") - 1];
                    out.push((connection, Ok(committed(std::slice::from_ref(record)))));
                }
            }
        }
        if !staged.records().is_empty() {
            if planted(Bug::SavedBeforeDurable) {
                let frame = committed(staged.records());
                out.extend(program.sessions.keys().map(|connection| (*connection, Ok(frame.clone()))));
            }
            program.staged = Some(staged);
        }
        out
    }

    /// What was staged is durable: it is in the log, and nobody has been told. Returns its entries.
    pub(crate) fn append(&mut self) -> Vec<Record> {
        let staged = self.program.as_ref().and_then(|program| program.staged.as_ref());
        let records = staged.map(|staged| staged.records().to_vec()).unwrap_or_default();
        self.store.log.extend(records.iter().cloned());
        records
    }

    /// Tells everyone what [`Server::append`] made durable.
    pub(crate) fn publish(&mut self) -> Out {
        let Some(program) = &mut self.program else { return Out::new() };
        let Some(staged) = program.staged.take() else { return Out::new() };
        let records = program.sequencer.commit(staged);
        let (frame, version) = (committed(&records), program.sequencer.cursor().version);
        let mut out = Out::new();
        for (connection, session) in program.sessions.iter_mut().filter(|(_, session)| session.synced) {
            session.reached = version;
            out.push((*connection, Ok(frame.clone())));
        }
        if self.store.log.len() - self.store.snapshot.as_ref().map_or(0, |(at, _)| *at) >= 16 {
            self.store.snapshot = Some((self.store.log.len(), program.sequencer.document().clone()));
        }
        out
    }

    /// The heartbeat: pings, and the end of those who are silent.
    pub(crate) fn beat(&mut self, now: u64) -> Out {
        let Some(program) = &self.program else { return Out::new() };
        let mut out = Out::new();
        let sessions: Vec<_> =
            program.sessions.iter().map(|(connection, session)| (*connection, session.clone())).collect();
        for (connection, session) in sessions {
            if now.saturating_sub(session.heard) >= 40_000 {
                out.extend(self.bye(connection, ByeCode::TimedOut, 0));
            } else if session.synced {
                self.nonce += 1;
                let version = (!planted(Bug::LossUnnoticed)).then_some(session.reached);
                out.push((connection, Ok(frame_of(&ServerFrame::Ping { nonce: self.nonce, version }))));
            }
        }
        out
    }

    pub(crate) fn bye(&mut self, connection: Connection, code: ByeCode, retry_after_ms: u64) -> Out {
        self.leave(connection);
        let bye = Bye { retry_after_ms, ..Bye::new(code, "No.") };
        vec![(connection, Ok(frame_of(&ServerFrame::Bye(&bye)))), (connection, Err(code.close_code()))]
    }
}

fn committed(entries: &[Record]) -> String {
    frame_of(&ServerFrame::Committed { entries })
}

fn frame_of(frame: &ServerFrame<'_, Board>) -> String {
    serde_json::to_string(frame).expect("JSON")
}
