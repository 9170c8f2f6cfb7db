//! Each fault alone. Two people plan; the fault comes and goes; all they did is there once, on both sides.

use std::time::Duration;

use sheetbend::native::Chaos;
use sheetbend::native::chaos::Order;
use sheetbend::server::Settings;
use sheetbend::server::store::sqlite::Sqlite;
use sheetbend::sync::client::Connection;
use sheetbend::sync::faults::{Directions, Fault, Script};
use sheetbend::sync::link::{self, Loss};
use sheetbend::sync::message::ByeCode;

use crate::support::http::ask;
use crate::support::ids::key;
use crate::support::people::{Person, agree, quick};
use crate::support::served::Served;
use crate::support::words::Words;

/// Two people, a bad network, and a server whose heartbeat is as quick as theirs.
struct Scene {
    served: Served<Sqlite>,
    chaos: Chaos,
    people: [Person<Words>; 2],
    said: u64,
}

impl Scene {
    async fn new() -> Self {
        let served = Served::on_sqlite(Settings {
            ping_interval: Duration::from_millis(100),
            silence: Duration::from_millis(500),
            ..Settings::default()
        })
        .await;
        let chaos = Chaos::start("127.0.0.1:0".parse().expect("an address"), served.address).await.expect("starts");
        let people = ["Ada", "Bob"].map(|name| Person::at(chaos.address(), name, quick()));
        let mut scene = Self { served, chaos, people, said: 0 };
        scene.settle().await;
        scene
    }

    fn apply(&self, fault: Fault) {
        self.chaos.apply(fault).expect("a proxy can");
    }

    /// Both say something new.
    async fn say(&mut self) {
        for person in &mut self.people {
            self.said += 1;
            person.say([self.said]).await;
        }
    }

    /// With nothing wrong any more, all is saved once and everyone has the same, the server too.
    async fn settle(&mut self) {
        self.apply(Fault::Clear);
        self.say().await;
        let view = agree(&mut self.people, self.said).await;
        let opened = self.served.server.open(&key(1)).await.expect("works").expect("is there");
        assert_eq!((opened.view, opened.cursor), (view.document, view.cursor));
    }

    /// Waits until both have lost the line for the reason.
    async fn both_wait(&self, mut reason: impl FnMut(&Loss) -> bool) {
        for person in &self.people {
            let mut waits = |why: &Connection| matches!(why, Connection::Waiting { why, .. } if reason(why));
            person.sees(|view| waits(&view.status.connection)).await;
        }
    }
}

fn half_open(direction: Directions) -> Fault {
    Fault::HalfOpen { direction }
}

#[tokio::test]
async fn cut_and_refused() {
    let mut scene = Scene::new().await;
    scene.apply(Fault::Offline);
    scene.say().await;
    scene.both_wait(|why| *why == Loss::Unreachable).await;
    assert_eq!(scene.people[0].session.view().status.pending, 1, "nothing is shown as saved");
    scene.settle().await;
}

#[tokio::test]
async fn cut_again_and_again() {
    let mut scene = Scene::new().await;
    for _ in 0..20 {
        scene.say().await;
        scene.apply(Fault::Cut);
    }
    scene.settle().await;
}

#[tokio::test]
async fn a_handshake_that_is_never_answered() {
    let mut scene = Scene::new().await;
    scene.apply(Fault::SilentHandshake);
    scene.apply(Fault::Cut);
    scene.say().await;
    scene.both_wait(|why| *why == Loss::Unreachable).await;
    scene.settle().await;
}

#[tokio::test]
async fn a_handshake_that_hangs_is_not_waited_for_when_someone_retries() {
    let scene = Scene::new().await;
    let chaos = Chaos::start("127.0.0.1:0".parse().expect("an address"), scene.served.address).await.expect("starts");
    chaos.apply(Fault::SilentHandshake).expect("a proxy can");
    // An attempt may hang for eight times as long as the first, and is old enough to be given up from the beginning.
    let link = link::Settings { probe_timeout: Duration::ZERO, ..quick() };
    let person = Person::<Words>::at(chaos.address(), "Cy", link);
    let hangs = Connection::Connecting { attempt: 3 };
    person.sees(|view| view.status.connection == hangs).await;
    chaos.wait_for_open(|open| *open == 1).await;
    chaos.apply(Fault::Clear).expect("a proxy can");
    person.session.retry_now();
    let again = Connection::Connecting { attempt: 0 };
    let view = person.sees(|view| ![&hangs, &again].contains(&&view.status.connection)).await;
    assert_eq!(view.status.connection, Connection::Live);
}

#[tokio::test]
async fn half_open_to_the_client_is_noticed_by_silence() {
    let mut scene = Scene::new().await;
    scene.apply(half_open(Directions::ToClient));
    scene.say().await;
    scene.both_wait(|why| *why == Loss::Silent).await;
    scene.settle().await;
}

#[tokio::test]
async fn half_open_to_the_server_is_noticed_by_the_server() {
    let mut scene = Scene::new().await;
    scene.apply(half_open(Directions::ToServer));
    scene.say().await;
    scene.both_wait(|why| matches!(why, Loss::Bye(bye) if bye.code == ByeCode::TimedOut)).await;
    scene.settle().await;
}

#[tokio::test]
async fn half_open_both_ways_is_noticed_by_silence() {
    let mut scene = Scene::new().await;
    scene.apply(half_open(Directions::Both));
    scene.say().await;
    scene.both_wait(|why| *why == Loss::Silent).await;
    scene.settle().await;
}

/// As when a laptop wakes up: the line looks alive, and is not.
#[tokio::test]
async fn half_open_is_noticed_by_a_probe_before_the_silence_is_over() {
    let mut scene = Scene::new().await;
    // Silence alone would take a minute.
    let patient = sheetbend::sync::link::Settings { silence: Duration::from_secs(60), ..quick() };
    scene.people = ["Ada", "Bob"].map(|name| Person::at(scene.chaos.address(), name, patient));
    scene.settle().await;
    scene.apply(half_open(Directions::Both));
    for person in &scene.people {
        person.session.retry_now();
    }
    scene.both_wait(|why| *why == Loss::Silent).await;
    scene.settle().await;
}

#[tokio::test]
async fn cut_in_the_middle_of_a_frame() {
    let mut scene = Scene::new().await;
    for direction in [Directions::ToServer, Directions::ToClient] {
        for bytes in [0, 1, 2, 5, 30, 70] {
            scene.apply(Fault::CutAfter { bytes, direction });
            scene.say().await;
            scene.people[0].is_not_live().await;
        }
    }
    scene.settle().await;
}

#[tokio::test]
async fn cut_in_the_middle_of_the_handshake() {
    let mut scene = Scene::new().await;
    for direction in [Directions::ToServer, Directions::ToClient] {
        for bytes in [3, 100, 180, 300] {
            scene.apply(Fault::CutAfter { bytes, direction });
            scene.apply(Fault::Cut);
            scene.say().await;
            scene.people[1].is_live().await;
        }
    }
    scene.settle().await;
}

#[tokio::test]
async fn a_captive_portal() {
    let mut scene = Scene::new().await;
    scene.apply(Fault::Portal);
    scene.apply(Fault::Cut);
    scene.say().await;
    scene.both_wait(|why| *why == Loss::Unreachable).await;
    let probe = ask(scene.chaos.address(), "HEAD /api/ping?nonce=7", &[], "").await;
    assert_eq!((probe.status, probe.header("content-type")), (200, "text/html"));
    assert_eq!(probe.header("x-sheetbend-nonce"), "", "that is how a client tells it from the server");
    let page = ask(scene.chaos.address(), "GET /b/key", &[], "").await;
    assert!(page.status == 200 && page.body.contains("Accept the terms"), "{page:?}");
    scene.settle().await;
}

#[tokio::test]
async fn a_slow_line_with_jitter_and_losses() {
    let mut scene = Scene::new().await;
    for fault in [
        Fault::Delay { ms: 50, jitter_ms: 50, direction: Directions::Both },
        Fault::Bandwidth { kbit_per_s: 512, direction: Directions::Both },
        Fault::Lose { share: 0.02, direction: Directions::Both },
    ] {
        scene.apply(fault);
    }
    for _ in 0..20 {
        scene.say().await;
    }
    let said = scene.said;
    agree(&mut scene.people, said).await;
    scene.settle().await;
}

#[tokio::test]
async fn bandwidth_and_delay_are_what_they_are_set_to() {
    let scene = Scene::new().await;
    scene.apply(Fault::Bandwidth { kbit_per_s: 8, direction: Directions::ToServer });
    scene.apply(Fault::Delay { ms: 100, jitter_ms: 0, direction: Directions::Both });
    let begun = std::time::Instant::now();
    // 600 bytes at a byte a millisecond, and 100 ms each way.
    let answer = ask(scene.chaos.address(), "HEAD /api/ping?nonce=7", &[("x-padding", &"x".repeat(600))], "").await;
    assert_eq!(answer.header("x-sheetbend-nonce"), "7");
    assert!(begun.elapsed() >= Duration::from_millis(800), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_flapping_line() {
    let mut scene = Scene::new().await;
    let script = r#"{"repeat_ms": 250, "steps": [
        {"at_ms": 0, "do": {"fault": "clear"}},
        {"at_ms": 120, "within_ms": 80, "do": {"fault": "offline"}}
    ]}"#;
    let script: Script = serde_json::from_str(script).expect("a script");
    scene.chaos.play(script).expect("a proxy can");
    for _ in 0..50 {
        scene.say().await;
        scene.people[0].is_not_live().await;
        scene.people[0].is_live().await;
        if scene.people[1].session.view().cursor.version > 20 {
            break;
        }
    }
    scene.chaos.obey(Order::Play(Script::of(Fault::Clear))).expect("a proxy can");
    scene.settle().await;
}

#[tokio::test]
async fn dropping_the_proxy_cuts_what_goes_through_it() {
    let scene = Scene::new().await;
    assert_eq!(scene.chaos.wait_for_open(|open| *open == 2).await, 2);
    let Scene { served: _served, chaos, people, .. } = scene;
    drop(chaos);
    for person in &people {
        person.is_not_live().await;
    }
}
