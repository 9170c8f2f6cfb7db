//! The program under more than its share. Each of these wants the machine for itself, so they are run apart from the others:
//! `make load` puts the release build under load and prints what docs/operations.md says of it, `make test` the one it tests.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sheetbend::board::Board;
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::{ChangeId, uuid_v7};
use sheetbend::sync::link;
use sheetbend::sync::message::SUBPROTOCOL;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::support::boards::{add_card, add_list, make_board, make_board_number, on_disk};
use crate::support::people::{Person, agree, quick};
use crate::support::program::{PROGRAM, Running};
use crate::support::socket::{Socket, cursor_of, versions};

/// How often a pair writes to each other while it is measured.
const SAMPLES: u64 = 300;

/// What has not happened by now will not.
const NEVER: Duration = Duration::from_secs(120);

/// The program, or the build of it that `SHEETBEND_UNDER_LOAD` names.
fn program(data: &Path, listen: &str) -> Command {
    let mut command = Command::new(std::env::var_os("SHEETBEND_UNDER_LOAD").unwrap_or_else(|| PROGRAM.into()));
    command.args(["serve", "--listen", listen, "--data"]).arg(data).current_dir(std::env::temp_dir());
    command
}

/// A server with the boards 1 and 2.
async fn start(options: &[&str]) -> (Running, TempDir) {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::run(program(data.path(), "127.0.0.1:0").env("RUST_LOG", "error").args(options));
    make_board(&running).await;
    make_board_number(&running, 2).await;
    (running, data)
}

fn change(who: u8, n: u64, title: &str) -> Value {
    json!({ "id": ChangeId(uuid_v7(n, [who; 10])), "change": { "kind": "rename_board", "title": title } })
}

async fn join(running: &Running, board: u8) -> Socket {
    let mut socket = Socket::connect(running.address).await;
    socket.sync(board, Cursor::default()).await;
    socket
}

/// How long changes took from being sent to being heard by somebody else.
#[derive(Clone, Debug)]
struct Latency(Vec<Duration>);

impl Latency {
    /// Of so many in a hundred, the longest.
    fn of_hundred(&self, share: usize) -> Duration {
        self.0[(self.0.len() * share / 100).min(self.0.len() - 1)]
    }

    /// Says how the others fared while something went on, and fails if they were held up.
    fn compare(&self, beside: &Self, what: &str) {
        let ratio = beside.of_hundred(50).as_secs_f64() / self.of_hundred(50).as_secs_f64();
        println!("{what}: alone {self}, beside it {beside}; ratio of the medians {ratio:.2}");
        // Far from what is seen, and far from what a server would take that serves one after the other.
        let limit = self.of_hundred(50) * 10 + Duration::from_millis(50);
        assert!(beside.of_hundred(50) < limit, "{what}: {beside} is more than {limit:?}");
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |share| self.of_hundred(share).as_secs_f64() * 1e3;
        write!(f, "p50 {:.1} ms, p99 {:.1} ms", ms(50), ms(99))
    }
}

/// Two who write to each other in turn.
struct Pair {
    who: u8,
    sockets: [Socket; 2],
    written: u64,
}

impl Pair {
    async fn join(running: &Running, who: u8, board: u8) -> Self {
        Self { who, sockets: [join(running, board).await, join(running, board).await], written: 0 }
    }

    async fn measure(&mut self) -> Latency {
        let mut took = Vec::new();
        for _ in 0..SAMPLES {
            took.push(self.write().await);
        }
        took.sort_unstable();
        Latency(took)
    }

    /// One writes something. Returns how long it took until the other heard of it.
    async fn write(&mut self) -> Duration {
        self.written += 1;
        let change = change(self.who, self.written, &format!("{}: {}", self.who, self.written));
        let id = change["id"].clone();
        let at = Instant::now();
        let [writer, reader] = &mut self.sockets;
        writer.say(json!({ "type": "changes", "changes": [change] })).await;
        hear_of(reader, &id).await;
        let took = at.elapsed();
        hear_of(writer, &id).await;
        self.sockets.swap(0, 1);
        took
    }
}

/// Listens until a change is in the log, and returns its entry.
async fn hear_of(socket: &mut Socket, id: &Value) -> Value {
    let heard = async {
        loop {
            let message = socket.hear().await;
            let entries = message["entries"].as_array().expect("committed");
            if let Some(entry) = entries.iter().find(|entry| entry["id"] == *id) {
                return entry.clone();
            }
        }
    };
    timeout(NEVER, heard).await.expect("is heard of")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants the machine for itself"]
async fn a_thousand_that_send_their_headers_byte_by_byte() {
    const COUNT: usize = 1_000;
    let (running, _data) = start(&[]).await;
    let mut pair = Pair::join(&running, 1, 1).await;
    let alone = pair.measure().await;
    let (address, connected) = (running.address, Arc::new(Semaphore::new(0)));
    let mut dribblers = JoinSet::new();
    for _ in 0..COUNT {
        let connected = Arc::clone(&connected);
        dribblers.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await.expect("is sent");
            connected.add_permits(1);
            let (at, mut scratch) = (Instant::now(), [0; 512]);
            loop {
                tokio::select! {
                    read = stream.read(&mut scratch) => if matches!(read, Ok(0) | Err(_)) { return at.elapsed() },
                    // It may have been closed in this moment, which is then read.
                    () = sleep(Duration::from_millis(100)) => drop(stream.write_all(b"a").await),
                }
            }
        });
    }
    let _all = connected.acquire_many(COUNT as u32).await.expect("open");
    let beside = pair.measure().await;
    let gone = dribblers.try_join_next();
    assert!(gone.is_none(), "they were all there while it was measured: {gone:?}");
    alone.compare(&beside, "1,000 connections that send a byte of their headers every 100 ms");
    let mut longest = Duration::ZERO;
    while let Some(took) = timeout(NEVER, dribblers.join_next()).await.expect("each is closed") {
        longest = longest.max(took.expect("no panic"));
    }
    println!("The last of them was closed after {longest:.1?}.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants the machine for itself"]
async fn five_thousand_that_only_listen() {
    const COUNT: usize = 5_000;
    let (running, _data) = start(&[]).await;
    let running = Arc::new(running);
    let mut pair = Pair::join(&running, 1, 1).await;
    let alone = pair.measure().await;
    let before = resident_kib(&running);
    let (mut joining, mut listeners) = (JoinSet::new(), JoinSet::new());
    for _ in 0..COUNT {
        if joining.len() == 50 {
            listeners.spawn(listen(joining.join_next().await.expect("some").expect("joins")));
        }
        let running = Arc::clone(&running);
        joining.spawn(async move { join(&running, 2).await });
    }
    while let Some(joined) = joining.join_next().await {
        listeners.spawn(listen(joined.expect("joins")));
    }
    let beside = pair.measure().await;
    assert!(listeners.try_join_next().is_none(), "they were all there while it was measured");
    if let (Some(before), Some(after)) = (before, resident_kib(&running)) {
        println!("{COUNT} idle sockets take {:.1} KiB each.", (after - before) as f64 / COUNT as f64);
    }
    alone.compare(&beside, "5,000 idle sockets");
}

/// Listens, and answers pings, until the connection ends.
async fn listen(socket: Socket) {
    let (mut sink, mut stream) = socket.into_inner().split();
    while let Some(Ok(Message::Text(text))) = stream.next().await {
        let message: Value = serde_json::from_str(&text).expect("JSON");
        if message["type"] == "ping" {
            let pong = json!({ "type": "pong", "nonce": message["nonce"] }).to_string();
            sink.send(Message::text(pong)).await.expect("is sent");
        }
    }
}

/// The memory of a process, where the system tells.
fn resident_kib(running: &Running) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.process.id())).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// One who changes a board, at the pace at which the server confirms it, until it is told to stop. Returns where the log ends then.
fn keep_busy(mut socket: Socket, stop: Arc<AtomicBool>) -> JoinHandle<Cursor> {
    tokio::spawn(async move {
        let mut written = 0;
        loop {
            let changes: Vec<_> = (1..=20).map(|n| change(3, written + n, &"x".repeat(400))).collect();
            written += 20;
            let last = changes[19]["id"].clone();
            socket.say(json!({ "type": "changes", "changes": changes })).await;
            let entry = hear_of(&mut socket, &last).await;
            if stop.load(Relaxed) {
                return cursor_of(&entry);
            }
        }
    })
}

/// One who takes 100 kB a second, and comes back whenever it is told to. Reads on to the place that `end` says, and returns how often
/// it was told.
async fn read_slowly(address: SocketAddr, mut end: oneshot::Receiver<Cursor>) -> u32 {
    const BYTES_PER_SECOND: f64 = 100_000.0;
    let (mut at, mut told, mut until) = (Cursor::default(), 0, None);
    loop {
        let line = TcpSocket::new_v4().expect("a socket");
        // What it does not read waits at the server, not on its own side.
        line.set_recv_buffer_size(32 * 1024).expect("is set");
        let stream = line.connect(address).await.expect("connects");
        let protocol = [("sec-websocket-protocol", SUBPROTOCOL)];
        let mut socket = Socket::over(stream, &protocol).await.expect("connects");
        at = cursor_of(&socket.sync(1, at).await);
        loop {
            until = until.or_else(|| end.try_recv().ok());
            if until.is_some_and(|until| at.version >= until.version) {
                assert_eq!(Some(at), until);
                return told;
            }
            let message = socket.hear().await;
            let Some(entries) = message["entries"].as_array() else {
                assert_eq!((&message["type"], &message["code"]), (&json!("bye"), &json!("slow_consumer")));
                assert_eq!(socket.hear_close().await, 4410);
                told += 1;
                break;
            };
            let after = at.version + 1..;
            assert!(versions(entries).into_iter().eq(after.take(entries.len())), "without a gap");
            at = cursor_of(entries.last().expect("some"));
            sleep(Duration::from_secs_f64(message.to_string().len() as f64 / BYTES_PER_SECOND)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants the machine for itself"]
async fn one_that_reads_slowly_among_others() {
    let (running, _data) = start(&["--max-queue", "1024"]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut pair = Pair::join(&running, 1, 1).await;
    let busy = keep_busy(join(&running, 1).await, Arc::clone(&stop));
    let alone = pair.measure().await;
    let (tell_end, end) = oneshot::channel();
    let slow = tokio::spawn(read_slowly(running.address, end));
    let beside = pair.measure().await;
    drop(pair);
    stop.store(true, Relaxed);
    tell_end.send(busy.await.expect("no panic")).expect("goes on");
    let told = timeout(NEVER, slow).await.expect("catches up").expect("no panic");
    alone.compare(&beside, "one that reads 100 kB/s of a busy board");
    println!("It was told to come back {told} times, and had all in the end.");
    assert!(told > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants the machine for itself"]
async fn one_that_floods() {
    let (running, _data) = start(&[]).await;
    let alone = [Pair::join(&running, 1, 1).await.measure().await, Pair::join(&running, 2, 2).await.measure().await];
    let (mut sink, mut stream) = join(&running, 1).await.into_inner().split();
    let flooding = tokio::spawn(async move {
        for n in 1.. {
            let message = json!({ "type": "changes", "changes": [change(3, n, "flood")] }).to_string();
            if sink.send(Message::text(message)).await.is_err() {
                return;
            }
        }
    });
    let taken = tokio::spawn(async move {
        let mut bytes = 0;
        while let Some(Ok(message)) = stream.next().await {
            bytes += message.len();
        }
        bytes
    });
    let beside = [Pair::join(&running, 4, 1).await.measure().await, Pair::join(&running, 5, 2).await.measure().await];
    alone[0].compare(&beside[0], "one that floods the same board");
    alone[1].compare(&beside[1], "one that floods another board");
    flooding.abort();
    drop(running);
    println!("It was sent {} kB of what it said.", taken.await.expect("no panic") / 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants the machine for itself"]
async fn told_to_end_while_people_type() {
    const PEOPLE: u8 = 8;
    const LIVES: u64 = 5;
    const EACH: u64 = 50;
    let (mut running, data) = start(&[]).await;
    let mut people: Vec<_> =
        (1..=PEOPLE).map(|who| Person::<Board>::at(running.address, &format!("Person {who}"), quick())).collect();
    people[0].edit(add_list(1, 1)).await;
    people[0].is_saved().await;
    let (mut made, mut longest) = (1, Duration::ZERO);
    for life in 0..LIVES {
        let before = made;
        for n in 1..=EACH {
            for (who, person) in (1..).zip(people.iter_mut()) {
                person.edit(add_card(who, life * EACH + n)).await;
                made += 1;
            }
        }
        // Some of it is saved, and the rest is on its way.
        people[0].sees(|view| view.cursor.version > before).await;
        let at = Instant::now();
        assert!(running.terminate(), "it ends well");
        longest = longest.max(at.elapsed());
        running = Running::run(&mut program(data.path(), &running.address.to_string()));
    }
    let view = agree(&mut people, made).await;
    assert!(running.terminate());
    assert_eq!(on_disk(data.path()).await, (view.document, view.cursor));
    println!("{made} changes, {LIVES} times SIGTERM: each there once. It ended within {longest:.2?}.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants the machine for itself"]
async fn a_thousand_come_back_at_once() {
    const PEOPLE: usize = 1_000;
    const WRITERS: u8 = 20;
    let (mut running, data) = start(&[]).await;
    let mut people: Vec<_> = (0..PEOPLE)
        .map(|n| Person::<Board>::at(running.address, &format!("Person {n}"), link::Settings::default()))
        .collect();
    for person in &people {
        person.is_live().await;
    }
    people[0].edit(add_list(1, 1)).await;
    people[0].is_saved().await;
    running.stop();
    for person in &people {
        person.is_not_live().await;
    }
    for (who, person) in (1..=WRITERS).zip(people.iter_mut()) {
        person.edit(add_card(who, 1)).await;
    }
    running = Running::run(&mut program(data.path(), &running.address.to_string()));
    let at = Instant::now();
    let mut back = Vec::new();
    let mut waiting: FuturesUnordered<_> = people.iter().map(Person::is_live).collect();
    while waiting.next().await.is_some() {
        back.push(at.elapsed());
    }
    drop(waiting);
    agree(&mut people, 1 + u64::from(WRITERS)).await;
    let share = |hundredths: usize| back[(PEOPLE * hundredths / 100).min(PEOPLE - 1)];
    println!(
        "{PEOPLE} people, the server killed and started again: half of them live after {:.1?}, 99 % after {:.1?}, all after {:.1?}.",
        share(50),
        share(99),
        share(100),
    );
    drop(running);
}

/// Two texts as long as notes may be, of one-letter words that come in another order in each.
fn one_letter_words(step: usize) -> String {
    let word = |n: usize| char::from(b'a' + u8::try_from(n * n / step % 26).expect("a letter"));
    (0..sheetbend::board::model::MAX_NOTES / 2).flat_map(|n| [word(n), ' ']).collect()
}

/// Issue 17: four such changes kept the server from doing anything else for 35 seconds and more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "wants the machine for itself"]
async fn four_that_edit_notes_to_cost_as_much_as_they_can() {
    const PROBE_EVERY: Duration = Duration::from_millis(100);
    const PROBES: usize = 100;
    let (running, _data) = start(&[]).await;
    let address = running.address;
    let stop = Arc::new(AtomicBool::new(false));
    let mut hostile = JoinSet::new();
    for board in 10..14_u8 {
        make_board_number(&running, board).await;
        let mut socket = join(&running, board).await;
        let stop = Arc::clone(&stop);
        hostile.spawn(async move {
            let (list, card) = (uuid_v7(1, [board; 10]), uuid_v7(2, [board; 10]));
            let add_list = json!({ "kind": "add_list", "list": list, "title": "", "position": "a0" });
            let notes = one_letter_words(7);
            let add_card = json!({ "kind": "add_card", "card": card, "list": list, "position": "a0", "title": "", "notes": notes });
            let mut number = 0;
            let mut offer = |change: Value| {
                number += 1;
                json!({ "id": ChangeId(uuid_v7(number, [board; 10])), "change": change })
            };
            socket.say(json!({ "type": "changes", "changes": [offer(add_list), offer(add_card)] })).await;
            let (from, to) = (one_letter_words(11), one_letter_words(13));
            let mut edits = 0;
            while !stop.load(Relaxed) {
                // As many as fit into a message. The notes stay as they are: what both wrote is too long.
                let edit = json!({ "kind": "edit_notes", "card": card, "from": from, "to": to });
                let offered: Vec<_> = (0..7).map(|_| offer(edit.clone())).collect();
                edits += offered.len();
                let last = offered[6]["id"].clone();
                socket.say(json!({ "type": "changes", "changes": offered })).await;
                hear_of(&mut socket, &last).await;
            }
            edits
        });
    }
    let mut pair = Pair::join(&running, 1, 1).await;
    let (mut took, mut changes) = (Vec::new(), Vec::new());
    for _ in 0..PROBES {
        let next = Instant::now() + PROBE_EVERY;
        let at = Instant::now();
        let answer = crate::support::http::ask(address, "GET /api/ping?nonce=1", &[], "").await;
        took.push(at.elapsed());
        assert_eq!(answer.status, 200);
        changes.push(pair.write().await);
        tokio::time::sleep_until(next.into()).await;
    }
    stop.store(true, Relaxed);
    let edits: usize = timeout(NEVER, hostile.join_all()).await.expect("they end").into_iter().sum();
    took.sort_unstable();
    changes.sort_unstable();
    let (probes, changes) = (Latency(took), Latency(changes));
    println!(
        "{edits} edits of notes that cost as much as they can, on four boards: a probe every 100 ms {probes}; a change on another board {changes}."
    );
    assert!(edits > 50, "they were edited: {edits}");
    assert!(probes.of_hundred(99) < Duration::from_millis(250), "{probes}");
    assert!(changes.of_hundred(99) < Duration::from_millis(500), "{changes}");
}
