//! The simulation must be able to fail: bugs that others have shipped are planted, one at a time, and each must be caught.

use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sheetbend::sync::planted::{Bug, plant};

use crate::SEEDS;
use crate::world::World;

/// What caught a bug: the first line of the failure, and after how many seeds.
type Caught = (u64, String);

#[test]
fn every_planted_bug_is_caught() {
    let next = AtomicUsize::new(0);
    let caught = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(bug) = Bug::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = hunt(*bug);
                    caught.lock().expect("no hunt has failed").push((*bug, result));
                }
            });
        }
    });
    let mut caught = caught.into_inner().expect("no hunt has failed");
    caught.sort_by_key(|(bug, _)| *bug);
    for (bug, result) in &caught {
        match result {
            Some((seeds, how)) => println!("{:<24} after {seeds:>4} seeds: {how}", format!("{bug:?}")),
            None => println!("{:<24} NOT CAUGHT", format!("{bug:?}")),
        }
    }
    assert_eq!(caught.len(), Bug::ALL.len());
    let loose: Vec<_> = caught.iter().filter(|(_, result)| result.is_none()).map(|(bug, _)| bug).collect();
    assert!(loose.is_empty(), "these bugs got past {SEEDS} seeds: {loose:?}");
}

fn hunt(bug: Bug) -> Option<Caught> {
    plant(Some(bug));
    let found = (1..=SEEDS).find_map(|seed| {
        let panic = catch_unwind(|| World::new(seed, false).run()).err()?;
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let text = text.unwrap_or_default();
        Some((seed, text.lines().next().unwrap_or_default().chars().take(90).collect()))
    });
    plant(None);
    found
}
