//! What a client is told.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::truncated;
use crate::server::frame;
use crate::server::outbound::{Inbox, Next};
use crate::server::runtime::Runtime;
use crate::sync::message::Bye;

/// About how many bytes are handed to the socket at a time, in one write. It bounds what the socket buffers.
const WRITE_BYTES: usize = 128 * 1024;

/// Most bytes of a close frame's reason (RFC 6455 §5.5).
const CLOSE_REASON_BYTES: usize = 123;

type Sink = SplitSink<WebSocket, Message>;

/// Writes what comes into the inbox, and pings, until the goodbye, or until the line breaks or the client does not take what it is
/// sent.
pub(super) async fn run(mut sink: Sink, mut inbox: Inbox, runtime: Arc<Runtime>) {
    let settings = &runtime.settings;
    let mut pings = interval_at(Instant::now() + settings.ping_interval, settings.ping_interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut nonce = 0;
    loop {
        let next = tokio::select! {
            // Pings first: who only listens answers those, and is taken for gone without them, however much there is to hear.
            biased;
            _ = pings.tick() => {
                nonce += 1;
                Next::Frames(vec![frame::ping(nonce, inbox.cursor().map(|cursor| cursor.version))])
            }
            next = inbox.next(WRITE_BYTES) => next,
        };
        let frames = match next {
            Next::Frames(frames) => frames.into_iter().map(Message::Text).collect(),
            Next::Bye(bye) => return say(&mut sink, &bye, settings.farewell).await,
        };
        tokio::select! {
            biased;
            written = write(&mut sink, frames) => if written.is_err() { return },
            // It still gets the time of a farewell to take what is on its way, or it would not hear why.
            () = async { inbox.overrun().await; sleep(settings.farewell).await } => return,
        }
    }
}

/// Says goodbye twice: in words, and as the close code that means the same. The client may be gone, or not take it.
pub(super) async fn say(sink: &mut Sink, bye: &Bye, farewell: Duration) {
    let reason = truncated(&bye.message, CLOSE_REASON_BYTES).into();
    let close = CloseFrame { code: bye.code.close_code(), reason };
    let words = vec![Message::Text(frame::bye(bye)), Message::Close(Some(close))];
    let _ = timeout(farewell, write(sink, words)).await;
}

/// Everything in one write: a write a frame would cost most of the server's time.
async fn write(sink: &mut Sink, messages: Vec<Message>) -> Result<(), axum::Error> {
    for message in messages {
        sink.feed(message).await?;
    }
    sink.flush().await
}
