//! What the engine costs by the size of things: applying a change to a board, giving it its place in a log, writing and reading it.
//!
//! `cargo bench --bench engine`; the figures are in `docs/performance.md`.

use std::collections::HashMap;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use sheetbend::board::position::Position;
use sheetbend::board::{Board, Card, CardId, Change, ListId};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::document::Document as _;
use sheetbend::sync::id::{ChangeId, uuid_v7};
use sheetbend::sync::message::{Body, ClientMessage, Limits, Proposal, ServerFrame, ServerMessage};
use sheetbend::sync::sequencer::Sequencer;
use uuid::Uuid;

/// Cards on a board.
const CARDS: [u64; 3] = [100, 1_000, 10_000];

/// Changes in a log.
const LOGGED: [u64; 3] = [100, 10_000, 1_000_000];

/// Changes in a message.
const TOGETHER: [u64; 2] = [1, 64];

fn main() {
    divan::main();
}

fn card(n: u64) -> CardId {
    CardId(Uuid::from_u128(u128::from(n) + 100))
}

fn board(cards: u64) -> Board {
    let mut board = Board::default();
    let list = ListId(Uuid::from_u128(1));
    let made = Change::AddList { list, title: "List".to_owned(), position: Position::default(), archived: false };
    board.apply(&made).expect("is new");
    for (n, position) in (0..cards).zip(Position::run_after(None, cards as usize)) {
        let content = Card::new(list, position, format!("Card {n}"));
        board.apply(&Change::AddCard { card: card(n), content }).expect("is new");
    }
    board
}

fn renamed(n: u64) -> Change {
    Change::RenameCard { card: card(n % CARDS[0]), title: format!("Mend the nets, and then the sails: {n}") }
}

fn proposals(from: u64, count: u64) -> Vec<Proposal<Change>> {
    (from..from + count)
        .map(|n| Proposal { id: ChangeId(uuid_v7(n, [0; 10])), change: Body::Known(renamed(n)) })
        .collect()
}

fn sequencer(logged: u64) -> Sequencer<Board> {
    let ids: HashMap<_, _> = (0..logged).map(|n| (ChangeId(uuid_v7(n, [0; 10])), n + 1)).collect();
    Sequencer::new(board(CARDS[0]), Cursor { version: logged, ..Cursor::default() }, ids, Limits::default())
}

/// A card is renamed.
#[divan::bench(args = CARDS)]
fn apply(bencher: Bencher<'_, '_>, cards: u64) {
    let mut board = board(cards);
    let mut n = 0;
    bencher.bench_local(|| {
        n += 1;
        board.apply(&renamed(n))
    });
}

/// Sixty-four changes get their places in the log.
#[divan::bench(args = LOGGED)]
fn log(bencher: Bencher<'_, '_>, logged: u64) {
    let mut sequencer = sequencer(logged);
    let mut next = logged;
    bencher.counter(ItemsCount::new(64_u64)).bench_local(|| {
        let mut staged = sequencer.stage();
        for proposal in proposals(next, 64) {
            sequencer.propose(&mut staged, "Ada", &proposal, 1_764_000_000_000);
        }
        next += 64;
        sequencer.commit(staged).len()
    });
}

/// A change comes again that the log has.
#[divan::bench(args = LOGGED)]
fn known(bencher: Bencher<'_, '_>, logged: u64) {
    let sequencer = sequencer(logged);
    let again = &proposals(logged / 2, 1)[0];
    let mut staged = sequencer.stage();
    bencher.bench_local(|| sequencer.propose(&mut staged, "Ada", again, 1_764_000_000_000));
}

fn frame(count: u64) -> String {
    let sequencer = sequencer(0);
    let mut staged = sequencer.stage();
    for proposal in proposals(0, count) {
        sequencer.propose(&mut staged, "Ada", &proposal, 1_764_000_000_000);
    }
    encoded(&ServerFrame::Committed { entries: staged.records() })
}

fn encoded(frame: &ServerFrame<'_, Board>) -> String {
    serde_json::to_string(frame).expect("is plain")
}

/// Entries are written for those who listen, once for all of them.
#[divan::bench(args = TOGETHER)]
fn encode(bencher: Bencher<'_, '_>, count: u64) {
    let sequencer = sequencer(0);
    let mut staged = sequencer.stage();
    for proposal in proposals(0, count) {
        sequencer.propose(&mut staged, "Ada", &proposal, 1_764_000_000_000);
    }
    let bytes = frame(count).len();
    bencher.counter(BytesCount::new(bytes)).bench(|| encoded(&ServerFrame::Committed { entries: staged.records() }));
}

/// They are read by a client.
#[divan::bench(args = TOGETHER)]
fn decode(bencher: Bencher<'_, '_>, count: u64) {
    let frame = frame(count);
    bencher
        .counter(BytesCount::new(frame.len()))
        .bench(|| serde_json::from_str::<ServerMessage<Board, Change>>(&frame).expect("is one"));
}

/// A client's changes are read by the server.
#[divan::bench(args = TOGETHER)]
fn decode_changes(bencher: Bencher<'_, '_>, count: u64) {
    let message = ClientMessage::Changes { changes: proposals(0, count) };
    let text = serde_json::to_string(&message).expect("is plain");
    bencher
        .counter(BytesCount::new(text.len()))
        .bench(|| serde_json::from_str::<ClientMessage<Change>>(&text).expect("is one"));
}

/// A board is written whole, as a snapshot.
#[divan::bench(args = CARDS)]
fn snapshot(bencher: Bencher<'_, '_>, cards: u64) {
    let board = board(cards);
    bencher.counter(ItemsCount::new(cards)).bench(|| serde_json::to_string(&board).expect("is plain"));
}
