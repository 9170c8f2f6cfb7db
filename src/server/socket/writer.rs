//! What a client is told.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::truncated;
use crate::server::frame;
use crate::server::outbound::{Inbox, Next};
use crate::server::settings::Settings;
use crate::sync::message::Bye;

/// About how many bytes are handed to the socket at a time, in one write. It bounds what the socket buffers.
const WRITE_BYTES: usize = 128 * 1024;

/// Most bytes of a close frame's reason (RFC 6455 §5.5).
const CLOSE_REASON_BYTES: usize = 123;

/// How writing came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The last words are said, and the close is sent.
    Goodbye,
    /// The line broke, or the client did not take what it was sent.
    Broken,
}

type Sink = SplitSink<WebSocket, Message>;

/// Writes what comes into the inbox, and pings, until the goodbye.
pub(super) async fn run(sink: &mut Sink, mut inbox: Inbox, settings: &Settings) -> Written {
    let mut pings = interval_at(Instant::now() + settings.ping_interval, settings.ping_interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut nonce = 0;
    loop {
        let next = tokio::select! {
            next = inbox.next(WRITE_BYTES) => next,
            _ = pings.tick() => {
                nonce += 1;
                Next::Frames(vec![frame::ping(nonce, inbox.cursor().map(|cursor| cursor.version))])
            }
        };
        let frames = match next {
            Next::Frames(frames) => frames.into_iter().map(Message::Text).collect(),
            Next::Bye(bye) => return say(sink, &bye, settings.farewell).await,
        };
        tokio::select! {
            written = write(sink, frames) => if written.is_err() { return Written::Broken },
            // It still gets the time of a farewell to take what is on its way, or it would not hear why.
            () = async { inbox.overrun().await; sleep(settings.farewell).await } => return Written::Broken,
        }
    }
}

/// Says goodbye twice: in words, and as the close code that means the same.
pub(super) async fn say(sink: &mut Sink, bye: &Bye, farewell: Duration) -> Written {
    let reason = truncated(&bye.message, CLOSE_REASON_BYTES).into();
    let close = CloseFrame { code: bye.code.close_code(), reason };
    let words = vec![Message::Text(frame::bye(bye)), Message::Close(Some(close))];
    match timeout(farewell, write(sink, words)).await {
        Ok(Ok(())) => Written::Goodbye,
        Ok(Err(_)) | Err(_) => Written::Broken,
    }
}

/// Everything in one write: a write a frame would cost most of the server's time.
async fn write(sink: &mut Sink, messages: Vec<Message>) -> Result<(), axum::Error> {
    for message in messages {
        sink.feed(message).await?;
    }
    sink.flush().await
}
