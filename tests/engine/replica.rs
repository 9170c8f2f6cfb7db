//! A replica takes the log entry by entry.

use proptest::prelude::*;
use serde_json::json;
use sheetbend::board::{Board, Change};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::message::{Body, Entry};
use sheetbend::sync::replica::{Misfit, Replica};

use crate::boards::{any_change, card, small_changes};
use crate::harness::Server;

/// The log of a server to which these changes were offered, as a client reads it.
fn log_of(changes: Vec<Change>) -> (Board, Cursor, Vec<Entry<Change>>) {
    let mut server = Server::<Board>::new();
    let _ = server.log_changes(changes);
    let read = |record| serde_json::from_value(serde_json::to_value(record).expect("JSON")).expect("an entry");
    (server.document().clone(), server.cursor(), server.log().iter().map(read).collect())
}

fn replica_of(entries: &[Entry<Change>]) -> Replica<Board> {
    let mut replica = Replica::new(Board::default(), Cursor::default());
    entries.iter().for_each(|entry| replica.take(entry).expect("follows"));
    replica.replay([]);
    replica
}

#[test]
fn a_gap_is_told_and_alters_nothing() {
    let (_, _, entries) = log_of(small_changes());
    let mut replica = replica_of(&entries[..2]);
    let before = (replica.confirmed().clone(), replica.cursor());
    assert_eq!(replica.take(&entries[3]), Err(Misfit::Gap { at: 2, found: 4 }));
    assert_eq!((replica.confirmed(), replica.cursor()), (&before.0, before.1));
    replica.take(&entries[2]).expect("this one follows");
}

#[test]
fn an_entry_that_cannot_be_followed_is_told_and_alters_nothing() {
    let (_, _, entries) = log_of(small_changes());
    let mut replica = replica_of(&entries);
    let before = (replica.confirmed().clone(), replica.cursor());
    let unknown = Body::Unknown(json!({ "kind": "fireworks" }));
    let nowhere = Body::Known(Change::SetDone { card: card(77), done: true });
    for change in [unknown.clone(), nowhere] {
        let next = Entry { version: 6, change, ..entries[4].clone() };
        assert_eq!(replica.take(&next), Err(Misfit::Newer(6)));
        assert_eq!((replica.confirmed(), replica.cursor()), (&before.0, before.1));
    }
    let refused = sheetbend::sync::document::Refusal::unknown_change();
    let next = Entry { version: 6, change: unknown, refused: Some(refused), ..entries[4].clone() };
    assert_eq!(replica.take(&next), Ok(()), "what was refused need not be understood");
    assert_eq!((replica.confirmed(), replica.cursor().version), (&before.0, 6));
}

#[test]
fn a_pending_change_that_does_not_apply_is_left_out_of_the_view() {
    let (_, _, entries) = log_of(small_changes());
    let mut replica = replica_of(&entries);
    let rename = Change::RenameCard { card: card(1), title: "A".into() };
    replica.replay([&Change::SetDone { card: card(77), done: true }, &rename]);
    assert_eq!(replica.view().cards[&card(1)].title, "A");
    assert_eq!(replica.confirmed().cards[&card(1)].title, "Card 1");
}

proptest! {
    #[test]
    fn the_log_makes_the_same_document_with_or_without_repeats(
        changes in proptest::collection::vec(any_change(), 0..20),
        repeats in proptest::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..6),
    ) {
        let (document, cursor, mut stream) = log_of(small_changes().into_iter().chain(changes).collect());
        for (which, at) in repeats {
            let at = at.index(stream.len());
            // A repeat comes at any time after the entry itself.
            let entry = stream[which.index(at + 1)].clone();
            stream.insert(at + 1, entry);
        }
        let replica = replica_of(&stream);
        prop_assert_eq!((replica.confirmed(), replica.cursor()), (&document, cursor));
        prop_assert_eq!(replica.view(), &document);
    }
}
