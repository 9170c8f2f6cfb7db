//! What lets the app open with no network: the service worker, and the page that it shows then.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use axum::routing::get;

use super::bundle::{Bundle, script_literal};

/// Where the page is that is shown without a network.
const SHELL: &str = "/shell";
/// Where its script is.
pub const SHELL_SCRIPT: &str = "/shell.js";

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The service worker, and `shell`, the page for when there is no network, with its script.
pub fn worker(bundle: &Bundle, shell: String) -> Router {
    let files: Vec<_> = bundle.paths().chain([SHELL, SHELL_SCRIPT]).collect();
    let script = format!(
        "const VERSION = {};\nconst SHELL = {};\nconst FILES = {};\n\n{}",
        script_literal(&bundle.version),
        script_literal(&SHELL),
        script_literal(&files),
        include_str!("worker.js")
    );
    let start = bundle.start();
    let page = move || {
        let headers = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-cache, no-transform"),
            (CONTENT_SECURITY_POLICY, POLICY),
        ];
        std::future::ready((headers, shell.clone()).into_response())
    };
    Router::new()
        .route("/sw.js", get(script_of(script)))
        .route(SHELL_SCRIPT, get(script_of(start)))
        .route(SHELL, get(page))
}

/// In place of the worker, one that takes it and what it has kept away.
pub fn no_worker() -> Router {
    Router::new().route("/sw.js", get(script_of(include_str!("no_worker.js").to_owned())))
}

fn script_of(text: String) -> impl Fn() -> std::future::Ready<axum::response::Response> + Clone {
    move || {
        let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
        std::future::ready((headers, text.clone()).into_response())
    }
}
