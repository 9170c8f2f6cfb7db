//! The server: documents in rooms, over a store, for clients on WebSockets. Generic over the document and the store.
//!
//! | module | what it is |
//! |---|---|
//! | [`store`] | where logs are durable |
//! | `room`, `rooms` | a document in memory: one task, which orders all that happens to it; and which ones are live |
//! | `socket`, `outbound`, `frame` | a client's connection, what waits for it, and how that is written |
//! | `api` | `/api/ping`, `/api/boards` and `/api/keys` |
//! | `functions` | limits for a page's server functions |
//! | `health`, `metrics` | what can be seen from outside: whether it serves, and numbers |
//! | `follow` | what other servers have written to the same store |
//! | `accept` | from a listener to requests, encrypted or not, with limits and an orderly end |
//! | `addresses`, `bucket` | how much one client may have and do |
//! | `cpu` | work that takes a processor for longer than a moment |
//! | [`upkeep`] | what is done to a store beside serving it |
//! | [`site`] | the site's files, and headers for every answer |
//!
//! A server is a cheap handle: clone it into request handlers.

mod accept;
mod addresses;
mod api;
mod bucket;
mod cpu;
pub mod entries;
mod follow;
mod frame;
mod functions;
mod health;
mod metrics;
mod outbound;
mod room;
mod rooms;
mod runtime;
mod settings;
pub mod site;
mod socket;
pub mod store;
pub mod upkeep;

use std::fmt;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::routing::{any, get, post};
use tokio::sync::mpsc::UnboundedReceiver;
use tower_http::set_header::SetResponseHeaderLayer;

pub use self::room::RoomFailed;
pub use self::settings::{RecentLimits, Settings};

use self::room::{Handle, Place};
use self::rooms::Rooms;
use self::runtime::Runtime;
use self::store::{Creation, End, Found, KeyHash, Keys, NewDocument, Replacement, Store, StoreError};
use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::id::{DocumentId, Key};
use crate::sync::message::Access;

/// A server of documents `D`, kept in `S`. Clones are the same server.
pub struct Server<D: Document, S> {
    inner: Arc<Inner<D, S>>,
}

struct Inner<D: Document, S> {
    store: Arc<S>,
    rooms: Arc<Rooms<D>>,
    runtime: Arc<Runtime>,
    /// What other servers have written, until it is followed.
    hints: Mutex<Option<UnboundedReceiver<DocumentId>>>,
}

/// A document that a key has opened.
#[derive(Clone, Debug)]
pub struct Opened<D> {
    /// Its id.
    pub document: DocumentId,
    /// What the key allows.
    pub access: Access,
    /// Where in the log `view` is.
    pub cursor: Cursor,
    /// The document, as committed.
    pub view: D,
}

/// A document that a client has thought of.
#[derive(Clone, Debug)]
pub struct NewBoard {
    /// Its id.
    pub id: DocumentId,
    /// The key that allows changes.
    pub edit_key: Key,
    /// The key that allows reading.
    pub view_key: Key,
}

/// Why a server did not do what it was asked. It may work later.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The document could not be loaded; the log says why.
    #[error(transparent)]
    Room(#[from] RoomFailed),
    /// As many documents are in memory as may be.
    #[error("too many documents are in use at once")]
    TooMany,
}

impl<D: Document, S: Store> Server<D, S> {
    /// A server that serves nobody yet.
    #[must_use]
    pub fn new(store: S, settings: Settings) -> Self {
        let hints = store.watch();
        let runtime = Arc::new(Runtime::new(settings, hints.is_some()));
        let rooms = Rooms::new(runtime.settings.rooms, &runtime.metrics);
        let inner = Inner { store: Arc::new(store), rooms: Arc::new(rooms), runtime, hints: Mutex::new(hints) };
        Self { inner: Arc::new(inner) }
    }

    /// The routes under `/api/`: the socket, the probe, and the making of documents. Their responses say that they are the server's
    /// ([`SERVER_HEADER`](crate::sync::network::SERVER_HEADER)).
    pub fn router(&self) -> Router {
        Router::new()
            .route(
                "/api/sync",
                any(socket::upgrade::<D, S>)
                    .post(socket::poll::<D, S>)
                    .layer(DefaultBodyLimit::max(socket::most_bytes(self.settings()))),
            )
            .route("/api/ping", get(api::ping::<D, S>))
            .route("/api/keys", post(api::replace_keys::<D, S>).layer(DefaultBodyLimit::max(api::BODY_BYTES)))
            .route("/api/boards", post(api::create_board::<D, S>).layer(DefaultBodyLimit::max(api::BODY_BYTES)))
            .merge(Self::health())
            .layer(SetResponseHeaderLayer::if_not_present(site::OURS.0, HeaderValue::from_static(site::OURS.1)))
            .with_state(self.clone())
    }

    /// The document that a key opens, as committed; `None` if it opens none.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn open(&self, key: &Key) -> Result<Option<Opened<D>>, ServerError> {
        let Some(Found { document, access, .. }) = self.find(key).await? else { return Ok(None) };
        let (cursor, view) = self.enter(document).ok_or(ServerError::TooMany)?.view().await?;
        Ok(Some(Opened { document, access, cursor, view }))
    }

    /// Makes a document. Saying the same again is harmless.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create(&self, new: NewBoard) -> Result<Creation, StoreError> {
        let NewBoard { id, edit_key, view_key } = new;
        let keys = Keys { edit: KeyHash::of(&edit_key), view: KeyHash::of(&view_key) };
        let new = NewDocument { id, keys, created_at: runtime::now() };
        self.inner.store.create(new).await
    }

    /// Whether `new` was made before, with the same id and keys.
    async fn is_made(&self, new: &NewBoard) -> Result<bool, StoreError> {
        let opens = async |key, access| {
            let found = self.find(key).await?;
            Ok(found.is_some_and(|found| found.document == new.id && found.access == access))
        };
        Ok(opens(&new.edit_key, Access::Edit).await? && opens(&new.view_key, Access::View).await?)
    }

    /// Puts a new key, with its view key, in the place of all that open the document which `current` may change. Those who came with
    /// an old one are sent away, here and on other servers. Saying the same again is harmless: `current` then opens nothing any
    /// more, and `new` the document. `None` if `current` may not change a document.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_key(&self, current: &Key, new: &Key) -> Result<Option<Replacement>, StoreError> {
        let found = match self.find(current).await? {
            Some(found) => Some(found),
            None => self.find(new).await?,
        };
        let Some(found) = found.filter(|found| found.access == Access::Edit) else { return Ok(None) };
        let (document, keys) = (found.document, Keys { edit: KeyHash::of(new), view: KeyHash::of(&new.view_key()) });
        let replacement = self.inner.store.replace_keys(document, KeyHash::of(current), keys).await?;
        if let Replacement::Replaced(keys_version) = replacement {
            self.inner.rooms.tell(End { document, version: 0, keys_version });
        }
        Ok(Some(replacement))
    }

    /// What the server holds to.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.runtime.settings
    }

    /// How many documents are in memory.
    #[must_use]
    pub fn rooms(&self) -> usize {
        self.inner.rooms.len()
    }

    async fn find(&self, key: &Key) -> Result<Option<Found>, StoreError> {
        self.inner.store.find(KeyHash::of(key)).await
    }

    /// The way into the room of a document that is in the store; `None` if too many are in memory.
    fn enter(&self, document: DocumentId) -> Option<Handle<D>> {
        let Inner { store, rooms, runtime, .. } = &*self.inner;
        rooms.enter(Place { document, store: Arc::clone(store), runtime: Arc::clone(runtime) })
    }
}

impl<D: Document, S> Clone for Server<D, S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<D: Document, S> fmt::Debug for Server<D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("rooms", &self.inner.rooms).finish_non_exhaustive()
    }
}
