//! The server's room for one document: a sequencer and its log.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;
use sheetbend::sync::digest::{Cursor, Digest};
use sheetbend::sync::document::Document;
use sheetbend::sync::id::{ChangeId, DocumentId, uuid_v7};
use sheetbend::sync::message::{
    Access, Body, Bye, ByeCode, ClientMessage, Limits, Proposal, Record, ServerFrame, SyncRequest, SyncResponse,
};
use sheetbend::sync::sequencer::{Ruling, Sequencer, Standing};
use uuid::Uuid;

/// One connection.
pub(crate) type Session = u64;

/// Frames, and who gets them.
pub(crate) type Frames = Vec<(Session, String)>;

/// A server with one document.
#[derive(Clone, Debug)]
pub(crate) struct Server<D: Document> {
    /// What both ends hold to.
    pub(crate) limits: Limits,
    /// A replica further behind than this many entries gets a snapshot.
    pub(crate) horizon: usize,
    sequencer: Sequencer<D>,
    log: Vec<Record>,
    /// The document at every version.
    history: Vec<D>,
    /// What each connection may do, and whether it has said `sync_request`.
    sessions: BTreeMap<Session, (Access, bool)>,
    next_session: Session,
}

impl<D: Document> Server<D> {
    /// An empty log.
    pub(crate) fn new() -> Self {
        let limits = Limits::default();
        Self {
            limits,
            horizon: 8,
            sequencer: Sequencer::new(D::default(), Cursor::default(), HashMap::new(), limits),
            log: Vec::new(),
            history: vec![D::default()],
            sessions: BTreeMap::new(),
            next_session: 0,
        }
    }

    pub(crate) fn document(&self) -> &D {
        self.sequencer.document()
    }

    pub(crate) fn cursor(&self) -> Cursor {
        self.sequencer.cursor()
    }

    pub(crate) fn log(&self) -> &[Record] {
        &self.log
    }

    /// The document and the digest at a version.
    pub(crate) fn at(&self, version: u64) -> (&D, Digest) {
        let version = usize::try_from(version).expect("a short log");
        (&self.history[version], version.checked_sub(1).map_or(Digest::GENESIS, |last| self.log[last].digest))
    }

    pub(crate) fn connect(&mut self, access: Access) -> Session {
        self.next_session += 1;
        self.sessions.insert(self.next_session, (access, false));
        self.next_session
    }

    pub(crate) fn disconnect(&mut self, session: Session) {
        self.sessions.remove(&session);
    }

    /// A frame came from a client.
    pub(crate) fn handle(&mut self, session: Session, frame: &str, now: u64) -> Frames {
        let Some((access, synced)) = self.sessions.get(&session).copied() else { return Vec::new() };
        match serde_json::from_str::<ClientMessage<D::Change>>(frame).expect("clients write what can be read") {
            ClientMessage::SyncRequest(request) if !synced => {
                self.sessions.insert(session, (access, true));
                vec![(session, self.answer(&request, access, now))]
            }
            ClientMessage::Changes { changes } if synced && access == Access::Edit => {
                self.order(Some(session), &changes, now)
            }
            ClientMessage::Changes { .. } if synced => self.bye(session, ByeCode::ViewOnly),
            ClientMessage::SyncRequest(_) | ClientMessage::Changes { .. } => self.bye(session, ByeCode::BadMessage),
            ClientMessage::Ping { nonce } => vec![(session, frame_of::<D>(&ServerFrame::Pong { nonce }))],
            ClientMessage::Pong { .. } | ClientMessage::Unknown => Vec::new(),
        }
    }

    /// Someone else made changes, under ids of their own.
    pub(crate) fn log_changes(&mut self, changes: impl IntoIterator<Item = D::Change>) -> Frames {
        let start = self.log.len() as u64;
        let id = |n: u64| ChangeId(uuid_v7(start + n, [0xaa; 10]));
        let proposals: Vec<_> =
            (0..).zip(changes).map(|(n, change)| Proposal { id: id(n), change: Body::Known(change) }).collect();
        self.order(None, &proposals, start)
    }

    /// Someone with a newer program made a change that this server does not know.
    pub(crate) fn log_unknown(&mut self, change: &str) -> Frames {
        let change = Body::Unknown(serde_json::from_str(change).expect("JSON"));
        let id = ChangeId(uuid_v7(self.log.len() as u64, [0xbb; 10]));
        self.order(None, &[Proposal { id, change }], 0)
    }

    fn order(&mut self, from: Option<Session>, changes: &[Proposal<D::Change>], now: u64) -> Frames {
        let mut staged = self.sequencer.stage();
        let mut known = Vec::new();
        for change in changes {
            if let Ruling::Known(version) = self.sequencer.propose(&mut staged, "someone", change, now) {
                known.push(version);
            }
        }
        let entries = self.sequencer.commit(staged);
        for record in &entries {
            self.log.push(record.clone());
            let document = self.replayed(record);
            self.history.push(document);
        }
        assert_eq!(self.history.last(), Some(self.sequencer.document()), "the log makes the document");

        let mut frames: Frames = Vec::new();
        if let Some(from) = from {
            let repeats = known.into_iter().map(|version| &self.log[usize::try_from(version).expect("short") - 1]);
            frames.extend(repeats.map(|record| (from, committed::<D>(std::slice::from_ref(record)))));
        }
        if !entries.is_empty() {
            let frame = committed::<D>(&entries);
            let everyone = self.sessions.iter().filter(|(_, (_, synced))| *synced).map(|(session, _)| *session);
            frames.extend(everyone.map(|session| (session, frame.clone())));
        }
        frames
    }

    fn replayed(&self, record: &Record) -> D {
        let mut document = self.history.last().expect("at least the empty one").clone();
        if record.refused.is_none() {
            let change = serde_json::from_str(record.change.get()).expect("what was applied can be read");
            document.apply(&change).expect("what was applied applies");
        }
        document
    }

    fn answer(&self, request: &SyncRequest, access: Access, now: u64) -> String {
        let cursor = request.cursor();
        let standing_of = |cursor: Cursor| {
            let known = cursor.version <= self.cursor().version;
            Sequencer::<D>::standing(cursor, known.then(|| self.at(cursor.version).1))
        };
        let standing = match (standing_of(cursor), request.witness.map(standing_of)) {
            (Standing::Here, None | Some(Standing::Here)) => Standing::Here,
            _ => Standing::Rewound,
        };
        let tail = match standing {
            Standing::Here => &self.log[usize::try_from(cursor.version).expect("short")..],
            Standing::Rewound => &[],
        };
        let snapshot = standing == Standing::Rewound || tail.len() > self.horizon;
        frame_of(&ServerFrame::SyncResponse(&SyncResponse {
            document: DocumentId(Uuid::from_u128(1)),
            server_version: self.cursor().version,
            digest: self.cursor().digest,
            timestamp: now,
            access,
            snapshot: snapshot.then(|| self.document().clone()),
            changes: if snapshot { Vec::new() } else { tail.to_vec() },
            rewound: standing == Standing::Rewound,
            reconnect_spread_ms: 200,
            ping_interval_ms: 15_000,
            limits: self.limits,
            build: String::new(),
        }))
    }

    fn bye(&mut self, session: Session, code: ByeCode) -> Frames {
        self.sessions.remove(&session);
        vec![(session, frame_of::<D>(&ServerFrame::Bye(&Bye::new(code, "No."))))]
    }
}

/// A frame with these entries.
pub(crate) fn committed<D: Document>(entries: &[Record]) -> String {
    frame_of::<D>(&ServerFrame::Committed { entries })
}

/// A frame with one entry that says whatever it says.
pub(crate) fn made_up<D: Document>(version: u64, change: &str) -> String {
    committed::<D>(&[Record {
        version,
        digest: Digest::GENESIS,
        id: ChangeId(Uuid::from_u128(version.into())),
        author: String::new(),
        timestamp: 0,
        change: RawValue::from_string(change.to_owned()).expect("JSON"),
        refused: None,
    }])
}

pub(crate) fn frame_of<D: Document>(frame: &ServerFrame<'_, D>) -> String {
    serde_json::to_string(frame).expect("JSON")
}
