//! What a page does with whatever comes over its line, be it a WebSocket or HTTP: at most one socket, something that will happen
//! next, and no change of its own gone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sheetbend::board::{Board, Change};
use sheetbend::sync::client::{Client, Effect, Event, Patience, Reading, Recalled, Settings, Start, Voice};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::{ChangeId, Key, ReplicaId};
use sheetbend::sync::link::{self, SocketId};
use sheetbend::sync::message::Access;
use sheetbend::sync::outbox::Kept;
use sheetbend::sync::polling::{Lane, Pace, Polling};
use sheetbend::sync::time::Moment;
use sheetbend::sync::{network, transport};
use uuid::Uuid;

const OWN: ChangeId = ChangeId(Uuid::from_u128(7));

fn client() -> Client<Board> {
    let settings = Settings {
        key: Key::from_random([7; 16]),
        replica: ReplicaId(Uuid::nil()),
        name: String::new(),
        link: link::Settings::default(),
        transport: Some(transport::Settings::default()),
        network: network::Settings::default(),
        patience: Patience::default(),
        voice: Voice::Sole,
        seed: 1,
    };
    let start = Start {
        document: Board::default(),
        cursor: Cursor::default(),
        access: Access::Edit,
        kept: vec![Kept::new(OWN, Change::RenameBoard { title: "Mine".into() }, 1)],
        registered: true,
    };
    Client::new(settings, start)
}

fuzz_target!(|text: &str| {
    let mut now = Moment::from_millis(0);
    let mut client = client();
    let mut open: Vec<SocketId> = Vec::new();
    let mut saved = false;
    let mut feed = |client: &mut Client<Board>, open: &mut Vec<SocketId>, event, now| {
        for effect in client.handle(event, now) {
            match effect {
                Effect::Open(socket, _) => open.push(socket),
                Effect::Close(socket) => open.retain(|other| *other != socket),
                Effect::Saved(confirmed) => saved |= confirmed.kept.id == OWN,
                _ => {}
            }
        }
        assert!(open.len() <= 1, "at most one socket");
        assert!(saved || client.outbox().contains(OWN), "it is pending, refused or saved");
    };
    feed(&mut client, &mut open, Event::Recalled(Recalled { reading: Reading::Done, kept: vec![], retained: vec![], document: None }), now);
    feed(&mut client, &mut open, Event::Start, now);
    let mut line = Polling::default();
    line.set_pace(Pace::Waits);
    for said in text.lines() {
        now = Moment::from_millis(now.as_millis() + 1_000);
        let Some(socket) = open.first().copied() else {
            let Some(due) = client.deadline() else { break };
            now = due.max(now);
            feed(&mut client, &mut open, Event::Wake, now);
            continue;
        };
        feed(&mut client, &mut open, Event::Opened(socket), now);
        feed(&mut client, &mut open, Event::Received(socket, said.to_owned()), now);
        // A hostile answer over HTTP is text like any other.
        let _ = line.answered(Lane::Down, text);
    }
});
