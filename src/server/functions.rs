//! Server functions of a page, held to the limits that everything else under `/api/` has.
//!
//! The framework that runs them answers malformed input with 500, redirects to the `Referer` if HTML is accepted, and names no
//! cache rule. Here malformed input gets 4xx, nothing is redirected, and nothing is stored.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use serde::de::IgnoredAny;
use tokio::time::sleep;

use super::Server;
use super::addresses::Peer;
use super::api::{BODY_BYTES, Problem};
use super::bucket::Allowance;
use super::metrics::Metrics;
use super::socket;
use super::store::Store;
use crate::sync::document::Document;

/// What all server functions' paths begin with.
const PREFIX: &str = "/api/";

/// The header with which the framework marks an error of a server function.
const MARK: &str = "serverfnerror";

/// How the framework's text of an error begins, if the input was at fault.
const INPUT_ERRORS: [&str; 3] = ["Args|", "Deserialization|", "MissingArg|"];

impl<D: Document, S: Store> Server<D, S> {
    /// Bounds the server functions in `router`: their bodies, how many run at a time for each address, and how many bytes come
    /// each second. Other requests pass.
    pub fn bound_functions(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), bound::<D, S>)).layer(DefaultBodyLimit::max(BODY_BYTES))
    }
}

async fn bound<D: Document, S: Store>(
    State(server): State<Server<D, S>>,
    peer: Option<Extension<Peer>>,
    allowance: Option<Extension<Allowance>>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with(PREFIX) {
        return next.run(request).await;
    }
    let runtime = &server.inner.runtime;
    let _counting = match socket::count(runtime, peer, request.headers()) {
        Ok(counting) => counting,
        Err(bye) => {
            Metrics::count(&runtime.metrics.turned_away, "reason", bye.code.name());
            return ([(RETRY_AFTER, "5")], Problem::BUSY).into_response();
        }
    };
    let (mut head, body) = request.into_parts();
    let body = match Bytes::from_request(Request::from_parts(head.clone(), body), &()).await {
        Ok(body) => body,
        Err(rejection) => return Problem::from_body(&rejection).into_response(),
    };
    // Work that was begun is done before the server ends. A body that is still on its way is not waited for.
    let _token = runtime.tasks.token();
    if let Some(Extension(allowance)) = allowance {
        sleep(allowance.spend(body.len())).await;
    }
    if head.method == Method::POST && serde_json::from_slice::<IgnoredAny>(&body).is_err() {
        return Problem::MALFORMED.into_response();
    }
    head.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let mut response = next.run(Request::from_parts(head, Body::from(body))).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.headers().contains_key(MARK) { blame(response).await } else { response }
}

/// Gives an error that the input caused a status that says so.
async fn blame(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    // It is a line of the framework's own, in memory already.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if INPUT_ERRORS.iter().any(|kind| body.starts_with(kind.as_bytes())) {
        head.status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Response::from_parts(head, Body::from(body))
}
