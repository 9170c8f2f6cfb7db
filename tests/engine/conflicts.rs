//! The conflict table of the design, section 6: one module a row, whoever comes first.
//!
//! In each test two people who are offline make a change each, then come back one after the other, in both orders.

use sheetbend::board::position::{self, Position};
use sheetbend::board::{Board, Card, Change, Date};

use crate::boards::{card, list, place, small_changes};
use crate::harness::World;

/// Two people make a change each at the same time; `first` comes back before the other. The board that both then see.
fn at_the_same_time(changes: [Change; 2], first: usize) -> World<Board> {
    let mut world = World::live(2, small_changes());
    for (who, change) in changes.into_iter().enumerate() {
        world.cut(who);
        world.edit(who, change).expect("a change that can be made");
    }
    world.wait(std::time::Duration::from_secs(1));
    world.deliver_all(first);
    assert_eq!(world.server.log().len(), small_changes().len() + 1, "the first is back");
    world.settle();
    assert_eq!(world.view(0), world.view(1));
    assert!(world.server.log().iter().all(|record| record.refused.is_none()), "no change is refused");
    world
}

/// Runs `check` on the board that both see, whoever comes first.
fn in_both_orders(changes: [Change; 2], check: impl Fn(&Board, usize)) {
    for first in 0..2 {
        check(at_the_same_time(changes.clone(), first).view(0), first);
    }
}

fn titled(title: &str) -> Change {
    Change::RenameCard { card: card(1), title: title.to_owned() }
}

fn noted(to: &str) -> Change {
    Change::EditNotes { card: card(1), from: "milk and bread".to_owned(), to: to.to_owned() }
}

fn moved(list_to: u8, position: Position) -> Change {
    Change::MoveCard { card: card(1), list: list(list_to), position }
}

fn archived(archived: bool) -> Change {
    Change::ArchiveCard { card: card(1), archived }
}

/// "Two people change different fields of a card: both stay."
mod different_fields_of_a_card {
    use super::*;

    /// A change to a field, and whether the card has it.
    type Field = (Change, fn(&Card) -> bool);

    #[test]
    fn both_stay() {
        let due = Date::new(2026, 11, 24);
        let fields: Vec<Field> = vec![
            (titled("Shopping"), |card| card.title == "Shopping"),
            (noted("milk, bread and eggs"), |card| card.notes == "milk, bread and eggs"),
            (Change::SetDone { card: card(1), done: true }, |card| card.done),
            (Change::SetUrgent { card: card(1), urgent: true }, |card| card.urgent),
            (Change::SetDue { card: card(1), due }, |card| card.due.is_some()),
            (Change::SetLabel { card: card(1), label: "red".into(), on: true }, |card| card.labels.contains("red")),
            (Change::SetLabel { card: card(1), label: "blue".into(), on: true }, |card| card.labels.contains("blue")),
            (moved(1, place(3)), |card| card.list == list(1) && card.position == place(3)),
            (archived(true), |card| card.archived),
        ];
        for (at, (one, one_holds)) in fields.iter().enumerate() {
            for (other, other_holds) in &fields[at + 1..] {
                in_both_orders([one.clone(), other.clone()], |board, _| {
                    let card = &board.cards[&card(1)];
                    assert!(one_holds(card) && other_holds(card), "{one:?} and {other:?}: {card:?}");
                });
            }
        }
    }

    #[test]
    fn of_a_list_both_stay_too() {
        let (renamed, moved) = (
            Change::RenameList { list: list(0), title: "Now".into() },
            Change::MoveList { list: list(0), position: place(3) },
        );
        in_both_orders([renamed, moved], |board, _| {
            let list = &board.lists[&list(0)];
            assert_eq!((list.title.as_str(), &list.position), ("Now", &place(3)));
        });
    }
}

/// "The same field: the later in the log stays."
mod the_same_field {
    use super::*;

    #[test]
    fn the_later_in_the_log_stays() {
        in_both_orders([titled("A"), titled("B")], |board, first| {
            assert_eq!(board.cards[&card(1)].title, if first == 0 { "B" } else { "A" });
        });
        in_both_orders([moved(0, place(3)), moved(1, place(4))], |board, first| {
            assert_eq!(board.cards[&card(1)].list, list(if first == 0 { 1 } else { 0 }));
        });
        let due = |month| Change::SetDue { card: card(1), due: Date::new(2026, month, 1) };
        in_both_orders([due(1), due(2)], |board, first| {
            assert_eq!(board.cards[&card(1)].due, Date::new(2026, if first == 0 { 2 } else { 1 }, 1));
        });
        let named = |title: &str| Change::RenameBoard { title: title.into() };
        in_both_orders([named("A"), named("B")], |board, first| {
            assert_eq!(board.title, if first == 0 { "B" } else { "A" });
        });
    }

    #[test]
    fn the_same_label_put_on_by_both_is_on_once() {
        let label = || Change::SetLabel { card: card(1), label: "red".into(), on: true };
        in_both_orders([label(), label()], |board, _| assert_eq!(board.cards[&card(1)].labels.len(), 1));
    }
}

/// "The same notes: three-way merge against the text each one started from: both people's words stay."
mod the_same_notes {
    use super::*;

    #[test]
    fn both_peoples_words_stay() {
        in_both_orders([noted("oat milk and bread"), noted("milk and brown bread")], |board, _| {
            assert_eq!(board.cards[&card(1)].notes, "oat milk and brown bread");
        });
    }

    #[test]
    fn of_the_same_word_both_versions_stay_the_earlier_first() {
        in_both_orders([noted("milk and rolls"), noted("milk and cake")], |board, first| {
            let notes = if first == 0 { "milk and rolls cake" } else { "milk and cake rolls" };
            assert_eq!(board.cards[&card(1)].notes, notes);
        });
    }

    #[test]
    fn edit_after_edit_is_merged_with_what_another_did_meanwhile() {
        let mut world = World::<Board>::live(2, small_changes());
        world.cut(0);
        world.edit(0, noted("milk and bread and eggs")).expect("fine");
        let again = Change::EditNotes {
            card: card(1),
            from: "milk and bread and eggs".into(),
            to: "milk and bread and two eggs".into(),
        };
        world.edit(0, again).expect("fine");
        world.edit(1, noted("oat milk and bread")).expect("fine");
        world.deliver_all(1);
        world.settle();
        assert_eq!(world.view(0).cards[&card(1)].notes, "oat milk and bread and two eggs");
    }
}

/// "One moves, one edits: both stay."
mod one_moves_one_edits {
    use super::*;

    #[test]
    fn both_stay() {
        in_both_orders([moved(1, place(0)), noted("milk")], |board, _| {
            let card = &board.cards[&card(1)];
            assert_eq!((card.list, card.notes.as_str()), (list(1), "milk"));
        });
    }
}

/// "One archives, one edits: archived, with the edit in it: archiving keeps everything and can be undone."
mod one_archives_one_edits {
    use super::*;

    #[test]
    fn archived_with_the_edit_in_it_and_it_can_be_undone() {
        for first in 0..2 {
            let mut world = at_the_same_time([archived(true), titled("Shopping")], first);
            let card_of = |world: &World<Board>| world.view(1).cards[&card(1)].clone();
            assert!(card_of(&world).archived);
            assert!(world.view(1).open_cards(list(0)).iter().all(|(id, _)| *id != card(1)));
            world.edit(1, archived(false)).expect("fine");
            world.settle();
            let card_back = card_of(&world);
            assert_eq!((card_back.archived, card_back.title.as_str()), (false, "Shopping"));
            assert_eq!(card_back.notes, "milk and bread", "archiving keeps everything");
        }
    }
}

/// "One moves a card into a list that another archives: the card is archived with the list, and comes back with it."
mod one_moves_a_card_into_a_list_that_another_archives {
    use super::*;

    #[test]
    fn the_card_is_away_with_the_list_and_comes_back_with_it() {
        let away = |archived| Change::ArchiveList { list: list(1), archived };
        for first in 0..2 {
            let mut world = at_the_same_time([moved(1, place(0)), away(true)], first);
            let open = |world: &World<Board>| {
                let lists = world.view(0).open_lists();
                let cards = lists.into_iter().flat_map(|(id, _)| world.view(0).open_cards(id));
                cards.map(|(id, _)| id).collect::<Vec<_>>()
            };
            assert_eq!(open(&world), [card(0), card(2)]);
            world.edit(0, away(false)).expect("fine");
            world.settle();
            assert_eq!(open(&world), [card(0), card(2), card(1)]);
        }
    }
}

/// "Two insert at the same place: both, in id order."
mod two_insert_at_the_same_place {
    use super::*;

    fn added(n: u8) -> Change {
        let between = Position::between(Some(&place(0)), Some(&place(1)));
        Change::AddCard { card: card(n), content: Card::new(list(0), between, format!("Card {n}")) }
    }

    fn order(board: &Board) -> Vec<sheetbend::board::CardId> {
        board.open_cards(list(0)).into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn both_are_there_in_id_order() {
        in_both_orders([added(8), added(7)], |board, _| {
            assert_eq!(order(board), [card(0), card(7), card(8), card(1), card(2)]);
        });
    }

    #[test]
    fn lists_too() {
        let added = |n| Change::AddList { list: list(n), title: String::new(), position: place(2), archived: false };
        in_both_orders([added(8), added(7)], |board, _| {
            let order: Vec<_> = board.open_lists().into_iter().map(|(id, _)| id).collect();
            assert_eq!(order, [list(0), list(1), list(7), list(8)]);
        });
    }

    #[test]
    fn between_the_two_there_is_still_a_place() {
        let mut world = at_the_same_time([added(8), added(7)], 0);
        let cards = world.view(1).open_cards(list(0));
        let siblings: Vec<_> = cards.into_iter().map(|(id, card)| (id, card.position.clone())).collect();
        let (own, moved) = position::insert(&siblings, 2);
        for (id, position) in moved {
            world.edit(1, Change::MoveCard { card: id, list: list(0), position }).expect("fine");
        }
        world.edit(1, Change::AddCard { card: card(9), content: Card::new(list(0), own, "Between") }).expect("fine");
        world.settle();
        assert_eq!(order(world.view(0)), [card(0), card(7), card(9), card(8), card(1), card(2)]);
    }
}
