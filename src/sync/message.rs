//! The wire: protocol `sheetbend.v1`, one JSON object a text frame, tagged `type`. The contract is in `docs/protocol.md`.
//!
//! Fields may be added; unknown fields and unknown types of message are ignored by both ends.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::digest::{Cursor, Digest};
use super::document::Refusal;
use super::id::{ChangeId, DocumentId, Key, ReplicaId};
use super::time::UnixMillis;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "sheetbend.v1";

/// A change of a kind this program knows, or one it does not.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Body<C> {
    /// Read and understood.
    Known(C),
    /// From a newer program: kept as it came.
    Unknown(Value),
}

impl<'de, C: DeserializeOwned> Deserialize<'de> for Body<C> {
    fn deserialize<R: Deserializer<'de>>(reader: R) -> Result<Self, R::Error> {
        let value = Value::deserialize(reader)?;
        Ok(C::deserialize(&value).map_or_else(|_| Self::Unknown(value), Self::Known))
    }
}

/// A change that its author offers to the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "C: DeserializeOwned"))]
pub struct Proposal<C> {
    /// The change's name for ever.
    pub id: ChangeId,
    /// What it does.
    pub change: Body<C>,
}

/// A log entry, as a client reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "C: DeserializeOwned"))]
pub struct Entry<C> {
    /// 1, 2, 3 … without gaps, per document.
    pub version: u64,
    /// The log's digest up to and with this entry.
    pub digest: Digest,
    /// The change's id.
    pub id: ChangeId,
    /// The name its author went by; may be empty.
    pub author: String,
    /// The server's clock when it was ordered. For people; it orders nothing.
    pub timestamp: UnixMillis,
    /// The change.
    pub change: Body<C>,
    /// Why it was not applied, or `None` if it was.
    #[serde(default)]
    pub refused: Option<Refusal>,
}

/// A log entry as it is stored, hashed and sent: the change as JSON text, so that a server neither parses nor writes it
/// twice. The same JSON as that of [`Entry`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// See [`Entry::version`].
    pub version: u64,
    /// See [`Entry::digest`].
    pub digest: Digest,
    /// See [`Entry::id`].
    pub id: ChangeId,
    /// See [`Entry::author`].
    pub author: String,
    /// See [`Entry::timestamp`].
    pub timestamp: UnixMillis,
    /// The change's JSON text.
    pub change: Box<RawValue>,
    /// See [`Entry::refused`].
    pub refused: Option<Refusal>,
}

impl Record {
    /// Its place in the log.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor { version: self.version, digest: self.digest }
    }
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage<C> {
    /// The first message, within [`Timing::SYNC_REQUEST_MS`].
    SyncRequest(SyncRequest),
    /// Offers changes to the log.
    Changes {
        /// In the order to be logged.
        changes: Vec<Proposal<C>>,
    },
    /// Asks for a `pong`.
    Ping {
        /// To be echoed.
        nonce: u64,
    },
    /// Answers a `ping`.
    Pong {
        /// The ping's.
        nonce: u64,
    },
    /// A type this program does not know: ignored.
    Unknown,
}

/// Without a copy of the message, if its type comes first, as this program writes it.
impl<'de, C: DeserializeOwned> Deserialize<'de> for ClientMessage<C> {
    fn deserialize<R: Deserializer<'de>>(reader: R) -> Result<Self, R::Error> {
        reader.deserialize_map(ClientMessageVisitor(PhantomData))
    }
}

impl<C: DeserializeOwned> ClientMessage<C> {
    /// The message of a type, from its other fields.
    fn read<'de, R: Deserializer<'de>>(kind: &str, fields: R) -> Result<Self, R::Error> {
        #[derive(Deserialize)]
        struct Changes<C: DeserializeOwned> {
            #[serde(bound(deserialize = "C: DeserializeOwned"))]
            changes: Vec<Proposal<C>>,
        }
        #[derive(Deserialize)]
        struct Nonce {
            nonce: u64,
        }

        match kind {
            "sync_request" => SyncRequest::deserialize(fields).map(Self::SyncRequest),
            "changes" => Changes::deserialize(fields).map(|Changes { changes }| Self::Changes { changes }),
            "ping" => Nonce::deserialize(fields).map(|Nonce { nonce }| Self::Ping { nonce }),
            "pong" => Nonce::deserialize(fields).map(|Nonce { nonce }| Self::Pong { nonce }),
            _ => IgnoredAny::deserialize(fields).map(|IgnoredAny| Self::Unknown),
        }
    }
}

struct ClientMessageVisitor<C>(PhantomData<C>);

impl<'de, C: DeserializeOwned> Visitor<'de> for ClientMessageVisitor<C> {
    type Value = ClientMessage<C>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a type")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut fields: M) -> Result<Self::Value, M::Error> {
        let mut before = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if name != "type" {
                before.insert(name, fields.next_value()?);
                continue;
            }
            let kind: String = fields.next_value()?;
            if before.is_empty() {
                return ClientMessage::read(&kind, MapAccessDeserializer::new(fields));
            }
            while let Some((name, value)) = fields.next_entry()? {
                before.insert(name, value);
            }
            return ClientMessage::read(&kind, Value::Object(before)).map_err(M::Error::custom);
        }
        Err(M::Error::missing_field("type"))
    }
}

/// Opens a document and says where this replica stands. With [`resume`](Self::resume), the cursor is the one in there, and a
/// reader looks at none of the fields that it takes the place of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SyncRequest {
    /// The edit or the view key.
    pub key: Key,
    /// This running client.
    pub replica: ReplicaId,
    /// The cursor: version …
    pub version: u64,
    /// … and digest.
    pub digest: Digest,
    /// The `timestamp` of the last `sync_response`, 0 for none. For the server's statistics; it orders nothing.
    pub last_sync_timestamp: UnixMillis,
    /// The name this person goes by; may be empty.
    pub name: String,
    /// The furthest place in the log that this device has known, if it is another than the replica's: the replica may have come
    /// from a server that was restored meanwhile. If it is not in the log, history was rewound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Cursor>,
    /// Over HTTP: where the answer before ended. It takes the place of the cursor and the witness, and there is no
    /// `sync_response`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
}

impl SyncRequest {
    /// The cursor.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor { version: self.version, digest: self.digest }
    }
}

impl<'de> Deserialize<'de> for SyncRequest {
    fn deserialize<R: Deserializer<'de>>(reader: R) -> Result<Self, R::Error> {
        #[derive(Deserialize)]
        #[serde(remote = "SyncRequest")]
        struct Fields {
            key: Key,
            replica: ReplicaId,
            version: u64,
            digest: Digest,
            #[serde(default)]
            last_sync_timestamp: UnixMillis,
            #[serde(default)]
            name: String,
            #[serde(default)]
            witness: Option<Cursor>,
            #[serde(default)]
            resume: Option<Resume>,
        }

        let mut fields = Map::deserialize(reader)?;
        if let Some(resume) = fields.get("resume").filter(|resume| !resume.is_null()) {
            let [version, digest] = ["version", "digest"].map(|name| resume.get(name).cloned().unwrap_or_default());
            fields.insert("version".into(), version);
            fields.insert("digest".into(), digest);
            fields.remove("witness");
        }
        Fields::deserialize(Value::Object(fields)).map_err(R::Error::custom)
    }
}

/// Where an answer over HTTP ended: what has been said on the line so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The version that the client was taken to …
    pub version: u64,
    /// … and the digest there.
    pub digest: Digest,
    /// Whether the server's disk takes changes, as the client was told last.
    pub saving: bool,
}

/// What a server says, as a client reads it. `D` is the document's type, `C` its changes'.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage<D, C> {
    /// Answers `sync_request`: the replica is at `server_version` after it.
    SyncResponse(SyncResponse<D, Entry<C>>),
    /// Entries that are durable, in order. One at or below the replica's version is a repeat: it settles its change and
    /// alters nothing.
    Committed {
        /// Contiguous.
        entries: Vec<Entry<C>>,
    },
    /// Asks for a `pong`.
    Ping {
        /// To be echoed.
        nonce: u64,
        /// The version of the last entry that was sent: a replica that is behind it has missed something.
        version: Option<u64>,
    },
    /// Answers a `ping`.
    Pong {
        /// The ping's.
        nonce: u64,
    },
    /// Whether the server's disk takes changes. It does until this says otherwise.
    Saving {
        /// Whether it does.
        ok: bool,
    },
    /// The last message before the server closes.
    Bye(Bye),
    /// A type this program does not know: ignored.
    Unknown,
}

/// By way of [`Value`], so that a page has one decoder of its document and not one for each way in.
impl<'de, D: DeserializeOwned, C: DeserializeOwned> Deserialize<'de> for ServerMessage<D, C> {
    fn deserialize<R: Deserializer<'de>>(reader: R) -> Result<Self, R::Error> {
        #[derive(Deserialize)]
        struct Entries<C: DeserializeOwned> {
            #[serde(bound(deserialize = "C: DeserializeOwned"))]
            entries: Vec<Entry<C>>,
        }
        #[derive(Deserialize)]
        struct Nonce {
            nonce: u64,
            version: Option<u64>,
        }
        #[derive(Deserialize)]
        struct Saving {
            ok: bool,
        }

        let value = Value::deserialize(reader)?;
        let message = match value.get("type").and_then(Value::as_str) {
            Some("sync_response") => SyncResponse::deserialize(&value).map(Self::SyncResponse),
            Some("committed") => Entries::deserialize(&value).map(|Entries { entries }| Self::Committed { entries }),
            Some("ping") => Nonce::deserialize(&value).map(|Nonce { nonce, version }| Self::Ping { nonce, version }),
            Some("pong") => Nonce::deserialize(&value).map(|Nonce { nonce, .. }| Self::Pong { nonce }),
            Some("saving") => Saving::deserialize(&value).map(|Saving { ok }| Self::Saving { ok }),
            Some("bye") => Bye::deserialize(&value).map(Self::Bye),
            Some(_) => Ok(Self::Unknown),
            None => Err(serde_json::Error::missing_field("type")),
        };
        message.map_err(R::Error::custom)
    }
}

/// What a server says, as it writes it.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a, D> {
    /// See [`ServerMessage::SyncResponse`].
    SyncResponse(&'a SyncResponse<D, Record>),
    /// See [`ServerMessage::Committed`].
    Committed {
        /// Contiguous.
        entries: &'a [Record],
    },
    /// See [`ServerMessage::Ping`].
    Ping {
        /// To be echoed.
        nonce: u64,
        /// The version of the last entry before it on this line.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
    },
    /// See [`ServerMessage::Pong`].
    Pong {
        /// The ping's.
        nonce: u64,
    },
    /// See [`ServerMessage::Saving`].
    Saving {
        /// Whether it does.
        ok: bool,
    },
    /// See [`ServerMessage::Bye`].
    Bye(&'a Bye),
    /// The last line of an answer over HTTP, unless that is a `bye`: to be given back in [`SyncRequest::resume`].
    Resume(&'a Resume),
}

/// Brings a replica up to date. Either `snapshot` or `changes` carries it there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyncResponse<D, E> {
    /// The document's id: what a client keeps its outbox under.
    pub document: DocumentId,
    /// The version the replica is at after this message.
    pub server_version: u64,
    /// The digest at that version.
    pub digest: Digest,
    /// The server's clock.
    pub timestamp: UnixMillis,
    /// What the key allows.
    pub access: Access,
    /// The whole document, or `None` if `changes` suffices.
    pub snapshot: Option<D>,
    /// The entries after the replica's cursor.
    pub changes: Vec<E>,
    /// History was rewound: the replica's cursor is not in this log. Offer everything again.
    #[serde(default)]
    pub rewound: bool,
    /// After the server's side drops the line, the first retry comes uniformly within this time.
    pub reconnect_spread_ms: u64,
    /// How often the server sends `ping`.
    pub ping_interval_ms: u64,
    /// What both ends hold to.
    #[serde(default)]
    pub limits: Limits,
    /// The server's build.
    #[serde(default)]
    pub build: String,
}

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Read and change.
    Edit,
    /// Read.
    View,
}

/// Why a server closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    /// For programs.
    pub code: ByeCode,
    /// For people: a sentence, with what to do about it.
    pub message: String,
    /// Whether trying again can help.
    pub retry: Retry,
    /// With [`Retry::Later`]: wait at least this long.
    #[serde(default)]
    pub retry_after_ms: u64,
}

impl Bye {
    /// A `bye` with the retry rule of its code and no least waiting time.
    #[must_use]
    pub fn new(code: ByeCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry: code.retry(), retry_after_ms: 0 }
    }

    /// The key that opened the document was replaced.
    #[must_use]
    pub fn link_replaced() -> Self {
        Self::new(ByeCode::UnknownKey, "The links of this board were replaced. Ask for the new one.")
    }

    /// The server is about to end, or to be replaced.
    #[must_use]
    pub fn draining() -> Self {
        Self::new(ByeCode::Draining, "The server restarts. Reconnect in a moment.")
    }
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Not without a person doing something.
    Never,
    /// Yes.
    Later,
}

/// The one table of reasons to close, each with its WebSocket close code (RFC 6455 §7.4: 4000–4999 are an application's).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeCode {
    /// 1001: the server shuts down or restarts.
    Draining,
    /// 1009: a message was over its limit.
    TooLarge,
    /// 1011: the server failed; the log is as it was.
    ServerError,
    /// 4400: a message could not be read, or came out of turn.
    BadMessage,
    /// 4403: changes came over a key that can only view.
    ViewOnly,
    /// 4404: no document has this key; or no longer.
    UnknownKey,
    /// 4405: the page comes from an address that the server does not allow.
    OriginRefused,
    /// 4408: no `sync_request` in time, or silence.
    TimedOut,
    /// 4410: the reader is too slow; come back and resume from the cursor.
    SlowConsumer,
    /// 4426: this client is too old to go on.
    Outdated,
    /// 4429: too many connections.
    TooMany,
    /// A code this program does not know: the `retry` field says what to do.
    #[serde(other)]
    Other,
}

impl ByeCode {
    /// Its name, as on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::TooLarge => "too_large",
            Self::ServerError => "server_error",
            Self::BadMessage => "bad_message",
            Self::ViewOnly => "view_only",
            Self::UnknownKey => "unknown_key",
            Self::OriginRefused => "origin_refused",
            Self::TimedOut => "timed_out",
            Self::SlowConsumer => "slow_consumer",
            Self::Outdated => "outdated",
            Self::TooMany => "too_many",
            Self::Other => "other",
        }
    }

    /// The WebSocket close code.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Draining => 1001,
            Self::TooLarge => 1009,
            Self::ServerError => 1011,
            Self::BadMessage => 4400,
            Self::ViewOnly => 4403,
            Self::UnknownKey => 4404,
            Self::OriginRefused => 4405,
            Self::TimedOut => 4408,
            Self::SlowConsumer => 4410,
            Self::Outdated => 4426,
            Self::TooMany => 4429,
            Self::Other => 4000,
        }
    }

    /// The reason that a close code stands for, should the `bye` before it have been lost.
    #[must_use]
    pub const fn from_close_code(code: u16) -> Option<Self> {
        Some(match code {
            1001 => Self::Draining,
            1009 => Self::TooLarge,
            1011 => Self::ServerError,
            4400 => Self::BadMessage,
            4403 => Self::ViewOnly,
            4404 => Self::UnknownKey,
            4405 => Self::OriginRefused,
            4408 => Self::TimedOut,
            4410 => Self::SlowConsumer,
            4426 => Self::Outdated,
            4429 => Self::TooMany,
            4000 => Self::Other,
            _ => return None,
        })
    }

    /// Whether trying again can help.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            Self::BadMessage | Self::ViewOnly | Self::UnknownKey | Self::OriginRefused | Self::Outdated => Retry::Never,
            Self::Draining
            | Self::TooLarge
            | Self::ServerError
            | Self::TimedOut
            | Self::SlowConsumer
            | Self::TooMany
            | Self::Other => Retry::Later,
        }
    }
}

/// What both ends hold to: the client before it queues or sends, the server again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The JSON text of one change, in bytes.
    pub change_bytes: usize,
    /// One message from a client, in bytes.
    pub message_bytes: usize,
    /// Changes sent and not confirmed.
    pub in_flight_changes: usize,
    /// Their JSON texts together, in bytes.
    pub in_flight_bytes: usize,
    /// A person's name, in bytes of UTF-8.
    pub name_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            change_bytes: 400 * 1024,
            message_bytes: 512 * 1024,
            in_flight_changes: 64,
            in_flight_bytes: 256 * 1024,
            name_bytes: 80,
        }
    }
}

/// Times that both ends must agree on.
#[derive(Clone, Copy, Debug)]
pub struct Timing;

impl Timing {
    /// A client says `sync_request` within this time.
    pub const SYNC_REQUEST_MS: u64 = 5_000;
    /// The server sends `ping` this often.
    pub const PING_INTERVAL_MS: u64 = 15_000;
    /// The server takes a client that was silent this long for gone.
    pub const SERVER_DEADLINE_MS: u64 = 40_000;
    /// The client takes a server that was silent this long for gone.
    pub const CLIENT_DEADLINE_MS: u64 = 25_000;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Message = ServerMessage<Value, u8>;

    const CODES: [ByeCode; 12] = [
        ByeCode::Draining,
        ByeCode::TooLarge,
        ByeCode::ServerError,
        ByeCode::BadMessage,
        ByeCode::ViewOnly,
        ByeCode::UnknownKey,
        ByeCode::OriginRefused,
        ByeCode::TimedOut,
        ByeCode::SlowConsumer,
        ByeCode::Outdated,
        ByeCode::TooMany,
        ByeCode::Other,
    ];

    #[test]
    fn close_codes_say_what_bye_says() {
        for code in CODES {
            assert_eq!(ByeCode::from_close_code(code.close_code()), Some(code));
        }
        assert_eq!(ByeCode::from_close_code(1006), None);
    }

    #[test]
    fn unknown_types_fields_and_codes_are_tolerated() {
        let read = |text: &str| serde_json::from_str::<Message>(text).expect("readable");
        assert_eq!(read(r#"{"type":"fireworks","size":3}"#), Message::Unknown);
        assert_eq!(read(r#"{"type":"ping","nonce":3,"colour":"red"}"#), Message::Ping { nonce: 3, version: None });
        let Message::Bye(bye) = read(r#"{"type":"bye","code":"moved_house","message":"Gone","retry":"never"}"#) else {
            panic!("a bye");
        };
        assert_eq!((bye.code, bye.retry), (ByeCode::Other, Retry::Never));
    }

    #[test]
    fn one_unreadable_change_does_not_spoil_the_message() {
        let id = ChangeId(uuid::Uuid::nil());
        let text = format!(
            r#"{{"type":"changes","changes":[{{"id":"{id}","change":7}},{{"id":"{id}","change":{{"kind":"new"}}}}]}}"#
        );
        let Ok(ClientMessage::<u8>::Changes { changes }) = serde_json::from_str(&text) else { panic!("readable") };
        assert_eq!(changes[0].change, Body::Known(7));
        assert!(matches!(changes[1].change, Body::Unknown(_)));
    }

    #[test]
    fn what_a_client_says_is_read_as_it_was_said() {
        let request = SyncRequest {
            key: Key::from_random([7; 16]),
            replica: ReplicaId(uuid::Uuid::nil()),
            version: 3,
            digest: Digest::GENESIS,
            last_sync_timestamp: 4,
            name: "Ada".into(),
            witness: Some(Cursor { version: 5, digest: Digest::GENESIS }),
            resume: None,
        };
        let proposal = Proposal { id: ChangeId(uuid::Uuid::nil()), change: Body::Known(9) };
        for message in [
            ClientMessage::SyncRequest(request),
            ClientMessage::Changes { changes: vec![proposal] },
            ClientMessage::Ping { nonce: 1 },
            ClientMessage::Pong { nonce: 2 },
        ] {
            let text = serde_json::to_string(&message).expect("JSON");
            assert_eq!(serde_json::from_str::<ClientMessage<u8>>(&text).expect("readable"), message, "{text}");
        }
    }

    #[test]
    fn resume_takes_the_place_of_cursor_and_witness() {
        let resume = json!({ "type": "resume", "version": 7, "digest": "0".repeat(32), "saving": true });
        let request = json!({ "key": "A".repeat(22), "replica": uuid::Uuid::nil(), "resume": resume });
        let read = |extra: Value| {
            let mut request = request.clone();
            request.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
            serde_json::from_value::<SyncRequest>(request).map(|request| (request.cursor().version, request.witness))
        };
        assert_eq!(read(json!({})).expect("readable"), (7, None), "without them");
        let nonsense = json!({ "version": "no", "digest": 3, "witness": [] });
        assert_eq!(read(nonsense).expect("readable"), (7, None), "they are not looked at");
        assert!(read(json!({ "resume": null })).is_err(), "without resume they are needed");
        assert!(read(json!({ "resume": { "version": 7 } })).is_err(), "half of a resume is none");
    }

    #[test]
    fn a_message_is_read_wherever_its_type_stands() {
        let read = |text: &str| serde_json::from_str::<ClientMessage<u8>>(text).map_err(|error| error.to_string());
        for text in [
            r#"{"type":"ping","nonce":3,"x":[1]}"#,
            r#"{"nonce":3,"x":[1],"type":"ping"}"#,
            r#"{"x":{},"type":"ping","nonce":3}"#,
        ] {
            assert_eq!(read(text), Ok(ClientMessage::Ping { nonce: 3 }), "{text}");
        }
        for text in
            [r#"{"type":"fireworks","size":{"w":3}}"#, r#"{"size":3,"type":"fireworks"}"#, r#"{"type":"unknown"}"#]
        {
            assert_eq!(read(text), Ok(ClientMessage::Unknown), "{text}");
        }
        for (text, why) in [
            ("{}", "missing field `type`"),
            (r#"{"nonce":3}"#, "missing field `type`"),
            (r#"{"type":"ping"}"#, "missing field `nonce`"),
            (r#"{"nonce":"3","type":"ping"}"#, "invalid type: string"),
            (r#"{"type":3}"#, "invalid type: integer"),
            (r#"{"type":"pong","nonce":3"#, "EOF"),
            ("[]", "an object with a type"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_record_is_read_as_an_entry() {
        let record = Record {
            version: 4,
            digest: Digest::GENESIS,
            id: ChangeId(uuid::Uuid::nil()),
            author: "Ada".into(),
            timestamp: 12,
            change: RawValue::from_string("9".into()).expect("JSON"),
            refused: None,
        };
        let frame: ServerFrame<'_, Value> = ServerFrame::Committed { entries: &[record] };
        let frame = serde_json::to_string(&frame).expect("JSON");
        let Ok(Message::Committed { entries }) = serde_json::from_str(&frame) else { panic!("readable: {frame}") };
        assert_eq!((entries[0].version, &entries[0].change), (4, &Body::Known(9)));
    }
}
