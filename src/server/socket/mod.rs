//! `/api/sync`: a client's connection, from the request to the close; and the same over plain HTTP.

mod incoming;
mod origin;
mod polled;
mod session;
mod writer;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

pub(super) use self::origin::Refused;
pub(super) use self::polled::{most_bytes, poll};
use super::Server;
use super::accept::Pulse;
use super::addresses::{Client, Counting, Kind, Peer};
use super::runtime::Runtime;
use super::store::Store;
use crate::sync::document::Document;
use crate::sync::message::{Bye, ByeCode, SUBPROTOCOL};

/// Bytes read from a socket at a time. Every connection holds a buffer of this size, so it is small.
const READ_BUFFER: usize = 2 * 1024;

/// A message may be longer than the limit by this much and still be answered as too large; one that is longer than that is
/// not even read.
const OVERRUN: usize = 64 * 1024;

/// Upgrades a request to a WebSocket of the protocol, or says in a sentence why not.
pub(super) async fn upgrade<D: Document, S: Store>(
    State(server): State<Server<D, S>>,
    headers: HeaderMap,
    uri: Uri,
    pulse: Option<Extension<Pulse>>,
    peer: Option<Extension<Peer>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols([SUBPROTOCOL]),
        Err(rejection) => return rejection.into_response(),
    };
    if upgrade.selected_protocol().is_none() {
        let why = format!("Offer the WebSocket subprotocol {SUBPROTOCOL}: this server speaks no other.\n");
        return (StatusCode::BAD_REQUEST, why).into_response();
    }

    let runtime = &server.inner.runtime;
    let most = runtime.settings.limits.message_bytes + OVERRUN;
    // Counted from here on: the server does not end between the answer and the session.
    // A page cannot read the status of an answer that refuses an upgrade. It can read a `bye`.
    let stranger = origin::check(&headers, &uri, &runtime.settings, &runtime.refused_origins).err();
    let (turned_away, counting) = match (stranger, count(runtime, peer, &headers)) {
        (stranger, Ok(counting)) => (stranger, counting),
        (_, Err(bye)) => (Some(bye), None),
    };
    let (connection, token) = (runtime.connect(counting), runtime.tasks.token());
    // Another accept loop than ours does not tell; then only whole frames are signs of life.
    let Extension(pulse) = pulse.unwrap_or_else(|| Extension(Pulse::new()));
    let span = tracing::info_span!("connection", id = connection.id.0);
    upgrade.read_buffer_size(READ_BUFFER).max_message_size(most).max_frame_size(most).on_upgrade(|socket| {
        async move {
            match turned_away {
                None => session::run(server, connection, pulse, socket).await,
                Some(bye) => session::turn_away(&server, socket, bye).await,
            }
            drop(token);
        }
        .instrument(span)
    })
}

/// Counts one more of what a client has; says why if it has as many as it may.
pub(super) fn count(
    runtime: &Runtime,
    peer: Option<Extension<Peer>>,
    headers: &HeaderMap,
) -> Result<Option<Counting>, Bye> {
    let client = Client::behind(peer.map(|Extension(peer)| peer), headers, runtime.settings.trust_proxy);
    let most = runtime.settings.sockets_per_client;
    client.map(|client| runtime.addresses.enter(client, Kind::Socket, most).ok_or_else(too_many)).transpose()
}

fn too_many() -> Bye {
    let why = "Too many boards are open at your address. Close some; this one tries again by itself.";
    Bye { retry_after_ms: 5_000, ..Bye::new(ByeCode::TooMany, why) }
}

/// As much of a text as fits into `bytes`, cut between characters.
fn truncated(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::truncated;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(truncated("Ada", 80), "Ada");
        assert_eq!(truncated("Zoë", 3), "Zo");
        assert_eq!(truncated("Zoë", 4), "Zoë");
        assert_eq!(truncated("👩‍🚀", 3), "");
    }
}
