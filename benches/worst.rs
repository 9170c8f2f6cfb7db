//! The worst that one change of each kind can cost: texts and sets at their limits, on a full board.
//!
//! `cargo bench --bench worst`; the figures are in `docs/performance.md`. Whoever adds a kind of change adds it here.

use std::collections::HashMap;

use divan::Bencher;
use sheetbend::board::model::{Card, MAX_CARDS, MAX_LABEL, MAX_LABELS, MAX_LISTS, MAX_NOTES, MAX_TITLE};
use sheetbend::board::position::{MAX_POSITION, Position};
use sheetbend::board::{Board, CardId, Change, ListId};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::document::{Document as _, size_of};
use sheetbend::sync::id::{ChangeId, uuid_v7};
use sheetbend::sync::message::{Body, ClientMessage, Limits, Proposal};
use sheetbend::sync::sequencer::Sequencer;
use uuid::Uuid;

fn main() {
    divan::main();
}

fn list(n: usize) -> ListId {
    ListId(Uuid::from_u128(n as u128 + 1))
}

fn card(n: usize) -> CardId {
    CardId(Uuid::from_u128(n as u128 + 1_000))
}

fn position() -> Position {
    Position::try_from(format!("a0{}", "z".repeat(MAX_POSITION - 2))).expect("is one")
}

fn title() -> String {
    "😀".repeat(MAX_TITLE)
}

/// One-letter words in an order of their own: the costliest that a merge can meet.
fn words(step: usize) -> String {
    let word = |n: usize| char::from(b'a' + u8::try_from(n * n / step % 26).expect("a letter"));
    (0..MAX_NOTES / 2).flat_map(|n| [word(n), ' ']).collect()
}

fn full_card(n: usize) -> Card {
    let labels = (0..MAX_LABELS).map(|label| format!("{:0>1$}", n * MAX_LABELS + label, MAX_LABEL)).collect();
    Card { labels, notes: words(7), ..Card::new(list(0), position(), title()) }
}

/// A board with all the lists and cards it may have, but for those that are to be added.
fn board(left: usize) -> Board {
    let mut board = Board::default();
    for n in 0..MAX_LISTS - 1 {
        let add = Change::AddList { list: list(n), title: title(), position: Position::default(), archived: false };
        board.apply(&add).expect("is new");
    }
    for n in 0..MAX_CARDS - left {
        let content = if n == 0 { full_card(0) } else { Card::new(list(0), Position::default(), "Card") };
        board.apply(&Change::AddCard { card: card(n), content }).expect("is new");
    }
    board
}

/// As many cards as fit into a change.
fn imported() -> Change {
    let most = Limits::default().change_bytes;
    let cards = |count: usize| Change::ImportCards {
        cards: (0..count).map(|n| (card(MAX_CARDS + n), Card::new(list(0), Position::default(), ""))).collect(),
    };
    let each = size_of(&cards(2)) - size_of(&cards(1));
    cards(most / each - 1)
}

fn worst() -> Vec<(&'static str, Change)> {
    let (list, card) = (list(0), card(0));
    let label = "é".repeat(MAX_LABEL);
    let controls = |letter: &str| letter.repeat(MAX_NOTES);
    vec![
        ("rename_board", Change::RenameBoard { title: title() }),
        (
            "add_list",
            Change::AddList { list: self::list(MAX_LISTS), title: title(), position: position(), archived: true },
        ),
        ("rename_list", Change::RenameList { list, title: title() }),
        ("move_list", Change::MoveList { list, position: position() }),
        ("archive_list", Change::ArchiveList { list, archived: true }),
        ("add_card", Change::AddCard { card: self::card(MAX_CARDS), content: full_card(1) }),
        ("import_cards", imported()),
        ("rename_card", Change::RenameCard { card, title: title() }),
        ("edit_notes, words", Change::EditNotes { card, from: words(11), to: words(13) }),
        ("edit_notes, control characters", Change::EditNotes { card, from: controls("\u{1}"), to: controls("\u{2}") }),
        ("set_done", Change::SetDone { card, done: true }),
        ("set_urgent", Change::SetUrgent { card, urgent: true }),
        ("set_label", Change::SetLabel { card, label, on: false }),
        ("set_due", Change::SetDue { card, due: None }),
        ("move_card", Change::MoveCard { card, list, position: position() }),
        ("archive_card", Change::ArchiveCard { card, archived: true }),
    ]
}

/// A change is given its place in the log: written, hashed, applied.
#[divan::bench(args = worst().into_iter().map(|(name, _)| name).collect::<Vec<_>>())]
fn place(bencher: Bencher<'_, '_>, name: &str) {
    let (_, change) = worst().into_iter().find(|(other, _)| *other == name).expect("is one of them");
    let sequencer = Sequencer::new(board(5_000), Cursor::default(), HashMap::new(), Limits::default());
    let proposal = Proposal { id: ChangeId(uuid_v7(1, [0; 10])), change: Body::Known(change) };
    bencher.bench_local(|| {
        let mut staged = sequencer.stage();
        sequencer.propose(&mut staged, "Ada", &proposal, 1_764_000_000_000);
        staged.records().len()
    });
}

/// A message as long as it may be is read: one change, as many small ones as fit, or what is no change.
#[divan::bench(args = ["control characters", "small changes", "nothing but lists", "numbers"])]
fn read(bencher: Bencher<'_, '_>, what: &str) {
    let most = Limits::default().message_bytes;
    let id = "0193a5d1-1000-7000-8000-000000000001";
    let filled = |inner: &str| format!(r#"{{"type":"changes","changes":[{{"id":"{id}","change":{inner}}}]}}"#);
    let many = |item: &str| format!("[{}0]", item.repeat((most - 200) / item.len()));
    let message = match what {
        "control characters" => {
            let (from, to) = ("\\u0001".repeat(MAX_NOTES), "\\u0002".repeat(MAX_NOTES));
            filled(&format!(r#"{{"kind":"edit_notes","card":"{id}","from":"{from}","to":"{to}"}}"#))
        }
        "small changes" => {
            let one = format!(r#"{{"id":"{id}","change":{{"kind":"set_done","card":"{id}","done":true}}}},"#);
            let all = one.repeat((most - 200) / one.len());
            format!(r#"{{"type":"changes","changes":[{}]}}"#, all.trim_end_matches(','))
        }
        "nothing but lists" => filled(&many("[[[]]],")),
        _ => filled(&many("1.7976931348623157e308,")),
    };
    assert!(message.len() <= most, "{}", message.len());
    bencher.bench(|| serde_json::from_str::<ClientMessage<Change>>(&message).expect("is one"));
}
