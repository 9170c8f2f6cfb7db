//! A line over plain HTTP, for networks that refuse WebSockets.

use std::future::pending;
use std::rc::Weak;

use futures_channel::mpsc;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use gloo_net::http::Request;
use web_sys::{AbortController, RequestCache};

use super::simulator::Port;
use super::socket::tell;
use crate::sync::client::SocketEvent;
use crate::sync::polling::{Lane, Polling};

/// Takes what comes out of `queue` to the server, and what that says to `port`, until either ends.
pub(super) async fn run(mut queue: mpsc::UnboundedReceiver<String>, port: &Weak<Port>) {
    let mut line = Polling::default();
    let mut requests = FuturesUnordered::new();
    tell(port, SocketEvent::Opened);
    loop {
        while let Some((lane, body)) = line.ask() {
            requests.push(post(lane, body));
        }
        let answered = async { if requests.is_empty() { pending().await } else { requests.next().await } };
        match select(queue.next(), std::pin::pin!(answered)).await {
            Either::Left((Some(text), _)) => line.say(text),
            Either::Left((None, _)) | Either::Right((None, _)) => return,
            Either::Right((Some((lane, body)), _)) => {
                let said = body.and_then(|body| line.answered(lane, &body).ok());
                let Some(said) = said else { return tell(port, SocketEvent::Closed(1006)) };
                for text in said {
                    tell(port, SocketEvent::Received(text));
                }
            }
        }
    }
}

/// Makes a request. Returns the answer, if there is one.
async fn post(lane: Lane, body: String) -> (Lane, Option<String>) {
    (lane, answer(body).await)
}

async fn answer(body: String) -> Option<String> {
    let abort = Abort(AbortController::new().ok()?);
    let request = Request::post("/api/sync").cache(RequestCache::NoStore).abort_signal(Some(&abort.0.signal()));
    let response = request.body(body).ok()?.send().await.ok().filter(gloo_net::http::Response::ok)?;
    response.text().await.ok()
}

/// Ends a request that nobody waits for any more.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}
