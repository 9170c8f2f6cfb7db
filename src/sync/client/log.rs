//! What the server says.

use std::time::Duration;

use super::event::{Effect, Turn};
use super::{Client, send};
use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::link::{self, SocketId, State};
use crate::sync::message::{Body, ClientMessage, Entry, ServerMessage, SyncResponse};
use crate::sync::network;
use crate::sync::outbox::Outbox;
use crate::sync::planted::{Bug, planted};
use crate::sync::replica::Misfit;
use crate::sync::retained::Confirmed;
use crate::sync::time::Moment;

impl<D: Document> Client<D> {
    pub(super) fn received(&mut self, socket: SocketId, text: &str, now: Moment) -> Vec<Effect<D>> {
        let mut effects = self.drive(link::Event::Heard(socket), now);
        if self.is_live() {
            self.judge.handle(network::Event::Heard, now);
        }
        let Ok(message) = serde_json::from_str::<ServerMessage<D, D::Change>>(text) else {
            effects.extend(self.drive(link::Event::Unreadable(socket), now));
            return effects;
        };
        match message {
            ServerMessage::SyncResponse(response) if matches!(self.link.state(), State::Handshaking { .. }) => {
                effects.extend(self.synced(socket, response, now));
            }
            // Before the answer it is not known whether they follow what is here.
            ServerMessage::Committed { .. } if !self.is_live() => {}
            ServerMessage::Committed { entries } => effects.extend(self.take(socket, entries, now)),
            ServerMessage::Ping { nonce, version } => {
                effects.push(send(socket, &ClientMessage::Pong { nonce }));
                if self.is_live() && version.is_some_and(|version| version > self.replica.cursor().version) {
                    effects.extend(self.drive(link::Event::Unreadable(socket), now));
                }
            }
            ServerMessage::Saving { ok } => self.server_saves = ok,
            ServerMessage::Bye(bye) => effects.extend(self.drive(link::Event::Bye(socket, bye), now)),
            ServerMessage::Pong { nonce } => {
                self.progress.answered(nonce, now);
                let sent = self.measuring.take_if(|(asked, _)| *asked == nonce);
                effects.extend(sent.map(|(_, at)| Effect::Measured(now.since(at))));
            }
            // A second answer is late: a snapshot in it would take the document back.
            ServerMessage::SyncResponse(_) | ServerMessage::Unknown => {}
        }
        effects
    }

    fn synced(&mut self, socket: SocketId, response: SyncResponse<D, Entry<D::Change>>, now: Moment) -> Vec<Effect<D>> {
        self.access = response.access;
        self.limits = response.limits;
        self.last_sync = response.timestamp;
        self.server_build = response.build;
        self.server_saves = true;
        if self.witness == self.asked {
            self.witness = None;
        }
        let mut effects = Vec::new();
        if planted(Bug::SyncClearsPending) {
            self.outbox = Outbox::default();
        }
        if response.rewound && !planted(Bug::NoReoffer) {
            effects.extend(self.offer_again());
        }
        if let Some(document) = response.snapshot {
            self.replica.take_snapshot(document, Cursor { version: response.server_version, digest: response.digest });
            self.replay();
            effects.push(Effect::ViewChanged);
        }
        effects.extend(self.take(socket, response.changes, now));
        let spread = Duration::from_millis(response.reconnect_spread_ms);
        effects.extend(self.drive(link::Event::Accepted(socket, spread), now));
        effects.extend(self.flush());
        effects
    }

    /// The server's log is not the one that confirmed what was confirmed here: offers it again, ids unchanged. What the log
    /// has nevertheless, it tells by a repeat.
    fn offer_again(&mut self) -> Vec<Effect<D>> {
        let retained = self.retained.take();
        let turn = Effect::Line(Turn::Rewound { offered: retained.len() });
        let admitted = retained.into_iter().filter(|kept| self.outbox.admit(kept.clone()).added);
        let mut effects = vec![turn];
        effects.extend(admitted.map(Effect::Keep));
        effects
    }

    fn take(&mut self, socket: SocketId, entries: Vec<Entry<D::Change>>, now: Moment) -> Vec<Effect<D>> {
        let before = self.replica.cursor().version;
        let mut effects = Vec::new();
        let mut misfit = None;
        let mut view_stands = true;
        let mut remote = Vec::new();
        for entry in &entries {
            view_stands &= self.is_expected(entry);
            if let Err(why) = self.replica.take(entry) {
                misfit = Some(why);
                break;
            }
            let Some(kept) = self.outbox.settle(entry.id, entry.refused.clone()) else {
                if entry.version > before
                    && entry.refused.is_none()
                    && let Body::Known(change) = &entry.change
                {
                    remote.push(change.clone());
                }
                continue;
            };
            self.settled += 1;
            self.progress.made(now);
            if kept.refused.is_some() && planted(Bug::RefusedDropped) {
                effects.extend(self.outbox.discard(kept.id).map(|kept| Effect::Forget(kept.id)));
            } else if kept.refused.is_some() {
                effects.push(Effect::Keep(kept.clone()));
                effects.push(Effect::Refused(kept));
            } else {
                let confirmed = Confirmed { kept, at: Cursor { version: entry.version, digest: entry.digest } };
                effects.push(Effect::Saved(confirmed.clone()));
                effects.extend(self.retained.push(confirmed, entry.timestamp).into_iter().map(Effect::Forget));
            }
        }
        if !view_stands {
            self.replay();
            effects.push(Effect::ViewChanged);
        }
        if !remote.is_empty() {
            effects.push(Effect::Remote(remote));
        }
        let after = self.replica.cursor().version;
        let news: Vec<_> =
            entries.into_iter().filter(|entry| entry.version > before && entry.version <= after).collect();
        if !news.is_empty() {
            effects.push(Effect::Heard(news));
        }
        match misfit {
            Some(Misfit::Gap { .. }) => effects.extend(self.drive(link::Event::Unreadable(socket), now)),
            Some(Misfit::Newer(_)) => effects.extend(self.drive(link::Event::Outdated(socket), now)),
            None => {
                self.outbox.requeue_overtaken();
                effects.extend(self.flush());
            }
        }
        effects
    }

    /// Whether an entry is what the view already shows to come next: the first pending change. However long the queue, saving
    /// it then costs no replay.
    fn is_expected(&self, entry: &Entry<D::Change>) -> bool {
        let first = self.outbox.oldest();
        entry.refused.is_none()
            && entry.version == self.replica.cursor().version + 1
            && first.is_some_and(|first| {
                first.id == entry.id && matches!(&entry.change, Body::Known(change) if *change == first.change)
            })
    }
}
