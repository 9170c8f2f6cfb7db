//! People on plain sockets: they say what the page says, and read no more of what comes than is measured. A generator that did all
//! that a page does would measure itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sheetbend::board::Change;
use sheetbend::native::clock;
use sheetbend::native::socket::request;
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::{ChangeId, Key, ReplicaId};
use sheetbend::sync::message::{Body, ClientMessage, Proposal, SyncRequest, SyncResponse};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::figures::Times;

/// Most changes that one person has on their way, as the page holds to.
const IN_FLIGHT: usize = 64;

/// Stands around what a change says: when it was to be sent, in microseconds of the run, and by whom.
const MARK: char = '@';

/// Why a person is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    #[error("the connection broke: {0}")]
    Broken(#[from] tungstenite::Error),
    #[error("the server closed the connection")]
    Closed,
    #[error("the server said: {0}")]
    SentAway(String),
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Someone with a board open.
#[derive(Debug)]
pub(super) struct Person {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Where the log stood when they came.
    pub(super) cursor: Cursor,
    /// Bytes of the answer that brought them there.
    pub(super) bytes: usize,
}

impl Person {
    /// Opens the board of `key`, by someone who has been at `cursor`.
    pub(super) async fn join(url: &str, key: &Key, cursor: Cursor) -> Result<Self, Lost> {
        let (mut socket, _) = connect_async(request(url)?).await?;
        let hello = SyncRequest {
            key: key.clone(),
            replica: ReplicaId(clock::uuid()),
            version: cursor.version,
            digest: cursor.digest,
            last_sync_timestamp: 0,
            name: "Load".to_owned(),
            witness: None,
            resume: None,
        };
        socket.send(text(&ClientMessage::SyncRequest(hello))).await?;
        loop {
            let frame = hear(&mut socket).await?;
            if frame.starts_with(r#"{"type":"sync_response""#) {
                let response: SyncResponse<serde::de::IgnoredAny, serde::de::IgnoredAny> =
                    serde_json::from_str(&frame)?;
                let cursor = Cursor { version: response.server_version, digest: response.digest };
                return Ok(Self { socket, cursor, bytes: frame.len() });
            }
        }
    }

    /// Says changes that `make` makes of what they are to say, and waits until all are in the log.
    pub(super) async fn save(
        &mut self,
        run: &Run,
        who: usize,
        changes: usize,
        make: impl Fn(String) -> Change,
    ) -> Result<(), Lost> {
        let now = run.now();
        self.say((0..changes).map(|_| make(mark(now, who)))).await?;
        let mut missing = changes;
        while missing > 0 {
            let frame = self.next().await?;
            missing -= marks(&frame).filter(|mark| mark.who == who).count().min(missing);
        }
        run.delivered.record((0..changes).map(|_| run.now() - now));
        Ok(())
    }

    async fn say(&mut self, changes: impl Iterator<Item = Change>) -> Result<(), Lost> {
        let propose = |change| Proposal { id: ChangeId(clock::uuid()), change: Body::Known(change) };
        let message = ClientMessage::Changes { changes: changes.map(propose).collect() };
        Ok(self.socket.send(text(&message)).await?)
    }

    /// The next frame; pings are answered.
    async fn next(&mut self) -> Result<tungstenite::Utf8Bytes, Lost> {
        loop {
            let frame = hear(&mut self.socket).await?;
            match ping(&frame) {
                Some(nonce) => self.socket.send(text(&ClientMessage::Pong { nonce })).await?,
                None => return Ok(frame),
            }
        }
    }

    /// Listens, until the connection ends.
    pub(super) async fn idle(mut self) -> Lost {
        loop {
            if let Err(lost) = self.next().await {
                return lost;
            }
        }
    }

    /// Listens, and writes what `writing` says to, for as long as the run goes.
    pub(super) async fn take_part(mut self, run: Arc<Run>, who: usize, mut writing: Option<Writing>) -> Lost {
        let mut waiting: VecDeque<u64> = VecDeque::new();
        let mut in_flight = 0;
        loop {
            let due = writing.as_ref().and_then(Writing::due).map(|due| run.start + Duration::from_micros(due));
            tokio::select! {
                frame = self.next() => match frame {
                    Ok(frame) => in_flight -= run.hear(&frame, who).min(in_flight),
                    Err(lost) => return lost,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let now = run.now();
                    waiting.extend(writing.iter_mut().flat_map(|writing| writing.take(now)));
                }
            }
            let count = waiting.len().min(IN_FLIGHT.saturating_sub(in_flight));
            if count > 0 {
                in_flight += count;
                run.sent.fetch_add(count as u64, Relaxed);
                if let Err(lost) = self.say(waiting.drain(..count).map(|due| rename(mark(due, who)))).await {
                    return lost;
                }
            }
        }
    }
}

/// When one person is to write: every so often, between two times of the run, in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    pub(super) next: f64,
    pub(super) every: f64,
    pub(super) until: f64,
}

impl Writing {
    fn due(&self) -> Option<u64> {
        (self.next < self.until).then_some(self.next as u64)
    }

    /// The times that have come by now.
    fn take(&mut self, now: u64) -> Vec<u64> {
        let mut due = Vec::new();
        while let Some(at) = self.due().filter(|at| *at <= now) {
            due.push(at);
            self.next += self.every;
        }
        due
    }
}

/// What a crowd measures together.
#[derive(Debug)]
pub(super) struct Run {
    start: Instant,
    /// From when a change was to be sent to when somebody heard of it: one for each that heard it.
    pub(super) delivered: Times,
    /// Changes that were sent.
    pub(super) sent: AtomicU64,
}

impl Run {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), delivered: Times::new(), sent: AtomicU64::new(0) }
    }

    /// Takes the times of what is in a frame. Returns how many changes of `who` are.
    fn hear(&self, frame: &str, who: usize) -> usize {
        let now = self.now();
        let mut own = 0;
        let heard = marks(frame).map(|mark| {
            own += usize::from(mark.who == who);
            now.saturating_sub(mark.due)
        });
        self.delivered.record(heard);
        own
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// What a change says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    due: u64,
    who: usize,
}

/// What a change says that was to be sent then, by this person.
fn mark(due: u64, who: usize) -> String {
    format!("{MARK}{due}:{who}{MARK}")
}

/// A change that costs a board no room, however often it is made.
pub(super) const fn rename(title: String) -> Change {
    Change::RenameBoard { title }
}

/// What the changes in a frame say.
fn marks(frame: &str) -> impl Iterator<Item = Mark> {
    frame.split(MARK).skip(1).step_by(2).filter_map(|mark| {
        let (due, who) = mark.split_once(':')?;
        Some(Mark { due: due.parse().ok()?, who: who.parse().ok()? })
    })
}

/// The nonce of a ping.
fn ping(frame: &str) -> Option<u64> {
    let rest = frame.strip_prefix(r#"{"type":"ping","nonce":"#)?;
    rest.split([',', '}']).next()?.parse().ok()
}

async fn hear(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>) -> Result<tungstenite::Utf8Bytes, Lost> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(frame))) if frame.starts_with(r#"{"type":"bye""#) => {
                return Err(Lost::SentAway(frame.to_string()));
            }
            Some(Ok(Message::Text(frame))) => return Ok(frame),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => return Err(Lost::Closed),
        }
    }
}

fn text(message: &ClientMessage<Change>) -> Message {
    // Messages are plain data with string keys: writing them cannot fail.
    Message::text(serde_json::to_string(message).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_in_what_the_server_sends() {
        let frame = r#"{"type":"committed","entries":[{"change":{"kind":"rename_board","title":"@17:3@"}},{"title":"@18:4@"}]}"#;
        assert_eq!(marks(frame).collect::<Vec<_>>(), [Mark { due: 17, who: 3 }, Mark { due: 18, who: 4 }]);
        assert_eq!(marks(r#"{"type":"committed","entries":[]}"#).count(), 0);
    }

    #[test]
    fn pings_are_known() {
        assert_eq!(ping(r#"{"type":"ping","nonce":7,"version":12}"#), Some(7));
        assert_eq!(ping(r#"{"type":"ping","nonce":7}"#), Some(7));
        assert_eq!(ping(r#"{"type":"pong","nonce":7}"#), None);
    }

    #[test]
    fn writing_keeps_to_its_times_however_late_it_is() {
        let mut writing = Writing { next: 0.0, every: 100.0, until: 1_000.0 };
        assert_eq!(writing.take(250), [0, 100, 200]);
        assert_eq!(writing.due(), Some(300));
        assert_eq!(writing.take(5_000).len(), 7);
        assert_eq!(writing.due(), None);
    }
}
