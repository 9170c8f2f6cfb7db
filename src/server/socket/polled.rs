//! A client's line over plain HTTP, where a proxy refuses WebSockets: `POST /api/sync`, again and again.
//!
//! Nothing is kept between one request and the next, so any server of several can answer each. A request holds messages, a line
//! each, the first a `sync_request`; the answer holds messages, a line each, and where the next request is to go on. A request
//! that only says where the client stands is answered when there is something to say, one that offers changes when they are
//! decided on, and any by the time that a `ping` would be due.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::Utf8Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::incoming::{End, READ_AT_ONCE, bad, read, too_large};
use super::session;
use super::{OVERRUN, count, origin};
use crate::server::accept::TooSlow;
use crate::server::addresses::Peer;
use crate::server::bucket::Allowance;
use crate::server::metrics::Metrics;
use crate::server::outbound::{self, Inbox, Next};
use crate::server::room::Undecided;
use crate::server::runtime::ConnectionId;
use crate::server::settings::Settings;
use crate::server::store::Store;
use crate::server::{Server, frame};
use crate::sync::digest::Cursor;
use crate::sync::document::Document;
use crate::sync::message::{Bye, ByeCode, ClientMessage, Resume, SyncRequest};

/// About how many bytes an answer has. It is a sign of life only when it has arrived whole, so it must not take long on a slow
/// line.
const ANSWER_BYTES: usize = 64 * 1024;

/// Most bytes of a request.
pub(in crate::server) const fn most_bytes(settings: &Settings) -> usize {
    settings.limits.message_bytes + OVERRUN
}

/// Answers a request with messages, in messages.
pub(in crate::server) async fn poll<D: Document, S: Store>(
    State(server): State<Server<D, S>>,
    headers: HeaderMap,
    uri: Uri,
    peer: Option<Extension<Peer>>,
    allowance: Option<Extension<Allowance>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let runtime = &server.inner.runtime;
    if let Err(bye) = origin::check(&headers, &uri, &runtime.settings, &runtime.refused_origins) {
        Metrics::count(&runtime.metrics.turned_away, "reason", bye.code.name());
        return (StatusCode::FORBIDDEN, lines(&[frame::bye(&bye)])).into_response();
    }
    let _token = runtime.tasks.token();
    runtime.metrics.polls.inc();
    let counting = match count(runtime, peer, &headers) {
        Ok(counting) => counting,
        Err(bye) => {
            Metrics::count(&runtime.metrics.turned_away, "reason", bye.code.name());
            return lines(&[frame::bye(&bye)]);
        }
    };
    let connection = runtime.connect(counting);
    let span = tracing::info_span!("request", id = connection.id.0);
    let answered = async {
        let most = runtime.settings.limits.message_bytes;
        let request = match body {
            Ok(long) if long.len() > READ_AT_ONCE => {
                runtime.cpu.run(move || Request::<D::Change>::read(Ok(long), most)).await?
            }
            short => Request::read(short, most)?,
        };
        if let Some(Extension(allowance)) = allowance {
            // The client waits for its answer, and says nothing more until then.
            sleep(allowance.spend(request.bytes)).await;
        }
        answer(&server, connection.id, request).await
    };
    let drained = async {
        runtime.draining.cancelled().await;
        // The room says goodbye when all that was offered is committed; this is for one that cannot.
        sleep(runtime.settings.farewell).await;
    };
    let answered = tokio::select! {
        answered = answered.instrument(span) => answered,
        () = drained => Err(session::restart()),
    };
    match answered {
        Ok(frames) => lines(&frames),
        Err(End::Bye(bye)) => lines(&[frame::bye(&bye)]),
        Err(End::Gone) => lines(&[]),
    }
}

fn lines(frames: &[Utf8Bytes]) -> Response {
    let mut body = String::with_capacity(frames.iter().map(|frame| frame.len() + 1).sum());
    for frame in frames {
        body.push_str(frame);
        body.push('\n');
    }
    ([(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

/// Why a body could not be read.
fn not_read(rejection: &BytesRejection, most: usize) -> End {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large(most)
    } else if TooSlow::caused(rejection) {
        End::Bye(Bye::new(ByeCode::TimedOut, "The request came too slowly. Send it again."))
    } else {
        bad("The request did not arrive whole.")
    }
}

/// What a client says at once.
struct Request<C> {
    first: SyncRequest,
    /// Each with its length.
    rest: Vec<(ClientMessage<C>, usize)>,
    bytes: usize,
}

impl<C: serde::de::DeserializeOwned> Request<C> {
    fn read(body: Result<Bytes, BytesRejection>, most: usize) -> Result<Self, End> {
        let body = body.map_err(|rejection| not_read(&rejection, most))?;
        let text = str::from_utf8(&body).map_err(|_| bad("Messages are text in UTF-8."))?;
        let mut messages = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if line.len() > most {
                return Err(too_large(most));
            }
            messages.push((read(line)?, line.len()));
        }
        let mut messages = messages.into_iter();
        let Some((ClientMessage::SyncRequest(first), _)) = messages.next() else {
            return Err(session::no_sync_request());
        };
        Ok(Self { first, rest: messages.collect(), bytes: body.len() })
    }
}

async fn answer<D: Document, S: Store>(
    server: &Server<D, S>,
    connection: ConnectionId,
    request: Request<D::Change>,
) -> Result<Vec<Utf8Bytes>, End> {
    let runtime = &server.inner.runtime;
    let Request { first, rest, .. } = request;
    let Cursor { version, digest } = first.cursor();
    let before = first.resume.unwrap_or(Resume { version, digest, saving: true });
    let due = Instant::now() + runtime.settings.ping_interval;
    let (outbound, mut inbox) = outbound::queue(runtime.settings.outbound_bytes, &runtime.metrics);
    let member = session::join(server, connection, first, &outbound).await?;
    let decided = CancellationToken::new();
    let undecided = Undecided::new(decided.clone().drop_guard());
    for (message, bytes) in rest {
        member.hear(message, bytes, Some(Undecided::clone(&undecided))).await?;
    }
    drop(undecided);
    let mut frames = tokio::select! {
        // A room that has ended has said so first.
        biased;
        frames = gather(&mut inbox, &decided, due) => frames?,
        () = member.room.failed() => return Err(session::problem()),
    };
    let resume = resume(before, inbox.cursor(), &frames);
    frames.push(frame::resume(&resume));
    Ok(frames)
}

/// What there is to say when all is decided on; a `ping`, if that is nothing by the time it is due.
async fn gather(inbox: &mut Inbox, decided: &CancellationToken, due: Instant) -> Result<Vec<Utf8Bytes>, End> {
    tokio::select! {
        () = decided.cancelled() => {}
        () = inbox.closed() => {}
        () = sleep_until(due) => {}
    }
    tokio::select! {
        biased;
        next = inbox.next(ANSWER_BYTES) => match next {
            Next::Frames(frames) => Ok(frames),
            Next::Bye(bye) => Err(End::Bye(bye)),
        },
        () = sleep_until(due) => Ok(vec![frame::ping(0, inbox.cursor().map(|cursor| cursor.version))]),
    }
}

/// Where the client stands after `frames`, which take it to `cursor`.
fn resume(before: Resume, cursor: Option<Cursor>, frames: &[Utf8Bytes]) -> Resume {
    let Cursor { version, digest } = match cursor {
        Some(cursor) if cursor.version >= before.version => cursor,
        _ => Cursor { version: before.version, digest: before.digest },
    };
    let [no, yes] = [false, true].map(frame::saving);
    let said =
        frames.iter().rev().find_map(|frame| if *frame == no { Some(false) } else { (*frame == yes).then_some(true) });
    Resume { version, digest, saving: said.unwrap_or(before.saving) }
}
