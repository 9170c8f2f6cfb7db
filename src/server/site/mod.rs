//! The site's files, and headers for every answer.

mod bundle;
mod worker;

pub use self::bundle::Bundle;
pub use self::worker::{SHELL_SCRIPT, no_worker, worker};

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderValue, Response, StatusCode};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// The files in the folder `pkg` of `root`: script, wasm and style. Their names have a hash of what is in them, so browsers
/// may keep them for ever. Those who can read the `.br` and `.gz` files beside them get these.
pub fn package(root: &Path, pkg: &str) -> Router {
    let files = ServeDir::new(root.join(pkg)).append_index_html_on_directories(false);
    cached(Router::new().nest_service(&format!("/{pkg}"), precompressed(files)), "public, max-age=31536000, immutable")
}

/// The other files of `root`, such as the icon, to be kept for a short time. For a router's fallback: what is not there
/// either is left to `missing`, which answers with 404.
pub fn files(root: &Path, missing: Router) -> Router {
    let files = ServeDir::new(root).append_index_html_on_directories(false);
    cached(Router::new().fallback_service(precompressed(files).fallback(missing)), "public, max-age=600")
}

/// Adds to every answer the headers that browsers need to be told to be careful. Those an answer has already are left.
pub fn with_security_headers(router: Router) -> Router {
    const HEADERS: [(HeaderName, &str); 4] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A board's address has its key in it.
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)))
    })
}

fn precompressed(files: ServeDir) -> ServeDir {
    files.precompressed_br().precompressed_gzip()
}

fn cached(router: Router, how: &'static str) -> Router {
    router.layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, move |response: &Response<Body>| {
        let found = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        found.then(|| HeaderValue::from_static(how))
    }))
}
