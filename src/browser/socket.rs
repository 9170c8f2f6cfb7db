//! A line to the server: a WebSocket, or what takes its place. One task owns it, unsplit; dropping the [`Socket`] closes it, and
//! nothing is heard of it any more. All it sends and hears goes through the page's [`simulator`](super::simulator).

use std::future::poll_fn;
use std::rc::{Rc, Weak};

use futures_channel::mpsc;
use futures_util::future::{Either, select};
use futures_util::{SinkExt, StreamExt};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::polled;
use super::simulator::Port;
use crate::sync::client::SocketEvent;
use crate::sync::message::SUBPROTOCOL;
use crate::sync::transport::Transport;

/// A WebSocket that is only tried is given up after this time.
const OPENS_WITHIN_MS: u32 = 10_000;

/// A line, opening or open.
#[derive(Debug)]
pub struct Socket {
    port: Rc<Port>,
}

impl Socket {
    /// Opens a line to the server that the page came from. What becomes of it is told to `listener`, never before this returns.
    pub fn open(transport: Transport, listener: impl Fn(SocketEvent) + 'static) -> Self {
        let (port, queue) = Port::open(listener);
        if let Some(queue) = queue {
            let heard = Rc::downgrade(&port);
            spawn_local(async move {
                match transport {
                    Transport::Http => polled::run(queue, &heard).await,
                    Transport::WebSocket => match WebSocket::open_with_protocol(&sync_url(), SUBPROTOCOL) {
                        Ok(socket) => run(socket, queue, &heard).await,
                        Err(_) => tell(&heard, SocketEvent::Closed(1006)),
                    },
                }
            });
        }
        Self { port }
    }

    /// Hands a text frame to the browser. That says nothing about its arrival.
    pub fn send(&self, text: String) {
        self.port.send(text);
    }
}

/// Whether a WebSocket opens; it is closed again.
pub(super) async fn websocket_opens() -> bool {
    let (said, mut heard) = mpsc::unbounded();
    let socket = Socket::open(Transport::WebSocket, move |event| {
        // Whoever asked may have given up.
        let _ = said.unbounded_send(event);
    });
    let opens = match select(heard.next(), TimeoutFuture::new(OPENS_WITHIN_MS)).await {
        Either::Left((event, _)) => event == Some(SocketEvent::Opened),
        Either::Right(_) => false,
    };
    drop(socket);
    opens
}

pub(super) fn tell(port: &Weak<Port>, event: SocketEvent) {
    if let Some(port) = port.upgrade() {
        port.hear(event);
    }
}

async fn run(mut socket: WebSocket, mut queue: mpsc::UnboundedReceiver<String>, port: &Weak<Port>) {
    // The sink is ready once the socket has left the connecting state, whichever way.
    let opening = poll_fn(|cx| socket.poll_ready_unpin(cx));
    if let Either::Right((None, _)) = select(opening, queue.next()).await {
        return;
    }
    if matches!(socket.state(), State::Open) {
        tell(port, SocketEvent::Opened);
    }
    loop {
        match select(queue.next(), socket.next()).await {
            Either::Left((Some(text), _)) => {
                // A failed send is followed by the close event, which tells more.
                let _ = socket.send(Message::Text(text)).await;
            }
            Either::Left((None, _)) => return,
            Either::Right((Some(Ok(Message::Text(text))), _)) => tell(port, SocketEvent::Received(text)),
            Either::Right((Some(Ok(Message::Bytes(_)) | Err(WebSocketError::ConnectionError)), _)) => {}
            Either::Right((Some(Err(WebSocketError::ConnectionClose(event))), _)) => {
                return tell(port, SocketEvent::Closed(event.code));
            }
            Either::Right((Some(Err(_)) | None, _)) => return tell(port, SocketEvent::Closed(1006)),
        }
    }
}

/// The sync endpoint of the server that the page came from.
fn sync_url() -> String {
    let location = web_sys::window().map(|window| window.location());
    let part = |read: fn(&web_sys::Location) -> Result<String, wasm_bindgen::JsValue>| {
        location.as_ref().and_then(|location| read(location).ok()).unwrap_or_default()
    };
    let scheme = if part(web_sys::Location::protocol) == "https:" { "wss" } else { "ws" };
    format!("{scheme}://{}/api/sync", part(web_sys::Location::host))
}
