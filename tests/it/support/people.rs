//! People at a document of [`Words`], each with the engine that the page has.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use sheetbend::native::session::{Ended, View};
use sheetbend::native::{Fate, Opening, Session};
use sheetbend::sync::backoff::Backoff;
use sheetbend::sync::client::Connection;
use sheetbend::sync::document::Document;
use sheetbend::sync::link;
use tokio::time::timeout;

use super::ids::key;
use super::words::{Change, Words};

/// What has not happened by now will not.
const NEVER: Duration = Duration::from_secs(60);

/// As patient as the page, and quicker: what takes seconds there takes tenths here.
pub(crate) fn quick() -> link::Settings {
    link::Settings {
        connect_timeout: Duration::from_millis(400),
        handshake_timeout: Duration::from_millis(400),
        backoff: Backoff { base: Duration::from_millis(20), cap: Duration::from_millis(100) },
        stable_after: Duration::from_millis(200),
        silence: Duration::from_millis(500),
        probe_timeout: Duration::from_millis(200),
        ..link::Settings::default()
    }
}

/// What will become of a change.
type FateToCome = dyn Future<Output = Result<Fate, Ended>> + Send;

/// Someone with document 1 open, and what became of all they did.
pub(crate) struct Person<D: Document> {
    pub(crate) session: Session<D>,
    pub(crate) address: SocketAddr,
    fates: Vec<Pin<Box<FateToCome>>>,
}

impl<D: Document> Person<D> {
    pub(crate) fn at(address: SocketAddr, name: &str, link: link::Settings) -> Self {
        let opening = Opening { link, ..Opening::new(format!("ws://{address}/api/sync"), key(1), name) };
        Self { session: Session::open(opening), address, fates: Vec::new() }
    }

    /// Makes a change; it is kept from here on.
    pub(crate) async fn edit(&mut self, change: D::Change) {
        self.fates.push(Box::pin(self.session.edit(change).await.expect("is taken")));
    }

    /// Waits until all they did so far is saved: none is refused.
    pub(crate) async fn is_saved(&mut self) {
        for fate in std::mem::take(&mut self.fates) {
            assert_eq!(self.in_time(fate).await, Ok(Fate::Saved));
        }
    }

    /// Waits until their page would show this.
    pub(crate) async fn sees(&self, condition: impl FnMut(&View<D>) -> bool) -> View<D> {
        self.in_time(self.session.wait_for(condition)).await.expect("goes on")
    }

    async fn in_time<T>(&self, what: impl Future<Output = T>) -> T {
        let Ok(came) = timeout(NEVER, what).await else { panic!("stuck: {:?}", self.session.view().status) };
        came
    }

    pub(crate) async fn is_live(&self) {
        self.sees(|view| view.status.connection == Connection::Live).await;
    }

    pub(crate) async fn is_not_live(&self) {
        self.sees(|view| view.status.connection != Connection::Live).await;
    }
}

impl Person<Words> {
    /// Says the words `w{n}`.
    pub(crate) async fn say(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for n in numbers {
            self.edit(Change::Say { word: format!("w{n}") }).await;
        }
    }
}

/// Waits until everyone has all they did saved, and stands where the log ends after `entries` entries. Returns the document,
/// which all have alike.
///
/// A change that is doubled would have an entry more, and one that is lost an entry less.
pub(crate) async fn agree<D: Document>(people: &mut [Person<D>], entries: u64) -> View<D> {
    for person in people.iter_mut() {
        person.is_saved().await;
    }
    let mut views = Vec::new();
    for person in people.iter() {
        let view = person.sees(|view| view.cursor.version >= entries && view.status.pending == 0).await;
        assert_eq!((view.cursor.version, view.status.attention), (entries, 0));
        views.push(view);
    }
    let first = views.pop().expect("someone is there");
    for other in views {
        assert_eq!((&other.document, other.cursor), (&first.document, first.cursor));
    }
    first
}
