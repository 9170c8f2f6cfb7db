//! What waits for one client, bounded in bytes.
//!
//! A client that does not keep up is not waited for and does not fill the memory: it is told to come back, and resumes from
//! its cursor.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::metrics::{Metrics, Share, seconds};
use crate::sync::digest::Cursor;
use crate::sync::message::{Bye, ByeCode};

/// Makes the two ends of a queue that holds `limit` bytes. One frame always fits into an empty queue. What waits in it, and how
/// long, is in `metrics`.
pub(super) fn queue(limit: usize, metrics: &Metrics) -> (Outbound, Inbox) {
    let waiting = Waiting {
        frames: VecDeque::new(),
        bytes: Share::of(&metrics.queued, 0),
        since: None,
        taken: None,
        bye: None,
        overrun: false,
    };
    let fan_out = metrics.fan_out_seconds.clone();
    let shared = Arc::new(Shared { limit, waiting: Mutex::new(waiting), changed: Notify::new(), fan_out });
    (Outbound(Arc::clone(&shared)), Inbox(shared))
}

/// The end that the room and the session put frames in.
#[derive(Clone, Debug)]
pub(super) struct Outbound(Arc<Shared>);

/// The end that the socket's writer takes them out of.
#[derive(Debug)]
pub(super) struct Inbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    waiting: Mutex<Waiting>,
    changed: Notify,
    fan_out: Histogram,
}

#[derive(Debug)]
struct Waiting {
    /// Each with the place in the log that it takes the client to.
    frames: VecDeque<(Utf8Bytes, Option<Cursor>)>,
    bytes: Share,
    /// When the first of them that carries entries came.
    since: Option<Instant>,
    /// How far what was taken out takes the client.
    taken: Option<Cursor>,
    /// Nothing goes in any more, and this is the last thing that comes out.
    bye: Option<Bye>,
    /// What waited was given up: the client was too slow.
    overrun: bool,
}

/// What a writer has to do next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Write these.
    Frames(Vec<Utf8Bytes>),
    /// Say this, and close.
    Bye(Bye),
}

impl Outbound {
    /// Adds a frame. Returns whether the client will get it: not after a `bye`, nor when there is no room, which is such.
    pub(super) fn send(&self, frame: Utf8Bytes) -> bool {
        self.push(frame, None)
    }

    /// Adds a frame that takes the client to `cursor`. Returns as [`Outbound::send`] does.
    pub(super) fn send_up_to(&self, frame: Utf8Bytes, cursor: Cursor) -> bool {
        self.push(frame, Some(cursor))
    }

    fn push(&self, frame: Utf8Bytes, cursor: Option<Cursor>) -> bool {
        let mut waiting = self.0.lock();
        if waiting.bye.is_some() {
            return false;
        }
        let bytes = waiting.bytes.get() + frame.len();
        let fits = waiting.frames.is_empty() || bytes <= self.0.limit;
        if fits {
            waiting.bytes.set(bytes);
            if cursor.is_some() && waiting.since.is_none() {
                waiting.since = Some(Instant::now());
            }
            waiting.frames.push_back((frame, cursor));
        } else {
            waiting.frames = VecDeque::new();
            waiting.bytes.set(0);
            waiting.overrun = true;
            waiting.bye = Some(Bye::new(
                ByeCode::SlowConsumer,
                "Your connection is slower than what happens on this board. Reconnect to catch up.",
            ));
        }
        drop(waiting);
        self.0.changed.notify_one();
        fits
    }

    /// The goodbye that was said, or waits to be.
    pub(super) fn bye(&self) -> Option<ByeCode> {
        self.0.lock().bye.as_ref().map(|bye| bye.code)
    }

    /// Says goodbye after what waits. The first goodbye stands.
    pub(super) fn close(&self, bye: Bye) {
        self.0.lock().bye.get_or_insert(bye);
        self.0.changed.notify_one();
    }
}

impl Inbox {
    /// Waits for something to write; takes up to about `bytes` of what there is. Cancel-safe.
    pub(super) async fn next(&mut self, bytes: usize) -> Next {
        loop {
            let (next, since) = {
                let mut waiting = self.0.lock();
                let next = waiting.take(bytes);
                (next, waiting.since.take())
            };
            if let Some(since) = since {
                self.0.fan_out.observe(seconds(since.elapsed()));
            }
            if let Some(next) = next {
                return next;
            }
            self.0.changed.notified().await;
        }
    }

    /// How far what was taken out takes the client; `None` before anything was.
    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.0.lock().taken
    }

    /// Waits until nothing more goes in.
    pub(super) async fn closed(&mut self) {
        while self.0.lock().bye.is_none() {
            self.0.changed.notified().await;
        }
    }

    /// Waits until the client has proved too slow.
    pub(super) async fn overrun(&mut self) {
        while !self.0.lock().overrun {
            self.0.changed.notified().await;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self, most: usize) -> Option<Next> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < most
            && let Some((frame, cursor)) = self.frames.pop_front()
        {
            bytes += frame.len();
            taken.push(frame);
            // Entries that are sent again take nobody back.
            self.taken = self.taken.into_iter().chain(cursor).max_by_key(|cursor| cursor.version);
        }
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
        if taken.is_empty() { self.bye.clone().map(Next::Bye) } else { Some(Next::Frames(taken)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draining() -> Bye {
        Bye::new(ByeCode::Draining, "Back soon.")
    }

    #[tokio::test]
    async fn frames_come_out_in_order_and_the_goodbye_last() {
        let (outbound, mut inbox) = queue(100, &Metrics::new());
        assert!(outbound.send("a".into()));
        assert!(outbound.send("b".into()));
        outbound.close(draining());
        outbound.close(Bye::new(ByeCode::ServerError, "Too late."));
        assert!(!outbound.send("c".into()), "not after a goodbye");
        assert_eq!(inbox.next(100).await, Next::Frames(vec!["a".into(), "b".into()]));
        assert_eq!(inbox.next(100).await, Next::Bye(draining()));
    }

    #[tokio::test]
    async fn it_is_known_how_far_the_client_was_taken() {
        let (outbound, mut inbox) = queue(100, &Metrics::new());
        let version = |inbox: &Inbox| inbox.cursor().map(|cursor| cursor.version);
        let at = |version| Cursor { version, ..Cursor::default() };
        outbound.send_up_to("7 and 8".into(), at(8));
        outbound.send_up_to("7 again".into(), at(7));
        outbound.send_up_to("9".into(), at(9));
        assert_eq!(version(&inbox), None, "they wait");
        inbox.next(14).await;
        assert_eq!(version(&inbox), Some(8));
        inbox.next(100).await;
        assert_eq!(version(&inbox), Some(9));
    }

    #[tokio::test]
    async fn writers_take_what_they_can_carry() {
        let (outbound, mut inbox) = queue(100, &Metrics::new());
        for frame in ["12345", "12345", "12345"] {
            outbound.send(frame.into());
        }
        assert_eq!(inbox.next(6).await, Next::Frames(vec!["12345".into(), "12345".into()]));
        assert_eq!(inbox.next(6).await, Next::Frames(vec!["12345".into()]));
    }

    #[tokio::test]
    async fn a_slow_client_is_told_to_come_back() {
        let (outbound, mut inbox) = queue(10, &Metrics::new());
        assert!(outbound.send("more than ten bytes".into()), "one frame always fits");
        assert!(!outbound.send("x".into()), "then it is full");
        inbox.overrun().await;
        let Next::Bye(bye) = inbox.next(100).await else { panic!("what waited is given up") };
        assert_eq!(bye.code, ByeCode::SlowConsumer);
    }

    #[tokio::test]
    async fn what_was_taken_out_makes_room() {
        let (outbound, mut inbox) = queue(10, &Metrics::new());
        for _ in 0..100 {
            assert!(outbound.send("12345678".into()));
            inbox.next(100).await;
        }
    }
}
