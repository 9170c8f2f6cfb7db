//! Asks whether the server can be reached.

use gloo_net::http::{Method, RequestBuilder};
use web_sys::{AbortSignal, RequestCache, RequestRedirect, ResponseType};

use super::simulator::{Passage, Simulator};
use crate::sync::network::{Answer, ProbeId, Response};

/// A probe is given up after this time; the judge has counted it as failed by then.
const TIMEOUT_MS: u32 = 10_000;

/// Asks `/api/ping`. Only the server gives the nonce back: log-in pages and proxies answer too.
pub async fn probe(id: ProbeId) -> Answer {
    let line = Simulator::of_page();
    match line.passes(false).await {
        Passage::Through => {}
        Passage::Failed => return Answer::Failed,
        Passage::Portal => return Answer::LogIn,
    }
    let answer = ask(id).await;
    match line.passes(true).await {
        Passage::Through => answer,
        Passage::Failed | Passage::Portal => Answer::Failed,
    }
}

async fn ask(id: ProbeId) -> Answer {
    let nonce = id.0.to_string();
    let request = RequestBuilder::new(&format!("/api/ping?nonce={nonce}"))
        .method(Method::HEAD)
        .cache(RequestCache::NoStore)
        .redirect(RequestRedirect::Manual)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)))
        .send();
    let Ok(response) = request.await else { return Answer::Failed };
    let echoed = response.headers().get("x-sheetbend-nonce").as_deref() == Some(nonce.as_str());
    let seen = match response.type_() {
        ResponseType::Opaqueredirect => Response::Redirect,
        _ => Response::Status(response.status()),
    };
    Answer::of_response(seen, echoed)
}
