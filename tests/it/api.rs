//! `/api/ping` and `/api/boards`.

use std::time::Duration;

use serde_json::{Value, json};
use sheetbend::server::Settings;
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::Key;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::http::{Answer, ask, trickle};
use crate::support::ids::{change_id, document_id, key};
use crate::support::served::Served;

async fn served() -> Served<sheetbend::server::store::sqlite::Sqlite> {
    Served::on_sqlite(Settings::default()).await
}

fn code(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert!(body["error"]["message"].as_str().expect("a sentence").ends_with('.'));
    body["error"]["code"].as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn ping_says_who_is_there() {
    let served = served().await;
    let answer = ask(served.address, "GET /api/ping?nonce=a-1_~.Z", &[], "").await;
    assert_eq!((answer.status, answer.header("x-sheetbend-nonce")), (200, "a-1_~.Z"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["server"], "sheetbend");

    let answer = ask(served.address, "HEAD /api/ping?nonce=x", &[], "").await;
    assert_eq!((answer.status, answer.header("x-sheetbend-nonce"), answer.body.as_str()), (200, "x", ""));
    assert_eq!(ask(served.address, "GET /api/ping", &[], "").await.status, 200);
    let answer = ask(served.address, "GET /api/ping?nonce=%0d%0aset-cookie:x", &[], "").await;
    assert_eq!((answer.status, code(&answer).as_str()), (400, "bad_nonce"));
}

#[tokio::test]
async fn boards_are_made_once() {
    let served = served().await;
    let make = async |id: u64, edit_key: Key| {
        let body = json!({ "id": document_id(id), "edit_key": edit_key }).to_string();
        ask(served.address, "POST /api/boards", &[("content-type", "application/json")], &body).await
    };
    let answer = make(2, key(2)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"));
    let made: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(made, json!({ "id": document_id(2), "view_key": key(2).view_key() }));
    assert_eq!(make(2, key(2)).await.status, 200);
    for (id, edit_key) in [(2, key(3)), (3, key(2)), (3, key(2).view_key())] {
        let answer = make(id, edit_key.clone()).await;
        assert_eq!((answer.status, code(&answer).as_str()), (409, "taken"), "{id} {}", edit_key.as_str());
    }
}

#[tokio::test]
async fn what_is_no_board_is_said() {
    let served = served().await;
    let post = async |body: &str| ask(served.address, "POST /api/boards", &[], body).await;
    let answer = post("{").await;
    assert_eq!((answer.status, code(&answer).as_str()), (400, "malformed"));
    let answer = post(r#"{"id": "x"}"#).await;
    assert_eq!((answer.status, code(&answer).as_str()), (422, "invalid"));
    let answer = post(&"x".repeat(2_000_000)).await;
    assert_eq!((answer.status, code(&answer).as_str()), (413, "too_large"));
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let soon = Duration::from_millis(100);
    let served = Served::on_sqlite(Settings { headers_within: soon, http_silence: soon, ..Settings::default() }).await;
    for said in
        ["", "GET /api/ping HTTP/1.1\r\nhost:", "POST /api/boards HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"]
    {
        let mut silent = TcpStream::connect(served.address).await.expect("connects");
        silent.write_all(said.as_bytes()).await.expect("is sent");
        let mut read = Vec::new();
        silent.read_to_end(&mut read).await.expect("is closed");
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_not_waited_for() {
    let settings = Settings { headers_within: Duration::from_millis(200), ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    for request in ["POST /api/boards", "POST /api/keys"] {
        let answer = trickle(served.address, request).await;
        assert_eq!((answer.status, code(&answer).as_str()), (408, "timed_out"), "{request}");
    }
}

#[tokio::test]
async fn making_the_same_board_again_does_not_count_against_the_limit() {
    let settings = Settings { trust_proxy: true, documents_per_hour: 2, ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    let make = async |id: u64, edit_key: Key| {
        let body = json!({ "id": document_id(id), "edit_key": edit_key }).to_string();
        ask(served.address, "POST /api/boards", &[("x-forwarded-for", "203.0.113.7")], &body).await
    };
    assert_eq!(make(2, key(2)).await.status, 201);
    for _ in 0..5 {
        assert_eq!(make(2, key(2)).await.status, 200);
    }
    assert_eq!(make(3, key(3)).await.status, 201, "the second of two");
    let over = make(4, key(4)).await;
    assert_eq!((over.status, code(&over).as_str()), (429, "too_many"));
    assert!(over.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(make(2, key(2)).await.status, 200, "also when the limit is reached");
    assert_eq!(make(2, key(5)).await.status, 429, "another key is another board");
}

#[tokio::test]
async fn keys_that_are_in_use_cannot_be_the_new_ones() {
    let served = served().await;
    for n in [2, 3] {
        let body = json!({ "id": document_id(n), "edit_key": key(n as u8) }).to_string();
        assert_eq!(ask(served.address, "POST /api/boards", &[], &body).await.status, 201);
    }
    let replace = async |old: &Key, new: &Key| {
        let body = json!({ "edit_key": old, "new_edit_key": new }).to_string();
        ask(served.address, "POST /api/keys", &[], &body).await
    };
    for taken in [key(3), key(3).view_key(), key(2).view_key(), key(1), key(101)] {
        let answer = replace(&key(2), &taken).await;
        assert_eq!((answer.status, code(&answer).as_str()), (409, "taken"), "{}", taken.as_str());
    }
    for still in [2, 3] {
        assert_eq!(served.connect().await.sync(still, Cursor::default()).await["access"], "edit");
    }
    // A key that may not replace anything learns nothing about others.
    let answer = replace(&key(9), &key(3).view_key()).await;
    assert_eq!((answer.status, code(&answer).as_str()), (404, "unknown_key"));
}

#[tokio::test]
async fn keys_are_compared_as_text() {
    let served = served().await;
    let make = async |id: u64, edit_key: &str| {
        let body = json!({ "id": document_id(id), "edit_key": edit_key }).to_string();
        ask(served.address, "POST /api/boards", &[], &body).await
    };
    // The last character has two bits of the key. Base64 of the same 16 bytes, and four bits that no byte has.
    let (canonical, other) = ("AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB");
    assert_eq!(make(2, canonical).await.status, 201);
    assert_eq!(code(&make(2, other).await), "taken", "it is not the board's key");
    assert_eq!(make(3, other).await.status, 201, "it is another key");
    for padded in ["AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAA+/", "AAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(code(&make(4, padded).await), "invalid", "{padded}");
    }
}

#[tokio::test]
async fn links_are_replaced_by_who_may_edit_and_the_old_ones_stop_at_once() {
    let served = served().await;
    let replace = async |old: u8, new: u8| {
        let body = json!({ "edit_key": key(old), "new_edit_key": key(new) }).to_string();
        ask(served.address, "POST /api/keys", &[], &body).await
    };
    let (mut ada, mut bob) = (served.join().await, served.connect().await);
    bob.sync(101, Cursor::default()).await;
    for (old, why) in [(101, "it can only view"), (9, "it opens nothing")] {
        let refused = replace(old, 7).await;
        assert_eq!((refused.status, code(&refused).as_str()), (404, "unknown_key"), "{why}");
    }
    assert_eq!(replace(1, 1).await.status, 200, "nothing to do");
    ada.offer([1]).await;
    ada.hear_up_to(1).await;

    for _ in 0..2 {
        let replaced = replace(1, 7).await;
        let body: Value = serde_json::from_str(&replaced.body).expect("JSON");
        assert_eq!((replaced.status, &body["view_key"]), (200, &json!(key(7).view_key())));
    }
    assert_eq!(bob.hear_up_to(1).await.len(), 1);
    for socket in [&mut ada, &mut bob] {
        let (bye, close) = socket.hear_bye().await;
        assert_eq!((&bye["code"], &bye["retry"], close), (&json!("unknown_key"), &json!("never"), 4404));
    }
    for old in [1, 101] {
        let mut socket = served.connect().await;
        socket.request(old, Cursor::default()).await;
        assert_eq!(socket.hear_bye().await.1, 4404);
    }
    let mut ada = served.connect().await;
    assert_eq!(ada.sync(7, Cursor::default()).await["server_version"], 1);
    ada.offer([2]).await;
    ada.hear_up_to(2).await;
    assert_eq!(code(&replace(1, 8).await), "unknown_key", "an old link replaces nothing");
}

#[tokio::test]
async fn who_came_by_a_replaced_link_writes_nothing_though_they_do_not_listen() {
    let served = Served::on_sqlite(Settings { outbound_bytes: 64 * 1024 * 1024, ..Settings::default() }).await;
    let (mut deaf, mut ada) = (served.join().await, served.join().await);
    // More than the sockets hold: what the server says last cannot be said.
    for n in 1..=250 {
        let change = json!({ "kind": "say", "word": format!("{n} {}", "x".repeat(60_000)) });
        ada.say(json!({ "type": "changes", "changes": [{ "id": change_id(n), "change": change }] })).await;
        ada.hear_up_to(n).await;
    }
    let body = json!({ "edit_key": key(1), "new_edit_key": key(7) }).to_string();
    assert_eq!(ask(served.address, "POST /api/keys", &[], &body).await.status, 200);
    deaf.offer([1_000]).await;
    let mut bob = served.connect().await;
    bob.sync(7, Cursor::default()).await;
    for n in 251..=300 {
        bob.offer([n]).await;
        let entries = bob.hear_up_to(n).await;
        assert_eq!((entries.len(), &entries[0]["version"], &entries[0]["id"]), (1, &json!(n), &json!(change_id(n))));
    }
}
