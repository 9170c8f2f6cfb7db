//! One run, from its seed to its end: the clock, and the queue of what happens next.

use std::collections::BTreeMap;

use fastrand::Rng;
use sheetbend::board::{Board, Change};
use sheetbend::sync::client::{Connection as Line, Event, Reading, Recalled, Start, Voice};
use sheetbend::sync::digest::{Cursor, Digest};
use sheetbend::sync::document::Document;
use sheetbend::sync::faults::{Connect, Direction};
use sheetbend::sync::id::{ChangeId, uuid_v7};
use sheetbend::sync::link::SocketId;
use sheetbend::sync::message::{Access, Body, ByeCode, ClientMessage, Limits, Proposal};
use sheetbend::sync::network::{Answer, ProbeId};
use sheetbend::sync::outbox::Kept;
use sheetbend::sync::time::Moment;
use sheetbend::sync::transport::Transport;
use sheetbend::sync::unsent::Unsent;

use crate::device::{Database, Device};
use crate::people;
use crate::promises::{Ledger, Promise, hold};
use crate::server::{Out, Server, Store};
use crate::storm::{self, Fault, Weather};
use crate::tab::{Tab, TabId, Word};
use crate::tally::Tally;
use crate::wire::{Connection, Fate, Wire};

/// When the clocks start, in milliseconds since the Unix epoch.
const EPOCH: u64 = 1_700_000_000_000;

/// When nothing fails any more, all must be saved within this time: the longest pause between attempts, a line found dead, and what
/// patience with a slow line adds to both.
const COMES_BACK_MS: u64 = 15 * 60 * 1_000;

/// Something that happens.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A connection reaches the server.
    Connect(Connection),
    /// A frame arrives.
    Frame(Connection, Direction, String),
    /// The client hears that its connection is closed.
    Broken(Connection, u16),
    /// The server hears that a client is gone.
    Gone(Connection),
    /// A page's deadline.
    Wake(TabId, u64),
    /// What the server began in this life is durable.
    Durable(u64),
    /// The server starts again.
    Start(u64),
    /// The server's heartbeat.
    Beat,
    /// A transaction of a page ends, whether or not the page is there still.
    Transaction(TabId, usize, u64),
    /// The stages of a page try again.
    Retry(TabId),
    /// A page hands its document to its stages.
    StoreDocument(TabId),
    /// A page has read its device.
    Recall(TabId),
    OpensLate(TabId),
    /// Word of another tab.
    Word(TabId, Word),
    /// A page is told that it has the lock, or has it no more.
    Locked(TabId, bool),
    /// A probe is answered.
    Probed(TabId, ProbeId, Answer),
    /// A WebSocket that was tried opens.
    WebSocketOpened(TabId),
    /// A registration ends.
    Registered(TabId, SocketId, bool),
    /// A line's script goes on.
    Weather(usize),
    /// Someone does something.
    Act,
    /// Something goes wrong.
    Storm,
}

/// A whole system.
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) rng: Rng,
    queue: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    pub(crate) server: Server,
    backups: Vec<Store>,
    pub(crate) devices: Vec<Device>,
    pub(crate) tabs: BTreeMap<TabId, Tab>,
    next_tab: TabId,
    pub(crate) wires: BTreeMap<Connection, Wire>,
    next_wire: Connection,
    pub(crate) ledger: Ledger,
    pub(crate) tally: Tally,
    /// Nothing fails any more.
    calm: bool,
    told: bool,
}

impl World {
    pub(crate) fn new(seed: u64, told: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let made_offline = rng.u8(..6) == 0;
        let limits = Limits { in_flight_changes: rng.usize(2..12), ..Limits::default() };
        let mut world = Self {
            now: EPOCH,
            queue: BTreeMap::new(),
            sequence: 0,
            server: Server::new(!made_offline, limits),
            backups: Vec::new(),
            devices: Vec::new(),
            tabs: BTreeMap::new(),
            next_tab: 1,
            wires: BTreeMap::new(),
            next_wire: 1,
            ledger: Ledger::default(),
            tally: Tally::default(),
            calm: false,
            told,
            rng,
        };
        let people = world.rng.usize(1..4);
        for person in 0..people {
            let access = if person == 2 && world.rng.bool() { Access::View } else { Access::Edit };
            let locks = world.rng.u8(..4) > 0;
            let seed = world.rng.u64(..);
            world.devices.push(Device::new(seed, access, !(made_offline && person == 0), locks));
            if person == 0 || !made_offline {
                for _ in 0..world.rng.usize(1..3) {
                    world.open_tab(person);
                }
            }
        }
        if made_offline {
            world.tally.hit(Fault::MadeOffline);
        }
        world.later(15_000, 15_000, Happening::Beat);
        world.later(0, 500, Happening::Act);
        world.later(0, 3_000, Happening::Storm);
        world
    }

    /// Runs it: first everything fails, then nothing, and then all must be well.
    pub(crate) fn run(mut self) -> Tally {
        let storm_ends = self.now + self.rng.u64(20_000..150_000);
        self.run_until(storm_ends, |_| false);
        self.check_all();
        self.calm_down();
        let limit = self.now + COMES_BACK_MS;
        let rested = self.run_until(limit, Self::is_at_rest);
        self.check_all();
        let stuck = if rested { String::new() } else { self.who_is_stuck() };
        hold(&mut self.tally, Promise::ComesBack, rested, || stuck);
        self.check_the_end();
        self.tally
    }

    fn run_until(&mut self, end: u64, done: impl Fn(&Self) -> bool) -> bool {
        let mut steps = 0_u32;
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > end {
                self.later(at - self.now, at - self.now, happening);
                break;
            }
            self.now = self.now.max(at);
            self.happen(happening);
            steps += 1;
            if steps.is_multiple_of(32) {
                self.check_all();
            }
            if done(self) {
                return true;
            }
        }
        self.now = self.now.max(end);
        done(self)
    }

    pub(crate) fn later(&mut self, least: u64, most: u64, happening: Happening) {
        let at = self.now + self.rng.u64(least..=most.max(least));
        self.at(at, happening);
    }

    fn at(&mut self, at: u64, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), happening);
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.told {
            println!("{:>9.3} s  {}", (self.now - EPOCH) as f64 / 1_000.0, what());
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Connect(connection) => self.connect(connection),
            Happening::Frame(connection, direction, frame) => self.arrive(connection, direction, &frame),
            Happening::Broken(connection, code) => self.broken(connection, code),
            Happening::Gone(connection) => {
                if let Some(wire) = self.wires.get_mut(&connection) {
                    wire.server_open = false;
                }
                self.server.leave(connection);
            }
            Happening::Wake(tab, timer) => {
                if self.tabs.get(&tab).is_some_and(|tab| tab.timer == timer) {
                    self.feed(tab, Event::Wake);
                }
            }
            Happening::Durable(life) => self.durable(life),
            Happening::Start(life) => {
                if self.server.life == life {
                    self.tell(|| "the server starts".to_owned());
                    self.server.start();
                }
            }
            Happening::Beat => {
                let out = self.server.beat(self.now);
                self.send_all(out);
                self.later(15_000, 15_000, Happening::Beat);
            }
            Happening::Transaction(tab, device, transaction) => self.transacted(tab, device, transaction),
            Happening::Retry(tab) => self.try_again(tab),
            Happening::StoreDocument(tab) => self.store_document(tab),
            Happening::Recall(tab) => self.recall(tab),
            Happening::OpensLate(tab) => self.open_late(tab),
            Happening::Word(tab, Word::Kept(kept)) => self.feed(tab, Event::Elsewhere(*kept)),
            Happening::Word(tab, Word::Forgotten(id)) => self.feed(tab, Event::Discard(id)),
            Happening::Word(tab, Word::TakenAlong) => self.feed(tab, Event::TakenAlong),
            Happening::Locked(tab, held) => {
                if held {
                    self.read_device(tab);
                }
                let voice = if held { Voice::Sole } else { Voice::Silent };
                if let Some(tab) = self.tabs.get_mut(&tab).filter(|tab| !tab.frozen) {
                    tab.voice = voice;
                }
                self.feed(tab, Event::Voice(voice));
                if !held {
                    // Whoever is robbed asks again.
                    self.request_lock(tab);
                }
            }
            Happening::Probed(tab, probe, answer) => self.feed(tab, Event::Probed(probe, answer)),
            Happening::WebSocketOpened(tab) => self.feed(tab, Event::WebSocketOpened),
            Happening::Registered(tab, socket, done) => self.registered(tab, socket, done),
            Happening::Weather(device) => self.weather_goes_on(device),
            Happening::Act => {
                if self.calm {
                    self.look_after_pages();
                } else {
                    self.act();
                }
                self.later(50, 4_000, Happening::Act);
            }
            Happening::Storm => {
                if !self.calm {
                    self.storm();
                    self.later(100, 6_000, Happening::Storm);
                }
            }
        }
    }
}

/// Pages: opening, waking, dying.
impl World {
    /// A page is loaded on a device: from the server if it can be reached, else from what the device keeps.
    pub(crate) fn open_tab(&mut self, device: usize) {
        let id = self.next_tab;
        self.next_tab += 1;
        let place = &self.devices[device];
        let reachable = self.server.is_up()
            && self.server.store.registered
            && place.line.connect() == Connect::Accept
            && !place.line.conditions().to_client.silent;
        let here = self.server.document().filter(|_| reachable).map(|(document, cursor)| (document.clone(), cursor));
        let page = match here {
            // A page may have been loaded, or cached, a while ago, even from a server that was restored since.
            Some(_) if self.rng.u8(..6) == 0 && !self.ledger.documents.is_empty() => self.old_page(device),
            Some(page) => page,
            None => self.devices[device].document().unwrap_or_default(),
        };
        let place = &self.devices[device];
        let voice = if place.lock.is_some() { Voice::Silent } else { Voice::Shared };
        let limit = (self.rng.u8(..10) == 0).then_some(3);
        let (document, cursor) = page;
        let (kept, access, registered) = (place.early(), place.access, place.registered);
        let start = Start { document, cursor, access, kept, registered };
        let mut tab = Tab::new(id, device, start, voice, limit);
        tab.old = self.rng.u8(..24) == 0;
        tab.late = !self.calm && self.rng.u8(..12) == 0;
        self.tell(|| format!("device {device} opens page {id}"));
        self.tabs.insert(id, tab);
        self.later(1, 300, Happening::Recall(id));
    }

    fn old_page(&mut self, device: usize) -> (Board, Cursor) {
        self.tally.hit(Fault::OldPage);
        let places = self.server.store.log.len();
        let version = self.rng.usize(..=places);
        let cursor = self.server.store.cursor_at(version);
        let document = self.ledger.documents.get(&cursor.digest).cloned().unwrap_or_default();
        self.tell(|| format!("device {device} gets a page of version {version}"));
        (document, cursor)
    }

    /// The device was read: what it kept comes in, then the page connects and asks for the voice.
    fn recall(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get(&id) else { return };
        if tab.frozen {
            return self.later(500, 5_000, Happening::Recall(id));
        }
        if tab.late {
            self.later(1, 20_000, Happening::OpensLate(id));
        }
        self.read_device(id);
        self.feed(id, Event::Start);
        self.request_lock(id);
    }

    /// The database that a page had asked for is there.
    pub(crate) fn open_late(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        if tab.frozen {
            return self.later(500, 5_000, Happening::OpensLate(id));
        }
        tab.late = false;
        self.read_device(id);
    }

    /// A page takes in what its device keeps: at its start, when it gets the voice, and when it is looked at again.
    pub(crate) fn read_device(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get_mut(&id).filter(|tab| !tab.frozen) else { return };
        let device = &mut self.devices[tab.device];
        let works = device.database != Database::Missing && !tab.late;
        let recalled = if works {
            let kept = device.early().into_iter().chain(device.kept()).collect();
            Recalled { reading: Reading::Done, kept, retained: device.saved(), document: device.document() }
        } else {
            (device.has_failed, device.has_lost) = (true, true);
            Recalled::unread(if tab.late { Reading::UnderWay } else { Reading::Failed })
        };
        if works {
            tab.opened = true;
            tab.stages.second_is_there();
            tab.stored = Some(recalled.document.as_ref().map(|(_, at)| *at).unwrap_or_default());
        } else if !tab.opened {
            tab.stages.second_is_missing();
        }
        if !works && !device.second.is_empty() {
            self.tally.hit(if tab.late { Fault::DatabaseLate } else { Fault::DatabaseMissing });
        }
        let saved: Vec<_> =
            recalled.retained.iter().map(|confirmed| (confirmed.kept.id, confirmed.at.version)).collect();
        self.feed(id, Event::Recalled(recalled));
        self.proceed(id);
        let Some(tab) = self.tabs.get(&id).filter(|tab| !tab.begun) else { return };
        let version = tab.client.confirmed().1.version;
        let forgotten: Vec<_> = saved.into_iter().filter(|(change, at)| *at > version && !tab.holds(*change)).collect();
        if !forgotten.is_empty() || tab.client.status().pending > 0 {
            let remembered = forgotten.is_empty();
            hold(&mut self.tally, Promise::Remembered, remembered, || format!("page {id} forgot {forgotten:?}"));
        }
    }

    fn request_lock(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get(&id) else { return };
        let granted = self.devices[tab.device].lock.as_mut().and_then(|lock| lock.request(id));
        self.grant(granted);
    }

    fn grant(&mut self, granted: Option<TabId>) {
        if let Some(tab) = granted {
            self.later(1, 20, Happening::Locked(tab, true));
        }
    }

    /// A page ends, of its own accord or not. What it had under way may or may not come about.
    pub(crate) fn end_tab(&mut self, id: TabId, killed: bool) {
        let Some(mut tab) = self.tabs.remove(&id) else { return };
        self.tell(|| format!("page {id} {}", if killed { "is killed" } else { "is closed" }));
        if let Some(connection) = tab.connection {
            self.close_wire(connection);
        }
        let granted = self.devices[tab.device].lock.as_mut().and_then(|lock| lock.release(id));
        self.grant(granted);
        if tab.transaction.is_some() {
            self.tally.hit(Fault::TabKilledInTransaction);
        }
        if let Some((_, writes)) = tab.transaction.take().filter(|_| self.rng.bool()) {
            self.devices[tab.device].write(&writes);
        }
        let (page, device, log) = (id, &self.devices[tab.device], &self.server.store);
        if device.has_failed {
            let others: Vec<_> = self.tabs.values().collect();
            self.ledger.excuse("its device kept it in memory only", |id, made| {
                (tab.holds(id) || made.page == page)
                    && !log.has_applied(id)
                    && !device.holds(id)
                    && !others.iter().any(|tab| tab.holds(id))
            });
        }
        self.check_kept();
    }

    fn feed(&mut self, id: TabId, event: Event<Board>) {
        let Some(mut tab) = self.tabs.remove(&id) else { return };
        if tab.frozen {
            tab.waiting.push_back(event);
            self.tabs.insert(id, tab);
            return;
        }
        tab.begun |= matches!(event, Event::Start);
        let effects = tab.client.handle(event, Moment::from_millis(self.now));
        self.check_effects(&tab, &effects);
        self.tabs.insert(id, tab);
        for effect in effects {
            let Some(tab) = self.tabs.get_mut(&id) else { return };
            if let Some(left) = &mut tab.doom {
                if *left == 0 {
                    self.tally.hit(Fault::TabKilled);
                    return self.end_tab(id, true);
                }
                *left -= 1;
            }
            self.carry_out(id, effect);
        }
        self.after_event(id);
    }

    fn after_event(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        tab.timer += 1;
        let timer = tab.timer;
        let due = tab.client.deadline();
        if !tab.storing && tab.stored.is_some_and(|stored| stored != tab.client.confirmed().1) {
            tab.storing = true;
            self.later(200, 3_000, Happening::StoreDocument(id));
        }
        if let Some(due) = due {
            let late = self.rng.u64(0..20);
            self.at(due.as_millis().max(self.now) + late, Happening::Wake(id, timer));
        }
        self.check_tab(id);
    }
}

mod ending;
mod looking;
mod misfortune;
mod moving;
