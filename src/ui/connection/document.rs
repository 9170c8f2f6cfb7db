//! Opens a document in a page.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use send_wrapper::SendWrapper;
use uuid::Uuid;

use super::handle::ConnectionHandle;
use crate::sync::client::{Opening, Turn};
use crate::sync::document::{Document, Refusal};
use crate::sync::id::ChangeId;
use crate::sync::outbox::Mark;

/// How an app puts its changes into words.
#[derive(Debug)]
pub struct Words<D: Document> {
    /// A change in a few words, for its author: "Name the board “Spring”."
    pub in_short: fn(&D, &D::Change) -> String,
    /// A change with all that its author wrote, for them to copy.
    pub in_full: fn(&D, &D::Change) -> String,
    /// What a file of unsaved changes is called, without its ending.
    pub file_name: fn(&D) -> String,
}

impl<D: Document> Clone for Words<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Document> Copy for Words<D> {}

/// What an app is told of its document. Of the connection, the components know by themselves.
#[derive(Clone, Debug)]
pub enum News<D: Document> {
    /// The document as the person sees it is another.
    View(D),
    /// Changes of others were applied, in the order of the log. What a snapshot has in it already is not told one by one.
    Remote(Vec<D::Change>),
    /// These entities stand otherwise with their author's changes than they did.
    Marks(Vec<(Uuid, Mark)>),
    /// The connection took a turn.
    Line(Turn),
    /// The server knows the document now, which was made here.
    Registered,
}

/// Takes changes to a document.
pub(super) trait Editor<D: Document> {
    fn edit(&self, change: D::Change) -> Result<ChangeId, Refusal>;
}

/// A document that is open in a page. Cheap to copy.
pub struct DocumentHandle<D: Document> {
    /// Its connection.
    pub connection: ConnectionHandle,
    /// The page has come alive: changes are kept from now on.
    pub alive: RwSignal<bool>,
    /// Wrapped, since the server moves pages between threads; it has no editor, so it never touches one.
    pub(super) editor: StoredValue<Option<SendWrapper<Rc<dyn Editor<D>>>>>,
}

impl<D: Document> Clone for DocumentHandle<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Document> Copy for DocumentHandle<D> {}

impl<D: Document> std::fmt::Debug for DocumentHandle<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentHandle").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl<D: Document> DocumentHandle<D> {
    /// Makes a change: it is kept on the device, shown, and sent when it can be. `None` before the page has come alive.
    ///
    /// # Errors
    /// The reason why it can never be accepted; then nothing was done.
    pub fn edit(&self, change: D::Change) -> Option<Result<ChangeId, Refusal>> {
        let editor = self.editor.try_with_value(Clone::clone).flatten()?.take();
        Some(editor.edit(change))
    }

    /// The page is left: the connection closes. What was not saved stays kept.
    pub fn close(&self) {
        self.editor.try_set_value(None);
        self.connection.close();
    }
}

/// Opens a document, and makes its connection known to all components below. `told` hears what is new, from the first view on.
///
/// On the server and before hydration nothing is opened; the page shows the document that it came with. It is closed with the
/// component that called this.
pub fn use_document<D: Document>(
    opening: Opening<D>,
    words: Words<D>,
    told: impl Fn(News<D>) + Clone + Send + Sync + 'static,
) -> DocumentHandle<D> {
    let connection = ConnectionHandle::provide(opening.access, opening.cursor.version);
    let handle = DocumentHandle { connection, alive: RwSignal::new(false), editor: StoredValue::new(None) };
    let opening = StoredValue::new(Some(opening));
    Effect::new(move |_| {
        let told = told.clone();
        // In a turn of its own: the page is drawn and answers before it.
        let open = move || {
            if let Some(opening) = opening.try_update_value(Option::take).flatten() {
                open(handle, opening, words, told.clone());
            }
        };
        set_timeout(open, Duration::ZERO);
    });
    on_cleanup(move || handle.close());
    handle
}

#[cfg(feature = "hydrate")]
use super::live::open;

/// The server opens nothing: effects do not run there.
#[cfg(not(feature = "hydrate"))]
fn open<D: Document>(_: DocumentHandle<D>, _: Opening<D>, _: Words<D>, _: impl Fn(News<D>) + 'static) {}
