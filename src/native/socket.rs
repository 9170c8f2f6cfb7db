//! A WebSocket: one task owns it; dropping the [`Socket`] closes it, and nothing is heard of it any more.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::sync::client::SocketEvent;
use crate::sync::link::SocketId;
use crate::sync::message::SUBPROTOCOL;

/// A WebSocket, opening or open.
#[derive(Debug)]
pub struct Socket {
    outgoing: mpsc::UnboundedSender<String>,
}

/// Where sockets tell what becomes of them.
pub type Events = mpsc::UnboundedSender<(SocketId, SocketEvent)>;

impl Socket {
    /// Opens a socket to `url`.
    #[must_use]
    pub fn open(url: String, id: SocketId, events: Events) -> Self {
        let (outgoing, queue) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let code = run(&url, queue, id, &events).await;
            // Whoever does not listen any more does not need to know.
            let _ = events.send((id, SocketEvent::Closed(code)));
        });
        Self { outgoing }
    }

    /// Queues a text frame. That says nothing about its arrival.
    pub fn send(&self, text: String) {
        // The task is gone only after it has told of the close: then this frame is as lost as one on the line.
        let _ = self.outgoing.send(text);
    }
}

/// Runs a socket to its end. Returns the close code.
async fn run(url: &str, mut queue: mpsc::UnboundedReceiver<String>, id: SocketId, events: &Events) -> u16 {
    const NONE: u16 = 1006;
    let Ok(request) = request(url) else { return NONE };
    let connected = tokio::select! {
        connected = connect(request) => connected,
        () = dropped(&mut queue) => return NONE,
    };
    let Ok(mut socket) = connected else { return NONE };
    if events.send((id, SocketEvent::Opened)).is_err() {
        return NONE;
    }
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    let _ = events.send((id, SocketEvent::Received(text.to_string())));
                }
                Some(Ok(Message::Close(frame))) => return frame.map_or(NONE, |frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return NONE,
            },
            text = queue.recv() => match text {
                Some(text) => if socket.send(Message::text(text)).await.is_err() { return NONE },
                None => {
                    // It is given up either way; a close frame only spares the server the waiting.
                    let _ = socket.close(None).await;
                    return NONE;
                }
            },
        }
    }
}

/// Nothing is sent before the socket is open, so the queue ends this early only when the socket was given up.
async fn dropped(queue: &mut mpsc::UnboundedReceiver<String>) {
    while queue.recv().await.is_some() {}
}

/// The request that opens a socket to `url`.
///
/// # Errors
/// That it is no address.
pub fn request(url: &str) -> Result<Request, Error> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(request)
}

/// Opens a socket whose messages go at once.
///
/// # Errors
/// That it cannot be opened.
pub async fn connect(request: Request) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
    /// All of it is cleared before each read, so that the library's own 128 KiB cost more than what is read.
    const READ_BUFFER: usize = 16 * 1024;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}
