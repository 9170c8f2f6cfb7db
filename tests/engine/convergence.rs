//! People edit, and the network does what it likes: in the end all have the same board, with every change in it once.
//!
//! The harness checks at every step that the view is right and that what is not saved is kept.

use std::time::Duration;

use proptest::prelude::*;
use sheetbend::board::{Board, Change};
use sheetbend::sync::client::Event;

use crate::boards::{any_change, small_changes};
use crate::harness::World;

/// What can happen to one person.
#[derive(Clone, Debug)]
enum Step {
    Edit(Box<Change>),
    Connect,
    Open,
    DeliverUp,
    DeliverDown,
    DeliverAll,
    DuplicateUp,
    DuplicateDown,
    ReorderUp,
    ReorderDown,
    Cut,
    GoSilent,
    Reload,
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any_change().prop_map(|change| Step::Edit(Box::new(change))),
        2 => Just(Step::Connect),
        3 => Just(Step::Open),
        6 => Just(Step::DeliverUp),
        6 => Just(Step::DeliverDown),
        4 => Just(Step::DeliverAll),
        1 => Just(Step::DuplicateUp),
        1 => Just(Step::DuplicateDown),
        1 => Just(Step::ReorderUp),
        1 => Just(Step::ReorderDown),
        2 => Just(Step::Cut),
        1 => Just(Step::GoSilent),
        1 => Just(Step::Reload),
        2 => (0_u64..30_000).prop_map(Step::Wait),
    ]
}

/// Notes are edited from what the person sees.
fn as_seen(board: &Board, change: Change) -> Change {
    match change {
        Change::EditNotes { card, to, .. } => {
            let from = board.cards.get(&card).map(|card| card.notes.clone()).unwrap_or_default();
            Change::EditNotes { card, from, to }
        }
        change => change,
    }
}

fn take(world: &mut World<Board>, who: usize, step: Step) {
    let line = world.people[who].line.as_mut();
    match step {
        Step::Edit(change) => {
            let change = as_seen(world.view(who), *change);
            // What the client does not admit is not made.
            let _ = world.edit(who, change);
        }
        Step::Connect => world.feed(who, Event::Start),
        Step::Open => world.open(who),
        Step::DeliverUp => drop(world.deliver_up(who)),
        Step::DeliverDown => drop(world.deliver_down(who)),
        Step::DeliverAll => world.deliver_all(who),
        Step::DuplicateUp => _ = line.map(|line| line.up.front().cloned().map(|frame| line.up.push_front(frame))),
        Step::DuplicateDown => _ = line.map(|line| line.down.front().cloned().map(|frame| line.down.push_front(frame))),
        Step::ReorderUp => _ = line.map(|line| line.up.make_contiguous().reverse()),
        Step::ReorderDown => _ = line.map(|line| line.down.make_contiguous().reverse()),
        Step::Cut => world.cut(who),
        Step::GoSilent => world.go_silent(who),
        Step::Reload => world.reload(who),
        Step::Wait(ms) => world.wait(Duration::from_millis(ms)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_schedule_ends_in_the_same_board(steps in proptest::collection::vec((0_usize..2, any_step()), 1..80), live: bool) {
        let mut world = if live { World::live(2, small_changes()) } else { World::new(2, small_changes()) };
        for (who, step) in steps {
            take(&mut world, who, step);
        }
        world.settle();
        prop_assert_eq!(world.view(0), world.view(1));
    }
}
