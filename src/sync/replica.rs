//! A document as one client holds it: confirmed by the server, with the pending changes on top.

use super::digest::Cursor;
use super::document::Document;
use super::message::{Body, Entry};

/// Confirmed document, cursor, and the optimistic view.
#[derive(Clone, Debug)]
pub struct Replica<D> {
    confirmed: D,
    cursor: Cursor,
    view: D,
}

/// Entries that a replica could not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// They do not follow on what is here.
    #[error("entry {found} came after version {at}")]
    Gap {
        /// The replica's version.
        at: u64,
        /// The entry's.
        found: u64,
    },
    /// An entry's change is of a kind that this program does not know, or does not apply here as it did on the server: this
    /// program is older than the server.
    #[error("entry {0} is from a newer version")]
    Newer(u64),
}

impl<D: Document> Replica<D> {
    /// A replica that stands at `cursor` with `confirmed`.
    #[must_use]
    pub fn new(confirmed: D, cursor: Cursor) -> Self {
        Self { view: confirmed.clone(), confirmed, cursor }
    }

    /// What the server has confirmed, up to the cursor.
    #[must_use]
    pub const fn confirmed(&self) -> &D {
        &self.confirmed
    }

    /// What the person sees: confirmed plus pending.
    #[must_use]
    pub const fn view(&self) -> &D {
        &self.view
    }

    /// Where it stands in the log.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Takes the server's whole document. The view is out of date until [`Replica::replay`].
    pub fn take_snapshot(&mut self, document: D, cursor: Cursor) {
        self.confirmed = document;
        self.cursor = cursor;
    }

    /// Takes one entry of the log; a repeat alters nothing. The view is out of date until [`Replica::replay`].
    ///
    /// # Errors
    /// [`Misfit`]; the replica is then as it was.
    pub fn take(&mut self, entry: &Entry<D::Change>) -> Result<(), Misfit> {
        if entry.version <= self.cursor.version {
            return Ok(());
        }
        if entry.version != self.cursor.version + 1 {
            return Err(Misfit::Gap { at: self.cursor.version, found: entry.version });
        }
        if entry.refused.is_none() {
            let Body::Known(change) = &entry.change else { return Err(Misfit::Newer(entry.version)) };
            self.confirmed.apply(change).map_err(|_| Misfit::Newer(entry.version))?;
        }
        self.cursor = Cursor { version: entry.version, digest: entry.digest };
        Ok(())
    }

    /// Applies one more pending change to the view.
    ///
    /// A change that does not apply is left out of the view; the server will refuse it, and its author is told then.
    pub fn show(&mut self, change: &D::Change) {
        let _ = self.view.apply(change);
    }

    /// Makes the view anew: confirmed, with `pending` on top in order.
    pub fn replay<'a>(&mut self, pending: impl IntoIterator<Item = &'a D::Change>) {
        self.view = self.confirmed.clone();
        for change in pending {
            self.show(change);
        }
    }
}
