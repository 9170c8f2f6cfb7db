//! What the person does, and who sends it.

use std::collections::HashSet;

use super::event::{Effect, Reading, Recalled, Voice};
use super::{Client, send};
use crate::sync::document::Document;
use crate::sync::id::ChangeId;
use crate::sync::link::{self, State};
use crate::sync::message::{Access, ClientMessage};
use crate::sync::outbox::{Kept, Pushed};
use crate::sync::planted::{Bug, planted};
use crate::sync::time::Moment;

impl<D: Document> Client<D> {
    pub(super) fn edit(&mut self, kept: Kept<D::Change>) -> Vec<Effect<D>> {
        // One that was made before others, as another tab's may be, belongs below them.
        let newest = self.outbox.newest().is_none_or(|newest| newest < kept.id);
        let pushed = if self.voice == Voice::Sole {
            self.outbox.push(kept)
        } else if self.outbox.admit(kept.clone()).added {
            Pushed::Added(kept)
        } else {
            Pushed::Known
        };
        let mut effects = match pushed {
            Pushed::Added(kept) if newest => {
                self.replica.show(&kept.change);
                vec![Effect::Keep(kept)]
            }
            Pushed::Added(kept) => {
                self.replay();
                vec![Effect::Keep(kept)]
            }
            // On top of what others wrote meanwhile, two changes can do other than the one that takes their place.
            Pushed::Merged(kept) => {
                self.replay();
                let forget = kept.replaces.filter(|_| !planted(Bug::ReplacedStays)).map(Effect::Forget);
                std::iter::once(Effect::Keep(kept)).chain(forget).collect()
            }
            Pushed::Known => return Vec::new(),
        };
        effects.push(Effect::ViewChanged);
        effects.extend(self.flush());
        if planted(Bug::SentBeforeKept) {
            effects.reverse();
        }
        effects
    }

    /// Takes in what the device kept. It is kept already, so it is not to be kept again.
    ///
    /// A client that was live before its device could be read may follow a server that was restored, and not know: it begins again,
    /// to have the device's place looked at.
    pub(super) fn recall(&mut self, recalled: Recalled<D>, now: Moment) -> Vec<Effect<D>> {
        let Recalled { reading, kept, retained, document } = recalled;
        let begun = !matches!(self.link.state(), State::Idle);
        let read = reading == Reading::Done;
        let again = read && self.reading == Reading::Done;
        let late = read && !again && begun;
        if self.reading != Reading::Done {
            self.reading = reading;
        }
        // Once the server was asked, it answers for where the replica stood then.
        let document = document.filter(|_| !begun);
        // What was confirmed bears witness. A document does not: it may be of a later history, and hide the one before.
        let places = retained.iter().map(|confirmed| confirmed.at);
        let places = places.filter(|_| !planted(Bug::NoWitness));
        self.witness = places.chain(self.witness).max_by_key(|place| place.version);
        if let Some((document, at)) = document
            && at.version > self.replica.cursor().version
        {
            self.replica.take_snapshot(document, at);
        }
        let version = self.replica.cursor().version;
        let confirmed: HashSet<_> = self.retained.iter().map(|confirmed| confirmed.kept.id).collect();
        // What was confirmed later than the document at hand is not in it: until the log says so again, it is pending. So is what
        // this client has not heard of, though it has listened: it may be of a history that is over.
        let (later, retained): (Vec<_>, Vec<_>) = retained
            .into_iter()
            .filter(|found| !confirmed.contains(&found.kept.id))
            .partition(|found| found.at.version > version || again);
        let later = if planted(Bug::RecallForgetsLater) { Vec::new() } else { later };
        // What was confirmed since the device was written is on its way out of there.
        let pending = kept.into_iter().chain(later.into_iter().map(|confirmed| confirmed.kept));
        for found in &retained {
            self.outbox.void(found.kept.replaces);
        }
        let admitted: Vec<_> =
            pending.filter(|kept| !confirmed.contains(&kept.id)).map(|kept| self.outbox.admit(kept)).collect();
        self.retained.recall(retained);
        self.replay();
        let mut effects: Vec<_> =
            admitted.into_iter().filter_map(|admitted| admitted.void).map(Effect::Forget).collect();
        effects.push(Effect::ViewChanged);
        if let State::Handshaking { socket, .. } | State::Live { socket, .. } = *self.link.state()
            && late
            && self.witness.is_some()
        {
            effects.extend(self.drive(link::Event::Again(socket), now));
        }
        effects.extend(self.flush());
        effects
    }

    /// Speaks from now on, or leaves that to another.
    pub(super) fn take_voice(&mut self, voice: Voice) -> Vec<Effect<D>> {
        if self.voice != voice {
            self.voice = voice;
            self.outbox.line_lost(false);
            self.outbox.share();
        }
        self.flush().into_iter().collect()
    }

    /// Own changes that are not saved, to be taken elsewhere: pending ones, then refused ones, each in the order they were made.
    /// Others may send them from here on.
    pub fn take_along(&mut self) -> Vec<Kept<D::Change>> {
        self.outbox.share();
        self.outbox.pending().chain(self.outbox.attention()).cloned().collect()
    }

    /// Another client of this device has given its changes away: those here are the same.
    pub(super) fn share(&mut self) -> Vec<Effect<D>> {
        self.outbox.share();
        Vec::new()
    }

    /// Takes in a change that another client keeps: keeping it here too could bring back what was let go meanwhile.
    pub(super) fn take_elsewhere(&mut self, kept: Kept<D::Change>) -> Vec<Effect<D>> {
        let mut effects = self.admit(vec![kept]);
        effects.retain(|effect| !matches!(effect, Effect::Keep(_)));
        effects
    }

    pub(super) fn admit(&mut self, changes: Vec<Kept<D::Change>>) -> Vec<Effect<D>> {
        let mut effects = Vec::new();
        for kept in changes {
            let admitted = self.outbox.admit(kept.clone());
            effects.extend(admitted.added.then_some(Effect::Keep(kept)));
            effects.extend(admitted.void.map(Effect::Forget));
        }
        if !effects.is_empty() {
            self.replay();
            effects.push(Effect::ViewChanged);
            effects.extend(self.flush());
        }
        effects
    }

    /// The author lets a change go.
    pub(super) fn discard(&mut self, id: ChangeId) -> Vec<Effect<D>> {
        let pending = self.outbox.len();
        if self.outbox.discard(id).is_none() {
            return Vec::new();
        }
        let mut effects = vec![Effect::Forget(id)];
        if self.outbox.len() < pending {
            self.replay();
            effects.push(Effect::ViewChanged);
        }
        effects
    }

    /// Sends what the window has room for.
    pub(super) fn flush(&mut self) -> Option<Effect<D>> {
        let State::Live { socket, .. } = *self.link.state() else { return None };
        if self.access == Access::View || (self.voice == Voice::Silent && !planted(Bug::TwoSpeakers)) {
            return None;
        }
        let changes = self.outbox.next_batch(&self.limits);
        if planted(Bug::SentIsSaved) {
            changes.iter().for_each(|proposal| drop(self.outbox.settle(proposal.id, None)));
        }
        (!changes.is_empty()).then(|| send(socket, &ClientMessage::Changes { changes }))
    }

    pub(super) fn replay(&mut self) {
        self.replica.replay(self.outbox.pending().map(|kept| &kept.change));
    }
}
