//! The page's server functions.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::http::{Answer, ask, begin, trickle};
use crate::support::ids::{document_id, key};
use crate::support::program::{Running, program};

fn running(options: &[&str]) -> (Running, TempDir) {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::run(program(data.path(), "127.0.0.1:0").args(options));
    (running, data)
}

async fn open(running: &Running, headers: &[(&str, &str)], body: &str) -> Answer {
    ask(running.address, "POST /api/open", headers, body).await
}

#[tokio::test]
async fn open_tells_what_a_key_opens() {
    let (running, _data) = running(&[]);
    let body = json!({ "id": document_id(1), "edit_key": key(1) }).to_string();
    assert_eq!(ask(running.address, "POST /api/boards", &[], &body).await.status, 201);
    let answer = open(&running, &[], &json!({ "key": key(1) }).to_string()).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let board: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!((&board["id"], &board["access"]), (&json!(document_id(1)), &json!("edit")));
    assert_eq!(board["cursor"], json!({ "version": 0, "digest": "0".repeat(32) }));
    assert_eq!(board["board"]["title"], "");
    for unknown in ["no key", key(2).as_str()] {
        let answer = open(&running, &[], &json!({ "key": unknown }).to_string()).await;
        assert_eq!((answer.status, answer.body.as_str(), answer.header("cache-control")), (200, "null", "no-store"));
    }
}

#[tokio::test]
async fn malformed_input_is_answered_with_4xx_and_never_with_a_redirect() {
    let (running, _data) = running(&[]);
    let long = format!(r#"{{"key":"{}"}}"#, "x".repeat(5_000));
    let deep = "[".repeat(2_000);
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("key=x", 400),
        (deep.as_str(), 400),
        ("{}", 422),
        ("[]", 422),
        ("null", 422),
        (r#"{"key":7}"#, 422),
        (long.as_str(), 413),
    ] {
        for headers in [
            [("accept", "application/json"), ("content-type", "application/json")].as_slice(),
            // As a form without scripts sends it.
            &[("accept", "text/html"), ("referer", "https://evil.example/")],
        ] {
            let answer = open(&running, headers, body).await;
            assert_eq!((answer.status, answer.header("location")), (status, ""), "{body:.40} {headers:?}: {answer:?}");
            assert_eq!(answer.header("cache-control"), "no-store", "{body:.40}");
        }
    }
    assert_eq!(ask(running.address, "GET /api/open", &[], "").await.status, 405);
}

#[tokio::test]
async fn a_body_that_trickles_is_not_waited_for() {
    let (running, _data) = running(&[]);
    let answer = trickle(running.address, "POST /api/open").await;
    assert_eq!((answer.status, answer.header("cache-control")), (408, "no-store"));
}

#[tokio::test]
async fn an_address_runs_so_many_at_a_time() {
    let (running, _data) = running(&["--trust-proxy", "--max-sockets-per-address", "1"]);
    let from = [("x-forwarded-for", "203.0.113.7")];
    // Its body does not end, so it runs.
    let mut first = begin(running.address, "POST /api/open", &from).await;
    loop {
        let answer = open(&running, &from, r#"{"key":"x"}"#).await;
        if answer.status == 429 {
            assert_eq!((answer.header("retry-after"), answer.header("cache-control")), ("5", "no-store"));
            break;
        }
        assert_eq!(answer.status, 200);
        // The first may not have arrived yet; or while this one ran, and was refused.
        first = begin(running.address, "POST /api/open", &from).await;
    }
    assert_eq!(open(&running, &[("x-forwarded-for", "203.0.113.8")], r#"{"key":"x"}"#).await.status, 200);
    drop(first);
}
