//! A person: a client, the line it has, and the device it keeps things on.

use std::collections::{BTreeMap, VecDeque};

use sheetbend::sync::client::{Client, Effect, Event, Patience, Reading, Recalled, Settings, Start, Voice};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::document::Document;
use sheetbend::sync::id::{ChangeId, ChangeIds, Key, ReplicaId};
use sheetbend::sync::link::{self, SocketId};
use sheetbend::sync::message::Access;
use sheetbend::sync::network::{self, ProbeId};
use sheetbend::sync::outbox::Kept;
use sheetbend::sync::retained::Confirmed;
use sheetbend::sync::time::Moment;
use uuid::Uuid;

use super::server::Session;

/// A line to the server, with the frames that are under way.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) socket: SocketId,
    pub(crate) session: Session,
    pub(crate) open: bool,
    /// Half-open: nothing comes through any more, and nobody is told.
    pub(crate) dead: bool,
    pub(crate) up: VecDeque<String>,
    pub(crate) down: VecDeque<String>,
}

/// A person with their device.
#[derive(Debug)]
pub(crate) struct Person<D: Document> {
    pub(crate) client: Client<D>,
    pub(crate) line: Option<Line>,
    /// What the device keeps.
    pub(crate) device: BTreeMap<ChangeId, Kept<D::Change>>,
    /// What the device retains of the lately confirmed.
    pub(crate) retained: Vec<Confirmed<D::Change>>,
    /// Probes that wait for an answer.
    pub(crate) probes: Vec<ProbeId>,
    /// Every change this person has made, by the id of the record that carries it.
    pub(crate) made: Vec<ChangeId>,
    /// The effects of the last event.
    pub(crate) effects: Vec<Effect<D>>,
    pub(crate) ids: ChangeIds,
}

impl<D: Document> Person<D> {
    /// Someone who opens the document for the first time.
    pub(crate) fn new(seed: u64) -> Self {
        let start = Start {
            document: D::default(),
            cursor: Cursor::default(),
            access: Access::Edit,
            kept: Vec::new(),
            registered: true,
        };
        Self {
            client: Client::new(settings(seed), start),
            line: None,
            device: BTreeMap::new(),
            retained: Vec::new(),
            probes: Vec::new(),
            made: Vec::new(),
            effects: Vec::new(),
            ids: ChangeIds::default(),
        }
    }

    /// The tab is reloaded: only what the device keeps is left, and the document as it was confirmed.
    pub(crate) fn reload(&mut self, seed: u64) {
        let (document, cursor) = self.client.confirmed();
        let start = Start {
            document: document.clone(),
            cursor,
            access: self.client.status().access,
            kept: self.device.values().cloned().collect(),
            registered: true,
        };
        self.client = Client::new(settings(seed), start);
        let retained = self.retained.clone();
        self.client.handle(
            Event::Recalled(Recalled { reading: Reading::Done, kept: Vec::new(), retained, document: None }),
            Moment::default(),
        );
        self.ids = ChangeIds::after(self.client.outbox().newest());
        self.line = None;
        self.probes.clear();
    }

    /// The texts of the frames sent by the last event.
    pub(crate) fn sent(&self) -> Vec<&str> {
        let effects = self.effects.iter();
        effects
            .filter_map(|effect| if let Effect::Send(_, text) = effect { Some(text.as_str()) } else { None })
            .collect()
    }
}

/// What a client is set to, but for what a test sets otherwise.
pub(crate) fn settings(seed: u64) -> Settings {
    Settings {
        key: Key::from_random([7; 16]),
        replica: ReplicaId(Uuid::from_u128(seed.into())),
        name: String::new(),
        link: link::Settings::default(),
        transport: None,
        network: network::Settings::default(),
        patience: Patience::default(),
        voice: Voice::Sole,
        seed,
    }
}
