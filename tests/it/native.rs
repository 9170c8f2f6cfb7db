//! The engine against the server, over real sockets: the native client runs what the page runs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sheetbend::board::{Board, Change};
use sheetbend::native::boards::{self, NotMade};
use sheetbend::native::{Disk, Fate, Opening, Session, session::EditError};
use sheetbend::server::store::sqlite::{self, Sqlite};
use sheetbend::server::{NewBoard, Server, Settings};
use sheetbend::sync::backoff::Backoff;
use sheetbend::sync::client::Connection;
use sheetbend::sync::id::Key;
use sheetbend::sync::link;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::boards::{add_list, make_board};
use crate::support::http::ask;
use crate::support::ids::{document_id, key};
use crate::support::program::{PROGRAM, Running};

fn opening(address: std::net::SocketAddr, key: Key, name: &str) -> Opening {
    // As patient as ever, and quicker.
    let backoff = Backoff { base: Duration::from_millis(20), cap: Duration::from_millis(200) };
    let link = link::Settings { backoff, ..link::Settings::default() };
    Opening { link, ..Opening::new(format!("ws://{address}/api/sync"), key, name) }
}

#[tokio::test]
async fn two_people_plan_together_and_a_third_looks_on() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    make_board(&running).await;
    let open = |key: Key, name| Session::<Board>::open(opening(running.address, key, name));
    let (ada, bob, eve) = (open(key(1), "Ada"), open(key(1), "Bob"), open(key(1).view_key(), "Eve"));

    let renamed = ada.edit(Change::RenameBoard { title: "Harbour fair".into() }).await.expect("is taken");
    let added = bob.edit(add_list(2, 1)).await.expect("is taken");
    assert_eq!((renamed.await, added.await), (Ok(Fate::Saved), Ok(Fate::Saved)));
    for person in [&ada, &bob, &eve] {
        let view = person.wait_for(|view| view.cursor.version == 2).await.expect("goes on");
        assert_eq!((view.document.title.as_str(), view.document.lists.len()), ("Harbour fair", 1));
    }

    let refused = ada.edit(add_list(2, 1)).await.expect("is taken").await.expect("is answered");
    assert!(matches!(&refused, Fate::Refused(why) if why.code == "list_exists"), "{refused:?}");
    let looked_on = eve.edit(Change::RenameBoard { title: "Mine".into() }).await;
    assert!(matches!(looked_on.map(drop), Err(EditError::Refused(why)) if why.code == "view_only"));
}

/// A log-in page, a firewall, a proxy whose origin is down.
#[tokio::test]
async fn only_the_server_makes_a_board() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    let at_server = format!("http://{}", running.address);
    boards::make(&at_server, document_id(1), &key(1)).await.expect("is made");
    boards::make(&at_server, document_id(1), &key(1)).await.expect("again is the same");
    let taken = boards::make(&at_server, document_id(2), &key(1)).await;
    assert!(matches!(taken, Err(NotMade::Refused(409))), "{taken:?}");

    for status in [200, 201, 403, 404, 409, 502, 520] {
        let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = proxy.local_addr().expect("bound");
        let answering = tokio::spawn(async move {
            let (mut client, _) = proxy.accept().await.expect("is asked");
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                client.read_buf(&mut request).await.expect("a request");
            }
            let page = format!("HTTP/1.1 {status} Hm\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            client.write_all(page.as_bytes()).await.expect("is answered");
        });
        let made = boards::make(&format!("http://{address}"), document_id(1), &key(1)).await;
        assert!(matches!(made, Err(NotMade::Proxy(said)) if said == status), "{status}: {made:?}");
        answering.await.expect("ends");
    }
}

#[tokio::test]
async fn a_wrong_key_is_final() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    let session = Session::<Board>::open(opening(running.address, key(9), "Ada"));
    let view = session.wait_for(|view| matches!(view.status.connection, Connection::Refused(_))).await.expect("ends");
    let Connection::Refused(bye) = view.status.connection else { panic!("refused") };
    assert!(bye.message.contains("opens no board"), "{bye:?}");
}

/// The program at a board, from the command line.
fn at(running: &Running, command: &str, more: &[&str]) -> Command {
    let link = format!("http://{}/b/{}", running.address, key(1).as_str());
    let mut program = Command::new(PROGRAM);
    program.arg(command).arg(link).args(more).current_dir(std::env::temp_dir());
    program
}

/// Ada, who keeps her changes in a file.
fn with_disk(running: &Running, path: &Path) -> Session<Board> {
    let mut opening = opening(running.address, key(1), "Ada");
    opening.disk = Some(Disk::open(path, &key(1)).expect("opens"));
    Session::open(opening)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn titles(board: &Board) -> Vec<String> {
    board.cards.values().map(|card| card.title.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_are_added_from_the_command_line_and_followed() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    make_board(&running).await;
    let mut tail =
        at(&running, "tail", &["--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut started = String::new();
    BufReader::new(tail.stderr.take().expect("piped")).read_line(&mut started).expect("says something");
    assert!(started.contains("following"), "{started}");

    let none = at(&running, "add", &["Nets"]).output().expect("runs");
    assert!(!none.status.success() && said(&none).contains("no lists yet"), "{none:?}");
    let made = at(&running, "add", &["--list", "To mend", "--make-list", "--name", "Ada", "Nets", "Sails"])
        .output()
        .expect("runs");
    assert!(made.status.success() && said(&made).contains("Saved 2 cards"), "{made:?}");
    let wrong = at(&running, "add", &["--list", "To end", "Ropes"]).output().expect("runs");
    assert!(!wrong.status.success() && said(&wrong).contains("There are: \"To mend\"."), "{wrong:?}");
    let first = at(&running, "add", &["Ropes"]).output().expect("runs");
    assert!(first.status.success(), "{first:?}");

    let lines = BufReader::new(tail.stdout.take().expect("piped")).lines().take(4);
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(&line.expect("text")).expect("JSON")).collect();
    let heard: Vec<_> =
        lines.iter().map(|entry| (&entry["author"], &entry["change"]["kind"], &entry["change"]["title"])).collect();
    let (ada, nobody, card) = (&json!("Ada"), &json!(""), &json!("add_card"));
    assert_eq!(heard[0], (ada, &json!("add_list"), &json!("To mend")));
    assert_eq!(
        heard[1..],
        [(ada, card, &json!("Nets")), (ada, card, &json!("Sails")), (nobody, card, &json!("Ropes"))]
    );
    tail.kill().expect("runs");
    tail.wait().expect("ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_titles_are_checked_before_one_is_sent() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    make_board(&running).await;
    let long = "t".repeat(501);
    for (titles, why) in [
        (["Nets", long.as_str(), "Sails"], "Title 2 of 3: This title is too long: 501 characters, at most 500."),
        (["Nets", "Sails", " "], "Title 3 of 3: It is empty."),
    ] {
        let add = [&["--list", "To mend", "--make-list"], titles.as_slice()].concat();
        let wrong = at(&running, "add", &add).output().expect("runs");
        assert!(!wrong.status.success() && said(&wrong).contains(why), "{wrong:?}");
    }
    let right = at(&running, "add", &["--list", "To mend", "--make-list", "Ropes"]).output().expect("runs");
    assert!(right.status.success(), "{right:?}");
    let session = Session::<Board>::open(opening(running.address, key(1), "Ada"));
    let view = session.wait_for(|view| view.cursor.version >= 2).await.expect("goes on");
    assert_eq!((view.cursor.version, titles(&view.document)), (2, vec!["Ropes".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_saved_is_kept_in_a_file_and_sent_the_next_time() {
    let (data, place) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut running = Running::start(data.path());
    make_board(&running).await;
    let outbox = place.path().join("outbox");
    let outbox = outbox.to_str().expect("text");
    let add = |running: &Running, more: &[&str]| {
        at(running, "add", &[&["--outbox", outbox], more].concat()).output().expect("runs")
    };
    let first = add(&running, &["--list", "To mend", "--make-list", "Nets"]);
    assert!(first.status.success(), "{first:?}");
    running.stop();
    let kept = add(&running, &["--within", "1", "Sails"]);
    assert!(kept.status.success() && said(&kept).contains("1 change is kept in"), "{kept:?}");
    let lost = at(&running, "add", &["--within", "1", "Masts"]).output().expect("runs");
    assert!(!lost.status.success() && said(&lost).contains("nothing was added"), "{lost:?}");

    running.start_again(data.path());
    let other = Session::<Board>::open(opening(running.address, key(1), "Ada"));
    let last = add(&running, &["Ropes"]);
    assert!(last.status.success(), "{last:?}");
    let view = other.wait_for(|view| view.cursor.version >= 4).await.expect("goes on");
    let mut titles = titles(&view.document);
    titles.sort();
    assert_eq!((view.cursor.version, titles.join(" ")), (4, "Nets Ropes Sails".to_owned()));

    // The file is of one link, and of one process.
    let link = format!("http://{}/b/{}", running.address, key(2).as_str());
    let wrong = Command::new(PROGRAM).args(["add", &link, "--outbox", outbox, "x"]).output().expect("runs");
    assert!(!wrong.status.success() && said(&wrong).contains("keeps the changes of another link"), "{wrong:?}");
    let disk = Disk::open(Path::new(outbox), &key(1)).expect("opens");
    let busy = add(&running, &["x"]);
    assert!(!busy.status.success() && said(&busy).contains("in use by another program"), "{busy:?}");
    drop(disk);
}

/// Killed in the moment in which it has said that the card is kept: the card is sent the next time, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_survives_sigkill_and_is_sent_once() {
    let (data, place) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut running = Running::start(data.path());
    make_board(&running).await;
    let outbox = place.path().join("outbox");
    let add = |running: &Running, more: &[&str]| {
        at(running, "add", &[&["--outbox", outbox.to_str().expect("text")], more].concat())
    };
    let first = add(&running, &["--list", "To mend", "--make-list", "Nets"]).output().expect("runs");
    assert!(first.status.success(), "{first:?}");
    running.stop();
    let mut killed = add(&running, &["Sails"]).stderr(Stdio::piped()).spawn().expect("starts");
    let mut kept = String::new();
    BufReader::new(killed.stderr.take().expect("piped")).read_line(&mut kept).expect("says something");
    assert!(kept.contains("Kept 1 card"), "{kept}");
    killed.kill().expect("runs");
    killed.wait().expect("ends");

    running.start_again(data.path());
    let last = add(&running, &["Ropes"]).output().expect("runs");
    assert!(last.status.success(), "{last:?}");
    let ada = Session::<Board>::open(opening(running.address, key(1), "Ada"));
    let view = ada.wait_for(|view| view.cursor.version >= 4).await.expect("goes on");
    assert_eq!((view.cursor.version, view.document.cards.len()), (4, 3));
}

/// The link was replaced since the board was last seen: that is said, and what was made is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_replaced_is_named_and_nothing_waits_for_ever() {
    let (data, place) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let running = Running::start(data.path());
    make_board(&running).await;
    let outbox = place.path().join("outbox");
    let outbox = outbox.to_str().expect("text");
    let first =
        at(&running, "add", &["--outbox", outbox, "--list", "To mend", "--make-list", "Nets"]).output().expect("runs");
    assert!(first.status.success(), "{first:?}");
    let body = json!({ "edit_key": key(1), "new_edit_key": key(7) }).to_string();
    assert_eq!(ask(running.address, "POST /api/keys", &[], &body).await.status, 200);
    let after = at(&running, "add", &["--outbox", outbox, "Sails"]).output().expect("runs");
    assert!(!after.status.success() && said(&after).contains("opens no board"), "{after:?}");
}

/// The disk under the outbox takes no more: what is not kept is not made, and that is said.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_does_not_take_is_not_made() {
    let (data, place) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let running = Running::start(data.path());
    make_board(&running).await;
    let made = at(&running, "add", &["--list", "To mend", "--make-list", "Nets"]).output().expect("runs");
    assert!(made.status.success(), "{made:?}");
    let link = format!("http://{}/b/{}", running.address, key(1).as_str());
    // Files may not grow past 64 KiB, and the signal that says so is ignored: writes fail.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh", PROGRAM, "add", &link, "--outbox"]);
    command.arg(place.path().join("outbox")).args((0..400).map(|n| format!("{n}{}", "x".repeat(300))));
    let full = command.output().expect("runs");
    assert!(!full.status.success() && said(&full).contains("of 400 cards were made, and no more"), "{full:?}");
    assert!(said(&full).contains("cannot be kept on disk"), "{full:?}");
    let session = Session::<Board>::open(opening(running.address, key(1), "Ada"));
    let view = session.wait_for(|view| view.cursor.version > 0).await.expect("goes on");
    assert!(view.document.cards.len() < 401, "{}", view.document.cards.len());
}

/// A program that was ended holds, in its file, what a server has lost that was restored from an older copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_server_gets_back_what_a_file_holds() {
    let (data, copy, place) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let path = place.path().join("outbox");
    let open = |running: &Running| with_disk(running, &path);
    let mut running = Running::start(data.path());
    make_board(&running).await;
    assert!(running.terminate());
    std::fs::copy(data.path().join(sqlite::FILE), copy.path().join(sqlite::FILE)).expect("copies");
    running.start_again(data.path());
    let session = open(&running);
    for n in 1..=3 {
        let fate = session.edit(add_list(1, n)).await.expect("is taken");
        assert_eq!(fate.await, Ok(Fate::Saved));
    }
    session.close().await;
    assert!(running.terminate());

    let restored = Running::start(copy.path());
    let session = open(&restored);
    let view = session.wait_for(|view| view.cursor.version >= 3 && view.status.pending == 0).await.expect("goes on");
    assert_eq!((view.cursor.version, view.document.lists.len()), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_when_nobody_waits_any_more_is_told_until_it_is_let_go() {
    let (data, place) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let path = place.path().join("outbox");
    let open = |running: &Running| with_disk(running, &path);
    let mut running = Running::start(data.path());
    make_board(&running).await;
    let bob = Session::<Board>::open(opening(running.address, key(1), "Bob"));
    let added = bob.edit(add_list(1, 1)).await.expect("is taken");
    assert_eq!(added.await, Ok(Fate::Saved));
    running.stop();
    // The same list once more, by somebody who has not heard of it.
    let ada = open(&running);
    drop(ada.edit(add_list(1, 1)).await.expect("is kept"));
    ada.close().await;

    running.start_again(data.path());
    for _ in 0..2 {
        let ada = open(&running);
        let view = ada.wait_for(|view| !view.refused.is_empty()).await.expect("goes on");
        assert_eq!((view.refused[0].1.code.as_ref(), view.status.attention), ("list_exists", 1));
        ada.close().await;
    }
    let ada = open(&running);
    ada.discard(ada.view().refused[0].0);
    ada.wait_for(|view| view.refused.is_empty()).await.expect("goes on");
    ada.close().await;
    assert_eq!(open(&running).view().refused, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_bot_labels_questions() {
    let (data, place) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let running = Running::start(data.path());
    make_board(&running).await;
    let bot = Path::new(PROGRAM).parent().expect("a folder").join("examples/bot");
    let link = format!("http://{}/b/{}", running.address, key(1).as_str());
    let bot = Command::new(bot).arg(link).current_dir(place.path()).spawn();
    let mut bot = bot.expect("is built with `cargo build --features ssr --example bot`");
    let added =
        at(&running, "add", &["--list", "To ask", "--make-list", "Who has the key?", "Nets"]).output().expect("runs");
    assert!(added.status.success(), "{added:?}");
    let session = Session::<Board>::open(opening(running.address, key(1), "Ada"));
    let labelled = |board: &Board| {
        board
            .cards
            .values()
            .filter(|card| card.labels.contains("question"))
            .map(|card| card.title.clone())
            .collect::<Vec<_>>()
    };
    let view = session.wait_for(|view| !labelled(&view.document).is_empty()).await.expect("goes on");
    assert_eq!(labelled(&view.document), ["Who has the key?"]);
    bot.kill().expect("runs");
    bot.wait().expect("ends");
}

/// The heart of it: people type, the server is killed again and again, and every change arrives once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_loses_and_doubles_nothing() {
    const LIVES: u64 = 6;
    const EACH: u64 = 25;
    let data = tempfile::tempdir().expect("a folder");
    let mut running = Running::start(data.path());
    make_board(&running).await;
    let people =
        [1_u8, 2].map(|who| (who, Session::<Board>::open(opening(running.address, key(1), &format!("Person {who}")))));
    let mut fates = Vec::new();
    for life in 0..LIVES {
        for n in 0..EACH {
            for (who, session) in &people {
                fates.push(session.edit(add_list(*who, life * EACH + n)).await.expect("is taken"));
            }
        }
        // Some of it is saved, some is on its way.
        let some = life * EACH * 2 + 5;
        people[0].1.wait_for(|view| view.cursor.version >= some).await.expect("goes on");
        running.restart(data.path());
        people[1].1.retry_now();
    }
    for fate in fates {
        assert_eq!(fate.await, Ok(Fate::Saved));
    }

    let all = LIVES * EACH * 2;
    let mut views = Vec::new();
    for (_, session) in &people {
        let view =
            session.wait_for(|view| view.cursor.version >= all && view.status.pending == 0).await.expect("goes on");
        assert_eq!(view.cursor.version, all, "each change has one place: a second would have been refused");
        assert_eq!(view.document.lists.len() as u64, all);
        views.push((view.document, view.cursor));
    }
    assert_eq!(views[0], views[1]);

    drop(running);
    let store = Sqlite::open(data.path()).expect("opens");
    let server: Server<Board, Sqlite> = Server::new(store, Settings::default());
    let opened = server.open(&key(1)).await.expect("works").expect("there");
    assert_eq!((opened.view, opened.cursor), views[0].clone(), "as on the server's disk");
    let again = NewBoard { id: document_id(1), edit_key: key(1), view_key: key(1).view_key() };
    assert_eq!(server.create(again).await.expect("works"), sheetbend::server::store::Creation::Existed);
}
