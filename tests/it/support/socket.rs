//! A client made of plain frames: what it says and hears is what is on the wire.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::message::SUBPROTOCOL;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::ids::{change_id, key};

pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address, &[("sec-websocket-protocol", SUBPROTOCOL)]).await.expect("connects")
    }

    pub(crate) async fn try_connect(address: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await.expect("connects");
        Self::over(stream, headers).await
    }

    /// On a connection to a server.
    pub(crate) async fn over(stream: TcpStream, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let address = stream.peer_addr().expect("is connected");
        let mut request = format!("ws://{address}/api/sync").into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        client_async(request, stream).await.map(|(socket, _)| Self(socket))
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.0.send(message).await.expect("is sent");
    }

    /// The next message; pings, and whether the server saves, are not heard.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            let message = self.hear_any().await;
            if message["type"] != "ping" && message["type"] != "saving" {
                return message;
            }
        }
    }

    pub(crate) async fn hear_any(&mut self) -> Value {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("not a text frame: {other:?}"),
        }
    }

    /// The `bye` that must come next, and the code of the close that must follow it.
    pub(crate) async fn hear_bye(&mut self) -> (Value, u16) {
        let bye = self.hear().await;
        assert_eq!(bye["type"], "bye", "{bye}");
        (bye, self.hear_close().await)
    }

    /// The code of the close that must come next, and then nothing: no reset.
    pub(crate) async fn hear_close(&mut self) -> u16 {
        let code = match self.0.next().await {
            Some(Ok(Message::Close(Some(close)))) => close.code.into(),
            other => panic!("not a close: {other:?}"),
        };
        match self.0.next().await {
            None => code,
            other => panic!("after the close: {other:?}"),
        }
    }

    /// Says `sync_request` with the key of a small number.
    pub(crate) async fn request(&mut self, key_number: u8, cursor: Cursor) {
        self.request_with(key_number, cursor, None).await;
    }

    async fn request_with(&mut self, key_number: u8, cursor: Cursor, witness: Option<Cursor>) {
        self.say(json!({
            "type": "sync_request",
            "key": key(key_number),
            "replica": change_id(key_number.into()),
            "version": cursor.version,
            "digest": cursor.digest,
            "witness": witness,
            "name": "Ada",
        }))
        .await;
    }

    /// Says where it stands, and hears the `sync_response`.
    pub(crate) async fn sync(&mut self, key_number: u8, cursor: Cursor) -> Value {
        self.request(key_number, cursor).await;
        self.hear_response().await
    }

    /// Says where it stands and how far its device has been, and hears the `sync_response`.
    pub(crate) async fn sync_with(&mut self, key_number: u8, cursor: Cursor, witness: Cursor) -> Value {
        self.request_with(key_number, cursor, Some(witness)).await;
        self.hear_response().await
    }

    async fn hear_response(&mut self) -> Value {
        let response = self.hear().await;
        assert_eq!(response["type"], "sync_response", "{response}");
        response
    }

    /// Offers changes: each says the word `w{n}` and has the id of its number.
    pub(crate) async fn offer(&mut self, numbers: impl IntoIterator<Item = u64>) {
        let changes: Vec<_> = numbers
            .into_iter()
            .map(|n| json!({ "id": change_id(n), "change": { "kind": "say", "word": format!("w{n}") } }))
            .collect();
        self.say(json!({ "type": "changes", "changes": changes })).await;
    }

    /// Hears `committed` until it has entry `version`; returns all the entries.
    pub(crate) async fn hear_up_to(&mut self, version: u64) -> Vec<Value> {
        let mut entries = Vec::new();
        while entries.last().is_none_or(|entry: &Value| entry["version"].as_u64() < Some(version)) {
            let mut message = self.hear().await;
            assert_eq!(message["type"], "committed", "{message}");
            let Value::Array(more) = message["entries"].take() else { panic!("no entries") };
            entries.extend(more);
        }
        entries
    }

    pub(crate) const fn of(stream: WebSocketStream<TcpStream>) -> Self {
        Self(stream)
    }

    pub(crate) fn into_inner(self) -> WebSocketStream<TcpStream> {
        self.0
    }
}

/// The cursor that a `sync_response` or an entry leads to.
pub(crate) fn cursor_of(message: &Value) -> Cursor {
    let version = message.get("server_version").unwrap_or(&message["version"]);
    Cursor {
        version: version.as_u64().expect("a version"),
        digest: message["digest"].as_str().expect("a digest").parse().expect("a digest"),
    }
}

/// The versions of entries.
pub(crate) fn versions(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["version"].as_u64().expect("a version")).collect()
}
