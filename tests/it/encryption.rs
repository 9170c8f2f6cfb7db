//! Encrypted lines: to the server, and from it to its database. The certificates are real, and so are those who do not trust them.

use std::process::{Command, Output};

use axum::http::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use sheetbend::server::store::postgres::Postgres;

use crate::support::certificates::Certificates;
use crate::support::cluster;
use crate::support::ids::{change_id, document_id, key};
use crate::support::program::{PROGRAM, Running, program};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_server_encrypts_and_is_trusted_by_those_who_trust_its_authority() {
    let (data, certificates) = (tempfile::tempdir().expect("a folder"), Certificates::make());
    let mut command = program(data.path(), "127.0.0.1:0");
    command.arg("--tls-cert").arg(certificates.certificate()).arg("--tls-key").arg(certificates.key());
    let running = Running::run(&mut command);
    let load = || {
        let mut load = Command::new(PROGRAM);
        load.args([
            "load",
            &format!("https://{}", running.address),
            "durable",
            "--writers",
            "2",
            "--seconds",
            "1",
            "--json",
        ]);
        load
    };
    // Makes a board by https, and writes to it by wss.
    let trusting = load().env("SSL_CERT_FILE", certificates.authority()).output().expect("runs");
    assert!(trusting.status.success(), "{trusting:?}");
    let found: Value = serde_json::from_slice(&trusting.stdout).expect("JSON");
    assert!(found["saved"].as_u64() >= Some(2), "{found}");
    let strange = load().output().expect("runs");
    assert!(!strange.status.success() && said(&strange).contains("certificate"), "{strange:?}");
}

#[tokio::test]
async fn pages_come_over_http_2_and_so_does_the_way_round_websockets() {
    let (data, certificates) = (tempfile::tempdir().expect("a folder"), Certificates::make());
    let mut command = program(data.path(), "127.0.0.1:0");
    command.arg("--tls-cert").arg(certificates.certificate()).arg("--tls-key").arg(certificates.key());
    let running = Running::run(&mut command);
    // Whoever offers HTTP/1.1 alone gets it, as browsers do for WebSockets.
    assert_eq!(
        certificates.connect(running.address, &["http/1.1"]).await.get_ref().1.alpn_protocol(),
        Some(&b"http/1.1"[..])
    );
    let stream = certificates.connect(running.address, &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) =
        http2::handshake::<_, _, String>(TokioExecutor::new(), TokioIo::new(stream)).await.expect("speaks HTTP/2");
    tokio::spawn(connection);
    let origin = format!("https://localhost:{}", running.address.port());
    let ask = async |method: &str, path: &str, body: String| {
        let request = Request::builder().method(method).uri(format!("{origin}{path}")).header("origin", &origin);
        let answer = sender.clone().send_request(request.body(body).expect("a request")).await.expect("is answered");
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(axum::body::Body::new(answer.into_body()), usize::MAX).await.expect("whole");
        (status, String::from_utf8_lossy(&body).into_owned())
    };
    let board = json!({ "id": document_id(1), "edit_key": key(1) }).to_string();
    assert_eq!(ask("POST", "/api/boards", board).await.0, 201);
    assert_eq!(ask("GET", &format!("/b/{}", key(1).as_str()), String::new()).await.0, 200);

    let request = json!({
        "type": "sync_request", "key": key(1), "replica": change_id(1), "version": 0, "digest": "0".repeat(32),
    });
    let (status, first) = ask("POST", "/api/sync", request.to_string()).await;
    assert_eq!(status, 200, "the origin is the host, which is in the address: {first}");
    let resume: Value = serde_json::from_str(first.lines().last().expect("a line")).expect("JSON");
    let waits = json!({ "type": "sync_request", "key": key(1), "replica": change_id(1), "resume": resume }).to_string();
    let change = json!({ "id": change_id(7), "change": { "kind": "rename_board", "title": "Harbour" } });
    let says = format!("{waits}\n{}", json!({ "type": "changes", "changes": [change] }));
    // More than the connections that a browser has over HTTP/1.1 wait, and none is in the way of the one that says something.
    let waiting: Vec<_> = (0..20).map(|_| ask("POST", "/api/sync", waits.clone())).collect();
    let (heard, said) = tokio::join!(futures_util::future::join_all(waiting), ask("POST", "/api/sync", says));
    assert!(said.1.contains("Harbour"), "{said:?}");
    assert!(heard.iter().all(|(status, body)| *status == 200 && body.contains("Harbour")), "{heard:?}");
}

#[tokio::test]
async fn the_line_to_postgres_is_encrypted_when_that_is_asked_for() {
    let Some(cluster) = cluster::shared().await else { return };
    let authority = cluster.certificates.authority();
    let plain = cluster.database().await;
    let _store = Postgres::open(&plain, None).await.expect("opens");
    assert_eq!(cluster.encrypted(&plain).await, 0);

    let encrypted = cluster.database().await;
    let store = Postgres::open(&encrypted, Some(&authority)).await.expect("opens");
    assert!(cluster.encrypted(&encrypted).await >= 1);
    drop(store);
    // Whom this machine does not trust is not talked to.
    let strange =
        Postgres::open(&format!("{encrypted}?sslmode=require"), None).await.expect_err("not trusted").to_string();
    assert!(strange.contains("certificate"), "{strange}");
    let none = Postgres::open(&encrypted, Some(&cluster.certificates.key().with_file_name("none"))).await;
    assert!(none.expect_err("is not there").to_string().contains("cannot read"));
}
