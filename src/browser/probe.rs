//! Asks whether the server can be reached.

use gloo_net::http::{Method, RequestBuilder};
use web_sys::{AbortSignal, RequestCache};

use super::simulator::{Passage, Simulator};
use crate::sync::network::{Answer, ProbeId};

/// A probe is given up after this time; the judge has counted it as failed by then.
const TIMEOUT_MS: u32 = 10_000;

/// Asks `/api/ping`. Only the server gives the nonce back: a captive portal answers too.
pub async fn probe(id: ProbeId) -> Answer {
    let line = Simulator::of_page();
    match line.passes(false).await {
        Passage::Through => {}
        Passage::Failed => return Answer::Failed,
        Passage::Portal => return Answer::Foreign,
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
        .abort_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MS)))
        .send();
    match request.await {
        Ok(response) if response.headers().get("x-sheetbend-nonce").as_deref() == Some(nonce.as_str()) => {
            Answer::Echoed
        }
        // A proxy in front of a server that is down; 511 is what log-in pages are to answer with (RFC 6585 §6).
        Ok(response) if (500..511).contains(&response.status()) || response.status() == 429 => Answer::Failed,
        Ok(_) => Answer::Foreign,
        Err(_) => Answer::Failed,
    }
}
