//! What holds for every change on every board.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sheetbend::board::{Board, Change};
use sheetbend::sync::document::Document;
use uuid::Uuid;

use crate::boards::{any_board, any_change, card, small_board};

fn applied(board: &Board, change: &Change) -> Option<Board> {
    let mut after = board.clone();
    after.apply(change).is_ok().then_some(after)
}

/// The lists and cards that are not the same on both boards.
fn changed(before: &Board, after: &Board) -> BTreeSet<Uuid> {
    let lists = before.lists.keys().chain(after.lists.keys());
    let cards = before.cards.keys().chain(after.cards.keys());
    lists
        .filter(|&id| before.lists.get(id) != after.lists.get(id))
        .map(|id| id.0)
        .chain(cards.filter(|&id| before.cards.get(id) != after.cards.get(id)).map(|id| id.0))
        .collect()
}

/// A text that someone edits twice.
fn any_edits() -> impl Strategy<Value = [String; 3]> {
    let notes = proptest::collection::vec(prop_oneof![Just("milk"), Just("eggs"), Just("and")], 0..5);
    [notes.clone(), notes.clone(), notes].prop_map(|texts| texts.map(|words| words.join(" ")))
}

fn edit(from: &str, to: &str) -> Change {
    Change::EditNotes { card: card(1), from: from.to_owned(), to: to.to_owned() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_change_applies_whole_or_not_at_all(board in any_board(), change in any_change()) {
        let mut after = board.clone();
        if after.apply(&change).is_err() {
            prop_assert_eq!(after, board);
        }
    }

    #[test]
    fn the_inverse_brings_back_what_was(board in any_board(), change in any_change()) {
        let Some(after) = applied(&board, &change) else { return Ok(()) };
        let Some(inverse) = board.inverse(&change) else {
            prop_assert!(matches!(change, Change::ImportCards { .. }), "{change:?} can be undone");
            return Ok(());
        };
        let undone = applied(&after, &inverse).expect("the inverse applies");
        match change {
            // Nothing is ever deleted: what was added is put away.
            Change::AddList { list, .. } => prop_assert!(undone.lists[&list].archived),
            Change::AddCard { card, .. } => prop_assert!(undone.cards[&card].archived),
            _ => prop_assert_eq!(undone, board),
        }
    }

    #[test]
    fn what_a_change_changes_it_touches(board in any_board(), change in any_change()) {
        let Some(after) = applied(&board, &change) else { return Ok(()) };
        let touched: BTreeSet<_> = Board::touches(&change).into_iter().collect();
        prop_assert!(changed(&board, &after).is_subset(&touched), "{change:?}");
    }

    #[test]
    fn a_merged_change_does_what_the_two_did(board in any_board(), earlier in any_change(), later in any_change()) {
        let Some(merged) = Board::merge(&earlier, &later) else { return Ok(()) };
        let Some(both) = applied(&board, &earlier).and_then(|board| applied(&board, &later)) else { return Ok(()) };
        if !matches!(merged, Change::EditNotes { .. }) {
            prop_assert_eq!(applied(&board, &merged), Some(both), "{:?}", merged);
        }
    }

    /// On notes as their author saw them. On others a merged edit is one edit from where its author began, which is not the
    /// same to the letter: what they typed and took back again meanwhile leaves no trace.
    #[test]
    fn merged_edits_of_notes_do_what_the_two_did([from, to, then] in any_edits()) {
        let (mut board, earlier, later) = (small_board(), edit(&from, &to), edit(&to, &then));
        board.apply(&edit("milk and bread", &from)).expect("the card is there");
        let both = applied(&board, &earlier).and_then(|board| applied(&board, &later));
        let merged = Board::merge(&earlier, &later).expect("the later goes on from the earlier");
        prop_assert_eq!(applied(&board, &merged), both);
        prop_assert!(Board::merge(&earlier, &edit("something else", &then)).is_none() || to == "something else");
    }

    #[test]
    fn what_every_board_would_refuse_is_refused_beforehand(board in any_board(), change in any_change()) {
        prop_assert_eq!(Board::check(&change), Ok(()), "the changes made up here are within the limits");
        let read: Change = serde_json::from_str(&serde_json::to_string(&change).expect("JSON")).expect("a change");
        prop_assert_eq!(applied(&board, &read), applied(&board, &change), "its JSON says the same");
    }
}

#[test]
fn a_change_reads_as_people_would_write_it() {
    let add = Change::AddCard { card: card(0), content: (*small_board().cards[&card(1)]).clone() };
    let json: serde_json::Value = serde_json::to_value(&add).expect("JSON");
    assert_eq!(json["kind"], "add_card");
    assert_eq!(json["title"], "Card 1");
    assert_eq!(json["position"], "a1");
    assert!(json.get("done").is_none(), "what is not set is not written");
}
