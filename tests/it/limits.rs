//! How much one client may have of what all share, and how that is seen from outside.

use std::time::Duration;

use serde_json::json;
use sheetbend::server::Settings;
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::message::SUBPROTOCOL;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::support::http::{Answer, ask, metric};
use crate::support::ids::{document_id, key};
use crate::support::served::Served;
use crate::support::socket::Socket;

/// A socket of someone who is behind the proxy.
async fn from(address: &str, served: &Served<impl sheetbend::server::store::Store>) -> Socket {
    let headers = [("sec-websocket-protocol", SUBPROTOCOL), ("x-forwarded-for", address)];
    Socket::try_connect(served.address, &headers).await.expect("connects")
}

#[tokio::test]
async fn an_address_follows_so_many_boards_and_hears_when_it_has_more() {
    let settings = Settings { trust_proxy: true, sockets_per_client: 2, ..Settings::default() };
    let served = Served::on_sqlite(settings).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut socket = from("203.0.113.7", &served).await;
        socket.sync(1, Cursor::default()).await;
        kept.push(socket);
    }
    let (bye, code) = from("203.0.113.7", &served).await.hear_bye().await;
    assert_eq!((&bye["code"], &bye["retry"], code), (&json!("too_many"), &json!("later"), 4429));
    assert_eq!(bye["retry_after_ms"], 5_000);
    from("203.0.113.8", &served).await.sync(1, Cursor::default()).await;

    // The server may hear a moment later that one has gone.
    drop(kept.pop());
    loop {
        let mut socket = from("203.0.113.7", &served).await;
        socket.request(1, Cursor::default()).await;
        if socket.hear().await["type"] == "sync_response" {
            break;
        }
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let served = Served::on_sqlite(Settings { connections: 1, ..Settings::default() }).await;
    let first = served.join().await;
    let mut second = TcpStream::connect(served.address).await.expect("connects");
    let mut said = String::new();
    second.read_to_string(&mut said).await.expect("is answered");
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("retry-after: 5"), "{said}");
    let (head, body) = said.split_once("\r\n\r\n").expect("an answer");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{said}");
    drop(first);
}

#[tokio::test]
async fn boards_are_made_at_a_rate() {
    let served = Served::on_sqlite(Settings { trust_proxy: true, documents_per_hour: 2, ..Settings::default() }).await;
    let make = async |n: u8, from: &str| {
        let body = json!({ "id": document_id(n.into()), "edit_key": key(n) }).to_string();
        ask(served.address, "POST /api/boards", &[("x-forwarded-for", from)], &body).await
    };
    let status = |answer: Answer| answer.status;
    assert_eq!((status(make(2, "2001:db8::1").await), status(make(3, "2001:db8::2").await)), (201, 201));
    let third = make(4, "2001:db8::3").await;
    assert_eq!(third.status, 429, "the same household: {third:?}");
    let seconds: u64 = third.header("retry-after").parse().expect("seconds");
    assert!((1_790..=1_801).contains(&seconds), "{seconds}");
    assert!(third.body.contains("too_many"));
    assert_eq!(status(make(4, "2001:db8:0:1::1").await), 201, "somebody else");
}

#[tokio::test]
async fn only_so_many_boards_are_in_memory() {
    let served = Served::on_sqlite(Settings { rooms: 1, ..Settings::default() }).await;
    let body = json!({ "id": document_id(2), "edit_key": key(2) }).to_string();
    assert_eq!(ask(served.address, "POST /api/boards", &[], &body).await.status, 201);
    let _here = served.join().await;
    let mut there = served.connect().await;
    there.request(2, Cursor::default()).await;
    let (bye, _) = there.hear_bye().await;
    assert_eq!((&bye["code"], &bye["retry"]), (&json!("too_many"), &json!("later")));
}

#[tokio::test]
async fn who_says_too_much_is_heard_later_and_loses_nothing() {
    // Eight seconds' worth at once, then a kilobyte a second: a hundred changes of some 120 bytes take longer than the others.
    let served = Served::on_sqlite(Settings { bytes_per_second: 1_024, ..Settings::default() }).await;
    let (mut flood, mut other) = (served.join().await, served.join().await);
    let start = std::time::Instant::now();
    for n in 1..=40 {
        flood.offer([n]).await;
    }
    other.offer([1_000]).await;
    let mut heard = 0;
    while heard < 41 {
        heard += other.hear_up_to(heard + 1).await.len() as u64;
    }
    // 41 × (256 + about 120) bytes less the first 8 KiB, at 1 KiB/s.
    assert!(start.elapsed() > Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test]
async fn monitors_see_what_goes_on() {
    let (served, store) =
        Served::in_memory(Settings { append_pause: Duration::from_millis(10), ..Settings::default() }).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let monitors = listener.local_addr().expect("bound");
    tokio::spawn(axum::serve(listener, served.server.monitoring()).into_future());
    let ready = async || ask(served.address, "GET /readyz", &[], "").await.status;

    let mut ada = served.join().await;
    ada.offer([1, 2]).await;
    ada.hear_up_to(2).await;
    assert_eq!(metric(monitors, "sheetbend_commits_total").await, Some(2.0));
    assert_eq!(metric(monitors, "sheetbend_sockets ").await, Some(1.0));
    assert_eq!(metric(monitors, "sheetbend_rooms ").await, Some(1.0));
    assert_eq!(metric(monitors, "sheetbend_queue_bytes ").await, Some(0.0));
    assert_eq!(metric(monitors, "sheetbend_syncs_total{by=\"changes\"}").await, Some(1.0));
    assert!(metric(monitors, "sheetbend_commit_seconds_count").await >= Some(1.0));
    assert!(metric(monitors, "sheetbend_fan_out_seconds_count").await >= Some(1.0));
    assert_eq!((ready().await, ask(monitors, "GET /healthz", &[], "").await.status), (200, 200));
    assert_eq!(ask(served.address, "GET /metrics", &[], "").await.status, 404, "not for strangers");

    store.set_full(true);
    ada.offer([3]).await;
    while ready().await != 503 {}
    assert_eq!(ask(served.address, "GET /healthz", &[], "").await.status, 200);
    assert!(metric(monitors, "sheetbend_append_failures_total").await >= Some(1.0));
    store.set_full(false);
    ada.hear_up_to(3).await;
    assert_eq!(ready().await, 200);
}
