//! Runs the engine in this page.

use std::rc::Rc;

use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::document::{DocumentHandle, Editor, News, Words};
use super::handle::{Driver, ExportedFile, Stand, Unsaved};
use crate::browser::session::{Notice, Session};
use crate::sync::client::{Opening, Synchronized};
use crate::sync::document::{Document, Refusal};
use crate::sync::id::ChangeId;
use crate::sync::message::Limits;
use crate::sync::outbox::Kept;
use crate::sync::unsent::Unsent;
use crate::ui::clock;

struct Live<D: Document> {
    session: Session<D>,
    words: Words<D>,
}

/// Opens the session; `handle` shows what it tells.
pub(super) fn open<D: Document>(
    handle: DocumentHandle<D>,
    opening: Opening<D>,
    words: Words<D>,
    told: impl Fn(News<D>) + 'static,
) {
    let connection = handle.connection;
    let describe = move |view: &D, list: Vec<Kept<D::Change>>| -> Vec<Unsaved> {
        list.into_iter().map(|kept| unsaved(&words, view, &kept, false)).collect()
    };
    // A session that was left may still have something to tell when the page's signals are gone.
    let alive = handle.alive;
    let show = move |notice| match notice {
        Notice::View(view) => told(News::View(view)),
        Notice::Remote(changes) => told(News::Remote(changes)),
        Notice::Status(status) => {
            let Some(before) = connection.status.try_with_untracked(|status| status.connection.clone()) else { return };
            let _ = connection.history.try_update(|history| history.changed(&before, &status, clock::unix_now()));
            if status.synchronized() == Synchronized::InSync {
                connection.synced_at.set(clock::unix_now());
            }
            connection.status.set(status);
        }
        Notice::Attention(view, list) => connection.refused.set(describe(&view, list)),
        Notice::Line(turn) => {
            let _ = connection.history.try_update(|history| history.turned(&turn, clock::unix_now()));
            told(News::Line(turn));
        }
        Notice::Kept(kept) => connection.kept.set(kept),
        Notice::Registered => told(News::Registered),
        Notice::Marks(marks) => told(News::Marks(marks)),
        Notice::Measured(time) => connection.measured(u32::try_from(time.as_millis()).unwrap_or(u32::MAX)),
    };
    let session = Session::open(opening, move |notice| {
        if !alive.is_disposed() {
            show(notice);
        }
    });
    let live = Rc::new(Live { session, words });
    connection.refused.set(live.refused());
    handle.editor.set_value(Some(SendWrapper::new(live.clone())));
    connection.drive(live);
    handle.alive.set(true);
}

fn unsaved<D: Document>(words: &Words<D>, view: &D, kept: &Kept<D::Change>, in_flight: bool) -> Unsaved {
    let stand = match &kept.refused {
        Some(refusal) => Stand::Refused(refusal.message.to_string()),
        None if in_flight => Stand::UnderWay,
        None => Stand::Waiting,
    };
    Unsaved {
        id: kept.id,
        words: (words.in_short)(view, &kept.change),
        made_at: kept.made_at,
        stand,
        entities: D::touches(&kept.change),
    }
}

impl<D: Document> Editor<D> for Live<D> {
    fn edit(&self, change: D::Change) -> Result<ChangeId, Refusal> {
        self.session.edit(change)
    }
}

impl<D: Document> Driver for Live<D> {
    fn retry_now(&self) {
        self.session.retry_now();
    }

    fn measure(&self) {
        self.session.measure();
    }

    fn pending(&self, most: usize) -> Vec<Unsaved> {
        self.session.look(|client| {
            let outbox = client.outbox();
            let item = |kept: &Kept<_>| unsaved(&self.words, client.view(), kept, outbox.is_in_flight(kept.id));
            outbox.pending().take(most).map(item).collect()
        })
    }

    fn refused(&self) -> Vec<Unsaved> {
        self.session.look(|client| {
            let item = |kept: &Kept<_>| unsaved(&self.words, client.view(), kept, false);
            client.outbox().attention().map(item).collect()
        })
    }

    fn in_full(&self, id: ChangeId) -> Option<String> {
        self.session.look(|client| {
            let kept = client.outbox().find(id)?;
            Some((self.words.in_full)(client.view(), &kept.change))
        })
    }

    fn offer_again(&self, id: ChangeId) -> Result<(), String> {
        let change = self.session.look(|client| client.outbox().find(id).map(|kept| kept.change.clone()));
        let Some(change) = change else { return Ok(()) };
        self.session.edit(change).map_err(|refusal| refusal.message.into_owned())?;
        self.session.discard(id);
        Ok(())
    }

    fn discard(&self, id: ChangeId) {
        self.session.discard(id);
    }

    fn export(&self) -> Option<ExportedFile> {
        let changes = self.session.unsent();
        let name = self.session.look(|client| (self.words.file_name)(client.view()));
        (!changes.is_empty()).then(|| ExportedFile {
            name: format!("{name}-unsent.json"),
            text: Unsent::new(self.session.id(), changes).to_json(),
        })
    }

    fn import(&self, text: &str) -> Result<usize, String> {
        let file = Unsent::read(text, self.session.id(), &Limits::default()).map_err(|why| why.to_string())?;
        let count = file.changes.len();
        self.session.admit(file.changes);
        Ok(count)
    }
}
