//! Looking whether the promises hold.

use sheetbend::sync::client::{Effect, Synchronized};

use super::*;

impl World {
    /// What a page asks for, before it is carried out.
    pub(super) fn check_effects(&mut self, tab: &Tab, effects: &[Effect<Board>]) {
        let mut kept = Vec::new();
        for effect in effects {
            match effect {
                Effect::Keep(record) => kept.push(record.id),
                Effect::Send(_, text) if text.starts_with(r#"{"type":"changes""#) => {
                    let Ok(ClientMessage::Changes { changes }) = serde_json::from_str::<ClientMessage<Change>>(text)
                    else {
                        panic!("a client writes what can be read");
                    };
                    let silent = tab.voice == Voice::Silent;
                    hold(&mut self.tally, Promise::OneVoice, !silent, || "who has not the voice sends".to_owned());
                    for proposal in changes {
                        let known = self.ledger.made.contains_key(&proposal.id) || kept.contains(&proposal.id);
                        hold(&mut self.tally, Promise::KeptFirst, known, || format!("{} was not kept", proposal.id));
                    }
                }
                Effect::Saved(confirmed) => {
                    let id = confirmed.kept.id;
                    let durable = self.ledger.durable.contains(&id);
                    hold(&mut self.tally, Promise::SavedMeansSaved, durable, || format!("{id} is in no log"));
                }
                _ => {}
            }
        }
    }

    /// A page after an event.
    pub(super) fn check_tab(&mut self, id: TabId) {
        let tab = &self.tabs[&id];
        let (document, cursor) = tab.client.confirmed();
        let status = tab.client.status();
        if cursor.version > 0 {
            let expected = self.ledger.documents.get(&cursor.digest);
            let durable = expected.is_some();
            let same = expected.is_none_or(|expected| expected == document);
            hold(&mut self.tally, Promise::DurableFirst, durable, || {
                format!("page {id} is at {cursor:?}, which is not durable")
            });
            hold(&mut self.tally, Promise::SameEverywhere, same, || {
                format!("page {id} at {cursor:?}:\n{document:?}\nand not\n{expected:?}")
            });
        }
        if self.rng.u8(..8) == 0 {
            let mut view = document.clone();
            for kept in tab.client.outbox().pending() {
                let _ = view.apply(&kept.change);
            }
            let both = view == *tab.client.view();
            hold(&mut self.tally, Promise::ViewIsBoth, both, || format!("page {id}"));
        }
        let lines = self.wires.values().filter(|wire| wire.tab == id && wire.client_open).count();
        hold(&mut self.tally, Promise::OneSocket, lines <= 1, || format!("page {id} has {lines}"));

        let pending = tab.client.outbox().len();
        let truth = status.pending == pending
            && (status.synchronized() != Synchronized::InSync
                || (pending == 0 && status.connection == Line::Live && !tab.late));
        hold(&mut self.tally, Promise::Truth, truth, || format!("page {id}: {status:?} with {pending} pending"));

        let waits_for_outside = match status.connection {
            Line::Off => !tab.begun,
            Line::Suspended { .. } | Line::GaveUp { .. } | Line::Refused(_) | Line::Outdated => true,
            Line::Connecting { .. } | Line::Live | Line::Waiting { .. } => false,
        };
        match status.connection {
            Line::GaveUp { .. } => self.tally.hit(Fault::GaveUp),
            Line::Outdated => self.tally.hit(Fault::OlderClient),
            _ => {}
        }
        let goes_on = waits_for_outside || tab.client.deadline().is_some();
        hold(&mut self.tally, Promise::NeverStuck, goes_on, || format!("page {id}: {status:?}"));
    }

    pub(super) fn check_all(&mut self) {
        self.check_kept();
        for id in self.tabs.keys().copied().collect::<Vec<_>>() {
            if !self.tabs[&id].frozen {
                self.check_tab(id);
            }
        }
    }

    fn is_somewhere(&self, id: ChangeId) -> bool {
        self.server.store.has(id)
            || self.devices.iter().any(|device| device.holds(id))
            || self.tabs.values().any(|tab| tab.holds(id))
    }

    pub(super) fn check_kept(&mut self) {
        let gone: Vec<_> = self
            .ledger
            .made
            .iter()
            .filter(|(_, made)| made.excused.is_none() && !made.dismissed && made.replaced_by.is_none())
            .filter(|(id, _)| !self.is_somewhere(**id))
            .map(|(id, made)| (*id, made.device))
            .collect();
        hold(&mut self.tally, Promise::Kept, gone.is_empty(), || format!("nobody has {gone:?} any more"));
    }
}
