//! Whole systems on made-up time: devices with their tabs and storage, a server with its store, and the lines between them,
//! all from one seed. The engine in them is the one that runs in a page and in the server; everything around it fails.
//!
//! | module | what it is |
//! |---|---|
//! | `world` | the clock, the queue of what happens next, one run from its seed to its end |
//! | `server` | the server's program and the store that outlives it |
//! | `device` | what a browser keeps of a board, its lock, its tabs |
//! | `tab` | one page: drives the engine's client as `browser::session` does |
//! | `wire` | connections over lines that `sync::faults` decides on |
//! | `people` | what people do |
//! | `storm` | what goes wrong |
//! | `promises` | what must hold all the same |
//! | `tally` | how often each of these was put to the test |
//!
//! ```sh
//! cargo test --profile simulation --test simulation                                   # 2,000 seeds
//! SHEETBEND_SEED=7 cargo test --profile simulation --test simulation -- --nocapture   # one, told step by step
//! SHEETBEND_SOAK=1000000 cargo test --profile simulation --test simulation soak -- --nocapture
//! ```

mod device;
mod people;
#[cfg(feature = "planted")]
mod planted_bugs;
mod promises;
mod server;
mod storm;
mod tab;
mod tally;
mod wire;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::tally::Tally;
use crate::world::World;

/// Seeds that a run of the tests goes through, unless `SHEETBEND_SEEDS` says otherwise.
const SEEDS: u64 = 2_000;

/// Seeds that have once found something, each with what that was.
const REGRESSIONS: &str = include_str!("regressions.txt");

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Runs seeds from `first` on, on all cores, until `enough` says so. A failing one is named.
fn run(first: u64, enough: impl Fn(u64, &Tally) -> bool + Sync) -> (u64, Tally) {
    let next = AtomicU64::new(first);
    let total = std::sync::Mutex::new((0, Tally::default()));
    let worker = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            {
                let total = total.lock().expect("no worker has failed");
                if enough(total.0, &total.1) {
                    return;
                }
            }
            let tally = one(seed, false);
            let mut total = total.lock().expect("no worker has failed");
            total.0 += 1;
            total.1.add(&tally);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    total.into_inner().expect("no worker has failed")
}

fn one(seed: u64, told: bool) -> Tally {
    let run = std::panic::catch_unwind(|| World::new(seed, told).run());
    run.unwrap_or_else(|panic| {
        eprintln!("\nSeed {seed} breaks a promise. To see how:\n  SHEETBEND_SEED={seed} cargo test --profile simulation --test simulation -- --nocapture\n");
        std::panic::resume_unwind(panic)
    })
}

#[test]
fn seeds_that_once_found_something() {
    for line in REGRESSIONS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let seed = line.split_whitespace().next().and_then(|seed| seed.parse().ok());
        one(seed.unwrap_or_else(|| panic!("a line starts with its seed: {line}")), false);
    }
}

#[test]
fn promises_hold_whatever_fails() {
    if let Some(seed) = number("SHEETBEND_SEED") {
        println!("{}", one(seed, true));
        return;
    }
    let seeds = number("SHEETBEND_SEEDS").unwrap_or(SEEDS);
    let started = Instant::now();
    let (seeds, tally) = run(1, |done, _| done >= seeds);
    println!("{seeds} seeds in {:.1} s\n{tally}", started.elapsed().as_secs_f64());
    if seeds >= 500 {
        tally.check_nothing_is_missing();
    }
}

/// Goes on until as many changes were made as `SHEETBEND_SOAK` says; without it, it has nothing to do.
#[test]
fn soak() {
    let Some(changes) = number("SHEETBEND_SOAK") else { return };
    let first = number("SHEETBEND_SEED").unwrap_or_else(|| fastrand::u64(0..1 << 48));
    let started = Instant::now();
    let (seeds, tally) = run(first, |done, tally| {
        if done > 0 && done.is_multiple_of(5_000) {
            eprintln!("{done} seeds, {} changes, {:.0} s", tally.changes(), started.elapsed().as_secs_f64());
        }
        tally.changes() >= changes
    });
    println!("{seeds} seeds from {first} on in {:.0} s\n{tally}", started.elapsed().as_secs_f64());
    tally.check_nothing_is_missing();
}
