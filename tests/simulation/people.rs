//! What people do.

use fastrand::Rng;
use sheetbend::board::position::Position;
use sheetbend::board::{Board, Card, CardId, Change, ListId};
use uuid::Uuid;

/// A change that says this makes the server hang up.
pub(crate) const POISON: &str = "a text that the server cannot bear";

fn id(rng: &mut Rng) -> Uuid {
    Uuid::from_u128(rng.u128(..))
}

fn place(rng: &mut Rng) -> Position {
    Position::run_after(None, rng.usize(1..6)).last().expect("at least one")
}

fn words(rng: &mut Rng) -> String {
    const WORDS: [&str; 8] = ["milk", "bread", "rope", "sail", "tide", "knot", "lamp", "chart"];
    let words: Vec<_> = (0..rng.usize(1..5)).map(|_| WORDS[rng.usize(..WORDS.len())]).collect();
    words.join(" ")
}

fn new_card(list: ListId, rng: &mut Rng) -> (CardId, Card) {
    (CardId(id(rng)), Card::new(list, place(rng), words(rng)))
}

/// Something that a person may do to the board that they see; a thing that does not fit it now and then, as happens when someone
/// else was faster.
pub(crate) fn change(board: &Board, rng: &mut Rng) -> Change {
    let lists: Vec<_> = board.lists.keys().copied().collect();
    let cards: Vec<_> = board.cards.keys().copied().collect();
    let Some(&list) = rng.choice(&lists) else {
        return Change::AddList { list: ListId(id(rng)), title: words(rng), position: place(rng), archived: false };
    };
    if rng.u8(..) < 2 {
        return Change::RenameList { list, title: POISON.to_owned() };
    }
    if rng.u8(..) < 3 {
        // Refused: there is no such card.
        return Change::SetDone { card: CardId(id(rng)), done: true };
    }
    let Some(&card) = rng.choice(&cards).filter(|_| rng.u8(..) > 40) else {
        let (card, content) = new_card(list, rng);
        return Change::AddCard { card, content };
    };
    match rng.u8(..15) {
        0 => Change::RenameBoard { title: words(rng) },
        1 => Change::AddList { list: ListId(id(rng)), title: words(rng), position: place(rng), archived: false },
        2 => Change::RenameList { list, title: words(rng) },
        3 => Change::MoveList { list, position: place(rng) },
        4 => Change::ArchiveList { list, archived: rng.bool() },
        5 => Change::ImportCards { cards: (0..rng.usize(2..5)).map(|_| new_card(list, rng)).collect() },
        6 | 7 => {
            let from = board.cards[&card].notes.clone();
            let to = format!("{from} {}", words(rng)).trim().chars().take(200).collect();
            Change::EditNotes { card, from, to }
        }
        8 => Change::SetDone { card, done: rng.bool() },
        9 => Change::SetUrgent { card, urgent: rng.bool() },
        10 => Change::MoveCard { card, list, position: place(rng) },
        11 => Change::ArchiveCard { card, archived: rng.bool() },
        12 => Change::SetLabel { card, label: words(rng).chars().take(12).collect(), on: rng.bool() },
        // The same thing again, as people do while they think: what merges.
        _ => Change::RenameCard { card, title: words(rng) },
    }
}
