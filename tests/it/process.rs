//! The program: how it starts, how it fails to, and how it ends.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sheetbend::server::store::sqlite;
use sheetbend::sync::digest::Cursor;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::support::http::ask;
use crate::support::ids::{change_id, document_id, key};
use crate::support::program::{PROGRAM, Running, complaint, program};
use crate::support::socket::{Socket, cursor_of};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (data, running) = (folder(), Running::start(folder().path()));
    let said = complaint(&mut program(data.path(), &running.address.to_string()));
    let port = running.address.port();
    assert!(said.contains(&format!("port {port} is taken")) && said.contains("--listen"), "{said}");
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let data = folder();
    let file = data.path().join("file");
    std::fs::write(&file, "in the way").expect("writes");
    let said = complaint(&mut program(&file.join("data"), "127.0.0.1:0"));
    assert!(said.contains(file.to_str().expect("text")) && said.contains("--data"), "{said}");
}

#[test]
fn a_newer_database_is_named_and_left_alone() {
    let data = folder();
    drop(Running::start(data.path()));
    let shell = rusqlite::Connection::open(data.path().join(sqlite::FILE)).expect("opens");
    shell.pragma_update(None, "user_version", 77).expect("sets the version");
    drop(shell);
    let said = complaint(&mut program(data.path(), "127.0.0.1:0"));
    assert!(said.contains("format 77") && said.contains("Update Sheetbend"), "{said}");
}

#[test]
fn a_second_server_on_the_folder_is_turned_away() {
    let data = folder();
    let first = Running::start(data.path());
    let said = complaint(&mut program(data.path(), "127.0.0.1:0"));
    assert!(said.contains("another server") && said.contains(data.path().to_str().expect("text")), "{said}");
    first.kill();
    Running::start(data.path());
}

#[test]
fn what_is_no_address_is_named() {
    let data = folder();
    for listen in ["nonsense", "127.0.0.1", "127.0.0.1:99999"] {
        let said = complaint(&mut program(data.path(), listen));
        assert!(said.contains(&format!("\"{listen}\" is not an address")), "{said}");
    }
}

#[tokio::test]
async fn settings_come_from_the_environment_too_and_without_a_word_it_serves() {
    let data = folder();
    let running = Running::run(
        Command::new(PROGRAM)
            .current_dir(std::env::temp_dir())
            .env("SHEETBEND_LISTEN", "127.0.0.1:0")
            .env("SHEETBEND_DATA", data.path()),
    );
    let answer = ask(running.address, "HEAD /api/ping?nonce=7", &[], "").await;
    assert_eq!((answer.status, answer.header("x-sheetbend-nonce")), (200, "7"));
    assert!(data.path().join(sqlite::FILE).exists());
}

#[tokio::test]
async fn a_site_under_a_path_is_refused_in_plain_words() {
    let data = folder();
    let running = Running::start(data.path());
    let get = async |prefix: &str| ask(running.address, "GET /", &[("x-forwarded-prefix", prefix)], "").await;
    let refused = get("/plan").await;
    assert_eq!(refused.status, 501);
    assert!(refused.body.contains("host name of its own"), "{refused:?}");
    assert_eq!(get("/").await.status, 200);
}

#[tokio::test]
async fn files_are_served_as_small_and_for_as_long_as_can_be() {
    let (data, place) = (folder(), folder());
    std::fs::create_dir(place.path().join("pkg")).expect("a folder");
    for (name, text) in [
        ("pkg/sheetbend.abc.js", "plain"),
        ("pkg/sheetbend.abc.js.br", "brotli"),
        ("pkg/sheetbend.def.wasm", ""),
        ("pkg/sheetbend.012.css", "* {}"),
        ("icon.svg", "<svg/>"),
    ] {
        std::fs::write(place.path().join(name), text).expect("writes");
    }
    let running = Running::run(program(data.path(), "127.0.0.1:0").arg("--site").arg(place.path()));
    let get = async |path: &str, encoding: &str| {
        ask(running.address, &format!("GET {path}"), &[("accept-encoding", encoding)], "").await
    };

    let script = get("/pkg/sheetbend.abc.js", "gzip, br").await;
    assert_eq!((script.status, script.header("content-encoding"), script.body.as_str()), (200, "br", "brotli"));
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(get("/pkg/sheetbend.abc.js", "identity").await.body, "plain");

    let icon = get("/icon.svg", "").await;
    assert_eq!((icon.status, icon.header("cache-control")), (200, "public, max-age=600"));
    for path in ["/pkg/gone.js", "/pkg/../../../data/lock"] {
        let gone = get(path, "").await;
        assert_eq!((gone.status, gone.header("cache-control")), (404, "no-store, no-transform"), "{path}");
    }
    let nothing = get("/nothing", "").await;
    assert_eq!((nothing.status, nothing.header("cache-control")), (404, "no-store, no-transform"));
    assert!(nothing.body.contains("There is nothing here"), "a page says so");
    let page = get("/", "identity").await;
    assert!(page.header("content-security-policy").contains("script-src 'self' 'nonce-"), "{page:?}");
    assert_eq!(page.header("cache-control"), "no-store, no-transform");
    for path in ["/pkg/sheetbend.abc.js", "/icon.svg", "/nothing", "/api/ping", "/healthz"] {
        let answer = get(path, "").await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", ""),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn behind_https_browsers_are_told_to_keep_to_it() {
    let data = folder();
    let running = Running::run(program(data.path(), "127.0.0.1:0").arg("--behind-https"));
    for path in ["/", "/api/ping", "/nothing"] {
        let answer = ask(running.address, &format!("GET {path}"), &[("accept-encoding", "identity")], "").await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
}

/// A board made and opened over the wire.
async fn board(running: &Running) -> Socket {
    let body = json!({ "id": document_id(1), "edit_key": key(1) }).to_string();
    let answer = ask(running.address, "POST /api/boards", &[], &body).await;
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    Socket::connect(running.address).await
}

fn rename(n: u64) -> Value {
    json!({ "id": change_id(n), "change": { "kind": "rename_board", "title": format!("Title {n}") } })
}

#[tokio::test]
async fn what_was_confirmed_survives_sigkill_once_each() {
    let data = folder();
    let mut confirmed: BTreeMap<u64, Value> = BTreeMap::new();
    let mut cursor = Cursor::default();
    let mut next = 1;
    for life in 1..=5 {
        let running = Running::start(data.path());
        let mut socket = board(&running).await;
        let response = socket.sync(1, cursor).await;
        assert_eq!(response["rewound"], false, "the server has all that this client has");
        for entry in response["changes"].as_array().expect("entries") {
            confirmed.insert(entry["version"].as_u64().expect("a version"), entry.clone());
        }
        cursor = cursor_of(&response);
        // What is not known to be saved is offered again, with something new behind it, and the server killed in the middle.
        let known: Vec<Value> = confirmed.values().map(|entry| entry["id"].clone()).collect();
        let pending = (1..next).filter(|n| !known.contains(&json!(change_id(*n)))).chain(next..next + 600);
        for chunk in pending.collect::<Vec<_>>().chunks(20) {
            let changes: Vec<_> = chunk.iter().map(|n| rename(*n)).collect();
            socket.say(json!({ "type": "changes", "changes": changes })).await;
        }
        next += 600;
        // In the last lives it is beyond what the database's journal holds.
        while cursor.version < life * 500 {
            let message = socket.hear().await;
            for entry in message["entries"].as_array().expect("committed") {
                confirmed.insert(entry["version"].as_u64().expect("a version"), entry.clone());
                cursor = cursor_of(entry);
            }
        }
        running.kill();
    }

    let running = Running::start(data.path());
    let mut socket = board(&running).await;
    assert_eq!(socket.sync(1, cursor).await["rewound"], false);
    drop(running);
    let shell = rusqlite::Connection::open(data.path().join(sqlite::FILE)).expect("opens");
    let mut log = shell.prepare("SELECT version, id, digest FROM entries ORDER BY version").expect("a table");
    let rows = log
        .query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))
        .expect("rows")
        .collect::<Result<Vec<_>, _>>()
        .expect("rows");
    let versions: Vec<_> = rows.iter().map(|(version, ..)| *version).collect();
    assert_eq!(versions, (1..=rows.len() as u32).collect::<Vec<_>>(), "no gaps");
    let ids: std::collections::BTreeSet<_> = rows.iter().map(|(_, id, _)| id).collect();
    assert_eq!(ids.len(), rows.len(), "nothing twice");
    for (version, entry) in &confirmed {
        let (_, id, digest) = &rows[*version as usize - 1];
        assert_eq!((json!(id), json!(digest)), (entry["id"].clone(), entry["digest"].clone()), "as it was confirmed");
    }
}

#[tokio::test]
async fn a_server_restored_from_a_backup_gets_back_what_its_clients_hold() {
    let (data, backup) = (folder(), folder());
    let copy = |from: &Path, to: &Path| std::fs::copy(from.join(sqlite::FILE), to.join(sqlite::FILE)).expect("copies");
    let mut log = Vec::new();
    for life in 0..2 {
        let mut running = Running::start(data.path());
        let mut socket = board(&running).await;
        socket.sync(1, log.last().map(cursor_of).unwrap_or_default()).await;
        let numbers = life * 3 + 1..=life * 3 + 3;
        socket.say(json!({ "type": "changes", "changes": numbers.map(rename).collect::<Vec<_>>() })).await;
        log.extend(socket.hear_up_to(life * 3 + 3).await);
        drop(socket);
        assert!(running.terminate());
        if life == 0 {
            copy(data.path(), backup.path());
        }
    }

    let running = Running::start(backup.path());
    let mut other = board(&running).await;
    other.sync(1, Cursor::default()).await;
    // Before the client is back, the restored server counts past its cursor.
    other.say(json!({ "type": "changes", "changes": (11..=15).map(rename).collect::<Vec<_>>() })).await;
    other.hear_up_to(8).await;
    let mut socket = board(&running).await;
    let response = socket.sync(1, cursor_of(&log[5])).await;
    assert_eq!((&response["rewound"], cursor_of(&response).version), (&json!(true), 8));
    assert_eq!(response["snapshot"]["title"], "Title 15");
    socket.say(json!({ "type": "changes", "changes": (1..=6).map(rename).collect::<Vec<_>>() })).await;
    let entries = socket.hear_up_to(11).await;
    let known: Vec<_> = entries.iter().filter(|entry| entry["version"].as_u64() <= Some(3)).collect();
    assert_eq!(known, log[..3].iter().collect::<Vec<_>>(), "what the backup has is repeated");
    let healed: Vec<_> = entries.iter().filter(|entry| entry["version"].as_u64() > Some(8)).map(|e| &e["id"]).collect();
    assert_eq!(healed, log[3..].iter().map(|entry| &entry["id"]).collect::<Vec<_>>(), "what it lost is back");
}

#[tokio::test]
async fn told_to_end_it_saves_says_goodbye_and_ends() {
    let data = folder();
    let mut running = Running::start(data.path());
    let mut socket = board(&running).await;
    socket.sync(1, Cursor::default()).await;
    socket.say(json!({ "type": "changes", "changes": [rename(1)] })).await;
    socket.hear_up_to(1).await;
    let ended = tokio::task::spawn_blocking(move || running.terminate());
    let (bye, code) = socket.hear_bye().await;
    assert_eq!((&bye["code"], code), (&json!("draining"), 1001));
    drop(socket);
    assert!(ended.await.expect("ends"));
    assert!(!data.path().join(format!("{}-wal", sqlite::FILE)).exists(), "all is in the one file");
}

/// The program with a limit of open files, as `ulimit` sets it.
#[cfg(unix)]
fn with_open_files(limit: &str, data: &Path) -> Running {
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!("ulimit {limit}; exec \"$@\""),
            "sh",
            PROGRAM,
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(data)
        .current_dir(std::env::temp_dir());
    Running::run(&mut command)
}

#[cfg(unix)]
#[tokio::test]
async fn as_many_connect_as_the_system_has_files_for_and_the_next_is_told_so() {
    let soft = folder();
    let running = with_open_files("-Sn 64", soft.path());
    let mut sockets = Vec::new();
    for _ in 0..100 {
        sockets.push(Socket::connect(running.address).await);
    }

    let hard = folder();
    let running = with_open_files("-n 200", hard.path());
    for _ in 0..100 {
        sockets.push(Socket::connect(running.address).await);
    }
    let mut next = TcpStream::connect(running.address).await.expect("connects");
    let mut said = String::new();
    next.read_to_string(&mut said).await.expect("is answered");
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("retry-after: 5"), "{said}");
}

/// The disk refuses a write: what was not confirmed may be lost, and nothing more may be confirmed.
#[cfg(unix)]
#[tokio::test]
async fn a_disk_that_fails_ends_the_server_with_a_word() {
    let data = folder();
    let mut command = Command::new("sh");
    // Files may not grow past 512 KiB, and the signal that says so is ignored: writes fail.
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh", PROGRAM])
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .current_dir(std::env::temp_dir());
    let mut running = Running::run(&mut command);
    let mut socket = board(&running).await;
    socket.sync(1, Cursor::default()).await;
    let mut stream = socket.into_inner();
    use futures_util::{SinkExt as _, StreamExt as _};
    for n in 1..=200 {
        let title = "x".repeat(400);
        let changes: Vec<_> = (0..20)
            .map(|k| json!({ "id": change_id(n * 100 + k), "change": { "kind": "rename_board", "title": title } }))
            .collect();
        let message = json!({ "type": "changes", "changes": changes }).to_string();
        if stream.send(tokio_tungstenite::tungstenite::Message::text(message)).await.is_err() {
            break;
        }
    }
    while let Some(Ok(_)) = stream.next().await {}
    let status = running.process.wait().expect("ends");
    let mut said = String::new();
    running.process.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    assert_eq!(status.code(), Some(74), "{said}");
    assert!(said.contains("sheetbend: the disk failed") && said.contains("What it confirmed is safe"), "{said}");
    Running::start(data.path());
}
