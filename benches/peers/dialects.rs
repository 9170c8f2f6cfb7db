//! The peers' dialects, written out by hand: a generator that ran their clients would measure those.

use std::time::Duration;

use sheetbend::native::boards::NotMade;
use sheetbend::native::clock;
use sheetbend::native::load::{Dialect, Lasting, SentAway, Speaker};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};

/// What Sheetbend asks for as well.
const SPREAD: Duration = Duration::from_secs(1);

fn room() -> String {
    clock::uuid().to_string()
}

/// `ws` and bare axum: a path is a board, and what is said is sent on as it is.
#[derive(Clone, Debug)]
pub(crate) struct Plain(pub(crate) String);

#[derive(Clone, Debug)]
pub(crate) struct PlainSpeaker(String);

impl Dialect for Plain {
    type Board = String;
    type Speaker = PlainSpeaker;

    async fn make(&self) -> Result<String, NotMade> {
        Ok(room())
    }

    fn speaker(&self, board: &String) -> PlainSpeaker {
        PlainSpeaker(format!("ws://{}/{board}", self.0))
    }
}

impl Speaker for PlainSpeaker {
    fn request(&self) -> Result<Request, Error> {
        self.0.as_str().into_client_request()
    }

    fn hello(&mut self) -> Vec<Message> {
        Vec::new()
    }

    fn is_there(&self) -> bool {
        true
    }

    fn spread(&self) -> Duration {
        SPREAD
    }

    fn hear(&mut self, _: &[u8], _: &mut Vec<Message>) -> Result<(), SentAway> {
        Ok(())
    }

    fn say(&mut self, texts: Vec<String>, _: Lasting) -> Vec<Message> {
        texts.into_iter().map(Message::text).collect()
    }
}

/// Socket.IO: protocol 5 over Engine.IO 4, over a WebSocket from the start.
#[derive(Clone, Debug)]
pub(crate) struct SocketIo(pub(crate) String);

#[derive(Clone, Debug)]
pub(crate) struct SocketIoSpeaker {
    address: String,
    board: String,
    there: bool,
    acknowledged: u64,
    /// The private id of a session that can be recovered.
    session: Option<String>,
    /// What came last in it.
    offset: Option<String>,
}

impl Dialect for SocketIo {
    type Board = String;
    type Speaker = SocketIoSpeaker;

    async fn make(&self) -> Result<String, NotMade> {
        Ok(room())
    }

    fn speaker(&self, board: &String) -> SocketIoSpeaker {
        SocketIoSpeaker {
            address: self.0.clone(),
            board: board.clone(),
            there: false,
            acknowledged: 0,
            session: None,
            offset: None,
        }
    }
}

impl Speaker for SocketIoSpeaker {
    fn request(&self) -> Result<Request, Error> {
        format!("ws://{}/socket.io/?EIO=4&transport=websocket", self.address).into_client_request()
    }

    fn hello(&mut self) -> Vec<Message> {
        self.there = false;
        Vec::new()
    }

    fn is_there(&self) -> bool {
        self.there
    }

    fn spread(&self) -> Duration {
        SPREAD
    }

    fn hear(&mut self, frame: &[u8], answers: &mut Vec<Message>) -> Result<(), SentAway> {
        let text = std::str::from_utf8(frame).map_err(|error| SentAway(error.to_string()))?;
        if text == "2" {
            answers.push(Message::text("3"));
        } else if text.starts_with("42") {
            // With recovery, an event's last word is its place in the session.
            if self.session.is_some() {
                self.offset = text.rsplit('"').nth(1).map(str::to_owned);
            }
        } else if text.starts_with("430") {
            self.there = true;
        } else if let Some(session) = text.strip_prefix("40") {
            self.session = field(session, "pid");
            answers.push(Message::text(format!(r#"420["join","{}"]"#, self.board)));
        } else if text.starts_with("44") {
            return Err(SentAway(text.to_owned()));
        } else if text.starts_with('0') {
            answers.push(Message::text(match (&self.session, &self.offset) {
                (Some(session), Some(offset)) => format!(r#"40{{"pid":"{session}","offset":"{offset}"}}"#),
                _ => "40".to_owned(),
            }));
        }
        Ok(())
    }

    fn say(&mut self, texts: Vec<String>, _: Lasting) -> Vec<Message> {
        let mut say = |text| {
            self.acknowledged += 1;
            Message::text(format!(r#"42{}["change","{}","{text}"]"#, self.acknowledged, clock::uuid()))
        };
        texts.into_iter().map(&mut say).collect()
    }
}

/// A field's text, where it needs no escapes.
fn field(json: &str, name: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!(r#""{name}":""#))?;
    Some(rest.split('"').next()?.to_owned())
}

/// Yjs's sync protocol, as y-websocket has it or as Hocuspocus has it, which puts the document's name before each message and wants to
/// be told who comes. A change that does not last is a new value in a map; one that does is added to an array.
#[derive(Clone, Debug)]
pub(crate) struct Yjs {
    pub(crate) address: String,
    pub(crate) hocuspocus: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct YjsSpeaker {
    address: String,
    board: String,
    hocuspocus: bool,
    there: bool,
    client: u64,
    clock: u64,
    /// The clock of this client's last item in the map, and in the array.
    last: [Option<u64>; 2],
    /// Another client, and how far its changes are known.
    known: Option<(u64, u64)>,
}

impl Dialect for Yjs {
    type Board = String;
    type Speaker = YjsSpeaker;

    async fn make(&self) -> Result<String, NotMade> {
        Ok(room())
    }

    fn speaker(&self, board: &String) -> YjsSpeaker {
        YjsSpeaker {
            address: self.address.clone(),
            board: board.clone(),
            hocuspocus: self.hocuspocus,
            there: false,
            client: clock::uuid().as_u128() as u64 & 0x7fff_ffff,
            clock: 0,
            last: [None; 2],
            known: None,
        }
    }
}

const SYNC: u64 = 0;
const AUTH: u64 = 2;
const SYNC_REPLY: u64 = 4;
const STEP_1: u64 = 0;
const STEP_2: u64 = 1;
const UPDATE: u64 = 2;

impl YjsSpeaker {
    fn message(&self, write: impl FnOnce(&mut Vec<u8>)) -> Message {
        let mut bytes = Vec::new();
        if self.hocuspocus {
            text(&mut bytes, &self.board);
        }
        write(&mut bytes);
        Message::binary(bytes)
    }

    /// One item of `count` values, after this client's last in the same type.
    fn item(&mut self, update: &mut Vec<u8>, lasting: Lasting, values: &[String]) {
        const ANY: u8 = 8;
        const WITH_ORIGIN: u8 = 0x80;
        const WITH_KEY: u8 = 0x20;
        const NAMED_PARENT: u64 = 1;
        const STRING: u8 = 119;
        let (place, name, key) = match lasting {
            Lasting::No => (0, "map", WITH_KEY),
            Lasting::Yes => (1, "array", 0),
        };
        if let Some(last) = self.last[place] {
            update.push(ANY | WITH_ORIGIN | key);
            number(update, self.client);
            number(update, last);
        } else {
            update.push(ANY | key);
            number(update, NAMED_PARENT);
            text(update, name);
            if key != 0 {
                text(update, &self.client.to_string());
            }
        }
        number(update, values.len() as u64);
        for value in values {
            update.push(STRING);
            text(update, value);
        }
        self.clock += values.len() as u64;
        self.last[place] = Some(self.clock - 1);
    }
}

impl Speaker for YjsSpeaker {
    fn request(&self) -> Result<Request, Error> {
        let board = if self.hocuspocus { "" } else { &self.board };
        format!("ws://{}/{board}", self.address).into_client_request()
    }

    fn hello(&mut self) -> Vec<Message> {
        self.there = false;
        let mut state = Vec::new();
        number(&mut state, self.known.iter().len() as u64);
        if let Some((client, clock)) = self.known {
            number(&mut state, client);
            number(&mut state, clock);
        }
        let enter = self.hocuspocus.then(|| {
            self.message(|bytes| {
                number(bytes, AUTH);
                number(bytes, 0);
                text(bytes, "");
            })
        });
        let sync = self.message(|bytes| {
            number(bytes, SYNC);
            number(bytes, STEP_1);
            block(bytes, &state);
        });
        enter.into_iter().chain([sync]).collect()
    }

    fn is_there(&self) -> bool {
        self.there
    }

    fn spread(&self) -> Duration {
        SPREAD
    }

    fn hear(&mut self, frame: &[u8], _: &mut Vec<Message>) -> Result<(), SentAway> {
        let mut rest = frame;
        let skipped = if self.hocuspocus { read(&mut rest) } else { Some(0) };
        let mut header = || {
            rest = rest.get(usize::try_from(skipped?).ok()?..)?;
            Some((read(&mut rest)?, read(&mut rest)?, read(&mut rest)?))
        };
        // The length of the update comes last of these.
        if let Some((SYNC | SYNC_REPLY, step @ (STEP_2 | UPDATE), _)) = header() {
            self.there |= step == STEP_2;
            // One client's items, each of one value: enough to say what is known of the only writer's first change.
            if self.known.is_none() && read(&mut rest) == Some(1) {
                let items = read(&mut rest).zip(read(&mut rest)).zip(read(&mut rest));
                self.known = items.map(|((items, client), clock)| (client, clock + items));
            }
        }
        Ok(())
    }

    fn say(&mut self, texts: Vec<String>, lasting: Lasting) -> Vec<Message> {
        let mut say = |values: &[String]| {
            let mut update = Vec::new();
            for header in [1, 1, self.client, self.clock] {
                number(&mut update, header);
            }
            self.item(&mut update, lasting, values);
            // Nothing is deleted.
            number(&mut update, 0);
            self.message(|bytes| {
                number(bytes, SYNC);
                number(bytes, UPDATE);
                block(bytes, &update);
            })
        };
        match lasting {
            Lasting::No => texts.chunks(1).map(say).collect(),
            Lasting::Yes => vec![say(&texts)],
        }
    }
}

/// A number as lib0 writes it: seven bits a byte, the lowest first.
fn number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn block(bytes: &mut Vec<u8>, block: &[u8]) {
    number(bytes, block.len() as u64);
    bytes.extend(block);
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    block(bytes, text.as_bytes());
}

fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
