//! What people do, and what goes wrong.

use sheetbend::sync::faults::Incident;

use super::*;

impl World {
    fn any_tab(&mut self) -> Option<TabId> {
        let tabs: Vec<_> = self.tabs.iter().filter(|(_, tab)| !tab.frozen).map(|(id, _)| *id).collect();
        self.rng.choice(tabs)
    }

    /// Nobody else has heard of a board that its maker has not registered.
    pub(super) fn can_open(&self, device: usize) -> bool {
        self.server.store.registered || !self.devices[device].registered
    }

    fn any_device(&mut self) -> usize {
        self.rng.usize(..self.devices.len())
    }

    pub(super) fn act(&mut self) {
        if self.tabs.is_empty() {
            return self.open_tab(0);
        }
        let Some(id) = self.any_tab() else { return };
        match self.rng.u8(..24) {
            0 => self.feed(id, Event::Start),
            1 => self.decide(id),
            2 => self.feed(id, Event::Visible(false)),
            3 => self.feed(id, Event::Visible(true)),
            4 => self.take_file(id),
            5 => {
                let device = self.any_device();
                if self.can_open(device) {
                    self.open_tab(device);
                }
            }
            _ => {
                // People work in bursts.
                for _ in 0..self.rng.usize(1..6) {
                    self.edit(id);
                }
            }
        }
    }

    fn edit(&mut self, id: TabId) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        let change = people::change(tab.client.view(), &mut self.rng);
        if tab.client.admits(&change).is_err() {
            return;
        }
        let at = self.now.saturating_add_signed(self.devices[tab.device].clock);
        tab.ids.raise(tab.client.outbox().newest());
        let mut random = [0; 10];
        self.rng.fill(&mut random);
        let change_id = tab.ids.next(at, random);
        self.tally.made();
        self.tell(|| format!("page {id}: {change_id} {change:?}"));
        self.feed(id, Event::Edit(Kept::new(change_id, change, at)));
    }

    /// A person lets a change go: a refused one, or now and then one that waits.
    fn decide(&mut self, id: TabId) {
        let outbox = self.tabs[&id].client.outbox();
        let refused = outbox.attention().next().map(|kept| kept.id);
        let waiting = outbox.pending().map(|kept| kept.id).find(|id| !outbox.is_in_flight(*id));
        if let Some(change) = refused.or(waiting.filter(|_| self.rng.u8(..8) == 0)) {
            if let Some(made) = self.ledger.made.get_mut(&change) {
                made.dismissed = true;
            }
            self.feed(id, Event::Discard(change));
        }
    }

    /// Unsaved changes go to another page as a file, which takes them in twice.
    fn take_file(&mut self, id: TabId) {
        let document = sheetbend::sync::id::DocumentId(uuid::Uuid::nil());
        let changes = self.tabs.get_mut(&id).expect("it is there").client.take_along();
        self.tell_tabs(id, &Word::TakenAlong);
        let Some(other) = self.any_tab().filter(|_| !changes.is_empty()) else { return };
        if self.devices[self.tabs[&other].device].access == Access::View {
            return;
        }
        self.tally.hit(Fault::File);
        let text = Unsent::new(document, changes).to_json();
        for _ in 0..2 {
            let file = Unsent::read(&text, document, &Limits::default()).expect("it reads as it was written");
            self.feed(other, Event::Admit(file.changes));
        }
    }

    pub(super) fn storm(&mut self) {
        match self.rng.u8(..40) {
            0..=13 => {
                let device = self.any_device();
                self.change_weather(device);
            }
            14..=16 => self.kill_server(),
            17 => self.restore_server(),
            18 => {
                self.server.disk_full = !self.server.disk_full;
                self.tell(|| "the disk is full, or is not any more".to_owned());
            }
            19 => {
                let behind =
                    self.tabs.values().any(|tab| tab.client.status().version < self.server.store.log.len() as u64);
                if self.server.store.compact(&mut self.rng) && behind {
                    self.tally.hit(Fault::Compacted);
                }
            }
            20 => self.backups.push(self.server.store.clone()),
            21 | 22 => self.say_goodbye(),
            23 => self.newer_client(),
            24..=26 => {
                let Some(id) = self.any_tab() else { return };
                let doom = self.rng.u32(0..6);
                self.tabs.get_mut(&id).expect("it is there").doom = Some(doom);
                self.edit(id);
            }
            27 | 28 => {
                let Some(id) = self.any_tab() else { return };
                let device = self.tabs[&id].device;
                self.tally.hit(Fault::TabClosed);
                self.end_tab(id, false);
                self.open_tab(device);
            }
            29 => self.freeze(),
            30 => self.thaw(),
            31 => {
                let device = self.any_device();
                self.devices[device].first_full = !self.devices[device].first_full;
            }
            32 | 33 => {
                let device = self.any_device();
                let [a, b, c] = [Database::Works, Database::Fails, Database::Missing];
                self.devices[device].database = *self.rng.choice(&[a, a, b, c]).expect("some");
            }
            34 => self.wipe(),
            35 => self.cut_power(),
            36 => self.clone_profile(),
            37 => {
                let device = self.any_device();
                self.devices[device].clock = self.rng.i64(-3_600_000..3_600_000);
                self.tally.hit(Fault::ClockJumps);
            }
            38 => {
                let Some(id) = self.any_tab() else { return };
                self.tally.hit(Fault::FalseHint);
                let online = self.rng.bool();
                self.feed(id, Event::Hint { online });
            }
            _ => {
                let Some(id) = self.any_tab() else { return };
                self.feed(id, Event::Nudge);
            }
        }
    }

    fn change_weather(&mut self, device: usize) {
        if self.rng.u8(..6) == 0 {
            let fault = storm::disorder(&mut self.rng);
            self.tell(|| format!("device {device}: {fault:?}"));
            if matches!(fault, sheetbend::sync::faults::Fault::Reorder { .. }) {
                self.tally.hit(Fault::Reordered);
            }
            self.devices[device].disorderly = true;
            self.devices[device].line.apply(&fault);
            return;
        }
        match storm::weather(&mut self.rng) {
            Weather::Fault(fault) => {
                self.tell(|| format!("device {device}: {fault:?}"));
                if fault == sheetbend::sync::faults::Fault::Clear {
                    self.devices[device].blocked = false;
                }
                let incident = self.devices[device].line.apply(&fault);
                self.incident(device, incident);
            }
            Weather::Preset(preset) => {
                self.tell(|| format!("device {device}: {preset}"));
                let seed = self.rng.u64(..);
                let line = &mut self.devices[device].line;
                line.play(preset.script().with_seed(seed), Moment::from_millis(self.now));
                if preset == sheetbend::sync::faults::Preset::Lossy || preset == sheetbend::sync::faults::Preset::Tunnel
                {
                    self.devices[device].disorderly = true;
                }
                self.weather_goes_on(device);
            }
        }
        self.release(device);
    }

    pub(super) fn weather_goes_on(&mut self, device: usize) {
        let taken = self.devices[device].line.advance(Moment::from_millis(self.now));
        for (_, incident) in taken {
            self.incident(device, incident);
        }
        self.release(device);
        if let Some(due) = self.devices[device].line.deadline() {
            self.at(due.as_millis().max(self.now + 1), Happening::Weather(device));
        }
    }

    fn incident(&mut self, device: usize, incident: Option<Incident>) {
        let open = |wire: &&Connection, world: &Self| {
            world.wires[*wire].device == device && (world.wires[*wire].client_open || world.wires[*wire].server_open)
        };
        let mine: Vec<_> = self.wires.keys().filter(|wire| open(wire, self)).copied().collect();
        match incident {
            Some(Incident::Cut) => {
                for connection in mine {
                    if self.wires[&connection].is_busy() {
                        self.tally.hit(Fault::Cut);
                    }
                    self.drop_wire(connection, 1006);
                }
            }
            Some(Incident::Close(code)) => {
                for connection in mine {
                    self.tally.hit(Fault::ClosedWithCode);
                    self.drop_wire(connection, code);
                }
            }
            Some(Incident::RestartServer | Incident::RestoreServer | Incident::JumpClock(_)) | None => {}
        }
    }

    /// A connection breaks, and both ends hear of it. What was on its way may still arrive, late.
    fn drop_wire(&mut self, connection: Connection, code: u16) {
        let late = self.rng.u64(0..200);
        self.later(0, late, Happening::Broken(connection, code));
        self.later(0, late, Happening::Gone(connection));
    }

    /// The line has changed: what it held may go on.
    fn release(&mut self, device: usize) {
        let mine: Vec<_> =
            self.wires.iter().filter(|(_, wire)| wire.device == device).map(|(connection, _)| *connection).collect();
        for connection in mine {
            let wire = self.wires.get_mut(&connection).expect("it is there");
            let alive = wire.client_open || wire.server_open;
            for (direction, frame) in wire.release() {
                if alive {
                    self.carry(connection, direction, &frame);
                }
            }
        }
    }

    fn kill_server(&mut self) {
        if !self.server.is_up() {
            return;
        }
        let under_way = self.server.has_something_under_way();
        if under_way && self.rng.bool() {
            // It dies when all is durable, and nobody has been told.
            self.tally.hit(Fault::KilledBeforeTold);
            self.append();
        } else if under_way {
            self.tally.hit(Fault::KilledBeforeDurable);
        }
        self.tell(|| "the server is killed".to_owned());
        for connection in self.server.kill() {
            let device = self.wires[&connection].device;
            if !self.devices[device].line.conditions().to_client.silent {
                self.later(0, 300, Happening::Broken(connection, 1006));
            }
        }
        let life = self.server.life;
        self.later(50, 8_000, Happening::Start(life));
    }

    fn restore_server(&mut self) {
        let Some(backup) = self.rng.choice(&self.backups).cloned() else { return };
        if !self.server.is_up() || backup.log.len() >= self.server.store.log.len() {
            return;
        }
        self.kill_server();
        self.tell(|| format!("the server is restored from version {}", backup.log.len()));
        self.tally.hit(Fault::Restored);
        self.ledger.restored = true;
        let lost: Vec<_> = self.server.store.log[backup.log.len().min(self.server.store.log.len())..]
            .iter()
            .filter(|record| !backup.has(record.id))
            .map(|record| record.id)
            .collect();
        self.server.store = Store { registered: true, ..backup };
        self.backups.retain(|backup| backup.log.len() <= self.server.store.log.len());
        for change in lost {
            let held = self.devices.iter().any(|device| device.holds(change))
                || self.tabs.values().any(|tab| tab.holds(change));
            if held {
                self.ledger.to_heal.insert(change);
            } else {
                self.ledger.excuse("nobody had it any more when the server was restored", |id, made| {
                    let failed = made.dismissed || self.devices.iter().any(|device| device.has_failed);
                    id == change && failed
                });
            }
        }
        self.check_kept();
    }

    fn say_goodbye(&mut self) {
        let connections = self.server.connections();
        let Some(connection) = self.rng.choice(connections) else { return };
        let code = *self
            .rng
            .choice(&[ByeCode::Draining, ByeCode::ServerError, ByeCode::SlowConsumer, ByeCode::TooMany])
            .expect("some");
        let after = self.rng.u64(0..5_000);
        self.tell(|| format!("the server says {code:?} to connection {connection}"));
        self.tally.hit(Fault::Bye);
        let out = self.server.bye(connection, code, after);
        self.send_all(out);
    }

    /// Someone with a newer program offers a change that this server does not know.
    fn newer_client(&mut self) {
        if !self.server.is_up() || !self.server.store.registered {
            return;
        }
        self.tally.hit(Fault::NewerClient);
        let id = ChangeId(uuid_v7(self.now, [0xbb; 10]));
        let change = Body::Unknown(serde_json::json!({ "kind": "set_colour", "colour": "red", "more": [1, 2] }));
        let frame = serde_json::to_string(&ClientMessage::<Change>::Changes { changes: vec![Proposal { id, change }] });
        let connection = 0;
        self.server.connect(connection, Access::Edit, self.now);
        let sync = serde_json::json!({
            "type": "sync_request", "key": "AAAAAAAAAAAAAAAAAAAAAA", "replica": ChangeId(uuid::Uuid::nil()), "version": 0,
            "digest": Digest::GENESIS, "cursor_colour": "green",
        });
        let out = self.server.receive(connection, &sync.to_string(), self.now);
        drop(out);
        let out = self.server.receive(connection, &frame.expect("JSON"), self.now);
        drop(out);
        self.stage();
        self.server.leave(connection);
    }

    fn freeze(&mut self) {
        if let Some(id) = self.any_tab() {
            self.tell(|| format!("page {id} is frozen"));
            self.tally.hit(Fault::TabFrozen);
            self.tabs.get_mut(&id).expect("it is there").frozen = true;
        }
    }

    pub(super) fn thaw(&mut self) {
        let frozen: Vec<_> = self.tabs.iter().filter(|(_, tab)| tab.frozen).map(|(id, _)| *id).collect();
        for id in frozen {
            self.tell(|| format!("page {id} wakes"));
            let tab = self.tabs.get_mut(&id).expect("it is there");
            tab.frozen = false;
            let waiting = std::mem::take(&mut tab.waiting);
            for event in waiting {
                if let (Event::Voice(voice), Some(tab)) = (&event, self.tabs.get_mut(&id)) {
                    tab.voice = *voice;
                }
                self.feed(id, event);
            }
            self.feed(id, Event::Wake);
            self.feed(id, Event::Nudge);
        }
    }

    fn wipe(&mut self) {
        let device = self.any_device();
        let place = &mut self.devices[device];
        if !place.first.is_empty() || !place.second.is_empty() {
            self.tally.hit(Fault::Wiped);
        }
        self.tell(|| format!("device {device} is wiped"));
        let place = &mut self.devices[device];
        place.first.clear();
        place.second.clear();
        (place.has_failed, place.has_lost) = (true, true);
        self.excuse_lost("its device was wiped");
    }

    /// What is nowhere may be gone: a fault that no program can make up for has just happened.
    fn excuse_lost(&mut self, why: &'static str) {
        let (devices, tabs, log) = (&self.devices, &self.tabs, &self.server.store);
        self.ledger.excuse(why, |id, _| {
            !log.has_applied(id)
                && !devices.iter().any(|device| device.holds(id))
                && !tabs.values().any(|tab| tab.holds(id))
        });
    }

    /// Every page of a device dies, and the last writes of its first stage never reached the disk.
    fn cut_power(&mut self) {
        let device = self.any_device();
        let place = &mut self.devices[device];
        let lost = self.rng.usize(0..=place.first.len().min(3));
        let gone: Vec<_> = place.first.keys().rev().take(lost).copied().collect();
        if !gone.is_empty() {
            self.tally.hit(Fault::PowerCut);
        }
        self.tell(|| format!("device {device} loses power, and {} records", gone.len()));
        let place = &mut self.devices[device];
        for id in &gone {
            place.first.remove(id);
        }
        (place.has_failed, place.has_lost) = (true, true);
        let (place, log) = (&self.devices[device], &self.server.store);
        self.ledger.excuse("it was not on the disk when the power was cut", |id, _| {
            gone.contains(&id) && !log.has_applied(id) && !place.holds(id)
        });
        let mine: Vec<_> = self.tabs.iter().filter(|(_, tab)| tab.device == device).map(|(id, _)| *id).collect();
        for id in mine {
            self.end_tab(id, true);
        }
        if self.can_open(device) {
            self.open_tab(device);
        }
    }

    fn clone_profile(&mut self) {
        if self.devices.len() >= 5 {
            return;
        }
        let device = self.any_device();
        let seed = self.rng.u64(..);
        let clone = self.devices[device].cloned(seed);
        if !clone.first.is_empty() || !clone.second.is_empty() {
            self.tally.hit(Fault::Cloned);
        }
        self.ledger.cloned = true;
        self.devices.push(clone);
        self.tell(|| format!("device {device} is copied to device {}", self.devices.len() - 1));
        self.open_tab(self.devices.len() - 1);
    }
}
