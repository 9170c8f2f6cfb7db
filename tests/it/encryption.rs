//! Encrypted lines: to the server, and from it to its database. The certificates are real, and so are those who do not trust them.

use std::process::{Command, Output};

use serde_json::Value;
use sheetbend::server::store::postgres::Postgres;

use crate::support::certificates::Certificates;
use crate::support::cluster;
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
