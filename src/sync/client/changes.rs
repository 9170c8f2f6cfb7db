//! What the person does, and who sends it.

use super::event::{Effect, Recalled, Voice};
use super::{Client, send};
use crate::sync::document::Document;
use crate::sync::link::State;
use crate::sync::message::{Access, ClientMessage};
use crate::sync::outbox::{Kept, Pushed};

impl<D: Document> Client<D> {
    pub(super) fn edit(&mut self, kept: Kept<D::Change>) -> Vec<Effect<D>> {
        // One that was made before others, as another tab's may be, belongs below them.
        let newest = self.outbox.newest().is_none_or(|newest| newest < kept.id);
        let pushed = if self.voice == Voice::Sole {
            self.outbox.push(kept)
        } else if self.outbox.admit(kept.clone()) {
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
                let forget = kept.replaces.map(Effect::Forget);
                std::iter::once(Effect::Keep(kept)).chain(forget).collect()
            }
            Pushed::Known => return Vec::new(),
        };
        effects.push(Effect::ViewChanged);
        effects.extend(self.flush());
        effects
    }

    /// Takes in what the device kept. It is kept already, so it is not to be kept again.
    pub(super) fn recall(&mut self, recalled: Recalled<D>) -> Vec<Effect<D>> {
        let Recalled { kept, retained, document } = recalled;
        let places = retained.iter().map(|confirmed| confirmed.at).chain(document.as_ref().map(|(_, at)| *at));
        self.witness = places.chain(self.witness).max_by_key(|place| place.version);
        if let Some((document, at)) = document
            && at.version > self.replica.cursor().version
        {
            self.replica.take_snapshot(document, at);
        }
        let version = self.replica.cursor().version;
        // What was confirmed later than the document at hand is not in it: until the log says so again, it is pending.
        let (later, retained): (Vec<_>, Vec<_>) =
            retained.into_iter().partition(|confirmed| confirmed.at.version > version);
        self.retained.recall(retained);
        for kept in kept.into_iter().chain(later.into_iter().map(|confirmed| confirmed.kept)) {
            self.outbox.admit(kept);
        }
        self.replay();
        let mut effects = vec![Effect::ViewChanged];
        effects.extend(self.flush());
        effects
    }

    /// Speaks from now on, or leaves that to another.
    pub(super) fn take_voice(&mut self, voice: Voice) -> Vec<Effect<D>> {
        if self.voice != voice {
            self.voice = voice;
            self.outbox.share();
        }
        self.flush().into_iter().collect()
    }

    /// Takes in a change that another client keeps: keeping it here too could bring back what was let go meanwhile.
    pub(super) fn take_elsewhere(&mut self, kept: Kept<D::Change>) -> Vec<Effect<D>> {
        let mut effects = self.admit(vec![kept]);
        effects.retain(|effect| !matches!(effect, Effect::Keep(_)));
        effects
    }

    pub(super) fn admit(&mut self, changes: Vec<Kept<D::Change>>) -> Vec<Effect<D>> {
        let admitted = changes.into_iter().filter(|kept| self.outbox.admit(kept.clone()));
        let mut effects: Vec<_> = admitted.map(Effect::Keep).collect();
        if !effects.is_empty() {
            self.replay();
            effects.push(Effect::ViewChanged);
            effects.extend(self.flush());
        }
        effects
    }

    /// Sends what the window has room for.
    pub(super) fn flush(&mut self) -> Option<Effect<D>> {
        let State::Live { socket, .. } = *self.link.state() else { return None };
        if self.access == Access::View || self.voice == Voice::Silent {
            return None;
        }
        let changes = self.outbox.next_batch(&self.limits);
        (!changes.is_empty()).then(|| send(socket, &ClientMessage::Changes { changes }))
    }

    pub(super) fn replay(&mut self) {
        self.replica.replay(self.outbox.pending().map(|kept| &kept.change));
    }
}
