//! A file that somebody has: it is read or refused with a sentence, and what is read are changes that every server takes.

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use sheetbend::board::import;
use sheetbend::board::{Board, Change};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::ChangeId;
use sheetbend::sync::message::{Body, Limits, Proposal};
use sheetbend::sync::sequencer::Sequencer;
use uuid::Uuid;

fuzz_target!(|bytes: &[u8]| {
    // A table is one by its name only.
    let name = if bytes.last() == Some(&b',') { "board.csv" } else { "board" };
    let import = match import::read(name, bytes, &|seconds| (seconds % 1_000) as i32) {
        Ok(import) => import,
        Err(error) => {
            assert!(error.to_string().ends_with('.'), "a sentence");
            return;
        }
    };
    let cards = import.cards();
    let mut ids = 0;
    let changes: Vec<Change> = import.into_changes(&mut || {
        ids += 1;
        Uuid::from_u128(ids)
    });
    let sequencer: Sequencer<Board> =
        Sequencer::new(Board::default(), Cursor::default(), HashMap::new(), Limits::default());
    let mut staged = sequencer.stage();
    for (at, change) in changes.into_iter().enumerate() {
        let id = ChangeId(Uuid::from_u128(1 << 64 | at as u128));
        sequencer.propose(&mut staged, "Ada", &Proposal { id, change: Body::Known(change) }, 1);
    }
    for record in staged.records() {
        assert_eq!(record.refused, None, "every server takes it");
    }
    let mut sequencer = sequencer;
    sequencer.commit(staged);
    assert_eq!(sequencer.document().cards.len(), cards, "no card is lost");
});
