//! The load tool, against a server: it counts what was really delivered.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::http::metric;
use crate::support::program::{PROGRAM, Running, program};

fn load(running: &Running, more: &[&str]) -> Value {
    let mut command = Command::new(PROGRAM);
    command.args(["load", &format!("http://{}", running.address), "--json"]).args(more);
    let output = command.output().expect("runs");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn number(found: &Value, name: &str) -> u64 {
    found[name].as_u64().unwrap_or_else(|| panic!("{name}: {found}"))
}

#[test]
fn what_is_sent_to_boards_is_delivered_to_all_on_them() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    let found = load(
        &running,
        &["fan-out", "--boards", "3", "--people", "4", "--writers", "2", "--rate", "60", "--seconds", "2"],
    );
    // 60 a second for 2 s, and each is heard by the 4 people on its board, its author included.
    assert_eq!((number(&found, "sent"), number(&found, "delivered"), number(&found, "missing")), (120, 480, 0));
    assert!(found["latency"]["p99_ms"].as_f64() > Some(0.0) && found["spent"]["generator_cores"].as_f64() > Some(0.0));
}

#[tokio::test]
async fn a_server_that_stalls_cannot_hide_it() {
    let data = tempfile::tempdir().expect("a folder");
    let monitors = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let running = Running::run(program(data.path(), "127.0.0.1:0").args(["--metrics-listen", &monitors.to_string()]));
    let process = running.process.id().to_string();
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &process]).status().expect("is there").success());
    };
    let server = format!("http://{}", running.address);
    let loading = std::thread::spawn(move || {
        let mut command = Command::new(PROGRAM);
        command.args([
            "load",
            &server,
            "--json",
            "fan-out",
            "--people",
            "2",
            "--writers",
            "1",
            "--rate",
            "50",
            "--seconds",
            "4",
        ]);
        command.output().expect("runs")
    });
    while metric(monitors, "sheetbend_commits_total").await < Some(20.0) {}
    signal("-STOP");
    // That is the fault, and its length.
    tokio::time::sleep(Duration::from_secs(1)).await;
    signal("-CONT");
    let found: Value = serde_json::from_slice(&loading.join().expect("no panic").stdout).expect("JSON");
    assert_eq!((number(&found, "sent"), number(&found, "missing")), (200, 0), "{found}");
    assert!(found["latency"]["p90_ms"].as_f64() > Some(300.0), "a quarter of them was late: {found}");
}

#[test]
fn who_comes_back_is_sent_what_was_missed() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    let found = load(&running, &["catch-up", "--changes", "200", "--times", "3"]);
    assert_eq!((number(&found, "changes"), number(&found, "times")), (200, 3));
    assert!(number(&found, "bytes") > 200 * 50, "{found}");
}

#[test]
fn lines_that_are_cut_cost_nobody_a_change() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(data.path());
    let cut = ["--every", "2", "--away", "1", "--seconds", "4"];
    let found = load(&running, &[&["chaos", "--people", "20", "--writers", "2", "--rate", "40"], &cut[..]].concat());
    assert_eq!((number(&found, "sent"), number(&found, "missing"), number(&found, "doubled")), (160, 0, 0), "{found}");
    assert!(number(&found, "cuts") >= 20, "{found}");
}

#[test]
fn all_come_back_to_a_server_that_was_killed() {
    let data = tempfile::tempdir().expect("a folder");
    let mut running = Running::start(data.path());
    let mut command = Command::new(PROGRAM);
    command.args(["load", &format!("http://{}", running.address), "--json", "storm", "--people", "30"]);
    let mut loading = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut said = BufReader::new(loading.stderr.take().expect("is piped")).lines();
    assert!(said.next().expect("says so").expect("text").starts_with("30 people are there."));
    running.restart(data.path());
    let output = loading.wait_with_output().expect("runs");
    assert!(output.status.success(), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(number(&found, "people"), 30);
    assert!(found["half_ms"].as_f64() > Some(0.0) && found["all_ms"].as_f64() >= found["half_ms"].as_f64(), "{found}");
}
