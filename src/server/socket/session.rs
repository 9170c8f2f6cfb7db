//! A client's session: it says where it stands, is brought up to date, and then both sides talk.

use std::pin::pin;
use std::sync::Arc;

use axum::extract::ws::WebSocket;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::timeout;

use super::incoming::{End, Incoming, bad};
use super::truncated;
use super::writer::{self, Written};
use crate::server::accept::Pulse;
use crate::server::metrics::Metrics;
use crate::server::outbound::{self, Outbound};
use crate::server::room::{Handle, Join, Offer};
use crate::server::runtime::{Connection, ConnectionId};
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
    let settings = server.settings();
    let metrics = &server.inner.runtime.metrics;
    let (mut sink, stream) = socket.split();
    let (outbound, inbox) = outbound::queue(settings.outbound_bytes, metrics);
    let mut incoming = Incoming::new(stream, pulse, settings);
    let written = {
        let mut reading = pin!(listen(&server, connection.id, &mut incoming, &outbound));
        let mut writing = pin!(writer::run(&mut sink, inbox, settings));
        tokio::select! {
            written = &mut writing => written,
            end = &mut reading => {
                tracing::debug!(?end, "ends");
                match end {
                    End::Gone => Written::Broken,
                    End::Bye(bye) => {
                        outbound.close(bye);
                        // It may be stuck in what came before the goodbye.
                        timeout(settings.farewell, writing).await.unwrap_or(Written::Broken)
                    }
                }
            }
        }
    };
    Metrics::count(&metrics.ended, "reason", outbound.bye().map_or("gone", |bye| bye.name()));
    match written {
        // The client has the time to read the goodbye and to close its side: a socket that is closed with something unread
        // in it is reset, and what was on its way is lost.
        Written::Goodbye => incoming.drain(settings.farewell).await,
        // Answers the client's close, if it was one.
        Written::Broken => drop(timeout(settings.farewell, sink.close()).await),
    }
}

/// Tells a client that it cannot be served, and why.
pub(super) async fn turn_away<D: Document, S: Store>(server: &Server<D, S>, socket: WebSocket, bye: Bye) {
    let settings = server.settings();
    Metrics::count(&server.inner.runtime.metrics.turned_away, "reason", bye.code.name());
    let (mut sink, stream) = socket.split();
    if writer::say(&mut sink, &bye, settings.farewell).await == Written::Goodbye {
        Incoming::new(stream, Pulse::new(), settings).drain(settings.farewell).await;
    }
}

/// Hears a client out. Says why that came to its end.
async fn listen<D: Document, S: Store>(
    server: &Server<D, S>,
    connection: ConnectionId,
    incoming: &mut Incoming,
    outbound: &Outbound,
) -> End {
    let draining = &server.inner.runtime.draining;
    let joined = tokio::select! {
        joined = join(server, connection, incoming, outbound) => joined,
        () = draining.cancelled() => return restart(),
    };
    let member = match joined {
        Ok(member) => member,
        Err(end) => return end,
    };
    loop {
        let heard = tokio::select! {
            heard = incoming.next::<D::Change>(server.settings().silence) => heard,
            () = member.room.failed() => return problem(),
            () = draining.cancelled() => {
                // The room says goodbye when all that was offered is committed; this is for one that cannot.
                let _ = timeout(server.settings().farewell, member.room.failed()).await;
                return restart();
            }
        };
        let (message, bytes) = match heard {
            Ok(heard) => heard,
            Err(end) => return end,
        };
        match message {
            ClientMessage::Changes { .. } if member.access == Access::View => return view_only(),
            ClientMessage::Changes { changes: proposals } => {
                let (from, keys_version, author) = (connection, member.keys_version, Arc::clone(&member.name));
                let offer = Offer { from, keys_version, author, proposals, bytes };
                if member.room.offer(offer).await.is_err() {
                    return problem();
                }
            }
            ClientMessage::Ping { nonce } => {
                outbound.send(frame::pong(nonce));
            }
            ClientMessage::SyncRequest(_) => return bad("This connection is in sync already: say sync_request once."),
            ClientMessage::Pong { .. } | ClientMessage::Unknown => {}
        }
    }
}

/// A client that is in a room; it leaves when this is dropped.
struct Member<D: Document> {
    connection: ConnectionId,
    room: Handle<D>,
    access: Access,
    keys_version: u64,
    name: Arc<str>,
}

impl<D: Document> Drop for Member<D> {
    fn drop(&mut self) {
        self.room.leave(self.connection);
    }
}

/// Waits for the `sync_request`, and answers it.
async fn join<D: Document, S: Store>(
    server: &Server<D, S>,
    connection: ConnectionId,
    incoming: &mut Incoming,
    outbound: &Outbound,
) -> Result<Member<D>, End> {
    let settings = server.settings();
    let first = timeout(settings.sync_request_within, incoming.next::<D::Change>(settings.silence));
    let request = match first.await {
        Ok(Ok((ClientMessage::SyncRequest(request), _))) => request,
        Ok(Ok(_)) => return Err(bad("The first message is a sync_request.")),
        Ok(Err(end)) => return Err(end),
        Err(_) => return Err(End::Bye(Bye::new(ByeCode::TimedOut, "No sync_request came. Reconnect."))),
    };
    // When all come back at once, each waits its turn; its silence is the server's doing.
    let _turn = server.inner.runtime.joins.acquire().await.map_err(|_| problem())?;
    let cursor = request.cursor();
    let SyncRequest { key, replica, name, last_sync_timestamp, witness, .. } = request;
    let Found { document, access, keys_version } = match server.find(&key).await {
        Ok(Some(found)) => found,
        Ok(None) => return Err(unknown_key()),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "could not look up a key");
            return Err(problem());
        }
    };
    tracing::debug!(%document, %replica, ?access, version = cursor.version, last_sync_timestamp, "sync_request");
    let name = truncated(&name, settings.limits.name_bytes).into();
    let Some(room) = server.enter(document) else { return Err(crowded()) };
    let member = Member { connection, room, access, keys_version, name };
    // From here on `member` says that the client leaves, whatever happens.
    let outbound = outbound.clone();
    let join = |admitted| Join { connection, cursor, witness, access, keys_version, outbound, admitted };
    member.room.join(join).await.map_err(|_| problem())?;
    Ok(member)
}

fn restart() -> End {
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

fn problem() -> End {
    End::Bye(Bye::new(ByeCode::ServerError, "The server has a problem. It tries again by itself."))
}
