//! What a server does with whatever a client says: every message that can be read is ordered, and what comes of it is a log that
//! every replica reads the same way.

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use sheetbend::board::{Board, Change};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::message::{ClientMessage, Limits};
use sheetbend::sync::sequencer::Sequencer;

fn empty() -> Sequencer<Board> {
    Sequencer::new(Board::default(), Cursor::default(), HashMap::new(), Limits::default())
}

fuzz_target!(|text: &str| {
    let mut log = Vec::new();
    let mut sequencer = empty();
    for line in text.lines() {
        let Ok(ClientMessage::<Change>::Changes { changes }) = serde_json::from_str(line) else { continue };
        let mut staged = sequencer.stage();
        for proposal in &changes {
            sequencer.propose(&mut staged, "Ada", proposal, 1);
        }
        log.extend(sequencer.commit(staged));
    }
    let mut replica = empty();
    for record in &log {
        // As it is stored and sent.
        let text = serde_json::to_string(record).expect("it is written");
        serde_json::from_str::<sheetbend::sync::message::Entry<Change>>(&text).expect("and read");
        replica.replay(record).expect("it follows");
    }
    assert_eq!(replica.cursor(), sequencer.cursor());
    assert_eq!(replica.document(), sequencer.document());
    let snapshot = serde_json::to_string(sequencer.document()).expect("it is written");
    let read: Board = serde_json::from_str(&snapshot).expect("and read");
    assert_eq!(&read, sequencer.document());
});
