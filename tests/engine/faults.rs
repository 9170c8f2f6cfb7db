//! What a bad network does is what the script says, and the same again from the same seed.

use std::time::Duration;

use proptest::prelude::*;
use sheetbend::sync::faults::{
    Connect, Direction, Directions, Fault, Incident, Level, Line, Preset, Script, Step, Verdict,
};
use sheetbend::sync::time::Moment;

const BOTH: Directions = Directions::Both;

fn at(ms: u64) -> Moment {
    Moment::from_millis(ms)
}

fn line(level: Level, seed: u64, faults: &[Fault]) -> Line {
    let mut line = Line::new(level, seed);
    for fault in faults {
        line.apply(fault);
    }
    line
}

fn delivered(verdict: Verdict) -> Moment {
    let Verdict::Deliver(at) = verdict else { panic!("{verdict:?}") };
    at
}

/// When each piece is sent, and its size.
fn pieces() -> impl Strategy<Value = Vec<(u64, usize)>> {
    let piece = (0_u64..200, 0_usize..5_000);
    prop::collection::vec(piece, 1..60).prop_map(|pieces| {
        let mut now = 0;
        let timed = pieces.into_iter().map(|(pause, size)| {
            now += pause;
            (now, size)
        });
        timed.collect()
    })
}

proptest! {
    #[test]
    fn order_is_kept_whatever_the_jitter(
        seed: u64, pieces in pieces(), ms in 0_u64..500, jitter_ms in 0_u64..2_000, share in 0.0..1.0_f64,
    ) {
        let faults = [Fault::Delay { ms, jitter_ms, direction: BOTH }, Fault::Lose { share, direction: BOTH }];
        let mut stream = line(Level::Stream, seed, &faults);
        let mut messages = line(Level::Messages, seed, &faults[..1]);
        for line in [&mut stream, &mut messages] {
            let mut last = at(0);
            for (sent, size) in &pieces {
                let arrives = delivered(line.carry(Direction::ToServer, *size, at(*sent)));
                prop_assert!(arrives >= last && arrives >= at(sent + ms));
                last = arrives;
            }
        }
    }

    #[test]
    fn bandwidth_is_never_exceeded(seed: u64, pieces in pieces(), kbit_per_s in 1_u64..10_000) {
        let mut line = line(Level::Stream, seed, &[Fault::Bandwidth { kbit_per_s, direction: BOTH }]);
        let arrivals: Vec<_> = pieces
            .iter()
            .map(|(sent, size)| (delivered(line.carry(Direction::ToClient, *size, at(*sent))), *size as u64))
            .collect();
        // Whenever one starts to count: what arrived after that, but for the first, took its time.
        for from in 0..arrivals.len() {
            let bits: u64 = arrivals[from + 1..].iter().map(|(_, size)| size * 8).sum();
            let spent = arrivals[arrivals.len() - 1].0.since(arrivals[from].0).as_millis() as u64;
            prop_assert!(bits <= (spent + 1) * kbit_per_s, "{bits} bits in {spent} ms at {kbit_per_s} kbit/s");
        }
    }

    #[test]
    fn the_same_seed_is_the_same_network(seed: u64, pieces in pieces()) {
        let script = Script {
            seed,
            repeat_ms: Some(900),
            steps: vec![
                Step { at_ms: 0, within_ms: 0, fault: Fault::Lose { share: 0.3, direction: BOTH } },
                Step { at_ms: 0, within_ms: 0, fault: Fault::Duplicate { share: 0.2, direction: BOTH } },
                Step { at_ms: 100, within_ms: 300, fault: Fault::Reorder { share: 0.3, within_ms: 70, direction: BOTH } },
                Step { at_ms: 500, within_ms: 300, fault: Fault::Cut },
            ],
        };
        let run = |other: u64| {
            let mut line = Line::new(Level::Messages, other);
            line.play(script.clone(), at(0));
            let happened = pieces.iter().map(|(sent, size)| {
                (line.advance(at(*sent)), line.carry(Direction::ToServer, *size, at(*sent)), line.deadline())
            });
            happened.collect::<Vec<_>>()
        };
        prop_assert_eq!(run(1), run(2));
    }

    #[test]
    fn a_timeline_is_followed(seed: u64, gaps in prop::collection::vec((0_u64..500, 0_u64..500), 1..10), rest in 1_u64..500) {
        let mut at_ms = 0;
        let steps: Vec<_> = gaps
            .iter()
            .zip(1..)
            .map(|((gap, within_ms), code)| {
                at_ms += gap;
                Step { at_ms, within_ms: *within_ms, fault: Fault::Close { code } }
            })
            .collect();
        let repeat = at_ms + rest;
        let script = Script { seed, repeat_ms: Some(repeat), steps: steps.clone() };
        prop_assert_eq!(script.check(), Ok(()));
        let mut line = Line::new(Level::Messages, 0);
        line.play(script, at(1_000));
        let mut taken = Vec::new();
        while taken.len() < 3 * steps.len() {
            let due = line.deadline().expect("goes on");
            prop_assert!(line.advance(at(due.as_millis() - 1)).is_empty(), "not before it is due");
            taken.extend(line.advance(due).into_iter().map(|(fault, _)| (fault, due)));
        }
        for (n, (fault, due)) in taken.into_iter().enumerate() {
            let (round, step) = (n / steps.len(), n % steps.len());
            let next = steps.get(step + 1).map_or(repeat, |next| next.at_ms);
            let (step, start) = (&steps[step], 1_000 + round as u64 * repeat);
            prop_assert_eq!(&fault, &step.fault);
            let latest = next.min(step.at_ms + step.within_ms);
            prop_assert!(due >= at(start + step.at_ms) && due <= at(start + latest), "{due:?}");
        }
    }
}

#[test]
fn the_share_lost_is_near_what_was_set() {
    let mut messages = line(Level::Messages, 7, &[Fault::Lose { share: 0.3, direction: Directions::ToServer }]);
    let mut lost =
        |direction| (0..10_000_u64).filter(|n| messages.carry(direction, 100, at(*n)) == Verdict::Lost).count();
    let (up, down) = (lost(Direction::ToServer), lost(Direction::ToClient));
    assert!((2_800..3_200).contains(&up), "{up}");
    assert_eq!(down, 0, "that way nothing was set");
}

#[test]
fn a_stream_loses_nothing_but_time() {
    let mut stream = line(Level::Stream, 7, &[Fault::Lose { share: 0.3, direction: BOTH }]);
    let waits: Vec<_> = (0..1_000_u64)
        .map(|n| {
            let sent = at(n * 10_000);
            delivered(stream.carry(Direction::ToServer, 100, sent)).since(sent).as_millis()
        })
        .collect();
    let late = waits.iter().filter(|&&wait| wait > 0).count();
    assert!((250..350).contains(&late), "{late}");
    assert!(waits.iter().all(|wait| [0, 200, 600, 1_400, 3_000, 6_200].contains(wait)), "{waits:?}");
}

#[test]
fn shares_of_messages_come_twice_and_late() {
    let mut twice = line(Level::Messages, 7, &[Fault::Duplicate { share: 0.2, direction: BOTH }]);
    let doubled =
        (0..1_000).filter(|n| matches!(twice.carry(Direction::ToClient, 9, at(*n)), Verdict::Twice(..))).count();
    assert!((150..250).contains(&doubled), "{doubled}");

    let mut late = line(Level::Messages, 7, &[Fault::Reorder { share: 0.2, within_ms: 100, direction: BOTH }]);
    let arrivals: Vec<_> = (0..1_000).map(|n| delivered(late.carry(Direction::ToClient, 9, at(n)))).collect();
    let overtaken = arrivals.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(overtaken > 100, "{overtaken}");
}

#[test]
fn a_stream_is_cut_in_the_middle() {
    let mut stream = line(Level::Stream, 1, &[Fault::CutAfter { bytes: 150, direction: Directions::ToServer }]);
    assert_eq!(stream.carry(Direction::ToClient, 100, at(5)), Verdict::Deliver(at(5)));
    assert_eq!(stream.carry(Direction::ToServer, 100, at(5)), Verdict::Deliver(at(5)));
    assert_eq!(stream.carry(Direction::ToServer, 100, at(6)), Verdict::Cut { bytes: 50, at: at(6) });
    assert_eq!(stream.carry(Direction::ToServer, 100, at(7)), Verdict::Deliver(at(7)), "once");
}

#[test]
fn what_is_silent_is_held_until_it_is_not() {
    let mut line = line(Level::Messages, 1, &[Fault::HalfOpen { direction: Directions::ToClient }]);
    assert_eq!(line.carry(Direction::ToClient, 9, at(1)), Verdict::Held);
    assert_eq!(line.carry(Direction::ToServer, 9, at(1)), Verdict::Deliver(at(1)));
    assert_eq!(line.apply(&Fault::Clear), None);
    assert_eq!(line.carry(Direction::ToClient, 9, at(2)), Verdict::Deliver(at(2)));
}

#[test]
fn presets_have_names_and_the_numbers_people_know() {
    for preset in Preset::ALL {
        assert_eq!(preset.name().parse(), Ok(preset));
        assert_eq!(preset.script().check_for(Level::Stream), Ok(()), "{preset}");
    }
    assert!("3g".parse::<Preset>().expect_err("unknown").to_string().contains("slow_3g"));

    let mut line = Line::new(Level::Stream, 0);
    line.play(Preset::Slow3g.script(), at(0));
    line.advance(at(0));
    let there = delivered(line.carry(Direction::ToServer, 5_000, at(0)));
    assert_eq!(there, at(100 + 1_000), "40 kbit at 400 kbit/s, and half of 2,000 ms");

    line.play(Preset::Flapping.script(), at(0));
    line.advance(at(0));
    assert_eq!((line.connect(), line.deadline()), (Connect::Accept, Some(at(15_000))));
    assert_eq!(line.advance(at(15_000)), [(Fault::Offline, Some(Incident::Cut))]);
    assert_eq!((line.connect(), line.deadline()), (Connect::Refuse, Some(at(17_000))));
    line.advance(at(17_000));
    assert_eq!(line.connect(), Connect::Accept);

    line.play(Preset::Tunnel.script(), at(0));
    line.advance(at(3_000));
    assert!(line.conditions().to_client.silent && line.conditions().to_server.silent);
    assert_eq!(line.connect(), Connect::Silent);
    line.advance(at(36_000));
    assert_eq!((line.conditions(), line.deadline()), (&Default::default(), None));
}

#[test]
fn a_script_that_cannot_be_played_says_why() {
    let read = |text: &str| serde_json::from_str::<Script>(text).expect_err("wrong").to_string();
    let steps = |steps: &str| format!(r#"{{"steps": [{steps}]}}"#);
    let cut = |at: u64| format!(r#"{{"at_ms": {at}, "do": {{"fault": "cut"}}}}"#);
    assert!(read(&steps(&format!("{}, {}", cut(9), cut(5)))).contains("step 2 is before"));
    assert!(read(r#"{"repeat_ms": 0, "steps": []}"#).contains("more than 0"));
    assert!(read(&steps(r#"{"at_ms": 0, "do": {"fault": "lose", "share": 30}}"#)).contains("step 1 has a share"));
    assert!(read(&steps(r#"{"at_ms": 0, "do": {"fault": "half_open", "way": "up"}}"#)).contains("unknown field `way`"));
    assert!(read(&steps(r#"{"at_ms": 0, "do": {"fault": "explode"}}"#)).contains("unknown variant `explode`"));

    let restart = Script::of(Fault::RestartServer);
    assert_eq!(restart.check_for(Level::Messages), Ok(()));
    assert!(restart.check_for(Level::Stream).expect_err("a proxy has no server").to_string().contains("harness"));
    let text = serde_json::to_string(&Preset::Tunnel.script()).expect("JSON");
    assert_eq!(serde_json::from_str::<Script>(&text).expect("readable"), Preset::Tunnel.script());
}

#[test]
fn an_empty_script_is_at_its_end() {
    let mut line = Line::new(Level::Stream, 0);
    line.play(Script { repeat_ms: Some(5), ..Script::default() }, at(0) + Duration::from_secs(1));
    assert_eq!((line.deadline(), line.advance(at(9_999))), (None, Vec::new()));
}
