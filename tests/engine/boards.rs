//! Boards and changes of every kind, over few ids so that changes meet.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sheetbend::board::model::MAX_LABELS;
use sheetbend::board::position::Position;
use sheetbend::board::{Board, Card, CardId, Change, Date, ListId};
use sheetbend::sync::document::Document;
use uuid::Uuid;

/// The list named `n`.
pub(crate) fn list(n: u8) -> ListId {
    ListId(Uuid::from_u128(0x1000 + u128::from(n)))
}

/// The card named `n`.
pub(crate) fn card(n: u8) -> CardId {
    CardId(Uuid::from_u128(0x2000 + u128::from(n)))
}

/// The `n`th place of a run.
pub(crate) fn place(n: usize) -> Position {
    Position::run_after(None, n + 1).last().expect("n + 1 places")
}

/// The changes that make [`small_board`].
pub(crate) fn small_changes() -> Vec<Change> {
    let list_of = |n: u8| {
        let title = format!("List {n}");
        Change::AddList { list: list(n), title, position: place(n.into()), archived: false }
    };
    let card_of = |n: u8| {
        let mut content = Card::new(list(0), place(n.into()), format!("Card {n}"));
        content.notes = "milk and bread".into();
        if n == 0 {
            content.labels = (1..MAX_LABELS).map(|n| format!("label {n}")).collect();
        }
        Change::AddCard { card: card(n), content }
    };
    (0..2).map(list_of).chain((0..3).map(card_of)).collect()
}

/// A board with lists 0 and 1, and cards 0 to 2 in list 0. Card 0 has all labels but one that it can have.
pub(crate) fn small_board() -> Board {
    let mut board = Board::default();
    small_changes().iter().for_each(|change| board.apply(change).expect("a new list or card"));
    board
}

/// A board that some changes have made of the small one.
pub(crate) fn any_board() -> impl Strategy<Value = Board> {
    proptest::collection::vec(any_change(), 0..12).prop_map(|changes| {
        let mut board = small_board();
        for change in &changes {
            let _ = board.apply(change);
        }
        board
    })
}

fn any_list() -> impl Strategy<Value = ListId> {
    (0_u8..4).prop_map(list)
}

fn any_card_id() -> impl Strategy<Value = CardId> {
    (0_u8..6).prop_map(card)
}

fn any_place() -> impl Strategy<Value = Position> {
    (0_usize..4).prop_map(place)
}

fn any_due() -> impl Strategy<Value = Option<Date>> {
    proptest::option::of((1_u8..=12).prop_map(|month| Date::new(2026, month, 1).expect("a day")))
}

fn any_label() -> impl Strategy<Value = String> {
    prop_oneof![Just("red".to_owned()), Just("blue".to_owned()), Just("label 1".to_owned())]
}

/// Few words, so that two texts have some in common; now and then so many that two of them are too long together.
fn any_notes() -> impl Strategy<Value = String> {
    let word = prop_oneof![Just("milk"), Just("bread"), Just("and"), Just("eggs"), Just("ärgerlich"), Just("\n")];
    prop_oneof![
        20 => proptest::collection::vec(word, 0..6).prop_map(|words| words.join(" ")),
        1 => "[xyz]".prop_map(|letter| letter.repeat(20_000)),
    ]
}

fn any_card() -> impl Strategy<Value = Card> {
    let labels = proptest::collection::btree_set(any_label(), 0..3);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (any_list(), any_place(), "[a-c]{0,3}", any_notes(), labels, any_due(), flags).prop_map(
        |(list, position, title, notes, labels, due, (done, urgent, archived))| {
            let labels: BTreeSet<_> = labels;
            Card { list, position, title, notes, done, urgent, labels, due, archived }
        },
    )
}

/// A change of any kind, which may or may not apply to a given board.
pub(crate) fn any_change() -> impl Strategy<Value = Change> {
    let title = || "[a-c]{0,3}";
    prop_oneof![
        1 => title().prop_map(|title| Change::RenameBoard { title }),
        1 => (any_list(), title(), any_place(), any::<bool>())
            .prop_map(|(list, title, position, archived)| Change::AddList { list, title, position, archived }),
        1 => (any_list(), title()).prop_map(|(list, title)| Change::RenameList { list, title }),
        1 => (any_list(), any_place()).prop_map(|(list, position)| Change::MoveList { list, position }),
        1 => (any_list(), any::<bool>()).prop_map(|(list, archived)| Change::ArchiveList { list, archived }),
        2 => (any_card_id(), any_card()).prop_map(|(card, content)| Change::AddCard { card, content }),
        3 => proptest::collection::vec((any_card_id(), any_card()), 0..4).prop_map(|cards| Change::ImportCards { cards }),
        2 => (any_card_id(), title()).prop_map(|(card, title)| Change::RenameCard { card, title }),
        4 => (any_card_id(), any_notes(), any_notes()).prop_map(|(card, from, to)| Change::EditNotes { card, from, to }),
        1 => (any_card_id(), any::<bool>()).prop_map(|(card, done)| Change::SetDone { card, done }),
        1 => (any_card_id(), any::<bool>()).prop_map(|(card, urgent)| Change::SetUrgent { card, urgent }),
        3 => (any_card_id(), any_label(), any::<bool>()).prop_map(|(card, label, on)| Change::SetLabel { card, label, on }),
        1 => (any_card_id(), any_due()).prop_map(|(card, due)| Change::SetDue { card, due }),
        2 => (any_card_id(), any_list(), any_place())
            .prop_map(|(card, list, position)| Change::MoveCard { card, list, position }),
        2 => (any_card_id(), any::<bool>()).prop_map(|(card, archived)| Change::ArchiveCard { card, archived }),
    ]
}
