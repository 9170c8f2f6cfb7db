//! `POST /api/sync`: the protocol without a WebSocket.

use std::time::Duration;

use serde_json::{Value, json};
use sheetbend::server::store::Store;
use sheetbend::server::store::sqlite::Sqlite;
use sheetbend::server::{Server, Settings};
use sheetbend::sync::digest::Cursor;
use tokio::time::{Instant, timeout};

use crate::support::http::{Answer, ask};
use crate::support::ids::{change_id, key};
use crate::support::served::Served;
use crate::support::socket::{cursor_of, versions};
use crate::support::words::Words;

async fn served() -> Served<Sqlite> {
    Served::on_sqlite(Settings::default()).await
}

/// What a client says first, from the beginning of the log.
fn sync_request(key_number: u8, cursor: Cursor) -> Value {
    json!({
        "type": "sync_request",
        "key": key(key_number),
        "replica": change_id(key_number.into()),
        "version": cursor.version,
        "digest": cursor.digest,
        "name": "Ada",
    })
}

/// The same, going on from the last line of an answer.
fn going_on(key_number: u8, answer: &[Value]) -> Value {
    let mut request = sync_request(key_number, Cursor::default());
    request["resume"] = answer.last().expect("a last line").clone();
    assert_eq!(request["resume"]["type"], "resume", "{answer:?}");
    request
}

fn changes(numbers: impl IntoIterator<Item = u64>) -> Value {
    let changes: Vec<_> = numbers
        .into_iter()
        .map(|n| json!({ "id": change_id(n), "change": { "kind": "say", "word": format!("w{n}") } }))
        .collect();
    json!({ "type": "changes", "changes": changes })
}

async fn post<S: Store>(served: &Served<S>, headers: &[(&str, &str)], messages: &[Value]) -> Answer {
    let body: String = messages.iter().map(|message| format!("{message}\n")).collect();
    ask(served.address, "POST /api/sync", headers, &body).await
}

/// What the server says to `messages`, line by line.
async fn say<S: Store>(served: &Served<S>, messages: &[Value]) -> Vec<Value> {
    let answer = post(served, &[], messages).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    answer.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn kinds(answer: &[Value]) -> Vec<&str> {
    answer.iter().map(|message| message["type"].as_str().expect("a type")).collect()
}

/// The entries of an answer.
fn entries(answer: &[Value]) -> Vec<Value> {
    let committed = answer.iter().filter(|message| message["type"] == "committed");
    committed.flat_map(|message| message["entries"].as_array().expect("entries").clone()).collect()
}

async fn bye<S: Store>(served: &Served<S>, messages: &[Value]) -> String {
    let answer = say(served, messages).await;
    assert_eq!(kinds(&answer), ["bye"], "{answer:?}");
    answer[0]["code"].as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn a_request_at_a_time_is_a_line() {
    let served = served().await;
    let first = say(&served, &[sync_request(1, Cursor::default())]).await;
    assert_eq!(kinds(&first), ["sync_response", "resume"]);
    assert_eq!(
        (&first[0]["access"], &first[1]["version"], &first[1]["saving"]),
        (&json!("edit"), &json!(0), &json!(true))
    );

    // One waits for what is said, the other says something; both hear of it.
    let waiting = [going_on(1, &first)];
    let waiting = say(&served, &waiting);
    let saying = async {
        // The one that waits may come a moment later: then it is told what came before it.
        say(&served, &[going_on(1, &first), changes(1..=3)]).await
    };
    let (heard, said) = tokio::join!(waiting, saying);
    assert_eq!(versions(&entries(&said)), [1, 2, 3], "when it is answered, they are decided on");
    assert_eq!(entries(&said)[..entries(&heard).len()], entries(&heard));
    assert_eq!(cursor_of(said.last().expect("a line")), cursor_of(&entries(&said)[2]));

    // A WebSocket is on the same log.
    let mut bob = served.connect().await;
    let response = bob.sync(1, cursor_of(&said[said.len() - 1])).await;
    assert_eq!((&response["changes"], &response["rewound"]), (&json!([]), &json!(false)));
    let (heard, ()) = tokio::join!(async { say(&served, &[going_on(1, &said)]).await }, bob.offer([4]));
    assert_eq!((kinds(&heard), versions(&entries(&heard))), (vec!["committed", "resume"], vec![4]));
}

#[tokio::test]
async fn a_request_waits_until_there_is_something_to_say_or_a_ping_is_due() {
    let settings = Settings { ping_interval: Duration::from_millis(400), ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    let first = say(&served, &[sync_request(1, Cursor::default())]).await;
    let start = Instant::now();
    let answer = say(&served, &[going_on(1, &first)]).await;
    assert!(start.elapsed() >= Duration::from_millis(400));
    assert_eq!(kinds(&answer), ["ping", "resume"]);
    assert_eq!(answer[1], first[1], "nothing has happened");
    let answer = say(&served, &[going_on(1, &answer), json!({ "type": "ping", "nonce": 7 })]).await;
    assert_eq!((&answer[0]["type"], &answer[0]["nonce"]), (&json!("pong"), &json!(7)));
}

#[tokio::test]
async fn what_was_answered_and_not_heard_is_said_again() {
    let served = served().await;
    let first = say(&served, &[sync_request(1, Cursor::default())]).await;
    let offer = [going_on(1, &first), changes([1, 2])];
    let lost = say(&served, &offer).await;
    let again = say(&served, &offer).await;
    assert_eq!(entries(&again)[..2], entries(&lost)[..], "once in the log");
    // One that was further hears of its change once more, from the memory or from the store.
    let ahead = say(&served, &[going_on(1, &lost), changes([1])]).await;
    assert_eq!(entries(&ahead), entries(&lost)[..1]);
    assert_eq!(ahead.last(), lost.last(), "and is taken nowhere by it");
}

#[tokio::test]
async fn the_store_repeats_what_memory_has_not() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let mut answer = say(&served, &[sync_request(1, Cursor::default())]).await;
    for start in (0..3_000).step_by(50) {
        answer = say(&served, &[going_on(1, &answer), changes(start..start + 50)]).await;
    }
    assert_eq!(store.log(crate::support::ids::document_id(1)).len(), 3_000);
    let repeated = say(&served, &[going_on(1, &answer), changes([0, 2_999])]).await;
    let mut versions = versions(&entries(&repeated));
    versions.sort_unstable();
    assert_eq!(versions, [1, 3_000]);
}

#[tokio::test]
async fn who_missed_too_much_is_told_to_begin_again() {
    let served = served().await;
    let first = say(&served, &[sync_request(1, Cursor::default())]).await;
    let mut answer = first.clone();
    for start in (0..3_000).step_by(60) {
        answer = say(&served, &[going_on(1, &answer), changes(start..start + 60)]).await;
    }
    // A little at a time, or all at once: either way it is there in the end.
    let mut request = going_on(1, &first);
    let mut seen = 0;
    loop {
        let answer = say(&served, &[request]).await;
        if answer[0]["type"] == "bye" {
            assert_eq!((&answer[0]["code"], &answer[0]["retry"]), (&json!("slow_consumer"), &json!("later")));
            let begun = say(&served, &[sync_request(1, Cursor::default())]).await;
            seen = begun.last().expect("a line")["version"].as_u64().expect("a version");
            break;
        }
        let came = versions(&entries(&answer));
        assert_eq!(came[0], seen + 1, "no gap");
        assert!(answer.iter().map(|line| line.to_string().len()).sum::<usize>() < 200_000, "in parts");
        seen = *came.last().expect("some");
        if seen == 3_000 {
            break;
        }
        request = going_on(1, &answer);
    }
    assert_eq!(seen, 3_000);
    // History that is not this one's cannot be gone on with.
    let mut elsewhere = going_on(1, &answer);
    elsewhere["resume"]["digest"] = json!("00112233445566778899aabbccddeeff");
    assert_eq!(bye(&served, &[elsewhere]).await, "slow_consumer");
    let mut beyond = going_on(1, &answer);
    beyond["resume"]["version"] = json!(9_000_000);
    assert_eq!(bye(&served, &[beyond]).await, "slow_consumer");
}

#[tokio::test]
async fn the_rules_are_those_of_the_socket() {
    let served = served().await;
    assert_eq!(bye(&served, &[sync_request(9, Cursor::default())]).await, "unknown_key");
    let view = say(&served, &[sync_request(101, Cursor::default())]).await;
    assert_eq!(view[0]["access"], "view");
    assert_eq!(bye(&served, &[going_on(101, &view), changes([1])]).await, "view_only");
    assert_eq!(bye(&served, &[changes([1])]).await, "bad_message");
    assert_eq!(bye(&served, &[]).await, "bad_message");
    assert_eq!(bye(&served, &[json!("no message")]).await, "bad_message");
    let request = sync_request(1, Cursor::default());
    assert_eq!(bye(&served, &[request.clone(), request.clone()]).await, "bad_message");
    let long = json!({ "type": "changes", "changes": [], "padding": "x".repeat(512 * 1024) });
    assert_eq!(bye(&served, &[request.clone(), long]).await, "too_large");
    let longer = json!({ "type": "changes", "changes": [], "padding": "x".repeat(2 * 1024 * 1024) });
    assert_eq!(bye(&served, &[request.clone(), longer]).await, "too_large");

    let stranger = post(&served, &[("origin", "https://evil.example")], &[request]).await;
    let said: Value = serde_json::from_str(&stranger.body).expect("a line");
    assert_eq!((stranger.status, &said["code"]), (403, &json!("origin_refused")));
    assert_eq!(stranger.header("content-type"), "application/x-ndjson");
}

/// A `sync_request` with the fields that docs/protocol.md requires, and no other.
fn bare(key_number: u8, place: &Value) -> Value {
    let mut request =
        json!({ "type": "sync_request", "key": key(key_number), "replica": change_id(key_number.into()) });
    request.as_object_mut().expect("an object").extend(place.as_object().expect("an object").clone());
    request
}

/// The `resume` of an answer, to be given back.
fn place(answer: &[Value]) -> Value {
    json!({ "resume": answer.last().expect("a last line") })
}

#[tokio::test]
async fn resume_stands_in_place_of_version_digest_and_witness() {
    let served = served().await;
    let from_the_start = json!({ "version": 0, "digest": "0".repeat(32) });
    let first = say(&served, &[bare(1, &from_the_start)]).await;
    assert_eq!(kinds(&first), ["sync_response", "resume"]);
    let said = say(&served, &[bare(1, &place(&first)), changes([1, 2])]).await;
    assert_eq!((kinds(&said), versions(&entries(&said))), (vec!["committed", "resume"], vec![1, 2]));

    // They are not looked at, whatever they are; the witness of another history would be news.
    for nonsense in [
        json!({ "version": 9_000_000, "digest": "f".repeat(32) }),
        json!({ "version": "seven", "digest": 7 }),
        json!({ "witness": { "version": 1, "digest": "f".repeat(32) } }),
        json!({ "witness": 7 }),
    ] {
        let mut request = bare(1, &place(&first));
        request.as_object_mut().expect("an object").extend(nonsense.as_object().expect("an object").clone());
        let again = say(&served, &[request]).await;
        assert_eq!(versions(&entries(&again)), [1, 2], "{nonsense}");
    }
    // Without `resume`, and with one that is null, which is its default, they are looked at.
    let mut rewound = bare(1, &json!({ "version": 1, "digest": "f".repeat(32), "resume": null }));
    assert_eq!(say(&served, &[rewound.clone()]).await[0]["rewound"], json!(true));
    rewound.as_object_mut().expect("an object").remove("digest");
    assert_eq!(bye(&served, &[rewound]).await, "bad_message");
    for broken in [json!({ "resume": 7 }), json!({ "resume": { "version": 1, "saving": true } })] {
        assert_eq!(bye(&served, &[bare(1, &broken)]).await, "bad_message", "{broken}");
    }
}

#[tokio::test]
async fn each_kind_of_request_is_answered_when_the_docs_say() {
    let settings = Settings { ping_interval: Duration::from_millis(500), ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    // Without `resume` at once, also with messages.
    let request = sync_request(1, Cursor::default());
    let begun = say(&served, &[request.clone(), changes([1])]).await;
    assert_eq!(kinds(&begun)[0], "sync_response");
    let mut all = begun.clone();
    while entries(&all).is_empty() {
        all.extend(say(&served, &[going_on(1, &all)]).await);
    }
    assert_eq!(versions(&entries(&all)), [1]);
    // With messages that leave nothing to say, by the time a ping is due.
    for quiet in [json!({ "type": "pong", "nonce": 1 }), changes([]), json!({ "type": "fireworks" })] {
        let answer = say(&served, &[going_on(1, &all), quiet]).await;
        assert_eq!(kinds(&answer), ["ping", "resume"]);
    }
    // A change that is refused is decided on too.
    let odd = json!({ "type": "changes", "changes": [{ "id": change_id(2), "change": { "kind": "?" } }] });
    let refused = say(&served, &[going_on(1, &all), odd]).await;
    assert_eq!(
        (versions(&entries(&refused)), &entries(&refused)[0]["refused"]["code"]),
        (vec![2], &json!("unknown_change"))
    );
    // Empty lines, and line ends of other systems, make no difference.
    let body = format!("{}\r\n\r\n{}\r\n\n", going_on(1, &refused), json!({ "type": "ping", "nonce": 3 }));
    let answer = ask(served.address, "POST /api/sync", &[("content-type", "text/plain")], &body).await;
    assert!(answer.body.starts_with(r#"{"type":"pong","nonce":3}"#), "{answer:?}");
}

#[tokio::test]
async fn a_request_is_so_long_at_most() {
    let served = served().await;
    let request = sync_request(1, Cursor::default());
    let most = 512 * 1024 + 64 * 1024;
    let padded = |bytes: usize| json!({ "type": "ping", "nonce": 1, "padding": "x".repeat(bytes) });
    let (empty, first) = (padded(0).to_string().len() + 1, request.to_string().len() + 1);
    let half = (most - first) / 2 - empty;
    let odd = (most - first) % 2;
    let fits = say(&served, &[request.clone(), padded(half), padded(half + odd)]).await;
    assert_eq!(kinds(&fits)[0], "sync_response");
    assert_eq!(bye(&served, &[request, padded(half), padded(half + odd + 1)]).await, "too_large");
}

#[tokio::test]
async fn a_request_that_trickles_is_told_so() {
    let settings = Settings { headers_within: Duration::from_millis(200), ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    let answer = crate::support::http::trickle(served.address, "POST /api/sync").await;
    assert_eq!(answer.status, 200);
    let said: Value = serde_json::from_str(&answer.body).expect("a line");
    assert_eq!((&said["code"], &said["retry"]), (&json!("timed_out"), &json!("later")));
}

#[tokio::test]
async fn whoever_waits_hears_that_the_links_were_replaced() {
    let served = served().await;
    let first = say(&served, &[sync_request(1, Cursor::default())]).await;
    let waiting = [going_on(1, &first)];
    let replace = async {
        served.server.replace_key(&key(1), &key(2)).await.expect("works").expect("may");
    };
    let (code, ()) = tokio::join!(bye(&served, &waiting), replace);
    assert_eq!(code, "unknown_key");
    say(&served, &[going_on(2, &first), changes([1])]).await;
}

#[tokio::test]
async fn whoever_waits_hears_that_the_server_ends_and_what_was_offered_is_kept() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let first = say(&served, &[sync_request(1, Cursor::default())]).await;
    store.hold();
    let (waiting, offering) = ([going_on(1, &first)], [going_on(1, &first), changes([1])]);
    let drain = async {
        // Not before the offer is on its way into the store.
        while store.appends() == 0 {
            tokio::task::yield_now().await;
        }
        let server: Server<Words, _> = served.server.clone();
        let draining = tokio::spawn(async move { server.drain().await });
        store.let_go(1);
        assert!(draining.await.expect("ends"), "in time");
    };
    let (heard, offered, ()) = tokio::join!(say(&served, &waiting), say(&served, &offering), drain);
    assert_eq!(versions(&entries(&offered)), [1], "it was decided on, and it says so: {offered:?}");
    let last = heard.last().expect("a line");
    assert!(last["type"] == "resume" || last["code"] == "draining", "{heard:?}");
    assert_eq!(store.log(crate::support::ids::document_id(1)).len(), 1);
}

#[tokio::test]
async fn a_disk_that_is_full_is_told_once_and_so_is_that_there_is_room() {
    let settings = Settings {
        ping_interval: Duration::from_millis(300),
        append_pause: Duration::from_millis(20),
        ..Settings::default()
    };
    let (served, store) = Served::in_memory(settings).await;
    let first = say(&served, &[sync_request(1, Cursor::default())]).await;
    store.set_full(true);
    let waiting = [going_on(1, &first)];
    let offer = [going_on(1, &first), changes([1])];
    let (mut heard, offered) = tokio::join!(say(&served, &waiting), say(&served, &offer));
    assert!(entries(&offered).is_empty(), "nothing is saved");
    while heard[0]["type"] == "ping" {
        heard = say(&served, &[going_on(1, &heard)]).await;
    }
    assert_eq!(heard[0], json!({ "type": "saving", "ok": false }));
    let quiet = say(&served, &[going_on(1, &heard)]).await;
    assert_eq!(kinds(&quiet), ["ping", "resume"], "it knows");
    store.set_full(false);
    let (mut before, mut all) = (quiet, Vec::new());
    while entries(&all).is_empty() || !all.contains(&json!({ "type": "saving", "ok": true })) {
        before = say(&served, &[going_on(1, &before)]).await;
        all.extend(before.clone());
    }
    assert_eq!(versions(&entries(&all)), [1]);
}

#[tokio::test]
async fn one_that_says_too_much_waits_for_its_answer() {
    let settings = Settings { bytes_per_second: 4_096, ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    let padded = json!({ "type": "ping", "nonce": 1, "padding": "x".repeat(40_000) });
    let start = Instant::now();
    say(&served, &[sync_request(1, Cursor::default()), padded]).await;
    assert!(start.elapsed() >= Duration::from_millis(1_500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_address_has_so_many_requests_waiting() {
    let settings = Settings { trust_proxy: true, sockets_per_client: 2, ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    let from = [("x-forwarded-for", "203.0.113.7")];
    let first = post(&served, &from, &[sync_request(1, Cursor::default())]).await;
    let first: Vec<Value> = first.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let waits = [going_on(1, &first)];
    let (one, two) = (post(&served, &from, &waits), post(&served, &from, &waits));
    let third = async {
        loop {
            let request = [sync_request(1, Cursor::default())];
            let answer = timeout(Duration::from_secs(5), post(&served, &from, &request));
            let answer = answer.await.expect("is answered");
            if answer.body.contains("too_many") {
                // Lets the others go.
                served.server.replace_key(&key(1), &key(2)).await.expect("works").expect("may");
                return;
            }
        }
    };
    tokio::join!(one, two, third);
}
