//! Whether the server serves, for balancers and monitors.

use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Server;
use super::store::Store;
use crate::sync::document::Document;

impl<D: Document, S: Store> Server<D, S> {
    /// `GET /healthz`: the process is there. `GET /readyz`: clients may be sent to it; 503 while it comes to its end, or its
    /// store does not take changes.
    pub(super) fn health() -> Router<Self> {
        Router::new()
            .route("/healthz", get(async || plain(StatusCode::OK, "ok\n")))
            .route("/readyz", get(ready::<D, S>))
    }

    /// `GET /metrics`, with `/healthz` and `/readyz`: for an address that strangers cannot reach.
    pub fn monitoring(&self) -> Router {
        Router::new().route("/metrics", get(metrics::<D, S>)).merge(Self::health()).with_state(self.clone())
    }
}

async fn ready<D: Document, S: Store>(State(server): State<Server<D, S>>) -> Response {
    let runtime = &server.inner.runtime;
    if runtime.draining.is_cancelled() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    if runtime.unsaved.load(Ordering::Relaxed) > 0 {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "the database does not take changes\n");
    }
    plain(StatusCode::OK, "ok\n")
}

async fn metrics<D: Document, S: Store>(State(server): State<Server<D, S>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], server.inner.runtime.metrics.text()).into_response()
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], text).into_response()
}
