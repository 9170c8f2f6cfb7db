//! One page: the engine's client, and what drives it, as `browser::session` and `browser::keeper` do.

use std::collections::VecDeque;

use sheetbend::board::{Board, Change};
use sheetbend::sync::client::{Client, Event, Patience, Settings, Start, Voice};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::{ChangeId, ChangeIds, Key, ReplicaId};
use sheetbend::sync::outbox::Kept;
use sheetbend::sync::write_behind::{Write, WriteBehind};
use sheetbend::sync::{link, network, transport};
use uuid::Uuid;

use crate::wire::Connection;

/// Names one page for ever.
pub(crate) type TabId = u64;

/// What tabs of a device tell each other.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    Kept(Box<Kept<Change>>),
    Forgotten(ChangeId),
    TakenAlong,
}

/// One page.
#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) device: usize,
    pub(crate) client: Client<Board>,
    pub(crate) ids: ChangeIds,
    pub(crate) stages: WriteBehind,
    /// The second stage is open; before, nothing goes there.
    pub(crate) opened: bool,
    /// It has asked for the second stage, and has no answer yet.
    pub(crate) late: bool,
    /// The transaction that is under way.
    pub(crate) transaction: Option<(u64, Vec<Write>)>,
    pub(crate) retrying: bool,
    /// The place of the document that was last handed to the stages; `None` before the device was read.
    pub(crate) stored: Option<Cursor>,
    pub(crate) storing: bool,
    pub(crate) connection: Option<Connection>,
    /// Its client has begun to connect.
    pub(crate) begun: bool,
    /// The voice that it was last told.
    pub(crate) voice: Voice,
    /// Nothing in it runs; what happens waits.
    pub(crate) frozen: bool,
    pub(crate) waiting: VecDeque<Event<Board>>,
    /// It dies before so many more effects are carried out.
    pub(crate) doom: Option<u32>,
    /// The timer that counts.
    pub(crate) timer: u64,
    /// It does not know the changes that others make: it is of an older version.
    pub(crate) old: bool,
}

impl Tab {
    pub(crate) fn new(id: TabId, device: usize, start: Start<Board>, voice: Voice, limit: Option<u32>) -> Self {
        let settings = Settings {
            key: Key::from_random([7; 16]),
            replica: ReplicaId(Uuid::from_u128(id.into())),
            name: String::new(),
            link: link::Settings { attempt_limit: limit, ..link::Settings::default() },
            transport: Some(transport::Settings::default()),
            network: network::Settings::default(),
            patience: Patience::default(),
            voice,
            seed: id,
        };
        let client = Client::new(settings, start);
        Self {
            device,
            ids: ChangeIds::after(client.outbox().newest()),
            client,
            stages: WriteBehind::default(),
            opened: false,
            late: false,
            transaction: None,
            retrying: false,
            stored: None,
            storing: false,
            connection: None,
            begun: false,
            voice,
            frozen: false,
            waiting: VecDeque::new(),
            doom: None,
            timer: 0,
            old: false,
        }
    }

    /// Whether it has a change in memory, as pending, refused or lately confirmed.
    pub(crate) fn holds(&self, id: ChangeId) -> bool {
        self.client.outbox().contains(id) || self.client.retained().any(|confirmed| confirmed.kept.id == id)
    }
}
