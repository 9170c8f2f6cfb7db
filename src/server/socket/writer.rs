//! What a client is told.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message};
use futures_util::{Sink, SinkExt as _};
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

/// Writes what comes into the inbox, and pings, until the goodbye, or until the line breaks or the client does not take what it is
/// sent.
pub(super) async fn run<S>(mut sink: S, mut inbox: Inbox, runtime: Arc<Runtime>)
where
    S: Sink<Message, Error = axum::Error> + Unpin,
{
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
pub(super) async fn say<S>(sink: &mut S, bye: &Bye, farewell: Duration)
where
    S: Sink<Message, Error = axum::Error> + Unpin,
{
    let reason = truncated(&bye.message, CLOSE_REASON_BYTES).into();
    let close = CloseFrame { code: bye.code.close_code(), reason };
    let words = vec![Message::Text(frame::bye(bye)), Message::Close(Some(close))];
    let _ = timeout(farewell, write(sink, words)).await;
}

/// Everything in one write: a write a frame would cost most of the server's time.
async fn write<S>(sink: &mut S, messages: Vec<Message>) -> Result<(), axum::Error>
where
    S: Sink<Message, Error = axum::Error> + Unpin,
{
    for message in messages {
        sink.feed(message).await?;
    }
    sink.flush().await
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::sink::unfold;

    use super::*;
    use crate::server::outbound::queue;
    use crate::server::settings::Settings;
    use crate::sync::message::ByeCode;

    #[tokio::test(start_paused = true)]
    async fn who_is_told_much_without_a_pause_is_pinged_all_the_same() {
        let runtime = Arc::new(Runtime::new(Settings::default(), false));
        let (outbound, inbox) = queue(1_000, &runtime.metrics);
        outbound.send("first".into());
        // A client that takes a frame a second, when the next one waits already.
        let (mut told, mut pings) = (0, 0_u64);
        let client = unfold((), |(), message: Message| {
            let text = message.into_text().unwrap_or_default();
            let is_ping = text.contains("\"ping\"");
            let more = !is_ping && outbound.send("more".into());
            (told, pings) = (told + usize::from(more), pings + u64::from(is_ping));
            if told > 200 {
                outbound.close(Bye::new(ByeCode::Draining, "Enough."));
            }
            async move {
                tokio::time::advance(Duration::from_secs(u64::from(!is_ping))).await;
                Ok(())
            }
        });
        run(pin!(client), inbox, Arc::clone(&runtime)).await;
        let due = 200 / runtime.settings.ping_interval.as_secs();
        assert!((due - 1..=due + 1).contains(&pings), "{pings} pings in 200 s, not {due}");
    }
}
