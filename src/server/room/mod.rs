//! A document in memory: one task, which orders everything that happens to it.
//!
//! Proposals are gathered while an append is under way; when it is durable, and not before, its entries go to everyone in
//! the room. Joining is answered by the same task, so nobody misses an entry or gets one twice.

mod commit;
mod gathered;
mod join;
mod load;
mod recent;
mod repeat;
mod snapshot;
mod staging;
mod task;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::DropGuard;

pub(super) use self::load::{LoadError, load};
pub(super) use self::task::{Place, live};

use super::outbound::Outbound;
use super::runtime::ConnectionId;
use super::store::End;
use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::message::{Access, Proposal, Resume};

/// Most messages with changes that wait at a room's door. More wait in their sockets: their senders are slowed.
const WAITING_OFFERS: usize = 16;

/// The way into a room.
#[derive(Debug)]
pub(super) struct Handle<D: Document> {
    requests: mpsc::UnboundedSender<Request<D>>,
    offers: mpsc::Sender<Offer<D::Change>>,
}

impl<D: Document> Clone for Handle<D> {
    fn clone(&self) -> Self {
        Self { requests: self.requests.clone(), offers: self.offers.clone() }
    }
}

/// The room's side of its [`Handle`]s.
#[derive(Debug)]
pub(super) struct Doors<D: Document> {
    requests: mpsc::UnboundedReceiver<Request<D>>,
    offers: mpsc::Receiver<Offer<D::Change>>,
}

/// Makes the two sides of a way into a room.
pub(super) fn doors<D: Document>() -> (Handle<D>, Doors<D>) {
    let (requests, requested) = mpsc::unbounded_channel();
    let (offers, offered) = mpsc::channel(WAITING_OFFERS);
    (Handle { requests, offers }, Doors { requests: requested, offers: offered })
}

/// What is answered at once, or soon, whatever the store does.
#[derive(Debug)]
pub(super) enum Request<D> {
    /// Brings a client up to date, and into the room.
    Join(Join),
    /// A client is gone.
    Leave(ConnectionId),
    /// Asks for the document as it is.
    View(oneshot::Sender<(Cursor, D)>),
    /// The store has it so: another server may have gone on, or keys were replaced.
    End(End),
}

/// A client that wants in.
#[derive(Debug)]
pub(super) struct Join {
    /// Who.
    pub(super) connection: ConnectionId,
    /// Where it stands in the log.
    pub(super) cursor: Cursor,
    /// The furthest place in the log that its device has known, if that is another.
    pub(super) witness: Option<Cursor>,
    /// What its key allows.
    pub(super) access: Access,
    /// How often the document's keys had been replaced when it was found.
    pub(super) keys_version: u64,
    /// Where an answer over HTTP ended before, if that is how it comes.
    pub(super) resume: Option<Resume>,
    /// Where its frames go: first the `sync_response`, unless it resumes.
    pub(super) outbound: Outbound,
    /// Told when that is in the queue; if nobody listens, the client has gone.
    pub(super) admitted: oneshot::Sender<()>,
}

/// Changes that a client offers to the log.
#[derive(Debug)]
pub(super) struct Offer<C> {
    /// Who offers.
    pub(super) from: ConnectionId,
    /// How often the document's keys had been replaced when theirs was found.
    pub(super) keys_version: u64,
    /// The name that person goes by.
    pub(super) author: Arc<str>,
    /// The changes, in order.
    pub(super) proposals: Vec<Proposal<C>>,
    /// Bytes of the message they came in.
    pub(super) bytes: usize,
    /// Goes when the offer is decided on, and the client was sent what became of it.
    pub(super) undecided: Option<Undecided>,
}

/// Tells when its last clone goes.
pub(super) type Undecided = Arc<DropGuard>;

/// The room has failed, or has not come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document is not in memory")]
pub struct RoomFailed;

impl<D: Document> Handle<D> {
    /// Brings a client in; returns when what brings it up to date is in its queue.
    pub(super) async fn join(&self, join: impl FnOnce(oneshot::Sender<()>) -> Join) -> Result<(), RoomFailed> {
        let (admitted, answer) = oneshot::channel();
        let join = join(admitted);
        self.requests.send(Request::Join(join)).map_err(|_| RoomFailed)?;
        answer.await.map_err(|_| RoomFailed)
    }

    /// A client is gone.
    pub(super) fn leave(&self, connection: ConnectionId) {
        // A room that has failed has nobody in it.
        let _ = self.requests.send(Request::Leave(connection));
    }

    /// Offers changes. Waits while the room has too many already.
    pub(super) async fn offer(&self, offer: Offer<D::Change>) -> Result<(), RoomFailed> {
        self.offers.send(offer).await.map_err(|_| RoomFailed)
    }

    /// The document as committed, and where that is in the log.
    pub(super) async fn view(&self) -> Result<(Cursor, D), RoomFailed> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::View(reply)).map_err(|_| RoomFailed)?;
        answer.await.map_err(|_| RoomFailed)
    }

    /// The store has the document so.
    pub(super) fn tell(&self, end: End) {
        let _ = self.requests.send(Request::End(end));
    }

    /// Returns when the room has failed.
    pub(super) async fn failed(&self) {
        self.requests.closed().await;
    }
}

impl<D: Document> Doors<D> {
    /// Whether nobody is on the way in: nothing waits, and there is no handle but the registry's.
    pub(super) fn nobody_outside(&self) -> bool {
        self.requests.sender_strong_count() == 1 && self.requests.is_empty() && self.offers.is_empty()
    }
}
