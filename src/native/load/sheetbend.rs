//! This house's dialect.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::super::boards::{self, NotMade};
use super::super::{clock, socket};
use super::dialect::{Dialect, Lasting, SentAway, Speaker};
use crate::sync::digest::{Cursor, Digest};
use crate::sync::id::{ChangeId, DocumentId, Key, ReplicaId};
use crate::sync::message::{Body, ClientMessage, Proposal, SyncRequest, SyncResponse};

/// What somebody says is a change to a document of some kind.
pub trait Words: Clone + Debug + Send + Sync + 'static {
    /// The document's changes.
    type Change: Serialize;

    /// Changes that say `texts`, and what they need to be made before them.
    fn say(&mut self, texts: Vec<String>, lasting: Lasting) -> Vec<Self::Change>;
}

/// Servers of this house, `http://127.0.0.1:3000`, and the words of those who have never been there.
///
/// Where there are several, they are over the same store, and people are spread over them in turn.
#[derive(Clone, Debug)]
pub struct Sheetbend<W> {
    servers: Arc<[String]>,
    turns: Arc<AtomicUsize>,
    words: W,
}

impl<W> Sheetbend<W> {
    /// The servers at these addresses.
    ///
    /// # Panics
    /// If there is no address.
    #[must_use]
    pub fn at(servers: &[String], words: W) -> Self {
        assert!(!servers.is_empty(), "there is a server");
        Self { servers: servers.into(), turns: Arc::default(), words }
    }

    /// Whose turn it is.
    fn server(&self) -> &str {
        &self.servers[self.turns.fetch_add(1, Relaxed) % self.servers.len()]
    }
}

impl<W: Words> Dialect for Sheetbend<W> {
    type Board = Key;
    type Speaker = Person<W>;

    async fn make(&self) -> Result<Key, NotMade> {
        let key = Key::from_random(clock::random());
        boards::make(self.server(), DocumentId(clock::uuid()), &key).await?;
        Ok(key)
    }

    fn speaker(&self, board: &Key) -> Person<W> {
        Person {
            socket: format!("{}/api/sync", self.server().trim_end_matches('/').replacen("http", "ws", 1)),
            key: board.clone(),
            replica: ReplicaId(clock::uuid()),
            cursor: Cursor::default(),
            there: false,
            spread: Duration::ZERO,
            words: self.words.clone(),
        }
    }
}

/// Somebody with a board's key.
#[derive(Clone, Debug)]
pub struct Person<W> {
    socket: String,
    key: Key,
    replica: ReplicaId,
    /// What has been heard, up to here.
    cursor: Cursor,
    there: bool,
    spread: Duration,
    words: W,
}

impl<W: Words> Speaker for Person<W> {
    fn request(&self) -> Result<Request, Error> {
        socket::request(&self.socket)
    }

    fn hello(&mut self) -> Vec<Message> {
        self.there = false;
        let request = SyncRequest {
            key: self.key.clone(),
            replica: self.replica,
            version: self.cursor.version,
            digest: self.cursor.digest,
            last_sync_timestamp: 0,
            name: "Load".to_owned(),
            witness: None,
            resume: None,
        };
        vec![text(&ClientMessage::<()>::SyncRequest(request))]
    }

    fn is_there(&self) -> bool {
        self.there
    }

    fn spread(&self) -> Duration {
        self.spread
    }

    fn hear(&mut self, frame: &[u8], answers: &mut Vec<Message>) -> Result<(), SentAway> {
        if frame.starts_with(br#"{"type":"committed""#) {
            self.cursor = end(frame).unwrap_or(self.cursor);
        } else if let Some(rest) = frame.strip_prefix(br#"{"type":"ping","nonce":"#) {
            answers.extend(number(rest).map(|nonce| text(&ClientMessage::<()>::Pong { nonce })));
        } else if frame.starts_with(br#"{"type":"sync_response""#) {
            let response: SyncResponse<IgnoredAny, IgnoredAny> =
                serde_json::from_slice(frame).map_err(|error| SentAway(error.to_string()))?;
            self.cursor = Cursor { version: response.server_version, digest: response.digest };
            self.spread = Duration::from_millis(response.reconnect_spread_ms);
            self.there = true;
        } else if frame.starts_with(br#"{"type":"bye""#) {
            return Err(SentAway(String::from_utf8_lossy(frame).into_owned()));
        }
        Ok(())
    }

    fn say(&mut self, texts: Vec<String>, lasting: Lasting) -> Vec<Message> {
        let propose = |change| Proposal { id: ChangeId(clock::uuid()), change: Body::Known(change) };
        vec![text(&ClientMessage::Changes {
            changes: self.words.say(texts, lasting).into_iter().map(propose).collect(),
        })]
    }
}

/// Where the last entry of a `committed` frame takes who hears it. No change that is made here says anything like that itself.
fn end(frame: &[u8]) -> Option<Cursor> {
    #[derive(Deserialize)]
    struct Place {
        digest: Digest,
    }
    const VERSION: &str = r#"{"version":"#;
    let frame = std::str::from_utf8(frame).ok()?;
    let entry = &frame[frame.rfind(VERSION)?..];
    let version = number(&entry.as_bytes()[VERSION.len()..])?;
    let place: Place = serde_json::from_str(entry.strip_suffix("]}")?).ok()?;
    Some(Cursor { version, digest: place.digest })
}

/// The digits that a text begins with.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

fn text<C: Serialize>(message: &ClientMessage<C>) -> Message {
    // Messages are plain data with string keys: writing them cannot fail.
    Message::text(serde_json::to_string(message).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::sync::message::{Record, ServerFrame};

    #[derive(Clone, Debug)]
    struct Silence;

    impl Words for Silence {
        type Change = ();

        fn say(&mut self, _: Vec<String>, _: Lasting) -> Vec<()> {
            Vec::new()
        }
    }

    fn person() -> Person<Silence> {
        Sheetbend::at(&["http://plan.example/".to_owned()], Silence).speaker(&Key::from_random([7; 16]))
    }

    #[test]
    fn people_are_spread_over_the_servers() {
        let servers = ["http://a.example", "https://b.example"].map(str::to_owned);
        let (dialect, key) = (Sheetbend::at(&servers, Silence), Key::from_random([7; 16]));
        let addresses: Vec<String> =
            (0..3).map(|_| dialect.speaker(&key).request().expect("an address").uri().to_string()).collect();
        assert_eq!(addresses, ["ws://a.example/api/sync", "wss://b.example/api/sync", "ws://a.example/api/sync"]);
    }

    fn record(version: u64) -> Record {
        Record {
            version,
            digest: format!("{version:032x}").parse().expect("32 digits"),
            id: ChangeId(clock::uuid()),
            author: "Ada".into(),
            timestamp: 7,
            change: RawValue::from_string(r#"{"kind":"rename_board","title":"@17:3@"}"#.into()).expect("JSON"),
            refused: None,
        }
    }

    #[test]
    fn who_has_heard_of_entries_comes_back_to_there() {
        let mut person = person();
        let entries = [record(8), record(9)];
        let frame = serde_json::to_vec(&ServerFrame::Committed::<()> { entries: &entries }).expect("plain data");
        person.hear(&frame, &mut Vec::new()).expect("stays");
        assert_eq!(person.cursor, entries[1].cursor());
        assert_eq!(person.request().expect("an address").uri(), "ws://plan.example/api/sync");
    }

    #[test]
    fn pings_are_answered_and_goodbyes_are_heard() {
        let (mut person, mut answers) = (person(), Vec::new());
        person.hear(br#"{"type":"ping","nonce":7,"version":12}"#, &mut answers).expect("stays");
        person.hear(br#"{"type":"pong","nonce":8}"#, &mut answers).expect("stays");
        assert_eq!(answers, [text(&ClientMessage::<()>::Pong { nonce: 7 })]);
        assert!(person.hear(br#"{"type":"bye","code":"draining"}"#, &mut answers).is_err());
    }
}
