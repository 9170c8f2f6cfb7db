//! What is in the log: neither keys nor what people write, at any level.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::message::SUBPROTOCOL;
use tokio_tungstenite::tungstenite::Message;

use crate::support::cluster;
use crate::support::http::ask;
use crate::support::ids::{change_id, document_id, key};
use crate::support::program::{PROGRAM, Running};
use crate::support::socket::Socket;

/// A word that is in every text that people write here.
const WORD: &str = "Herringbone";

fn assert_discreet(log: &str) {
    assert!(log.contains("sync_request") && log.contains("DEBUG"), "everything is logged: {log}");
    for secret in secrets() {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret:?} is in the log");
    }
}

/// A server that logs all it can into a file: a pipe that nobody reads would be full.
fn run(data: &Path, log: &Path, options: &[&str]) -> Running {
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec "$@" 2>"$LOG""#, "sh", PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(data).args(options).current_dir(std::env::temp_dir()).env("RUST_LOG", "trace").env("LOG", log);
    Running::run(&mut command)
}

/// Uses keys and texts in every way that a client can, well-formed or not.
async fn use_everything(running: &Running) {
    let address = running.address;
    let (edit, new, view) = (key(1), key(2), key(1).view_key());
    let post = async |path: &str, body: String| ask(address, &format!("POST {path}"), &[], &body).await;
    let board = json!({ "id": document_id(1), "edit_key": edit });
    assert_eq!(post("/api/boards", board.to_string()).await.status, 201);
    for odd in [
        json!({ "id": WORD, "edit_key": edit }),
        json!({ "id": edit, "edit_key": WORD }),
        json!({ "id": document_id(2), "edit_key": [edit] }),
        json!({ edit.as_str(): WORD }),
    ] {
        post("/api/boards", odd.to_string()).await;
        post("/api/keys", odd.to_string()).await;
        post("/api/open", odd.to_string()).await;
    }
    for path in ["/api/boards", "/api/keys", "/api/open", "/api/sync"] {
        post(path, format!("{{\"{WORD}\": {}", edit.as_str())).await;
    }
    assert_eq!(post("/api/open", json!({ "key": edit }).to_string()).await.status, 200);

    let change = |n: u64, change: Value| json!({ "id": change_id(n), "change": change });
    let list = change_id(100);
    let changes = [
        change(1, json!({ "kind": "rename_board", "title": WORD })),
        change(2, json!({ "kind": "add_list", "list": list, "title": WORD, "position": "a0" })),
        change(3, json!({ "kind": "rename_list", "list": change_id(101), "title": WORD })),
        change(4, json!({ "kind": WORD })),
        change(5, json!({ "kind": "add_list", "list": WORD, "title": 7, "position": edit })),
    ];
    let request = |key: &Value, name: &str| {
        let digest = "0".repeat(32);
        json!({ "type": "sync_request", "key": key, "replica": change_id(9), "version": 0, "digest": digest, "name": name })
    };
    let mut socket = Socket::connect(address).await;
    socket.say(request(&json!(edit), WORD)).await;
    assert_eq!(socket.hear().await["type"], "sync_response");
    socket.say(json!({ "type": "changes", "changes": changes })).await;
    socket.hear_up_to(5).await;
    socket.say(json!({ "type": WORD, "key": edit })).await;
    socket.say(json!({ "type": "changes", "changes": [{ "id": edit, "change": WORD }] })).await;
    assert_eq!(socket.hear_bye().await.1, 4400);
    for odd in [
        json!({ "type": "sync_request", "key": format!("{}{WORD}", edit.as_str()), "replica": edit }),
        json!({ "type": "sync_request", "key": edit, "replica": edit, "version": WORD }),
        json!({ "type": "ping", "nonce": WORD }),
        json!(WORD),
    ] {
        let mut socket = Socket::connect(address).await;
        socket.say(odd.clone()).await;
        socket.hear_bye().await;
        post("/api/sync", odd.to_string()).await;
    }
    let mut socket = Socket::connect(address).await;
    socket.send(Message::binary(format!("{WORD} {}", edit.as_str()))).await;
    socket.hear_bye().await;
    let mut socket = Socket::connect(address).await;
    socket.say(request(&json!(key(7)), WORD)).await;
    assert_eq!(socket.hear_bye().await.1, 4404);

    // The same over HTTP, and a snapshot.
    let first = post("/api/sync", format!("{}\n", request(&json!(view), WORD))).await;
    assert!(first.body.contains(WORD), "it is on the board: {}", first.body);
    let more = json!({ "type": "changes", "changes": [change(6, json!({ "kind": "rename_board", "title": WORD }))] });
    let answer = post("/api/sync", format!("{}\n{more}\n", request(&json!(edit), WORD))).await;
    assert!(answer.body.contains("resume"), "{}", answer.body);

    // Keys in addresses, headers and names.
    for path in ["/b/", "/b/x/", "/", "/api/", "/api/ping?nonce=", "/pkg/", "/api/open?key=", "/b/?key="] {
        for key in [&edit, &view] {
            let path = format!("GET {path}{}", key.as_str());
            let referrer = format!("https://{WORD}.example/b/{}", key.as_str());
            ask(address, &path, &[("referer", &referrer), ("user-agent", WORD), ("cookie", key.as_str())], "").await;
        }
    }
    let headers = [("sec-websocket-protocol", SUBPROTOCOL), ("sec-websocket-key", edit.as_str())];
    let _ = Socket::try_connect(address, &headers).await;
    let keys = json!({ "edit_key": edit, "new_edit_key": new });
    assert_eq!(post("/api/keys", keys.to_string()).await.status, 200);
    assert_eq!(post("/api/keys", keys.to_string()).await.status, 200);
    let mut socket = Socket::connect(address).await;
    assert_eq!(socket.sync(2, Cursor::default()).await["type"], "sync_response");
}

fn secrets() -> Vec<String> {
    let keys = [key(1), key(2), key(7), key(1).view_key(), key(2).view_key()];
    keys.iter().map(|key| key.as_str().to_owned()).chain([WORD.to_owned(), hex(WORD)]).collect()
}

/// As some programs log bytes.
fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Uses everything on a server, and looks into its log.
async fn is_discreet(options: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let mut running = run(&folder.path().join("data"), &log, options);
    use_everything(&running).await;
    running.terminate();
    assert_discreet(&std::fs::read_to_string(log).expect("text"));
}

#[tokio::test]
async fn keys_and_contents_are_in_the_log_at_no_level() {
    is_discreet(&[]).await;
}

#[tokio::test]
async fn nor_if_boards_are_in_postgres() {
    let Some(cluster) = cluster::shared().await else { return };
    is_discreet(&["--database", &cluster.database().await]).await;
}
