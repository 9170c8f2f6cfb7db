//! A server that listens on a port of its own.

use std::net::SocketAddr;
use std::time::Duration;

use sheetbend::server::store::Store;
use sheetbend::server::store::sqlite::Sqlite;
use sheetbend::server::{NewBoard, Server, Settings};
use sheetbend::sync::digest::Cursor;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::ids::{document_id, key};
use super::memory::Memory;
use super::socket::Socket;
use super::words::Words;

/// A server of [`Words`] with one document: number 1, opened by the keys 1 and 101.
pub(crate) struct Served<S: Store> {
    pub(crate) server: Server<Words, S>,
    pub(crate) address: SocketAddr,
    _folder: Option<TempDir>,
}

impl Served<Sqlite> {
    pub(crate) async fn on_sqlite(settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Sqlite::open(folder.path()).expect("opens");
        Served { _folder: Some(folder), ..Served::start(store, settings).await }
    }
}

impl Served<Memory> {
    /// Two servers on one store. They hear nothing of each other.
    pub(crate) async fn two_in_memory() -> [Self; 2] {
        let (store, settings) =
            (Memory::default(), Settings { ask_every: Duration::from_secs(3_600), ..Settings::default() });
        store.set_shared();
        [Served::start(store.clone(), settings.clone()).await, Served::start(store, settings).await]
    }

    /// On a store that the test still has a hand on.
    pub(crate) async fn in_memory(settings: Settings) -> (Self, Memory) {
        let store = Memory::default();
        (Served::start(store.clone(), settings).await, store)
    }
}

impl<S: Store> Served<S> {
    async fn start(store: S, settings: Settings) -> Self {
        let server = Server::new(store, settings);
        let board = NewBoard { id: document_id(1), edit_key: key(1), view_key: key(101) };
        server.create(board).await.expect("works");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (serving, app) = (server.clone(), server.router());
        tokio::spawn(async move { serving.serve(listener, app).await });
        Self { server, address, _folder: None }
    }

    /// A socket that has said nothing yet.
    pub(crate) async fn connect(&self) -> Socket {
        Socket::connect(self.address).await
    }

    /// A client that was given the whole document, and the `sync_response`.
    pub(crate) async fn join(&self) -> Socket {
        let mut socket = self.connect().await;
        socket.sync(1, Cursor::default()).await;
        socket
    }
}
