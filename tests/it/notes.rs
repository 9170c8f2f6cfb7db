//! Notes as long as they may be, over the real socket and over plain requests.

use serde_json::{Value, json};
use sheetbend::board::model::MAX_NOTES;
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::uuid_v7;
use tempfile::TempDir;

use crate::support::boards::make_board;
use crate::support::http::ask;
use crate::support::ids::{change_id, key};
use crate::support::program::Running;
use crate::support::socket::Socket;

/// Notes that were once too large to edit: of many bytes a letter, of letters that JSON escapes with two bytes and with six.
fn long_notes() -> Vec<String> {
    let filled = |letter: &str| letter.repeat(MAX_NOTES / letter.len());
    vec!["買".repeat(9_000), "\"".repeat(24_576), filled("\""), filled("買"), filled("\u{1}"), filled("\u{2}")]
}

fn list() -> String {
    uuid_v7(1, [1; 10]).to_string()
}

fn card() -> String {
    uuid_v7(1, [2; 10]).to_string()
}

/// A change for each of the notes, each of which takes the place of the one before.
fn edits(number_from: u64) -> Vec<Value> {
    let mut from = String::new();
    let edit = |(to, n): (String, u64)| {
        let change = json!({ "kind": "edit_notes", "card": card(), "from": from, "to": to });
        from = to;
        json!({ "id": change_id(n), "change": change })
    };
    long_notes().into_iter().zip(number_from..).map(edit).collect()
}

fn card_made() -> Value {
    let add_list = json!({ "kind": "add_list", "list": list(), "title": "To do", "position": "a0" });
    let add_card = json!({ "kind": "add_card", "card": card(), "list": list(), "position": "a0", "title": "Long" });
    json!({ "type": "changes", "changes": [
        { "id": change_id(1), "change": add_list }, { "id": change_id(2), "change": add_card } ] })
}

/// The notes, as somebody else is told them.
async fn notes(running: &Running) -> String {
    let elsewhere = Cursor { version: 0, digest: "00000000000000000000000000000001".parse().expect("a digest") };
    let response = Socket::connect(running.address).await.sync(1, elsewhere).await;
    response["snapshot"]["cards"][card()]["notes"].as_str().expect("notes").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_notes_are_written_and_then_edited_over_the_socket() {
    let data = TempDir::new().expect("a folder");
    let mut running = Running::start(data.path());
    make_board(&running).await;
    let mut socket = Socket::connect(running.address).await;
    socket.sync(1, Cursor::default()).await;
    socket.say(card_made()).await;
    socket.hear_up_to(2).await;
    for (edit, version) in edits(3).into_iter().zip(3..) {
        socket.say(json!({ "type": "changes", "changes": [edit] })).await;
        let entries = socket.hear_up_to(version).await;
        assert!(entries[0]["refused"].is_null(), "{}", entries[0]["refused"]);
    }
    let last = long_notes().pop().expect("some");
    assert!(notes(&running).await == last);
    let longer = json!({ "kind": "edit_notes", "card": card(), "from": last, "to": format!("{last}.") });
    socket.say(json!({ "type": "changes", "changes": [{ "id": change_id(99), "change": longer }] })).await;
    let entries = socket.hear_up_to(2 + edits(3).len() as u64 + 1).await;
    assert_eq!(entries[0]["refused"]["code"], "notes_too_long");

    running.restart(data.path());
    assert!(notes(&running).await == last, "they are read again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_notes_are_written_and_then_edited_over_plain_requests() {
    let data = TempDir::new().expect("a folder");
    let running = Running::start(data.path());
    make_board(&running).await;
    let mut resume = Value::Null;
    let mut say = async |messages: &[Value]| {
        let mut request = json!({ "type": "sync_request", "key": key(1), "replica": change_id(1), "version": 0,
            "digest": Cursor::default().digest });
        if !resume.is_null() {
            request["resume"] = resume.clone();
        }
        let lines: Vec<_> = [&request].into_iter().chain(messages).map(Value::to_string).collect();
        let answer = ask(running.address, "POST /api/sync", &[], &lines.join("\n")).await;
        let said: Vec<Value> = answer.body.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        resume = said.last().expect("a line").clone();
        assert_eq!(resume["type"], "resume", "{resume}");
        said
    };
    say(&[]).await;
    say(&[card_made()]).await;
    for edit in edits(3) {
        let id = edit["id"].clone();
        let said = say(&[json!({ "type": "changes", "changes": [edit] })]).await;
        let entries = said.iter().filter_map(|message| message["entries"].as_array()).flatten();
        let entry = entries.into_iter().find(|entry| entry["id"] == id).expect("is decided on");
        assert!(entry["refused"].is_null(), "{}", entry["refused"]);
    }
    assert!(notes(&running).await == long_notes().pop().expect("some"));
}
