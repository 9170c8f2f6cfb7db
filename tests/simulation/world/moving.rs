//! What pages and the server ask for: frames, records, words, locks.

use sheetbend::sync::client::{Effect, Turn};
use sheetbend::sync::planted::{Bug, planted};
use sheetbend::sync::write_behind::Record;

use super::*;
use crate::promises::Made;

impl World {
    pub(super) fn carry_out(&mut self, id: TabId, effect: Effect<Board>) {
        let device = self.tabs[&id].device;
        match effect {
            Effect::Register(socket) => {
                let registers = self.reaches_server(device);
                self.tell(|| format!("page {id} registers the board: {registers}"));
                self.later(10, 500, Happening::Registered(id, socket, registers));
            }
            Effect::Open(socket, transport) => self.open_wire(id, socket, transport),
            Effect::TryWebSocket if self.devices[device].blocked || !self.reaches_server(device) => {}
            Effect::TryWebSocket => {
                self.tally.hit(Fault::WebSocketsLetThrough);
                self.later(5, 500, Happening::WebSocketOpened(id));
            }
            Effect::Send(socket, text) => self.send_up(id, socket, &text),
            Effect::Close(socket) => {
                let tab = self.tabs.get_mut(&id).expect("it is there");
                let mine = tab.connection.filter(|connection| self.wires[connection].socket == socket);
                if let Some(connection) = mine {
                    tab.connection = None;
                    self.close_wire(connection);
                }
            }
            Effect::Keep(kept) => self.keep(id, kept),
            Effect::Saved(confirmed) => {
                self.tally.saved();
                let change = confirmed.kept.id;
                self.tell(|| format!("page {id} shows {change} saved, at {}", confirmed.at.version));
                let text = serde_json::to_string(&confirmed).expect("JSON");
                if self.tabs.get_mut(&id).expect("it is there").stages.save(change, text) {
                    self.devices[device].first.remove(&change);
                }
                self.proceed(id);
            }
            Effect::Forget(change) => {
                self.devices[device].first.remove(&change);
                self.tabs.get_mut(&id).expect("it is there").stages.forget(change);
                self.proceed(id);
                self.tell_tabs(id, &Word::Forgotten(change));
            }
            Effect::Probe(probe) => {
                let line = &self.devices[device].line;
                let answer = match line.connect() {
                    Connect::Portal => {
                        self.tally.hit(Fault::Portal);
                        Answer::LogIn
                    }
                    _ if self.reaches_server(device) => Answer::Echoed,
                    _ => Answer::Failed,
                };
                self.later(5, 3_000, Happening::Probed(id, probe, answer));
            }
            Effect::TakeOver => self.take_over(id),
            Effect::Refused(kept) => {
                self.tally.hit(Fault::Refusal);
                self.tell(|| format!("page {id} shows {} refused: {:?}", kept.id, kept.refused.map(|why| why.code)));
            }
            Effect::Line(turn) => {
                if matches!(turn, Turn::Rewound { .. }) {
                    self.tabs.get_mut(&id).expect("it is there").stages.offer_again();
                    self.proceed(id);
                }
                self.tell(|| format!("page {id}: {turn:?}"));
            }
            Effect::Heard(_)
            | Effect::Remote(_)
            | Effect::AttentionChanged
            | Effect::ViewChanged
            | Effect::StatusChanged
            | Effect::Marked(_)
            | Effect::Measured(_) => {}
        }
    }

    fn reaches_server(&self, device: usize) -> bool {
        let line = &self.devices[device].line;
        let silent = line.conditions().to_server.silent || line.conditions().to_client.silent;
        self.server.is_up() && line.connect() == Connect::Accept && !silent
    }

    pub(super) fn registered(&mut self, id: TabId, socket: SocketId, done: bool) {
        let Some(tab) = self.tabs.get(&id) else { return };
        if done {
            self.devices[tab.device].registered = true;
            self.server.store.registered = true;
            self.feed(id, Event::Registered(socket));
        } else {
            self.feed(id, Event::Closed(socket, 1006));
        }
    }

    fn take_over(&mut self, id: TabId) {
        let device = self.tabs[&id].device;
        let Some(lock) = &mut self.devices[device].lock else { return };
        let robbed = lock.steal(id);
        self.tell(|| format!("page {id} takes the voice from {robbed:?}"));
        self.tally.hit(Fault::VoiceTaken);
        if let Some(robbed) = robbed {
            self.later(0, 30, Happening::Locked(robbed, false));
        }
        self.later(0, 30, Happening::Locked(id, true));
    }

    // ---- records

    fn keep(&mut self, id: TabId, kept: Kept<Change>) {
        let tab = self.tabs.get_mut(&id).expect("it is there");
        let device = &mut self.devices[tab.device];
        let text = serde_json::to_string(&kept).expect("JSON");
        let first = !device.first_full;
        if first {
            device.first.insert(kept.id, text.clone());
        } else {
            (device.has_failed, device.has_lost) = (true, true);
            self.tally.hit(Fault::FirstStageFull);
        }
        tab.stages.keep(kept.id, text, first);
        if let Some(made) = kept.replaces.and_then(|replaced| self.ledger.made.get_mut(&replaced)) {
            made.replaced_by = Some(kept.id);
        }
        let mut entities = Board::touches(&kept.change);
        entities.sort_unstable();
        entities.dedup();
        let made = self.ledger.made.entry(kept.id).or_insert(Made {
            device: tab.device,
            change: kept.change.clone(),
            page: id,
            entities,
            replaced_by: None,
            dismissed: false,
            excused: None,
        });
        made.change = kept.change.clone();
        self.tell(|| format!("page {id} keeps {}{}", kept.id, if first { "" } else { " in memory only" }));
        self.proceed(id);
        self.tell_tabs(id, &Word::Kept(Box::new(kept)));
    }

    pub(super) fn tell_tabs(&mut self, from: TabId, word: &Word) {
        let device = self.tabs[&from].device;
        let others: Vec<_> =
            self.tabs.iter().filter(|(id, tab)| tab.device == device && **id != from).map(|(id, _)| *id).collect();
        for other in others {
            // Each tab hears another in order: words take no time that could differ.
            self.at(self.now + 3, Happening::Word(other, word.clone()));
        }
    }

    /// Begins a transaction, if something waits and none is under way.
    pub(super) fn proceed(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        let rests = tab.stages.is_failing() && tab.retrying;
        if tab.opened
            && !rests
            && let Some(writes) = tab.stages.next_batch()
        {
            if planted(Bug::FirstStageClearedEarly) {
                for (record, _) in &writes {
                    if let Record::Outbox(change) = record {
                        self.devices[tab.device].first.remove(change);
                    }
                }
            }
            let (transaction, device) = (self.sequence, tab.device);
            tab.transaction = Some((transaction, writes));
            self.later(1, 60, Happening::Transaction(id, device, transaction));
        }
        let tab = self.tabs.get_mut(&id).expect("it is there");
        if tab.stages.retries() && !tab.retrying {
            tab.retrying = true;
            self.later(5_000, 5_000, Happening::Retry(id));
        }
    }

    pub(super) fn transacted(&mut self, id: TabId, device: usize, transaction: u64) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        let Some((_, writes)) = tab.transaction.take_if(|(present, _)| *present == transaction) else { return };
        let durable = self.devices[device].write(&writes);
        if !durable {
            self.devices[device].has_failed = true;
            self.tally.hit(Fault::DatabaseFails);
        }
        let offered = durable && tab.stages.is_offering_again();
        for change in tab.stages.written(durable) {
            self.devices[device].first.remove(&change);
        }
        if offered {
            self.read_device(id);
        }
        self.proceed(id);
    }

    pub(super) fn try_again(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        tab.retrying = false;
        let device = &mut self.devices[tab.device];
        for (change, text) in tab.stages.unkept() {
            let first = !device.first_full;
            if first {
                device.first.insert(change, text.clone());
            }
            tab.stages.keep(change, text, first);
        }
        self.proceed(id);
    }

    pub(super) fn store_document(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        tab.storing = false;
        let (document, cursor) = tab.client.confirmed();
        if tab.stored.is_some_and(|stored| stored != cursor) {
            tab.stages.set_document(serde_json::to_string(&(document, cursor)).expect("JSON"));
            tab.stored = Some(cursor);
            self.proceed(id);
        }
    }

    // ---- connections

    fn open_wire(&mut self, id: TabId, socket: SocketId, transport: Transport) {
        let tab = self.tabs.get_mut(&id).expect("it is there");
        let (device, connection) = (tab.device, self.next_wire);
        self.next_wire += 1;
        tab.connection = Some(connection);
        self.wires.insert(connection, Wire::new(device, id, socket));
        if transport == Transport::Http {
            self.tally.hit(Fault::WebSocketsBlocked);
        } else if self.devices[device].blocked {
            return self.later(1, 50, Happening::Broken(connection, 1006));
        }
        match self.devices[device].line.connect() {
            Connect::Accept => self.later(1, 80, Happening::Connect(connection)),
            Connect::Refuse => {
                self.tally.hit(Fault::Refused);
                self.later(1, 50, Happening::Broken(connection, 1006));
            }
            Connect::Silent => self.tally.hit(Fault::SilentHandshake),
            Connect::Portal => {
                self.tally.hit(Fault::Portal);
                self.later(1, 50, Happening::Broken(connection, 1006));
            }
        }
    }

    pub(super) fn connect(&mut self, connection: Connection) {
        let Some(wire) = self.wires.get_mut(&connection).filter(|wire| wire.client_open) else { return };
        if !self.server.is_up() {
            return self.later(0, 20, Happening::Broken(connection, 1006));
        }
        wire.server_open = true;
        let (id, socket) = (wire.tab, wire.socket);
        self.server.connect(connection, self.devices[wire.device].access, self.now);
        self.feed(id, Event::Opened(socket));
    }

    fn send_up(&mut self, id: TabId, socket: SocketId, text: &str) {
        let Some(connection) = self.tabs[&id].connection else { return };
        if self.wires[&connection].socket == socket {
            self.carry(connection, Direction::ToServer, text);
        }
    }

    pub(super) fn send_all(&mut self, out: Out) {
        for (connection, frame) in out {
            match frame {
                Ok(text) => self.carry(connection, Direction::ToClient, &text),
                Err(code) => {
                    if let Some(wire) = self.wires.get_mut(&connection) {
                        wire.server_open = false;
                        let silent = self.devices[wire.device].line.conditions().to_client.silent;
                        if !silent {
                            self.later(5_000, 5_000, Happening::Broken(connection, code));
                        }
                    }
                }
            }
        }
    }

    pub(super) fn carry(&mut self, connection: Connection, direction: Direction, text: &str) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        let line = &mut self.devices[wire.device].line;
        let way = line.conditions().way(direction);
        let (slow, narrow) = (way.delay_ms > 0, way.kbit_per_s > 0);
        match wire.carry(line, direction, text, self.now) {
            Fate::Arrives(times) => {
                if slow {
                    self.tally.hit(Fault::Delay);
                }
                if narrow {
                    self.tally.hit(Fault::Bandwidth);
                }
                if times.len() > 1 {
                    self.tally.hit(Fault::Doubled);
                }
                for at in times {
                    self.at(at.max(self.now + 1), Happening::Frame(connection, direction, text.to_owned()));
                }
            }
            Fate::Lost => {
                self.tell(|| format!("connection {connection}: a frame is lost"));
                self.tally.hit(Fault::Lost);
            }
            Fate::Held => self.tally.hit(Fault::HalfOpen),
            Fate::Breaks(at) => {
                self.tally.hit(Fault::Cut);
                self.at(at.max(self.now + 1), Happening::Broken(connection, 1006));
                self.at(at.max(self.now + 1), Happening::Gone(connection));
            }
        }
    }

    pub(super) fn arrive(&mut self, connection: Connection, direction: Direction, frame: &str) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        wire.under_way = wire.under_way.saturating_sub(1);
        match direction {
            Direction::ToServer if wire.server_open => {
                let out = self.server.receive(connection, frame, self.now);
                if out.iter().any(|(_, frame)| matches!(frame, Err(1009))) {
                    self.tally.hit(Fault::Poison);
                }
                self.send_all(out);
                self.stage();
            }
            Direction::ToServer => {}
            Direction::ToClient => {
                let (id, socket, late) = (wire.tab, wire.socket, !wire.client_open);
                if late {
                    self.tally.hit(Fault::LateEvent);
                }
                let old = self.tabs.get(&id).is_some_and(|tab| tab.old) && frame.contains("\"set_urgent\"");
                let text = if old { frame.replace("\"set_urgent\"", "\"set_colour\"") } else { frame.to_owned() };
                self.feed(id, Event::Received(socket, text));
            }
        }
    }

    /// The server gives what it has taken its places, and makes them durable.
    pub(super) fn stage(&mut self) {
        let before = self.server.has_something_under_way();
        let out = self.server.stage(self.now);
        self.send_all(out);
        if !before && self.server.has_something_under_way() {
            let life = self.server.life;
            self.later(1, 80, Happening::Durable(life));
        }
    }

    pub(super) fn durable(&mut self, life: u64) {
        if self.server.life != life {
            return;
        }
        if self.server.disk_full {
            self.tally.hit(Fault::DiskFull);
            return self.later(500, 1_000, Happening::Durable(life));
        }
        self.append();
        let out = self.server.publish();
        self.send_all(out);
        self.stage();
    }

    /// What the server has staged becomes durable.
    pub(super) fn append(&mut self) {
        let mut before = self.server.store.end().digest;
        for record in self.server.append() {
            let again = self.server.store.log.iter().filter(|other| other.id == record.id).count();
            hold(&mut self.tally, Promise::Once, again == 1, || format!("{} is in the log {again} times", record.id));
            self.ledger.durable(before, &record);
            before = record.digest;
        }
    }

    pub(super) fn broken(&mut self, connection: Connection, code: u16) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        if !wire.client_open {
            self.tally.hit(Fault::LateEvent);
        }
        wire.client_open = false;
        let (id, socket) = (wire.tab, wire.socket);
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        if tab.connection == Some(connection) {
            tab.connection = None;
            return self.feed(id, Event::Closed(socket, code));
        }
        let present = tab.connection;
        self.feed(id, Event::Closed(socket, code));
        if let Some(tab) = self.tabs.get(&id) {
            let same = tab.connection == present;
            hold(&mut self.tally, Promise::OldSocketsAreDeaf, same, || {
                format!("connection {connection} of page {id} cost it {present:?}")
            });
        }
    }

    /// The client closes a connection; the server hears of it, if the line lets it.
    pub(super) fn close_wire(&mut self, connection: Connection) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        wire.client_open = false;
        if !self.devices[wire.device].line.conditions().to_server.silent {
            self.later(1, 100, Happening::Gone(connection));
        }
    }
}
