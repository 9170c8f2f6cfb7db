//! The plain HTTP endpoints.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::accept::TooSlow;
use super::addresses::{Client, Peer};
use super::metrics::Metrics;
use super::store::{Creation, Replacement, Store, StoreError};
use super::{NewBoard, Server};
use crate::sync::document::Document;
use crate::sync::id::{DocumentId, Key};

/// Maximum size of a request's body, in bytes.
pub(super) const BODY_BYTES: usize = 4 * 1024;

/// The header that echoes a probe's nonce: a captive portal answers 200 too, but not with this.
static NONCE: HeaderName = HeaderName::from_static("x-sheetbend-nonce");

const NO_STORE: (HeaderName, &str) = (CACHE_CONTROL, "no-store");

#[derive(Debug, Deserialize)]
pub(super) struct Ping {
    #[serde(default)]
    nonce: String,
}

#[derive(Serialize)]
struct Pong<'a> {
    server: &'static str,
    build: &'a str,
}

/// `GET` and `HEAD /api/ping?nonce=…`: says that this is the server, and that it can be reached.
pub(super) async fn ping<D: Document, S: Store>(
    State(server): State<Server<D, S>>,
    Query(Ping { nonce }): Query<Ping>,
) -> Response {
    let Some(echo) = echo(&nonce) else {
        return Problem::BAD_NONCE.into_response();
    };
    let pong = Pong { server: "sheetbend", build: &server.settings().build };
    let mut response = ([NO_STORE], Json(pong)).into_response();
    response.headers_mut().insert(&NONCE, echo);
    response
}

fn echo(nonce: &str) -> Option<HeaderValue> {
    let plain = nonce.len() <= 64 && nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
    plain.then(|| HeaderValue::from_str(nonce).ok()).flatten()
}

#[derive(Deserialize)]
struct CreateBoard {
    id: DocumentId,
    edit_key: Key,
}

#[derive(Serialize)]
struct Created {
    id: DocumentId,
    view_key: Key,
}

/// `POST /api/boards`: makes a board with the id and the edit key that a client has made; its view key is the one that
/// belongs to that ([`Key::view_key`]). Saying the same again is harmless.
pub(super) async fn create_board<D: Document, S: Store>(
    State(server): State<Server<D, S>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let new = match body.map_err(|rejection| Problem::from_body(&rejection)).and_then(|body| read(&body)) {
        Ok(new) => new,
        Err(problem) => return problem.into_response(),
    };
    let runtime = &server.inner.runtime;
    let client = Client::behind(peer.map(|Extension(peer)| peer), &headers, runtime.settings.trust_proxy);
    let id = new.id;
    let created = Created { id, view_key: new.view_key.clone() };
    let made = async {
        // Making the same board again does not count against the limit.
        if server.is_made(&new).await? {
            return Ok(Ok(Creation::Existed));
        }
        if let Some(client) = client
            && let Err(wait) = runtime.addresses.may_make(client, runtime.settings.documents_per_hour)
        {
            return Ok(Err(wait));
        }
        server.create(new).await.map(Ok)
    };
    match made.await {
        Ok(Ok(Creation::Created)) => (StatusCode::CREATED, [NO_STORE], Json(created)).into_response(),
        Ok(Ok(Creation::Existed)) => (StatusCode::OK, [NO_STORE], Json(created)).into_response(),
        Ok(Ok(Creation::Taken)) => Problem::TAKEN.into_response(),
        Ok(Err(wait)) => {
            Metrics::count(&runtime.metrics.turned_away, "reason", "boards");
            let seconds = wait.as_secs().saturating_add(1).to_string();
            ([(RETRY_AFTER, seconds)], Problem::TOO_MANY).into_response()
        }
        Err(error) => {
            tracing::error!(document = %id, error = &error as &dyn std::error::Error, "could not make a board");
            let problem = if matches!(error, StoreError::Full) { Problem::FULL } else { Problem::FAILED };
            ([(RETRY_AFTER, "5")], problem).into_response()
        }
    }
}

#[derive(Deserialize)]
struct ReplaceKeys {
    edit_key: Key,
    new_edit_key: Key,
}

#[derive(Serialize)]
struct Replaced {
    view_key: Key,
}

/// `POST /api/keys`: puts a new edit key, with the view key that belongs to it, in the place of those that open a board. It takes the
/// edit key. Old links stop at once, and so do the sockets that came by them. Saying the same again is harmless.
pub(super) async fn replace_keys<D: Document, S: Store>(
    State(server): State<Server<D, S>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let read = |body: Bytes| {
        serde_json::from_slice::<ReplaceKeys>(&body)
            .map_err(|error| if error.is_data() { Problem::INVALID_KEYS } else { Problem::MALFORMED })
    };
    let keys = match body.map_err(|rejection| Problem::from_body(&rejection)).and_then(read) {
        Ok(keys) => keys,
        Err(problem) => return problem.into_response(),
    };
    match server.replace_key(&keys.edit_key, &keys.new_edit_key).await {
        Ok(Some(Replacement::Replaced(_))) => {
            ([NO_STORE], Json(Replaced { view_key: keys.new_edit_key.view_key() })).into_response()
        }
        Ok(Some(Replacement::Taken)) => Problem::KEY_TAKEN.into_response(),
        // A key that opens nothing and one that may not: the answer is the same.
        Ok(Some(Replacement::Refused) | None) => Problem::UNKNOWN_KEY.into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "could not replace keys");
            let problem = if matches!(error, StoreError::Full) { Problem::FULL } else { Problem::FAILED };
            ([(RETRY_AFTER, "5")], problem).into_response()
        }
    }
}

fn read(body: &[u8]) -> Result<NewBoard, Problem> {
    let CreateBoard { id, edit_key } = serde_json::from_slice(body)
        .map_err(|error| if error.is_data() { Problem::INVALID } else { Problem::MALFORMED })?;
    Ok(NewBoard { id, view_key: edit_key.view_key(), edit_key })
}

/// An answer that is none: `{"error": {"code", "message"}}`, for programs and for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Problem {
    const BAD_NONCE: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "bad_nonce",
        "A nonce has at most 64 characters: letters, digits, '-', '_', '.' and '~'.",
    );
    pub(super) const MALFORMED: Self =
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request's body is not JSON.");
    const INVALID: Self = Self::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
        "A board needs an \"id\", which is a UUID, and an \"edit_key\" of 22 characters of base64url.",
    );
    const INVALID_KEYS: Self = Self::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
        "An \"edit_key\" and a \"new_edit_key\" are needed, of 22 characters of base64url each.",
    );
    const UNKNOWN_KEY: Self = Self::new(
        StatusCode::NOT_FOUND,
        "unknown_key",
        "This key may not replace the links of a board. Use the board's edit link.",
    );
    const TOO_LARGE: Self =
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request's body is over 4096 bytes.");
    const TAKEN: Self = Self::new(
        StatusCode::CONFLICT,
        "taken",
        "The id or a key belongs to another board. Make the board again with new ones.",
    );
    const KEY_TAKEN: Self = Self::new(
        StatusCode::CONFLICT,
        "taken",
        "The new key, or the view key that follows from it, is in use. Make another new key.",
    );
    const TOO_SLOW: Self =
        Self::new(StatusCode::REQUEST_TIMEOUT, "timed_out", "The request's body came too slowly. Send it again.");
    const TOO_MANY: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many",
        "Too many boards were made from your address. They are made when the time in Retry-After has passed.",
    );
    pub(super) const BUSY: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many",
        "Too many requests come from your address at once. Try again when the time in Retry-After has passed.",
    );
    const FULL: Self = Self::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "full",
        "The server has no room left. Try again when its owner has made some.",
    );
    const FAILED: Self =
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "The server has a problem. Try again in a moment.");

    const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }

    pub(super) fn from_body(rejection: &BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TOO_LARGE,
            _ if TooSlow::caused(rejection) => Self::TOO_SLOW,
            _ => Self::MALFORMED,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: Problem,
        }
        (self.status, [NO_STORE], Json(Body { error: self })).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_read_strictly() {
        let read = |text: &str| read(text.as_bytes()).map(|new| new.id.to_string()).map_err(|problem| problem.code);
        let id = "018f3c5e-0000-7000-8000-000000000001";
        let board = |key: &str| format!(r#"{{"id":"{id}","edit_key":"{key}"}}"#);
        assert_eq!(read(&board("AAAAAAAAAAAAAAAAAAAAAA")), Ok(id.to_owned()));
        assert_eq!(read(&board("short")), Err("invalid"));
        assert_eq!(read(r#"{"id":7}"#), Err("invalid"));
        for text in ["", "{", "no JSON"] {
            assert_eq!(read(text), Err("malformed"), "{text:?}");
        }
    }

    #[test]
    fn nonces_are_echoed_if_they_fit_a_header() {
        assert_eq!(echo("aZ09-_.~"), Some(HeaderValue::from_static("aZ09-_.~")));
        assert_eq!(echo(""), Some(HeaderValue::from_static("")));
        assert_eq!(echo("a\r\nset-cookie: x"), None);
        assert_eq!(echo(&"a".repeat(65)), None);
    }
}
