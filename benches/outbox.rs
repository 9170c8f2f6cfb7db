//! What a change costs with so many queued before it: adding it, merging it, starting with it, and having it saved.
//!
//! `cargo bench --bench outbox`; the figures are in `docs/performance.md`.

use divan::Bencher;
use divan::counter::ItemsCount;
use sheetbend::board::position::Position;
use sheetbend::board::{Board, Card, CardId, Change, ListId};
use sheetbend::sync::client::{Client, Event, Patience, Settings, Start, Voice};
use sheetbend::sync::digest::{Cursor, Digest};
use sheetbend::sync::id::{ChangeId, Key, ReplicaId, uuid_v7};
use sheetbend::sync::message::{Access, Body, Entry, Limits};
use sheetbend::sync::outbox::{Kept, Outbox};
use sheetbend::sync::time::Moment;
use sheetbend::sync::{link, network};
use uuid::Uuid;

const QUEUED: [u64; 3] = [10, 1_000, 10_000];

/// So many changes are made one after the other, so that memory is as warm as a person's device has it.
const MADE: u64 = 100;

fn main() {
    divan::main();
}

fn list() -> ListId {
    ListId(Uuid::from_u128(1))
}

fn kept(n: u64, change: Change) -> Kept<Change> {
    Kept::new(ChangeId(uuid_v7(n, [0; 10])), change, n)
}

/// Adds a card of its own.
fn added(n: u64) -> Kept<Change> {
    let content = Card::new(list(), Position::between(None, None), format!("Card {n}"));
    kept(n, Change::AddCard { card: CardId(Uuid::from_u128((100 + n).into())), content })
}

fn made(queued: u64) -> Vec<Kept<Change>> {
    (queued..queued + MADE).map(added).collect()
}

fn queue(queued: u64) -> Vec<Kept<Change>> {
    let list = Change::AddList {
        list: list(),
        title: "List".to_owned(),
        position: Position::between(None, None),
        archived: false,
    };
    std::iter::once(kept(0, list)).chain((1..queued).map(added)).collect()
}

fn client(kept: Vec<Kept<Change>>) -> Client<Board> {
    let settings = Settings {
        key: Key::from_random([7; 16]),
        replica: ReplicaId(Uuid::nil()),
        name: String::new(),
        link: link::Settings::default(),
        transport: None,
        network: network::Settings::default(),
        patience: Patience::default(),
        voice: Voice::Sole,
        seed: 1,
    };
    let start =
        Start { document: Board::default(), cursor: Cursor::default(), access: Access::Edit, kept, registered: true };
    Client::new(settings, start)
}

/// A person makes changes: kept, shown, and behind the others in the queue.
#[divan::bench(args = QUEUED)]
fn add(bencher: Bencher<'_, '_>, queued: u64) {
    let full = client(queue(queued));
    bencher.counter(ItemsCount::new(MADE)).with_inputs(|| (full.clone(), made(queued))).bench_values(
        |(mut client, made)| {
            let effects: Vec<_> =
                made.into_iter().map(|change| client.handle(Event::Edit(change), Moment::default())).collect();
            (client, effects)
        },
    );
}

/// The outbox's own part of that.
#[divan::bench(args = QUEUED)]
fn push(bencher: Bencher<'_, '_>, queued: u64) {
    let full: Outbox<Board> = Outbox::restore(queue(queued));
    bencher.counter(ItemsCount::new(MADE)).with_inputs(|| (full.clone(), made(queued))).bench_values(
        |(mut outbox, made)| {
            let pushed: Vec<_> = made.into_iter().map(|change| outbox.push(change)).collect();
            (outbox, pushed)
        },
    );
}

/// A page starts with what its device kept.
#[divan::bench(args = QUEUED)]
fn start(bencher: Bencher<'_, '_>, queued: u64) {
    bencher.with_inputs(|| queue(queued)).input_counter(|queue| ItemsCount::new(queue.len())).bench_values(client);
}

/// The next batch is put on its way, and its first change is decided on.
#[divan::bench(args = QUEUED)]
fn send_and_settle(bencher: Bencher<'_, '_>, queued: u64) {
    let full: Outbox<Board> = Outbox::restore(queue(queued));
    bencher.with_inputs(|| full.clone()).bench_values(|mut outbox| {
        let batch = outbox.next_batch(&Limits::default());
        let settled = outbox.settle(batch[0].id, None);
        (outbox, batch, settled)
    });
}

/// An entry of someone else's comes, and the queue is replayed on top of it.
#[divan::bench(args = QUEUED)]
fn replay(bencher: Bencher<'_, '_>, queued: u64) {
    use sheetbend::sync::replica::Replica;

    let queue = queue(queued);
    let entry = Entry {
        version: 1,
        digest: Digest::GENESIS,
        id: ChangeId(uuid_v7(1, [9; 10])),
        author: String::new(),
        timestamp: 0,
        change: Body::Known(Change::RenameBoard { title: "Elsewhere".to_owned() }),
        refused: None,
    };
    bencher.with_inputs(|| Replica::new(Board::default(), Cursor::default())).bench_values(|mut replica| {
        let taken = replica.take(&entry);
        replica.replay(queue.iter().map(|kept| &kept.change));
        (replica, taken)
    });
}
