//! Requests to the server that the page came from.

use gloo_net::http::Request;
use serde::Serialize;
use web_sys::{AbortController, RequestCache, RequestRedirect};

use super::simulator::{Passage, Simulator};
use super::time_limit::within;
use crate::sync::network::SERVER_HEADER;

/// A response of the server.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Answer {
    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..300)
    }
}

/// There is no response, or it is not the server's but that of a proxy, a log-in page or a content blocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoAnswer;

/// Posts `body` as JSON. Only a response of the server counts, whatever its status; one that is not whole within the time limit does
/// not.
pub(super) async fn post_json(path: &str, body: &impl Serialize, limit_ms: u32) -> Result<Answer, NoAnswer> {
    // Bodies are plain data with string keys: writing them cannot fail.
    let body = serde_json::to_string(body).unwrap_or_default();
    let asked = async {
        let line = Simulator::of_page();
        if line.passes(false).await != Passage::Through {
            return Err(NoAnswer);
        }
        let answer = post(path, "application/json", body).await?;
        match line.passes(true).await {
            Passage::Through => Ok(answer),
            Passage::Failed | Passage::Portal => Err(NoAnswer),
        }
    };
    within(limit_ms, asked).await.unwrap_or(Err(NoAnswer))
}

/// Posts `body` as text, and returns that of a response of the server. Dropping the future ends the request. It has no timeout of its
/// own: the connection that it is a part of has.
pub(super) async fn post(path: &str, content_type: &str, body: String) -> Result<Answer, NoAnswer> {
    let abort = Abort(AbortController::new().map_err(|_| NoAnswer)?);
    let request = Request::post(path)
        .header("content-type", content_type)
        .cache(RequestCache::NoStore)
        // A body may have a key in it: it goes to nobody else.
        .redirect(RequestRedirect::Error)
        .abort_signal(Some(&abort.0.signal()))
        .body(body)
        .map_err(|_| NoAnswer)?;
    let response = request.send().await.map_err(|_| NoAnswer)?;
    if !response.headers().has(SERVER_HEADER) {
        return Err(NoAnswer);
    }
    let text = response.text().await.map_err(|_| NoAnswer)?;
    Ok(Answer { status: response.status(), text })
}

/// Ends a request that nobody waits for any more.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}
