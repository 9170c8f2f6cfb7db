//! A client's session: it says where it stands, is brought up to date, and then both sides talk.

use std::pin::pin;
use std::sync::Arc;

use axum::extract::ws::WebSocket;
use futures_util::StreamExt as _;
use serde::de::IgnoredAny;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::incoming::{End, Incoming, bad};
use super::truncated;
use super::writer;
use crate::server::accept::Pulse;
use crate::server::metrics::Metrics;
use crate::server::outbound::{self, Outbound};
use crate::server::room::{Handle, Join, Offer, Undecided};
use crate::server::runtime::{Connection, ConnectionId};
use crate::server::settings::Settings;
use crate::server::store::{Found, Store};
use crate::server::{Server, frame};
use crate::sync::document::Document;
use crate::sync::message::{Access, Bye, ByeCode, ClientMessage, SyncRequest};

/// Serves one client until it goes, or has to.
pub(super) async fn run<D: Document, S: Store>(
    server: Server<D, S>,
    connection: Connection,
    pulse: Pulse,
    socket: WebSocket,
) {
    let runtime = &server.inner.runtime;
    let (settings, metrics) = (&runtime.settings, &runtime.metrics);
    let (sink, stream) = socket.split();
    let (outbound, inbox) = outbound::queue(settings.outbound_bytes, metrics);
    let mut incoming = Incoming::new(stream, pulse, runtime);
    // A task of its own: what there is to write wakes that one, and not what waits for the client's words.
    let writing = runtime.tasks.spawn(writer::run(sink, inbox, Arc::clone(runtime)));
    let mut writing = AbortOnDropHandle::new(writing);
    tokio::select! {
        biased;
        end = listen(&server, connection.id, &mut incoming, &outbound) => {
            // Not the message: it may quote what the client said.
            let why = if let End::Bye(bye) = &end { bye.code.name() } else { "gone" };
            tracing::debug!(why, "ends");
            if let End::Bye(bye) = end {
                outbound.close(bye);
                // It may be stuck in what came before the goodbye.
                let _ = timeout(settings.farewell, &mut writing).await;
            }
        }
        _ = &mut writing => {}
    }
    Metrics::count(&metrics.ended, "reason", outbound.bye().map_or("gone", |bye| bye.name()));
    drop(writing);
    // It has the time to read the goodbye and to close its side: a socket that is closed with something unread in it is reset, and what
    // was on its way is lost. If it closed first, this answers that.
    incoming.drain(settings.farewell).await;
}

/// Tells a client that it cannot be served, and why.
pub(super) async fn turn_away<D: Document, S: Store>(server: &Server<D, S>, socket: WebSocket, bye: Bye) {
    let runtime = &server.inner.runtime;
    let settings = &runtime.settings;
    Metrics::count(&runtime.metrics.turned_away, "reason", bye.code.name());
    let (mut sink, stream) = socket.split();
    writer::say(&mut sink, &bye, settings.farewell).await;
    Incoming::new(stream, Pulse::new(), runtime).drain(settings.farewell).await;
}

/// Hears a client out. Says why that came to its end.
async fn listen<D: Document, S: Store>(
    server: &Server<D, S>,
    connection: ConnectionId,
    incoming: &mut Incoming,
    outbound: &Outbound,
) -> End {
    let draining = &server.inner.runtime.draining;
    let join = async {
        let request = first_words(server.settings(), incoming).await?;
        join(server, connection, request, outbound).await
    };
    let joined = tokio::select! {
        joined = join => joined,
        () = draining.cancelled() => return restart(),
    };
    let member = match joined {
        Ok(member) => member,
        Err(end) => return end,
    };
    let (mut failed, mut drained) = (pin!(member.room.failed()), pin!(draining.cancelled()));
    loop {
        let heard = tokio::select! {
            // The server's end is heard of, however much a client says.
            biased;
            () = &mut failed => return problem(),
            () = &mut drained => {
                // The room says goodbye when all that was offered is committed; this is for one that cannot.
                let _ = timeout(server.settings().farewell, failed).await;
                return restart();
            }
            heard = incoming.next::<D::Change>() => heard,
        };
        let (message, bytes) = match heard {
            Ok(heard) => heard,
            Err(end) => return end,
        };
        if let Err(end) = member.hear(message, bytes, None).await {
            return end;
        }
    }
}

/// A client that is in a room; it leaves when this is dropped.
pub(super) struct Member<D: Document> {
    connection: ConnectionId,
    pub(super) room: Handle<D>,
    outbound: Outbound,
    access: Access,
    keys_version: u64,
    name: Arc<str>,
}

impl<D: Document> Member<D> {
    /// Does what a message asks for. `undecided` is held until what it offers is decided on.
    pub(super) async fn hear(
        &self,
        message: ClientMessage<D::Change>,
        bytes: usize,
        undecided: Option<Undecided>,
    ) -> Result<(), End> {
        match message {
            ClientMessage::Changes { .. } if self.access == Access::View => Err(view_only()),
            ClientMessage::Changes { changes: proposals } => {
                let (from, keys_version, author) = (self.connection, self.keys_version, Arc::clone(&self.name));
                let offer = Offer { from, keys_version, author, proposals, bytes, undecided };
                self.room.offer(offer).await.map_err(|_| problem())
            }
            ClientMessage::Ping { nonce } => {
                self.outbound.send(frame::pong(nonce));
                Ok(())
            }
            ClientMessage::SyncRequest(_) => Err(bad("This connection is in sync already: say sync_request once.")),
            ClientMessage::Pong { .. } | ClientMessage::Unknown => Ok(()),
        }
    }
}

impl<D: Document> Drop for Member<D> {
    fn drop(&mut self) {
        self.room.leave(self.connection);
    }
}

/// Waits for the `sync_request`.
async fn first_words(settings: &Settings, incoming: &mut Incoming) -> Result<SyncRequest, End> {
    let first = timeout(settings.sync_request_within, incoming.next::<IgnoredAny>());
    match first.await {
        Ok(Ok((ClientMessage::SyncRequest(request), _))) => Ok(SyncRequest { resume: None, ..request }),
        Ok(Ok(_)) => Err(no_sync_request()),
        Ok(Err(end)) => Err(end),
        Err(_) => Err(End::Bye(Bye::new(ByeCode::TimedOut, "No sync_request came. Reconnect."))),
    }
}

/// Answers a `sync_request`.
pub(super) async fn join<D: Document, S: Store>(
    server: &Server<D, S>,
    connection: ConnectionId,
    request: SyncRequest,
    outbound: &Outbound,
) -> Result<Member<D>, End> {
    // When all come back at once, each waits its turn; its silence is the server's doing.
    let _turn = server.inner.runtime.joins.acquire().await.map_err(|_| problem())?;
    let cursor = request.cursor();
    let SyncRequest { key, replica, name, last_sync_timestamp, witness, resume, .. } = request;
    let Found { document, access, keys_version } = match server.find(&key).await {
        Ok(Some(found)) => found,
        Ok(None) => return Err(unknown_key()),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "could not look up a key");
            return Err(problem());
        }
    };
    tracing::debug!(%document, %replica, ?access, version = cursor.version, last_sync_timestamp, "sync_request");
    let name = truncated(&name, server.settings().limits.name_bytes).into();
    let Some(room) = server.enter(document) else { return Err(crowded()) };
    let outbound = outbound.clone();
    let member = Member { connection, room, outbound: outbound.clone(), access, keys_version, name };
    // From here on `member` says that the client leaves, whatever happens.
    let join = |admitted| Join { connection, cursor, witness, access, keys_version, resume, outbound, admitted };
    member.room.join(join).await.map_err(|_| problem())?;
    Ok(member)
}

pub(super) fn no_sync_request() -> End {
    bad("The first message is a sync_request.")
}

pub(super) fn restart() -> End {
    End::Bye(Bye::draining())
}

fn unknown_key() -> End {
    End::Bye(Bye::new(ByeCode::UnknownKey, "This link opens no board. Check it, or ask for a new one."))
}

fn view_only() -> End {
    End::Bye(Bye::new(ByeCode::ViewOnly, "This link can only view. Ask for the edit link to make changes."))
}

fn crowded() -> End {
    let why = "The server has as many boards open as it can hold. This one is tried again by itself.";
    End::Bye(Bye { retry_after_ms: 5_000, ..Bye::new(ByeCode::TooMany, why) })
}

pub(super) fn problem() -> End {
    End::Bye(Bye::new(ByeCode::ServerError, "The server has a problem. It tries again by itself."))
}
