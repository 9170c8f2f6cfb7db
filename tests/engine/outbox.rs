//! The outbox: what is sent when, what goes into what, and what is set aside.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sheetbend::board::position::Position;
use sheetbend::board::{Board, Card, CardId, Change, ListId};
use sheetbend::sync::document::{Document, Refusal};
use sheetbend::sync::id::{ChangeId, uuid_v7};
use sheetbend::sync::message::Limits;
use sheetbend::sync::outbox::{Admitted, Kept, Mark, Outbox, Pushed};
use uuid::Uuid;

fn id(n: u64) -> ChangeId {
    ChangeId(uuid_v7(n, [0; 10]))
}

fn card(n: u128) -> CardId {
    CardId(Uuid::from_u128(100 + n))
}

fn list(n: u128) -> ListId {
    ListId(Uuid::from_u128(200 + n))
}

fn kept(n: u64, change: Change) -> Kept<Change> {
    Kept::new(id(n), change, n)
}

fn done(n: u128) -> Change {
    Change::SetDone { card: card(n), done: true }
}

fn urgent(n: u128) -> Change {
    Change::SetUrgent { card: card(n), urgent: true }
}

fn import(cards: impl IntoIterator<Item = u128>, into: u128) -> Change {
    let new = |n| (card(n), Card::new(list(into), Position::default(), "imported"));
    Change::ImportCards { cards: cards.into_iter().map(new).collect() }
}

fn outbox(changes: impl IntoIterator<Item = Change>) -> Outbox<Board> {
    let mut outbox = Outbox::default();
    for (n, change) in (1..).zip(changes) {
        assert!(matches!(outbox.push(kept(n, change)), Pushed::Added(_)), "{n}");
    }
    outbox
}

/// The order in which everything is sent, one by one.
fn order(outbox: &mut Outbox<Board>) -> Vec<ChangeId> {
    let one = Limits { in_flight_changes: 1, ..Limits::default() };
    let mut order = Vec::new();
    while let [next] = &outbox.next_batch(&one)[..] {
        order.push(next.id);
        outbox.settle(next.id, None);
    }
    order
}

#[test]
fn a_tick_is_not_stuck_behind_an_import_and_urgent_goes_first() {
    let mut outbox = outbox([import([1], 1), import([2], 2), done(8), urgent(9)]);
    assert_eq!(order(&mut outbox), [id(4), id(3), id(1), id(2)]);
}

#[test]
fn a_change_never_overtakes_an_earlier_one_to_the_same_card() {
    // The urgent card came with the second import, which is to the same list as the first.
    let mut outbox = outbox([import([1], 1), import([2], 1), import([3], 2), done(8), urgent(2)]);
    assert_eq!(order(&mut outbox), [id(1), id(2), id(5), id(4), id(3)]);
}

#[test]
fn what_was_in_flight_is_sent_again_in_its_order() {
    let mut outbox = outbox([done(1), done(2)]);
    let limits = Limits::default();
    assert_eq!(ids(outbox.next_batch(&limits)), [id(1), id(2)]);
    assert_eq!(outbox.in_flight(), 2);
    outbox.push(kept(3, done(3)));
    assert_eq!(outbox.line_lost(false), None);
    assert_eq!(ids(outbox.next_batch(&limits)), [id(1), id(2), id(3)], "a new edit does not overtake");
}

#[test]
fn queued_changes_to_one_field_become_one_under_an_id_of_its_own() {
    let mut outbox = outbox([done(1)]);
    let undone = Change::SetDone { card: card(1), done: false };
    let Pushed::Merged(merged) = outbox.push(kept(2, undone.clone())) else { panic!("they merge") };
    assert_eq!((merged.id, &merged.change, merged.replaces), (id(2), &undone, Some(id(1))));
    assert_eq!(outbox.pending().map(|kept| kept.id).collect::<Vec<_>>(), [id(2)]);

    let restored: Outbox<Board> = Outbox::restore([kept(1, done(1)), merged]);
    assert_eq!(restored.pending().map(|kept| kept.id).collect::<Vec<_>>(), [id(2)], "the device stopped in between");
}

#[test]
fn what_was_replaced_is_void_from_wherever_it_comes() {
    let later = Kept { replaces: Some(id(1)), ..kept(2, done(1)) };
    let admitted = |added, void| Admitted { added, void };
    let mut outbox = outbox([]);
    assert_eq!(outbox.admit(kept(1, done(1))), admitted(true, None));
    assert_eq!(outbox.admit(later.clone()), admitted(true, Some(id(1))));
    assert_eq!(outbox.admit(later), admitted(false, None));
    assert_eq!(outbox.admit(kept(1, done(1))), admitted(false, Some(id(1))));
    outbox.settle(id(2), None);
    assert_eq!(
        outbox.admit(kept(1, done(1))),
        admitted(false, Some(id(1))),
        "sent now, it would take back what is newer"
    );

    let mut sent = self::outbox([done(1)]);
    sent.next_batch(&Limits::default());
    let later = Kept { replaces: Some(id(1)), ..kept(2, done(1)) };
    assert_eq!(sent.admit(later), admitted(true, None), "it may be in the log");
    assert_eq!(sent.len(), 2);
}

fn ids(batch: Vec<sheetbend::sync::message::Proposal<Change>>) -> Vec<ChangeId> {
    batch.into_iter().map(|proposal| proposal.id).collect()
}

/// Dexie 2228: a poison change blocks the queue for ever.
#[test]
fn a_change_that_makes_the_server_hang_up_is_set_aside_and_the_rest_goes_on() {
    let limits = Limits::default();
    let mut outbox = outbox([done(1), done(2), done(3)]);
    assert_eq!(ids(outbox.next_batch(&limits)), [id(1), id(2), id(3)]);
    assert_eq!(outbox.line_lost(true), None, "one of the three");
    assert_eq!(ids(outbox.next_batch(&limits)), [id(1)], "from here on one by one");
    assert!(outbox.next_batch(&limits).is_empty());
    assert!(outbox.settle(id(1), None).is_some());
    for _ in 0..2 {
        assert_eq!(ids(outbox.next_batch(&limits)), [id(2)]);
        assert_eq!(outbox.line_lost(false), None, "a line that breaks by itself says nothing");
        assert_eq!(ids(outbox.next_batch(&limits)), [id(2)]);
        assert_eq!(outbox.line_lost(true), None);
    }
    assert_eq!(ids(outbox.next_batch(&limits)), [id(2)]);
    let poison = outbox.line_lost(true).expect("three times are enough");
    assert_eq!((poison.id, poison.refused.map(|refusal| refusal.code)), (id(2), Some("poisonous".into())));
    assert_eq!(ids(outbox.next_batch(&limits)), [id(3)]);
    assert_eq!((outbox.len(), outbox.refused()), (1, 1));

    // It had reached the log all the same.
    let saved = outbox.settle(id(2), None).expect("it is ours");
    assert_eq!((saved.refused, outbox.refused()), (None, 0));
}

#[test]
fn a_change_that_was_alone_is_suspected_at_once() {
    let limits = Limits::default();
    let mut outbox = outbox([done(1)]);
    for _ in 0..2 {
        outbox.next_batch(&limits);
        assert_eq!(outbox.line_lost(true), None);
    }
    outbox.next_batch(&limits);
    assert!(outbox.line_lost(true).is_some());
    outbox.push(kept(5, done(5)));
    outbox.push(kept(6, done(6)));
    assert_eq!(outbox.next_batch(&limits).len(), 2, "and all goes on as before");
}

#[test]
fn what_is_in_flight_is_counted() {
    let limits = Limits::default();
    let mut outbox = outbox([done(1), done(2)]);
    outbox.next_batch(&limits);
    let bytes = sheetbend::sync::document::size_of(&done(1));
    assert_eq!((outbox.in_flight(), outbox.in_flight_bytes()), (2, 2 * bytes));
    outbox.settle(id(1), None);
    assert_eq!((outbox.in_flight(), outbox.in_flight_bytes()), (1, bytes));
    outbox.line_lost(false);
    assert_eq!((outbox.in_flight(), outbox.in_flight_bytes(), outbox.len()), (0, 0, 1));
    assert_eq!(outbox.oldest().map(|kept| kept.id), Some(id(2)));
    assert_eq!(outbox.newest(), Some(id(2)));
    assert!(outbox.contains(id(2)) && !outbox.contains(id(1)) && !outbox.is_empty());
}

#[test]
fn what_may_have_been_sent_stays_as_it_is() {
    let mut sent = outbox([done(1)]);
    sent.next_batch(&Limits::default());
    sent.line_lost(false);
    assert!(matches!(sent.push(kept(2, done(1))), Pushed::Added(_)), "its id may be in the log already");

    let mut restored: Outbox<Board> = Outbox::restore([kept(1, done(1))]);
    assert!(matches!(restored.push(kept(2, done(1))), Pushed::Added(_)), "it may have been sent before the reload");

    let mut between = outbox([done(1), Change::ArchiveCard { card: card(1), archived: true }]);
    assert!(matches!(between.push(kept(3, done(1))), Pushed::Added(_)), "something else came between");
}

#[test]
fn a_change_that_the_server_hangs_up_over_is_set_aside_and_the_rest_goes_on() {
    let mut outbox = outbox([done(1), done(2), done(3)]);
    let limits = Limits::default();
    let poison = id(2);
    let mut set_aside = None;
    for _ in 0..20 {
        let batch = outbox.next_batch(&limits);
        if batch.iter().any(|proposal| proposal.id == poison) {
            set_aside = set_aside.or(outbox.line_lost(true));
        } else {
            batch.iter().for_each(|proposal| assert!(outbox.settle(proposal.id, None).is_some()));
        }
    }
    let refusal = set_aside.and_then(|kept: Kept<Change>| kept.refused);
    assert_eq!(refusal.map(|why| why.code), Some("poisonous".into()));
    assert!(outbox.is_empty(), "the others went");
    assert_eq!(outbox.attention().map(|kept| kept.id).collect::<Vec<_>>(), [poison]);
}

#[test]
fn a_bad_line_is_nobodys_fault() {
    let mut outbox = outbox([done(1)]);
    for _ in 0..50 {
        assert_eq!(outbox.next_batch(&Limits::default()).len(), 1);
        assert_eq!(outbox.line_lost(false), None);
    }
    assert_eq!(outbox.len(), 1);
}

#[test]
fn the_window_is_kept_and_what_is_wider_goes_alone() {
    let mut outbox = outbox((1..=5).map(done));
    let two = Limits { in_flight_changes: 2, ..Limits::default() };
    assert_eq!(outbox.next_batch(&two).len(), 2);
    assert!(outbox.next_batch(&two).is_empty());
    outbox.settle(id(1), None);
    assert_eq!(outbox.next_batch(&two).len(), 1);
    outbox.line_lost(false);
    let narrow = Limits { in_flight_bytes: 10, ..Limits::default() };
    assert_eq!(outbox.next_batch(&narrow).len(), 1);
}

#[test]
fn refused_changes_wait_for_their_author_also_after_a_reload() {
    let mut outbox = outbox([done(1)]);
    let refused = outbox.settle(id(1), Some(Refusal::view_only())).expect("ours");
    assert_eq!((outbox.len(), outbox.refused()), (0, 1));
    let mut outbox: Outbox<Board> = Outbox::restore([refused]);
    assert_eq!((outbox.len(), outbox.refused(), outbox.newest()), (0, 1, Some(id(1))));
    assert_eq!(outbox.mark(card(1).0), Mark::Refused);
    assert!(outbox.discard(id(1)).is_some());
    assert_eq!((outbox.newest(), outbox.mark(card(1).0)), (None, Mark::Saved));
}

#[test]
fn an_entity_s_mark_is_what_is_worst_about_it() {
    let mut outbox = outbox([done(1), urgent(1), done(2)]);
    outbox.take_unmarked();
    assert_eq!((outbox.mark(card(1).0), outbox.mark(card(3).0)), (Mark::Kept, Mark::Saved));
    outbox.settle(id(1), Some(Refusal::view_only()));
    assert_eq!(outbox.mark(card(1).0), Mark::Refused);
    assert_eq!(outbox.take_unmarked(), BTreeSet::from([card(1).0]));
    outbox.settle(id(2), None);
    outbox.discard(id(1));
    outbox.settle(id(3), None);
    assert_eq!((outbox.mark(card(1).0), outbox.mark(card(2).0)), (Mark::Saved, Mark::Saved));
    assert_eq!(outbox.take_unmarked(), BTreeSet::from([card(1).0, card(2).0]));
    assert!(outbox.take_unmarked().is_empty());
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0_u128..6).prop_map(done),
        (0_u128..6).prop_map(urgent),
        (0_u128..6, 0_u128..2).prop_map(|(n, into)| import([n, n + 1], into)),
        (0_u128..6, 0_u128..2).prop_map(|(n, into)| Change::MoveCard {
            card: card(n),
            list: list(into),
            position: Position::default()
        }),
        Just(Change::RenameBoard { title: "x".into() }),
    ]
}

proptest! {
    /// Whatever is pushed, admitted late, sent, lost and settled: no change is sent before an earlier one that touches the
    /// same, no urgent one waits for one that it need not wait for, and everything is sent.
    #[test]
    fn never_overtaking_and_nothing_left_behind(
        steps in proptest::collection::vec((any_change(), any::<bool>(), 0_u8..8), 1..60),
    ) {
        let mut outbox: Outbox<Board> = Outbox::default();
        let mut pending: BTreeMap<ChangeId, Change> = BTreeMap::new();
        let mut in_flight: Vec<ChangeId> = Vec::new();
        let limits = Limits { in_flight_changes: 3, ..Limits::default() };
        for (n, (change, late, act)) in (0_u64..).zip(steps) {
            let at = if late { 1_000 + n } else { 2_000 + n };
            if late {
                outbox.admit(kept(at, change.clone()));
                pending.insert(id(at), change);
            } else if let Pushed::Added(kept) | Pushed::Merged(kept) = outbox.push(kept(at, change)) {
                pending.retain(|id, _| Some(*id) != kept.replaces);
                pending.insert(kept.id, kept.change);
            }
            match act {
                0..=3 => {
                    for proposal in outbox.next_batch(&limits) {
                        let mine: BTreeSet<_> = Board::touches(&pending[&proposal.id]).into_iter().collect();
                        let earlier = pending.range(..proposal.id).filter(|(id, _)| !in_flight.contains(id));
                        for (other, change) in earlier {
                            let theirs = Board::touches(change);
                            let shared = theirs.iter().any(|entity| mine.contains(entity)) || (mine.is_empty() && theirs.is_empty());
                            prop_assert!(!shared, "{:?} overtakes {other:?}", proposal.id);
                        }
                        in_flight.push(proposal.id);
                    }
                }
                4 => {
                    outbox.line_lost(false);
                    in_flight.clear();
                }
                _ => {
                    if !in_flight.is_empty() {
                        let settled = in_flight.remove(0);
                        prop_assert!(outbox.settle(settled, None).is_some());
                        pending.remove(&settled);
                    }
                }
            }
            prop_assert_eq!(outbox.pending().map(|kept| kept.id).collect::<Vec<_>>(), pending.keys().copied().collect::<Vec<_>>());
        }
        outbox.line_lost(false);
        let sent: BTreeSet<_> = order(&mut outbox).into_iter().collect();
        prop_assert_eq!(sent, pending.keys().copied().collect::<BTreeSet<_>>());
    }
}
