//! Nothing fails any more: then all must be well, soon.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;

impl World {
    /// Every fault ends, and every device has a page.
    pub(super) fn calm_down(&mut self) {
        self.tell(|| "nothing fails any more".to_owned());
        self.calm = true;
        self.server.disk_full = false;
        if !self.server.is_up() {
            self.server.start();
        }
        for device in 0..self.devices.len() {
            let place = &mut self.devices[device];
            (place.first_full, place.database) = (false, Database::Works);
            place.line.play(sheetbend::sync::faults::Preset::Clear.script(), Moment::from_millis(self.now));
            self.weather_goes_on(device);
        }
        self.thaw();
        for device in 0..self.devices.len() {
            if self.can_open(device) && !self.tabs.values().any(|tab| tab.device == device) {
                self.open_tab(device);
            }
        }
        for id in self.tabs.keys().copied().collect::<Vec<_>>() {
            if let Some(tab) = self.tabs.get_mut(&id) {
                tab.doom = None;
            }
            self.open_late(id);
            self.feed(id, Event::Hint { online: true });
            self.feed(id, Event::Visible(true));
        }
    }

    /// People look at their pages, and do what these ask them to: load again, which brings a new version with it, or retry.
    pub(super) fn look_after_pages(&mut self) {
        for id in self.tabs.keys().copied().collect::<Vec<_>>() {
            let Some(tab) = self.tabs.get(&id).filter(|tab| tab.begun) else { continue };
            match tab.client.status().connection {
                Line::Outdated | Line::Refused(_) => self.load_again(id),
                Line::GaveUp { .. } | Line::Off => self.feed(id, Event::Start),
                _ => {}
            }
        }
        for device in 0..self.devices.len() {
            if self.can_open(device) && !self.tabs.values().any(|tab| tab.device == device) {
                self.open_tab(device);
            }
        }
    }

    fn load_again(&mut self, id: TabId) {
        let device = self.tabs[&id].device;
        self.end_tab(id, false);
        self.open_tab(device);
    }

    /// Whether nothing is to be done any more.
    pub(super) fn is_at_rest(&self) -> bool {
        let end = self.server.store.end();
        self.server.store.registered
            && !self.server.has_something_under_way()
            && self.tabs.values().all(|tab| {
                let status = tab.client.status();
                let still = tab.transaction.is_none() && tab.begun && !tab.stages.retries();
                still && status.connection == Line::Live && status.pending == 0 && tab.client.confirmed().1 == end
            })
    }

    pub(super) fn who_is_stuck(&self) -> String {
        let status = |(id, tab): (&TabId, &Tab)| {
            format!(
                "\n  page {id} of device {}, {:?}, stages {:?}: {:?}",
                tab.device,
                tab.voice,
                tab.stages.retries(),
                tab.client.status()
            )
        };
        let pages: String = self.tabs.iter().map(status).collect();
        format!("the server is at {}, and {pages}", self.server.store.end().version)
    }

    /// All that was made is in the log once, or waits for its author, or is excused.
    pub(super) fn check_the_end(&mut self) {
        let log: HashMap<ChangeId, usize> =
            self.server.store.log.iter().enumerate().map(|(at, record)| (record.id, at)).collect();
        let once = log.len() == self.server.store.log.len();
        hold(&mut self.tally, Promise::Once, once, || "an id is in the log twice".to_owned());
        let waiting: BTreeSet<_> =
            self.tabs.values().flat_map(|tab| tab.client.outbox().attention().map(|kept| kept.id)).collect();

        for (id, made) in self.ledger.made.clone() {
            let place = log.get(&id).map(|at| &self.server.store.log[*at]);
            let later = made.replaced_by.and_then(|later| log.get(&later));
            let sound = !self.ledger.cloned && !self.ledger.restored && !self.devices[made.device].has_lost;
            if let Some(later) = later.filter(|_| sound) {
                let before = log.get(&id).is_none_or(|at| at < later);
                hold(&mut self.tally, Promise::NothingTakenBack, before, || format!("{id} came after {later}"));
            }
            let carried = self.ledger.carrier(id) != id;
            let fine = place.is_some() || waiting.contains(&id) || carried || made.dismissed || made.excused.is_some();
            hold(&mut self.tally, Promise::Kept, fine, || {
                format!("{id} of device {} is not in the log: {made:?}", made.device)
            });
            let same = place.filter(|record| record.refused.is_none()).is_none_or(|record| {
                serde_json::from_str::<Change>(record.change.get()).is_ok_and(|logged| logged == made.change)
            });
            hold(&mut self.tally, Promise::Kept, same, || {
                format!(
                    "{id} is in the log otherwise than it was kept, {:?}: {}",
                    made.change,
                    place.map(|record| record.change.get()).unwrap_or_default()
                )
            });
            if self.ledger.to_heal.contains(&id) {
                hold(&mut self.tally, Promise::Heals, fine, || format!("{id} did not come back"));
            }
            if place.is_some_and(|record| record.refused.is_some()) && !made.dismissed && made.excused.is_none() {
                let shown = waiting.contains(&id) || carried;
                hold(&mut self.tally, Promise::RefusedIsShown, shown, || {
                    format!("{id} was refused, and nobody is told")
                });
            }
        }
        if !self.ledger.restored {
            self.check_order(&log);
        }
        let (document, _) = self.server.document().expect("it is up");
        let same = self.tabs.values().all(|tab| tab.client.confirmed().0 == document);
        hold(&mut self.tally, Promise::SameEverywhere, same, || "in the end".to_owned());
    }

    fn check_order(&mut self, log: &HashMap<ChangeId, usize>) {
        // Order is kept by lines that keep it, and by devices that keep what they are given.
        if self.devices.iter().any(|device| device.disorderly || device.has_failed) {
            return;
        }
        let mut lasts: BTreeMap<_, (ChangeId, usize)> = BTreeMap::new();
        // What was replaced, or discarded by its author, may have been sent all the same, from a copy of the profile; it is not there to be
        // in order.
        let wanted = self.ledger.made.iter().filter(|(_, made)| made.replaced_by.is_none() && !made.dismissed);
        for (id, made) in wanted {
            let Some(at) = log.get(id) else { continue };
            for entity in &made.entities {
                let last = lasts.insert((made.page, *entity), (*id, *at));
                if let Some((before, place)) = last {
                    hold(&mut self.tally, Promise::InOrder, place < *at, || format!("{id} overtook {before}"));
                }
            }
        }
    }
}
