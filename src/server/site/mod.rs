//! The site's files, and headers for every answer.

mod assets;
mod bundle;
mod shape;
mod worker;

pub use self::assets::Assets;
pub use self::bundle::Bundle;
pub use self::shape::state_shape;
pub use self::worker::{SHELL_SCRIPT, no_worker, worker};

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::sync::network::SERVER_HEADER;

/// Says that a response is the server's, and not that of something in between.
pub(super) const OURS: (HeaderName, &str) = (HeaderName::from_static(SERVER_HEADER), "1");

/// Adds to every answer the headers that browsers need to be told to be careful, and the one that says whose answer it is. Those an
/// answer has already are left. With `encrypted`, for a server that is reached by https only, browsers are told to come back by
/// nothing else for a year.
pub fn with_security_headers(router: Router, encrypted: bool) -> Router {
    const HEADERS: [(HeaderName, &str); 6] = [
        OURS,
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A board's address has its key in it.
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let encrypted = encrypted.then_some((STRICT_TRANSPORT_SECURITY, "max-age=31536000"));
    HEADERS.into_iter().chain(encrypted).fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)))
    })
}

/// Says in plain words that the site does not work under a path, if a proxy says that it is served under one: all addresses in pages
/// begin at the root, so nothing but the HTML would arrive.
pub fn refuse_sub_path(router: Router) -> Router {
    router.layer(from_fn(async |request: Request, next: Next| -> Response {
        let prefix = request.headers().get("x-forwarded-prefix").map(|prefix| prefix.as_bytes().trim_ascii());
        if matches!(prefix, None | Some(b"" | b"/")) {
            return next.run(request).await;
        }
        let why = "Sheetbend does not work under a path. Give it a host name of its own, such as plan.example.org, and let the \
                   proxy pass requests to it from there.\n";
        (StatusCode::NOT_IMPLEMENTED, why).into_response()
    }))
}
