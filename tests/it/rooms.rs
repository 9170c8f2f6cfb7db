//! Rooms, over a store that fails, waits and is overtaken as the tests say.

use std::time::Duration;

use serde_json::json;
use sheetbend::server::Settings;
use sheetbend::server::entries::Entries;
use sheetbend::server::store::{Appended, Store};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::Key;
use sheetbend::sync::message::{Access, Record};
use tokio::task::yield_now;

use crate::support::ids::{change_id, document_id, key, records};
use crate::support::served::Served;
use crate::support::socket::{cursor_of, versions};
use crate::support::words::Words;

/// Waits until something is so.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        yield_now().await;
    }
}

/// Has the server answered all that `socket` said before? Whatever it was told comes before the pong.
macro_rules! assert_hears_nothing {
    ($socket:expr) => {
        $socket.say(json!({ "type": "ping", "nonce": 99 })).await;
        assert_eq!($socket.hear().await["type"], "pong", "nothing before it");
    };
}

#[tokio::test]
async fn nobody_hears_of_what_is_not_durable() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let (mut ada, mut bob) = (served.join().await, served.join().await);
    store.hold();
    ada.offer([1]).await;
    until(|| store.appends() == 1).await;
    assert_hears_nothing!(ada);
    assert_hears_nothing!(bob);
    assert_eq!(served.join().await.offer([]).await, (), "others can come in");
    let opened = served.server.open(&key(1)).await.expect("works").expect("there");
    assert_eq!((opened.view, opened.cursor), (Words::default(), Cursor::default()));

    store.let_go(1);
    assert_eq!(versions(&ada.hear_up_to(1).await), [1]);
    assert_eq!(versions(&bob.hear_up_to(1).await), [1]);
}

#[tokio::test]
async fn what_comes_during_an_append_goes_into_the_next_one() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let mut ada = served.join().await;
    store.hold();
    for n in 1..=10 {
        ada.offer([n]).await;
    }
    until(|| store.appends() == 1).await;
    assert_hears_nothing!(ada);
    store.let_go(2);
    assert_eq!(versions(&ada.hear_up_to(10).await), (1..=10).collect::<Vec<_>>());
    assert_eq!(store.appends(), 2, "one, and then the nine that waited");
}

#[tokio::test]
async fn a_change_that_is_resent_while_it_is_being_saved_is_saved_once() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let (mut ada, mut other_tab) = (served.join().await, served.join().await);
    store.hold();
    ada.offer([1, 2]).await;
    until(|| store.appends() == 1).await;
    other_tab.offer([1, 2, 3]).await;
    assert_hears_nothing!(other_tab);
    store.let_go(2);
    assert_eq!(versions(&other_tab.hear_up_to(3).await), [1, 2, 1, 2, 3], "once from the log, once for having asked");
    assert_eq!(store.log(document_id(1)).len(), 3);
}

#[tokio::test]
async fn a_full_store_loses_nothing() {
    let settings = Settings { append_pause: Duration::from_millis(1), ..Settings::default() };
    let (served, store) = Served::in_memory(settings).await;
    let mut ada = served.join().await;
    store.set_full(true);
    ada.offer([1]).await;
    ada.offer([2]).await;
    until(|| store.appends() >= 3).await;
    let saving = |ok: bool| json!({ "type": "saving", "ok": ok });
    assert_eq!(ada.hear_any().await, saving(false), "all are told");
    assert_hears_nothing!(ada);
    let mut bob = served.join().await;
    assert_eq!(bob.hear_any().await, saving(false), "also those who come");
    store.set_full(false);
    for socket in [&mut ada, &mut bob] {
        // It may be told before or after the entries.
        let mut entries = Vec::new();
        let mut saves = false;
        while entries.len() < 2 || !saves {
            let heard = socket.hear_any().await;
            saves |= heard == saving(true);
            entries.extend(heard["entries"].as_array().cloned().unwrap_or_default());
        }
        assert_eq!(versions(&entries), [1, 2]);
    }
}

#[tokio::test]
async fn a_full_store_does_not_keep_the_server_from_ending() {
    let settings = Settings { append_pause: Duration::from_secs(3600), ..Settings::default() };
    let (served, store) = Served::in_memory(settings).await;
    let mut ada = served.join().await;
    store.set_full(true);
    ada.offer([1]).await;
    until(|| store.appends() == 1).await;
    let server = served.server.clone();
    let drained = tokio::spawn(async move { server.drain().await });
    assert_eq!(ada.hear_bye().await.1, 1001);
    assert!(drained.await.expect("ends"), "in time");
}

#[tokio::test]
async fn another_servers_entries_are_taken_in_and_ours_follow() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let mut ada = served.join().await;
    let foreign = records(Cursor::default(), [101, 102]);
    let appended = store.append(document_id(1), 0, &Entries::new(&foreign)).await;
    assert_eq!(appended.expect("works"), Appended::Durable);
    // 102 is offered here too: it was logged there.
    ada.offer([1, 102, 2]).await;
    let log = ada.hear_up_to(4).await;
    let ids: Vec<_> = log.iter().map(|entry| entry["id"].clone()).collect();
    let settled = [101, 102, 102, 1, 2].map(|n| json!(change_id(n)));
    assert_eq!(ids, settled);
    assert_eq!(store.log(document_id(1)).len(), 4);
    assert_eq!(cursor_of(&log[1]), foreign[1].cursor());
}

#[tokio::test]
async fn a_room_goes_out_of_memory_and_comes_back() {
    let settings = Settings { room_idle: Duration::from_millis(20), ..Settings::default() };
    let (served, store) = Served::in_memory(settings).await;
    let mut ada = served.join().await;
    ada.offer(1..=40).await;
    let log = ada.hear_up_to(40).await;
    assert_eq!(store.loads(), 1);
    drop(ada);
    // Unloaded, it leaves a snapshot.
    until(|| store.snapshot(document_id(1)).is_some()).await;
    assert_eq!(store.snapshot(document_id(1)).map(|(at, _)| at), Some(cursor_of(&log[39])));
    until(|| served.server.rooms() == 0).await;
    let opened = served.server.open(&key(101)).await.expect("works").expect("there");
    assert_eq!((opened.document, opened.access), (document_id(1), Access::View));
    assert_eq!((opened.view.0.len(), opened.cursor), (40, cursor_of(&log[39])));

    // And all its ids with it.
    let mut ada = served.connect().await;
    let response = ada.sync(1, cursor_of(&log[38])).await;
    assert_eq!(response["changes"], json!([log[39]]), "from the store");
    ada.offer([3]).await;
    assert_eq!(ada.hear_up_to(3).await, log[2..3]);
}

#[tokio::test]
async fn a_room_that_someone_is_in_or_comes_to_stays() {
    let settings = Settings { room_idle: Duration::from_millis(1), ..Settings::default() };
    let (served, store) = Served::in_memory(settings).await;
    // Rooms come and go all the time; whoever comes gets in, and no two are there at once: appends would clash, and what
    // is offered would be repeated.
    let visits = (0..8_u64).map(|visitor| {
        let (server, address) = (served.server.clone(), served.address);
        tokio::spawn(async move {
            for visit in 0..20 {
                let n = visitor * 1_000 + visit;
                let mut socket = crate::support::socket::Socket::connect(address).await;
                let start = cursor_of(&socket.sync(1, Cursor::default()).await).version;
                socket.offer([n]).await;
                let mut at = start;
                loop {
                    let entries = socket.hear_up_to(at + 1).await;
                    for entry in &entries {
                        assert_eq!(entry["version"], at + 1, "nothing missed, nothing twice");
                        at += 1;
                    }
                    if entries.iter().any(|entry| entry["id"] == json!(change_id(n))) {
                        break;
                    }
                }
                drop(socket);
                server.open(&key(1)).await.expect("works").expect("there");
                tokio::time::sleep(Duration::from_millis(visit % 4)).await;
            }
        })
    });
    for visit in visits.collect::<Vec<_>>() {
        visit.await.expect("went well");
    }
    assert_eq!(store.log(document_id(1)).len(), 160);
    assert!(store.loads() > 1, "it was out of memory in between");
}

#[tokio::test]
async fn snapshots_are_stored_on_the_way() {
    let settings = Settings { snapshot_every: 10, ..Settings::default() };
    let (served, store) = Served::in_memory(settings).await;
    let mut ada = served.join().await;
    for n in 1..=25 {
        ada.offer([n]).await;
        ada.hear_up_to(n).await;
    }
    until(|| store.snapshot(document_id(1)).is_some_and(|(at, _)| at.version == 20)).await;
    let (_, json) = store.snapshot(document_id(1)).expect("there");
    let words: Words = serde_json::from_str(&json).expect("a document");
    assert_eq!(words.0.len(), 20);
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_read_is_done_without() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let log = records(Cursor::default(), 1..=5);
    store.append(document_id(1), 0, &Entries::new(&log)).await.expect("works");
    store.save_snapshot(document_id(1), log[2].cursor(), r#"{"of":"another version"}"#.into()).await.expect("works");
    let opened = served.server.open(&key(1)).await.expect("works").expect("there");
    assert_eq!((opened.view.0.len(), opened.cursor), (5, log[4].cursor()));
}

#[tokio::test]
async fn a_log_that_was_tampered_with_is_not_served() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let mut log = records(Cursor::default(), 1..=3);
    log[1].author = "Mallory".into();
    store.append(document_id(1), 0, &Entries::new(&log)).await.expect("works");
    assert!(served.server.open(&key(1)).await.is_err());
    let mut ada = served.connect().await;
    ada.request(1, Cursor::default()).await;
    let (bye, code) = ada.hear_bye().await;
    assert_eq!((&bye["code"], &bye["retry"], code), (&json!("server_error"), &json!("later"), 1011));
}

#[tokio::test]
async fn keys_that_open_nothing_open_nothing() {
    let (served, _) = Served::in_memory(Settings::default()).await;
    assert!(served.server.open(&Key::from_random([9; 16])).await.expect("works").is_none());
}

#[tokio::test]
async fn a_client_that_was_further_at_another_server_is_waited_for() {
    let [here, there] = Served::two_in_memory().await;
    // The other one has the document in memory, and hears of nothing that follows.
    let _idle = there.join().await;
    let mut ada = here.join().await;
    // More than is read at a time.
    let mut log = Vec::new();
    for n in 1..=100 {
        let change = json!({ "kind": "say", "word": format!("{n} {}", "x".repeat(60_000)) });
        ada.say(json!({ "type": "changes", "changes": [{ "id": change_id(n), "change": change }] })).await;
        log.extend(ada.hear_up_to(n).await.iter().map(cursor_of));
    }
    let (early, end) = (log[0], log[99]);

    let moved = there.connect().await.sync(1, end).await;
    assert_eq!((&moved["rewound"], &moved["changes"], cursor_of(&moved)), (&json!(false), &json!([]), end));
    // One that claims to have been where nobody has been is told so, also if the store must be asked about its place.
    let elsewhere = Cursor { version: 1_000, ..end };
    let response = there.connect().await.sync_with(1, early, elsewhere).await;
    assert_eq!(response["rewound"], true);
}

#[tokio::test]
async fn old_and_new_cursors_are_told_from_memory_and_from_the_store() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    // More than a room keeps in memory, with a document that is larger still.
    let log = records(Cursor::default(), 1..=3_000);
    store.append(document_id(1), 0, &Entries::new(&log)).await.expect("works");
    store.save_snapshot(document_id(1), log[2_990].cursor(), words_up_to(2_991)).await.expect("works");
    for version in [2_995, 2_980, 2_950] {
        let response = served.connect().await.sync(1, log[version - 1].cursor()).await;
        assert_eq!(response["snapshot"], json!(null), "{version}");
        let changes = response["changes"].as_array().expect("entries");
        assert_eq!(versions(changes), (version as u64 + 1..=3_000).collect::<Vec<_>>());
    }
    let response = served.connect().await.sync(1, log[10].cursor()).await;
    assert_eq!(response["changes"], json!([]), "a snapshot is smaller");
    assert_eq!(response["rewound"], false);
    assert_eq!(response["snapshot"].as_array().map(Vec::len), Some(3_000));
    let elsewhere = Cursor { version: 2_950, digest: log[0].digest };
    assert_eq!(served.connect().await.sync(1, elsewhere).await["rewound"], true);
}

/// A page of a restored server, on a device that has been further.
#[tokio::test]
async fn a_witness_of_another_history_is_told_from_memory_and_from_the_store() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    let log = records(Cursor::default(), 1..=3_000);
    store.append(document_id(1), 0, &Entries::new(&log)).await.expect("works");
    store.save_snapshot(document_id(1), log[2_990].cursor(), words_up_to(2_991)).await.expect("works");
    for version in [1, 2_000, 2_995, 3_000] {
        let (here, witness) = (log[2_995].cursor(), log[version - 1].cursor());
        let response = served.connect().await.sync_with(1, here, witness).await;
        assert_eq!((&response["rewound"], &response["snapshot"]), (&json!(false), &json!(null)), "{version}");
        let elsewhere = Cursor { digest: log[7].digest, ..witness };
        let response = served.connect().await.sync_with(1, here, elsewhere).await;
        assert_eq!(response["rewound"], true, "{version}");
    }
    let ahead = Cursor { version: 3_001, digest: log[7].digest };
    assert_eq!(served.connect().await.sync_with(1, log[2_995].cursor(), ahead).await["rewound"], true);
}

fn words_up_to(n: u64) -> String {
    json!((1..=n).map(|n| format!("w{n}")).collect::<Vec<_>>()).to_string()
}

#[tokio::test]
async fn a_snapshot_is_shared_though_entries_come_in_between() {
    let (served, store) = Served::in_memory(Settings::default()).await;
    store.append(document_id(1), 0, &Entries::new(&records(Cursor::default(), 1..=2_000))).await.expect("works");
    let mut ada = served.join().await;
    for n in 3_001..=3_005 {
        ada.offer([n]).await;
        ada.hear_up_to(n - 1_000).await;
        let mut late = served.connect().await;
        let response = late.sync(1, Cursor::default()).await;
        assert!(response["snapshot"].is_array());
        let at = cursor_of(&response).version;
        let rest = if at < n - 1_000 { late.hear_up_to(n - 1_000).await } else { Vec::new() };
        assert_eq!(versions(&rest), (at + 1..=n - 1_000).collect::<Vec<_>>(), "what came since follows");
    }
}

/// A store that fails, and answers that are lost; another server on the same log; clients that come and go and resend.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_everyone_ends_with_the_same_log_and_each_change_once() {
    const CLIENTS: u64 = 4;
    const EACH: u64 = 60;
    let settings = Settings {
        append_pause: Duration::from_millis(1),
        room_idle: Duration::from_millis(5),
        snapshot_every: 16,
        ..Settings::default()
    };
    let (served, store) = Served::in_memory(settings).await;
    store.set_unreliable(5);
    let foreign = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 0..40 {
                // Until it has its place, at whatever end the log then has.
                loop {
                    let end = store.log(document_id(1)).last().map(Record::cursor).unwrap_or_default();
                    let entry = records(end, [9_000 + n]);
                    let _ = store.append(document_id(1), end.version, &Entries::new(&entry)).await;
                    if store.log(document_id(1)).iter().any(|record| record.id == change_id(9_000 + n)) {
                        break;
                    }
                }
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        }
    });
    let clients = (0..CLIENTS).map(|client| {
        let address = served.address;
        tokio::spawn(async move {
            let mut rng = fastrand::Rng::with_seed(client);
            let mut pending: Vec<u64> = (0..EACH).map(|n| client * 1_000 + n).collect();
            while !pending.is_empty() {
                let mut socket = crate::support::socket::Socket::connect(address).await;
                socket.sync(1, Cursor::default()).await;
                // Some at a time, some of them twice, and then gone, perhaps before the answer.
                let mut offered = std::collections::BTreeSet::new();
                for _ in 0..rng.usize(1..4) {
                    let from = rng.usize(..pending.len());
                    let some: Vec<_> = pending[from..].iter().copied().take(10).collect();
                    socket.offer(some.iter().copied()).await;
                    offered.extend(some);
                }
                for _ in 0..rng.usize(..3) {
                    if offered.is_empty() {
                        break;
                    }
                    let heard = socket.hear().await;
                    let Some(entries) = heard["entries"].as_array() else { panic!("{heard}") };
                    let waits = |n: &u64| !entries.iter().any(|entry| entry["id"] == json!(change_id(*n)));
                    pending.retain(waits);
                    offered.retain(waits);
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("went well");
    }
    foreign.await.expect("went well");
    store.set_unreliable(0);

    // The room hears of the other server's last entries when it appends itself.
    let mut last = served.join().await;
    last.offer([8_000]).await;
    loop {
        let heard = last.hear().await;
        if heard["entries"].as_array().expect("entries").iter().any(|entry| entry["id"] == json!(change_id(8_000))) {
            break;
        }
    }
    let log = store.log(document_id(1));
    let ids: std::collections::HashSet<_> = log.iter().map(|record| record.id).collect();
    assert_eq!((ids.len(), log.len() as u64), (log.len(), CLIENTS * EACH + 40 + 1), "each once, none lost");
    let mut digest = sheetbend::sync::digest::Digest::GENESIS;
    for (version, record) in (1..).zip(&log) {
        digest = digest.then(record);
        assert_eq!((record.version, record.digest), (version, digest));
    }
    let opened = served.server.open(&key(1)).await.expect("works").expect("there");
    assert_eq!(opened.cursor, log[log.len() - 1].cursor());
    assert_eq!(opened.view.0.len(), log.iter().filter(|record| record.refused.is_none()).count());
}
