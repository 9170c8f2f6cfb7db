//! `/api/sync`: the protocol, and what becomes of those who do not keep to it.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use sheetbend::server::Settings;
use sheetbend::server::store::sqlite::Sqlite;
use sheetbend::sync::digest::{Cursor, Digest};
use sheetbend::sync::message::{Limits, SUBPROTOCOL};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::ids::{change_id, key};
use crate::support::served::Served;
use crate::support::socket::{Socket, cursor_of, versions};

async fn served() -> Served<Sqlite> {
    Served::on_sqlite(Settings::default()).await
}

#[tokio::test]
async fn two_clients_see_the_same_log() {
    let served = served().await;
    let (mut ada, mut bob) = (served.join().await, served.join().await);
    ada.offer([1, 2]).await;
    bob.offer([3]).await;
    let (ada, bob) = (ada.hear_up_to(3).await, bob.hear_up_to(3).await);
    assert_eq!(ada, bob);
    assert_eq!(versions(&ada), [1, 2, 3]);
    assert_eq!(ada[0]["author"], "Ada");
    assert!(ada[0]["refused"].is_null());
    assert!(ada[0]["timestamp"].as_u64().is_some_and(|ms| ms > 1_700_000_000_000));
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed() {
    let served = served().await;
    let mut ada = served.join().await;
    ada.offer(1..=5).await;
    let log = ada.hear_up_to(5).await;

    let response = served.connect().await.sync(1, cursor_of(&log[2])).await;
    assert_eq!((&response["rewound"], &response["snapshot"]), (&json!(false), &json!(null)));
    assert_eq!(response["changes"], json!(log[3..]));
    assert_eq!(cursor_of(&response), cursor_of(&log[4]));
    assert_eq!(response["access"], "edit");
    assert_eq!(response["reconnect_spread_ms"], 200);
    assert_eq!(response["ping_interval_ms"], 15_000);
    assert_eq!(response["limits"]["change_bytes"], 409_600);
}

#[tokio::test]
async fn a_cursor_of_another_history_gets_a_snapshot() {
    let served = served().await;
    let mut ada = served.join().await;
    ada.offer([1, 2]).await;
    let log = ada.hear_up_to(2).await;
    let elsewhere: Digest = "00112233445566778899aabbccddeeff".parse().expect("a digest");
    for version in [0, 1, 2, 3, u64::MAX] {
        let response = served.connect().await.sync(1, Cursor { version, digest: elsewhere }).await;
        assert_eq!(response["rewound"], true, "{version}");
        assert_eq!(response["snapshot"], json!(["w1", "w2"]));
        assert_eq!(cursor_of(&response), cursor_of(&log[1]));
    }
}

#[tokio::test]
async fn a_long_tail_is_a_snapshot_instead() {
    let served = served().await;
    let mut ada = served.join().await;
    for hundred in 0..10 {
        ada.offer(hundred * 100 + 1..=hundred * 100 + 100).await;
    }
    let log = ada.hear_up_to(1_000).await;
    let response = served.join().await;
    drop(response);
    let response = served.connect().await.sync(1, Cursor::default()).await;
    assert_eq!(response["rewound"], false);
    assert_eq!(response["changes"], json!([]));
    assert_eq!(response["snapshot"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(cursor_of(&response), cursor_of(&log[999]));
}

#[tokio::test]
async fn what_is_resent_has_the_place_it_had() {
    let served = served().await;
    let (mut ada, mut bob) = (served.join().await, served.join().await);
    ada.offer([1, 2, 3, 2]).await;
    let log = ada.hear_up_to(3).await;
    ada.offer([3, 1, 4]).await;
    let again = ada.hear_up_to(1).await;
    assert_eq!(again, log[..1], "settles it");
    assert_eq!(ada.hear_up_to(3).await, log[2..3]);
    let new = ada.hear_up_to(4).await;
    assert_eq!(versions(&new), [4]);
    assert_eq!(versions(&bob.hear_up_to(4).await), [1, 2, 3, 4], "nobody else hears it twice");
}

#[tokio::test]
async fn refusals_are_in_the_log_with_the_reason() {
    let served = served().await;
    let mut ada = served.join().await;
    ada.say(json!({ "type": "changes", "changes": [
        { "id": change_id(1), "change": { "kind": "say", "word": "a" } },
        { "id": change_id(2), "change": { "kind": "say", "word": "a" } },
        { "id": change_id(3), "change": { "kind": "sing" } },
        { "id": change_id(4), "change": { "kind": "say", "word": "x".repeat(410_000) } },
    ] }))
    .await;
    let log = ada.hear_up_to(4).await;
    let codes: Vec<_> = log.iter().map(|entry| &entry["refused"]["code"]).collect();
    assert_eq!(codes, [&json!(null), &json!("said_before"), &json!("unknown_change"), &json!("too_large")]);
    assert_eq!(log[2]["change"], json!({ "kind": "sing" }), "is kept as it came");
}

#[tokio::test]
async fn a_view_key_reads_and_nothing_else() {
    let served = served().await;
    let mut ada = served.join().await;
    let mut eve = served.connect().await;
    assert_eq!(eve.sync(101, Cursor::default()).await["access"], "view");
    ada.offer([1]).await;
    assert_eq!(versions(&eve.hear_up_to(1).await), [1]);
    eve.offer([2]).await;
    let (bye, code) = eve.hear_bye().await;
    assert_eq!((&bye["code"], &bye["retry"], code), (&json!("view_only"), &json!("never"), 4403));
    ada.offer([3]).await;
    let log = ada.hear_up_to(2).await;
    assert_eq!(log[1]["id"], json!(change_id(3)), "nothing of it is in the log");
}

#[tokio::test]
async fn unknown_keys_open_nothing() {
    let served = served().await;
    let mut socket = served.connect().await;
    socket.request(7, Cursor::default()).await;
    let (bye, code) = socket.hear_bye().await;
    assert_eq!((&bye["code"], &bye["retry"], code), (&json!("unknown_key"), &json!("never"), 4404));
}

#[tokio::test]
async fn pings_are_answered_and_unknown_messages_ignored() {
    let served = served().await;
    let mut socket = served.join().await;
    socket.say(json!({ "type": "fireworks", "size": 3 })).await;
    socket.say(json!({ "type": "pong", "nonce": 3 })).await;
    socket.send(Message::Ping("x".into())).await;
    socket.say(json!({ "type": "ping", "nonce": 42, "colour": "red" })).await;
    let Some(Ok(Message::Pong(_))) = socket.into_inner().next().await else { panic!("the WebSocket's own pong") };
    let mut socket = served.join().await;
    socket.say(json!({ "type": "ping", "nonce": 42 })).await;
    assert_eq!(socket.hear().await, json!({ "type": "pong", "nonce": 42 }));
}

#[tokio::test]
async fn the_first_message_is_a_sync_request_that_can_be_read() {
    let served = served().await;
    let firsts = [
        json!({ "type": "ping", "nonce": 1 }),
        json!({ "type": "fireworks" }),
        json!({ "type": "changes", "changes": [] }),
        json!({ "type": "sync_request" }),
        json!({ "type": "sync_request", "key": "short", "replica": change_id(1), "version": 0, "digest": Digest::GENESIS }),
        json!({ "type": "sync_request", "key": key(1), "replica": change_id(1), "version": -1, "digest": Digest::GENESIS }),
        json!({ "type": "sync_request", "key": key(1), "replica": change_id(1), "version": 0, "digest": "zz" }),
        json!([1, 2, 3]),
        json!("hello"),
    ];
    for first in firsts {
        let mut socket = served.connect().await;
        socket.say(first.clone()).await;
        let (bye, code) = socket.hear_bye().await;
        assert_eq!((&bye["code"], &bye["retry"], code), (&json!("bad_message"), &json!("never"), 4400), "{first}");
    }
}

#[tokio::test]
async fn rules_that_are_broken_are_named() {
    let served = served().await;
    let mut socket = served.join().await;
    socket.send(Message::text("{")).await;
    assert_eq!(socket.hear_bye().await.1, 4400, "not JSON");

    let mut socket = served.join().await;
    socket.send(Message::binary("{}")).await;
    assert_eq!(socket.hear_bye().await.1, 4400, "not text");

    let mut socket = served.join().await;
    socket.request(1, Cursor::default()).await;
    assert_eq!(socket.hear_bye().await.1, 4400, "a second sync_request");

    let mut socket = served.join().await;
    socket.say(json!({ "type": "changes", "changes": [{ "id": 7, "change": {} }] })).await;
    assert_eq!(socket.hear_bye().await.1, 4400, "an id that is none");

    // A text frame that is not UTF-8, and one that is not masked.
    for frame in [b"\x81\x82\0\0\0\0\xff\xff".as_slice(), b"\x81\x02{}"] {
        let mut stream = served.join().await.into_inner();
        stream.get_mut().write_all(frame).await.expect("is sent");
        let Some(Ok(Message::Text(bye))) = stream.next().await else { panic!("a bye") };
        assert!(bye.contains("bad_message"), "{bye}");
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_is_answered_not_reset() {
    let limits = Limits { message_bytes: 10_000, ..Limits::default() };
    let served = Served::on_sqlite(Settings { limits, ..Settings::default() }).await;
    for length in [10_001, 60_000, 200_000, 5_000_000] {
        let mut socket = served.join().await;
        socket.send(Message::text("x".repeat(length))).await;
        let (bye, code) = socket.hear_bye().await;
        assert_eq!((&bye["code"], &bye["retry"], code), (&json!("too_large"), &json!("later"), 1009), "{length}");
    }
    let mut socket = served.join().await;
    socket.say(json!({ "type": "fireworks", "size": "x".repeat(9_900) })).await;
    socket.say(json!({ "type": "ping", "nonce": 1 })).await;
    assert_eq!(socket.hear().await["type"], "pong", "what fits is fine");
}

#[tokio::test]
async fn names_are_cut_to_what_fits() {
    let limits = Limits { name_bytes: 5, ..Limits::default() };
    let served = Served::on_sqlite(Settings { limits, ..Settings::default() }).await;
    let mut socket = served.connect().await;
    let request = json!({
        "type": "sync_request", "key": key(1), "replica": change_id(1), "version": 0, "digest": Digest::GENESIS,
        "name": "Zoëëë",
    });
    socket.say(request).await;
    socket.hear().await;
    socket.offer([1]).await;
    assert_eq!(socket.hear_up_to(1).await[0]["author"], "Zoë", "and not in the middle of a letter");
}

#[tokio::test]
async fn the_silent_are_let_go() {
    let settings = Settings {
        sync_request_within: Duration::from_millis(100),
        ping_interval: Duration::from_millis(100),
        silence: Duration::from_secs(1),
        ..Settings::default()
    };
    let served = Served::on_sqlite(settings).await;
    let (bye, code) = served.connect().await.hear_bye().await;
    assert_eq!((&bye["code"], &bye["retry"], code), (&json!("timed_out"), &json!("later"), 4408), "no sync_request");

    let mut socket = served.join().await;
    // For longer than it may be silent.
    for _ in 0..15 {
        let ping = socket.hear_any().await;
        assert_eq!(ping["type"], "ping");
        assert_eq!(ping["version"], 0, "nothing was missed");
        socket.say(json!({ "type": "pong", "nonce": ping["nonce"] })).await;
    }
    let (bye, code) = socket.hear_bye().await;
    assert_eq!((&bye["code"], code), (&json!("timed_out"), 4408), "after the last pong");
}

#[tokio::test]
async fn a_slow_reader_is_told_to_come_back_and_misses_nothing() {
    let settings = Settings { outbound_bytes: 100_000, farewell: Duration::from_secs(60), ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    let (mut ada, mut slow) = (served.join().await, served.join().await);
    // More than the sockets' own buffers hold; Ada reads all of it, the other nothing.
    let word = |n: u64| format!("{n}{}", "x".repeat(50_000));
    let mut log = Vec::new();
    for n in 1..=200 {
        let change = json!({ "id": change_id(n), "change": { "kind": "say", "word": word(n) } });
        ada.say(json!({ "type": "changes", "changes": [change] })).await;
        log.extend(ada.hear_up_to(n).await);
    }
    let mut heard = Vec::new();
    let bye = loop {
        let message = slow.hear().await;
        match message["type"].as_str() {
            Some("committed") => heard.extend(message["entries"].as_array().expect("entries").clone()),
            _ => break message,
        }
    };
    assert_eq!((&bye["code"], &bye["retry"]), (&json!("slow_consumer"), &json!("later")));
    assert_eq!(slow.hear_close().await, 4410);
    assert_eq!(heard, log[..heard.len()]);

    let response = served.connect().await.sync(1, cursor_of(heard.last().expect("some"))).await;
    assert_eq!(cursor_of(&response), cursor_of(&log[199]));
}

#[tokio::test]
async fn only_the_protocol_is_spoken_and_only_with_known_pages() {
    let served =
        Served::on_sqlite(Settings { allowed_origins: vec!["app.example".into()], ..Settings::default() }).await;
    let own = format!("http://{}", served.address);
    let attempt = async |headers: &[(&'static str, &str)]| match Socket::try_connect(served.address, headers).await {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    };
    let protocol = ("sec-websocket-protocol", SUBPROTOCOL);
    assert_eq!(attempt(&[protocol]).await, 101);
    assert_eq!(attempt(&[protocol, ("origin", &own)]).await, 101);
    assert_eq!(attempt(&[protocol, ("origin", "https://app.example")]).await, 101);
    assert_eq!(attempt(&[protocol, ("origin", "https://app.example:443")]).await, 101);
    assert_eq!(attempt(&[]).await, 400);
    assert_eq!(attempt(&[("sec-websocket-protocol", "sheetbend.v9")]).await, 400);
    assert_eq!(attempt(&[("sec-websocket-protocol", "sheetbend.v9, sheetbend.v1")]).await, 101);
}

#[tokio::test]
async fn a_page_of_a_strange_address_is_told_so_and_hears_nothing_else() {
    let served = Served::on_sqlite(Settings::default()).await;
    // As behind a proxy that drops the port from `Host`.
    for origin in ["https://evil.example", "https://127.0.0.1:8443", "null"] {
        let headers = [("sec-websocket-protocol", SUBPROTOCOL), ("origin", origin)];
        let mut page = Socket::try_connect(served.address, &headers).await.expect("connects, to be told");
        page.request(1, Cursor::default()).await;
        let (bye, close) = page.hear_bye().await;
        assert_eq!((&bye["code"], &bye["retry"], close), (&json!("origin_refused"), &json!("never"), 4405), "{origin}");
    }
}

#[tokio::test]
async fn a_server_that_ends_says_so_when_all_is_saved() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let (mut ada, mut stranger) = (served.join().await, served.connect().await);
    store.hold();
    ada.offer([1]).await;
    while store.appends() == 0 {
        tokio::task::yield_now().await;
    }
    let draining = tokio::spawn({
        let server = served.server.clone();
        async move { server.drain().await }
    });
    let (bye, code) = stranger.hear_bye().await;
    assert_eq!((&bye["code"], code), (&json!("draining"), 1001), "who is in no room hears it at once");
    store.let_go(1);
    assert_eq!(versions(&ada.hear_up_to(1).await), [1]);
    let (bye, code) = ada.hear_bye().await;
    assert_eq!((&bye["code"], &bye["retry"], code), (&json!("draining"), &json!("later"), 1001));
    drop((ada, stranger));
    assert!(draining.await.expect("ends"), "in time");
}

#[tokio::test]
async fn a_message_that_comes_in_slowly_is_a_sign_of_life() {
    let settings =
        Settings { ping_interval: Duration::from_secs(60), silence: Duration::from_millis(500), ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    let mut stream = served.join().await.into_inner();
    // One frame, masked with zeros, that takes longer than the line may be silent.
    let text = json!({ "type": "ping", "nonce": 7, "padding": "x".repeat(40) }).to_string();
    let length = u8::try_from(text.len()).expect("short");
    let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat();
    for chunk in frame.chunks(10) {
        stream.get_mut().write_all(chunk).await.expect("is sent");
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    let Some(Ok(Message::Text(pong))) = stream.next().await else { panic!("a pong") };
    assert!(pong.contains("pong"), "{pong}");
}
