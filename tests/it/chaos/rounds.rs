//! Many faults at once: three people plan over a line that cuts, falls silent and stalls, while the server is killed again and
//! again. In the end each change is in the log once, and all have the same.
//!
//! `SHEETBEND_ROUNDS` says how often the server is killed, `SHEETBEND_SEED` repeats the luck of another run.

use std::time::Duration;

use fastrand::Rng;
use sheetbend::board::Board;
use sheetbend::native::Chaos;
use sheetbend::sync::faults::{Fault, Script};
use sheetbend::sync::link;

use crate::support::boards::{add_card, add_list, make_board, on_disk};
use crate::support::people::{Person, agree, quick};
use crate::support::program::Running;

const SCRIPT: &str = r#"{"repeat_ms": 1400, "steps": [
    {"at_ms": 0, "do": {"fault": "clear"}},
    {"at_ms": 0, "do": {"fault": "delay", "ms": 1, "jitter_ms": 10}},
    {"at_ms": 300, "within_ms": 200, "do": {"fault": "cut"}},
    {"at_ms": 600, "within_ms": 100, "do": {"fault": "cut_after", "bytes": 700}},
    {"at_ms": 900, "do": {"fault": "half_open", "direction": "to_client"}},
    {"at_ms": 950, "within_ms": 100, "do": {"fault": "clear"}},
    {"at_ms": 1100, "within_ms": 100, "do": {"fault": "offline"}},
    {"at_ms": 1250, "do": {"fault": "clear"}},
    {"at_ms": 1250, "do": {"fault": "half_open", "direction": "to_server"}}
]}"#;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_rounds() {
    let rounds = number("SHEETBEND_ROUNDS").unwrap_or(10);
    let seed = number("SHEETBEND_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("SHEETBEND_ROUNDS={rounds} SHEETBEND_SEED={seed}");
    let mut luck = Rng::with_seed(seed);

    let data = tempfile::tempdir().expect("a folder");
    let mut running = Running::start(data.path());
    make_board(&running).await;
    let chaos = Chaos::start("127.0.0.1:0".parse().expect("an address"), running.address).await.expect("starts");
    let script: Script = serde_json::from_str(SCRIPT).expect("a script");
    chaos.play(script.with_seed(seed)).expect("a proxy can");
    // The server's heartbeat is every 15 s: silence between may not count as a loss.
    let link = link::Settings { silence: Duration::from_secs(2), ..quick() };
    let mut people = [1, 2, 3].map(|who| Person::<Board>::at(chaos.address(), &format!("Person {who}"), link));

    people[0].edit(add_list(1, 1)).await;
    people[0].is_saved().await;
    let mut made = 1;
    for round in 0..rounds {
        for (person, who) in people.iter_mut().zip(1..) {
            for n in 0..luck.u64(0..30) {
                person.edit(add_card(who, round * 100 + n)).await;
                made += 1;
            }
        }
        // Killed when none, some or all of it is saved.
        let (person, share) = (&people[luck.usize(..3)], luck.u64(0..=100));
        let seen = person.session.view().cursor.version;
        person.sees(|view| view.cursor.version >= seen + (made - seen) * share / 100).await;
        running.restart(data.path());
    }

    chaos.play(Script::of(Fault::Clear)).expect("a proxy can");
    let view = agree(&mut people, made).await;
    assert_eq!(view.document.cards.len() as u64, made - 1);
    drop(running);
    assert_eq!(on_disk(data.path()).await, (view.document, view.cursor));
}
