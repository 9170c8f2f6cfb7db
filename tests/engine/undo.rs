//! Undo never takes back what somebody else did.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;
use sheetbend::board::position::Position;
use sheetbend::board::undo::{History, Undo};
use sheetbend::board::{Board, Card, CardId, Change};
use sheetbend::sync::document::Document;

use crate::boards::{any_change, small_board};

/// What happens to a board: the person's steps, and the changes of others between them.
#[derive(Clone, Debug)]
enum Deed {
    Mine(Vec<Change>),
    Theirs(Change),
    Undo,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => proptest::collection::vec(any_change(), 1..4).prop_map(Deed::Mine),
        4 => any_change().prop_map(Deed::Theirs),
        2 => Just(Deed::Undo),
    ]
}

fn applied(board: &mut Board, change: &Change) -> bool {
    board.apply(change).is_ok()
}

/// All fields of a board but the notes, which are merged, with their values.
fn fields(board: &Board) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::from([("title".to_owned(), Value::from(board.title.clone()))]);
    for (id, list) in &board.lists {
        all.insert(format!("{id} title"), list.title.clone().into());
        all.insert(format!("{id} position"), format!("{:?}", list.position).into());
        all.insert(format!("{id} archived"), list.archived.into());
    }
    for (id, card) in &board.cards {
        all.insert(format!("{id} title"), card.title.clone().into());
        all.insert(format!("{id} place"), format!("{} {:?}", card.list, card.position).into());
        all.insert(format!("{id} done"), card.done.into());
        all.insert(format!("{id} urgent"), card.urgent.into());
        all.insert(format!("{id} due"), format!("{:?}", card.due).into());
        all.insert(format!("{id} archived"), card.archived.into());
        for label in ["red", "blue", "label 1"] {
            all.insert(format!("{id} label {label}"), card.labels.contains(label).into());
        }
    }
    all
}

/// The fields that a change sets.
fn written(change: &Change) -> BTreeSet<String> {
    let all_of = |id: &CardId| {
        let (mut board, card) = (Board::default(), Card::new(crate::boards::list(0), Position::default(), ""));
        board.cards.insert(*id, card.into());
        fields(&board).into_keys().filter(|name| name != "title").collect::<BTreeSet<_>>()
    };
    let one = |id: String, name: &str| BTreeSet::from([format!("{id} {name}")]);
    match change {
        Change::RenameBoard { .. } => BTreeSet::from(["title".to_owned()]),
        Change::AddList { list, .. } => {
            ["title", "position", "archived"].iter().flat_map(|name| one(list.to_string(), name)).collect()
        }
        Change::RenameList { list, .. } => one(list.to_string(), "title"),
        Change::MoveList { list, .. } => one(list.to_string(), "position"),
        Change::ArchiveList { list, .. } => one(list.to_string(), "archived"),
        Change::AddCard { card, .. } => all_of(card),
        Change::ImportCards { cards } => cards.iter().flat_map(|(card, _)| all_of(card)).collect(),
        Change::RenameCard { card, .. } => one(card.to_string(), "title"),
        Change::EditNotes { .. } => BTreeSet::new(),
        Change::SetDone { card, .. } => one(card.to_string(), "done"),
        Change::SetUrgent { card, .. } => one(card.to_string(), "urgent"),
        Change::SetLabel { card, label, .. } => one(card.to_string(), &format!("label {label}")),
        Change::SetDue { card, .. } => one(card.to_string(), "due"),
        Change::MoveCard { card, .. } => one(card.to_string(), "place"),
        Change::ArchiveCard { card, .. } => one(card.to_string(), "archived"),
    }
}

fn is_open(board: &Board, card: &CardId) -> bool {
    let list_is_open = |card: &Card| board.lists.get(&card.list).is_some_and(|list| !list.archived);
    board.cards.get(card).is_some_and(|card| !card.archived && list_is_open(card))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn undo_never_alters_what_somebody_else_set(deeds in proptest::collection::vec(any_deed(), 1..16)) {
        let (mut board, mut history) = (small_board(), History::default());
        // Fields that somebody else was the last to write, and cards that somebody else has worked on.
        let (mut theirs, mut worked_on) = (BTreeSet::new(), BTreeSet::new());
        for deed in deeds {
            match deed {
                Deed::Mine(changes) => {
                    let before = board.clone();
                    let made: Vec<_> = changes.into_iter().take_while(|change| applied(&mut board, change)).collect();
                    history.record(&before, &made);
                    // A card that the person has brought back may go again.
                    worked_on.retain(|card| is_open(&before, card));
                    made.iter().flat_map(written).for_each(|field| {
                        theirs.remove(&field);
                    });
                }
                Deed::Theirs(change) => {
                    if applied(&mut board, &change) {
                        history.remote(&change, &board);
                        theirs.extend(written(&change));
                        worked_on.extend(Board::touches(&change).into_iter().map(CardId));
                    }
                }
                Deed::Undo => {
                    let before = board.clone();
                    if let Undo::Changes { changes, .. } = history.undo(&board) {
                        for change in &changes {
                            prop_assert!(applied(&mut board, change), "{change:?} applies");
                        }
                    }
                    let (was, is) = (fields(&before), fields(&board));
                    for field in &theirs {
                        prop_assert_eq!(was.get(field), is.get(field), "{}", field);
                    }
                    for card in &worked_on {
                        prop_assert!(!is_open(&before, card) || is_open(&board, card), "{card} is still on the board");
                    }
                }
            }
        }
    }

    #[test]
    fn with_nobody_else_there_undo_brings_back_what_was(steps in proptest::collection::vec(proptest::collection::vec(any_change(), 1..4), 1..6)) {
        let (mut board, mut history) = (small_board(), History::default());
        let mut boards = Vec::new();
        for changes in steps {
            let before = board.clone();
            let made: Vec<_> = changes.into_iter().take_while(|change| applied(&mut board, change)).collect();
            history.record(&before, &made);
            boards.push(before);
        }
        let first = boards.swap_remove(0);
        loop {
            match history.undo(&board) {
                Undo::Changes { changes, partly: false } => {
                    changes.iter().for_each(|change| assert!(applied(&mut board, change), "{change:?} applies"));
                }
                Undo::Nothing => break,
                other => prop_assert!(false, "{other:?}"),
            }
        }
        // Nothing is ever deleted: what was added is archived.
        let added = |id: &CardId| !first.cards.contains_key(id);
        prop_assert!(board.cards.iter().all(|(id, card)| !added(id) || card.archived));
        prop_assert!(board.lists.iter().all(|(id, list)| first.lists.contains_key(id) || list.archived));
        board.cards = board.cards.into_iter().filter(|(id, _)| !added(id)).collect();
        board.lists = board.lists.into_iter().filter(|(id, _)| first.lists.contains_key(id)).collect();
        prop_assert_eq!(board, first);
    }

    #[test]
    fn undo_leaves_every_word_that_somebody_else_wrote(mine in "[a-f]{1,3}( [a-f]{1,3}){0,4}", theirs in proptest::collection::vec("[g-m]{2,3}", 1..4), at in 0_usize..6) {
        let card = crate::boards::card(1);
        let (mut board, mut history) = (small_board(), History::default());
        let edit = |from: &str, to: &str| Change::EditNotes { card, from: from.into(), to: to.into() };
        let change = edit("milk and bread", &mine);
        history.record(&board, std::slice::from_ref(&change));
        prop_assume!(applied(&mut board, &change));
        let mut words: Vec<_> = mine.split(' ').collect();
        let at = at.min(words.len());
        words.splice(at..at, theirs.iter().map(String::as_str));
        let change = edit(&mine, &words.join(" "));
        prop_assert!(applied(&mut board, &change));
        history.remote(&change, &board);
        if let Undo::Changes { changes, .. } = history.undo(&board) {
            changes.iter().for_each(|change| assert!(applied(&mut board, change), "{change:?} applies"));
        }
        for word in &theirs {
            prop_assert!(board.cards[&card].notes.split_whitespace().any(|found| found == word), "{word} in {:?}", board.cards[&card].notes);
        }
    }
}
