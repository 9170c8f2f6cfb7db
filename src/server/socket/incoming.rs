//! What a client says, message by message.

use std::error::Error;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use crate::server::accept::{Pulse, Silence};
use crate::server::bucket::Allowance;
use crate::server::cpu::Cpu;
use crate::server::runtime::Runtime;
use crate::sync::message::{Bye, ByeCode, ClientMessage};

/// Why a session ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client has closed, or the line broke.
    Gone,
    /// The server closes, with these words.
    Bye(Bye),
}

/// The reading half of a socket.
#[derive(Debug)]
pub(super) struct Incoming {
    stream: SplitStream<WebSocket>,
    pulse: Pulse,
    silence: Silence,
    message_bytes: usize,
    cpu: Cpu,
    allowance: Allowance,
    /// It has said more than it may for now: it is heard again then.
    debt_until: Option<Instant>,
}

impl Incoming {
    /// Reads from `stream`. Messages that are too large end the session; a client that says too much is read more slowly.
    pub(super) fn new(stream: SplitStream<WebSocket>, pulse: Pulse, runtime: &Runtime) -> Self {
        let (settings, cpu) = (&runtime.settings, runtime.cpu.clone());
        let (silence, allowance) = (pulse.silence(settings.silence), Allowance::new(settings.bytes_per_second));
        Self { stream, pulse, silence, message_bytes: settings.limits.message_bytes, cpu, allowance, debt_until: None }
    }

    /// The next message, and its length. Without a sign of life for too long the session ends. Cancel-safe, but for a long
    /// message that is being read.
    pub(super) async fn next<C: DeserializeOwned + Send + 'static>(
        &mut self,
    ) -> Result<(ClientMessage<C>, usize), End> {
        loop {
            if let Some(until) = self.debt_until {
                // What it sends meanwhile waits in the sockets, its own at last. It is not silent.
                sleep_until(until).await;
                self.pulse.beat();
                self.debt_until = None;
            }
            let frame = tokio::select! {
                // What has come was not silence, however long the server did not look.
                biased;
                frame = self.stream.next() => frame,
                () = self.silence.too_long() => return Err(silent()),
            };
            self.pulse.beat();
            if let Some(Ok(message)) = &frame {
                self.spend(message_length(message));
            }
            match frame {
                Some(Ok(Message::Text(text))) => return self.read(text).await,
                Some(Ok(Message::Binary(_))) => return Err(bad("Messages are text frames, not binary ones.")),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
                Some(Err(error)) => return Err(self.broken(&error)),
            }
        }
    }

    /// Reads on until the client has closed too, or until `farewell` is over. What it still says is not heard.
    pub(super) async fn drain(mut self, farewell: Duration) {
        let closed = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = timeout(farewell, closed).await;
    }

    fn spend(&mut self, bytes: usize) {
        let wait = self.allowance.spend(bytes);
        self.debt_until = (!wait.is_zero()).then(|| Instant::now() + wait);
    }

    async fn read<C: DeserializeOwned + Send + 'static>(
        &self,
        text: Utf8Bytes,
    ) -> Result<(ClientMessage<C>, usize), End> {
        let bytes = text.len();
        if bytes > self.message_bytes {
            return Err(self.too_large());
        }
        let message = if bytes > READ_AT_ONCE { self.cpu.run(move || read(&text)).await } else { read(&text) };
        message.map(|message| (message, bytes))
    }

    fn too_large(&self) -> End {
        too_large(self.message_bytes)
    }

    fn broken(&self, error: &axum::Error) -> End {
        match error.source().and_then(|cause| cause.downcast_ref::<tungstenite::Error>()) {
            Some(tungstenite::Error::Capacity(_)) => self.too_large(),
            Some(tungstenite::Error::Utf8(_)) => bad("Messages are text in UTF-8."),
            Some(tungstenite::Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake
                | tungstenite::error::ProtocolError::ReceivedAfterClosing,
            )) => End::Gone,
            Some(tungstenite::Error::Protocol(error)) => bad(format!("This is no WebSocket frame: {error}.")),
            _ => End::Gone,
        }
    }
}

/// Messages up to so many bytes are read where they arrive. Longer ones can take many milliseconds.
pub(super) const READ_AT_ONCE: usize = 32 * 1024;

/// What a message says.
pub(super) fn read<C: DeserializeOwned>(text: &str) -> Result<ClientMessage<C>, End> {
    serde_json::from_str(text).map_err(|error| bad(format!("This message cannot be read: {error}.")))
}

pub(super) fn too_large(most: usize) -> End {
    End::Bye(Bye::new(
        ByeCode::TooLarge,
        format!("This message is too large: at most {most} bytes. Send it in smaller parts."),
    ))
}

fn message_length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

fn silent() -> End {
    End::Bye(Bye::new(ByeCode::TimedOut, "Nothing came from you for too long. Reconnect."))
}

/// The client broke the rules.
pub(super) fn bad(why: impl Into<String>) -> End {
    End::Bye(Bye::new(ByeCode::BadMessage, why))
}
