//! Keyboard focus among cards and lists.

use std::cell::Cell;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::handle::BoardHandle;
use crate::board::{Board, CardId, ListId};
use crate::ui::focus::focus_drawn;

/// Focuses a card once it has been drawn, and brings it into view. For a card that is not on the board any more: its neighbour.
pub fn focus_card(board: BoardHandle, card: CardId) {
    focus_later(target_of(board, card));
}

/// Focuses a card, or its neighbour if it is not on the board any more: at once if that is drawn, since the next key may come before the
/// next frame.
pub fn focus_drawn_card(board: BoardHandle, card: CardId) {
    let target = target_of(board, card);
    if !focus_first(&target) {
        focus_later(target);
    }
}

/// Focuses a card that was restored, wherever the focus is.
pub fn focus_restored(board: BoardHandle, card: CardId) {
    focus_drawn(target_of(board, card));
}

fn target_of(board: BoardHandle, card: CardId) -> String {
    let refuge = board.mirror.board.with_untracked(|board| Refuge::of(board, card));
    if let Refuge::Card(card) = refuge {
        board.mirror.wake_card(card);
    }
    refuge.selector()
}

/// What gets the focus that a card should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refuge {
    /// The card, or its neighbour.
    Card(CardId),
    /// "Add card" of its list, or what else is there if nothing can be added.
    List(ListId),
    /// There is no list left.
    Nothing,
}

impl Refuge {
    /// The card itself while it is on the board, else the next open one of its list, or the one before; else the list, or the list
    /// that stands at the place of that.
    fn of(board: &Board, id: CardId) -> Self {
        let Some(card) = board.cards.get(&id) else { return Self::Nothing };
        let lists = board.open_lists();
        if lists.iter().any(|(list, _)| *list == card.list) {
            let cards = board.open_cards(card.list);
            let place = (&card.position, id);
            let next = cards.iter().find(|(other, at)| (&at.position, *other) >= place).or_else(|| cards.last());
            return next.map_or(Self::List(card.list), |(id, _)| Self::Card(*id));
        }
        let Some(list) = board.lists.get(&card.list) else { return Self::Nothing };
        let place = (&list.position, card.list);
        let next = lists.iter().find(|(other, at)| (&at.position, *other) >= place).or_else(|| lists.last());
        next.map_or(Self::Nothing, |(id, _)| Self::List(*id))
    }

    fn selector(self) -> String {
        match self {
            Self::Card(card) => format!("[data-card=\"{card}\"] .card-open"),
            // The menu stands before "Add card" in the document.
            Self::List(list) => {
                format!("[data-list=\"{list}\"] .add-card, [data-list=\"{list}\"]:not(:has(.add-card)) summary")
            }
            Self::Nothing => ".add-list, .app:not(:has(.add-list)) .home".to_owned(),
        }
    }
}

/// Focuses what adds a card to a list, once it has been drawn.
pub fn focus_add_card(list: ListId) {
    focus_later(format!("[data-list=\"{list}\"] .add-card"));
}

/// Opens the form that adds a card to a list. Returns whether there was something to open it with.
#[must_use]
pub fn press_add_card(list: ListId) -> bool {
    let button = document().query_selector(&format!("[data-list=\"{list}\"] .add-card")).ok().flatten();
    let button = button.and_then(|button| button.dyn_into::<HtmlElement>().ok());
    button.is_some_and(|button| {
        button.click();
        true
    })
}

thread_local! {
    /// How often `focus_later` was called: of several calls within one frame the last one counts.
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// Focuses the first element that `selector` finds, after what has changed is drawn; unless the person has gone elsewhere meanwhile.
pub fn focus_later(selector: String) {
    let from = document().active_element();
    let call = CALLS.get().wrapping_add(1);
    CALLS.set(call);
    request_animation_frame(move || {
        let at = document().active_element();
        let elsewhere = at != from && at.is_some_and(|at| at.tag_name() != "BODY");
        if !elsewhere && call == CALLS.get() {
            focus_first(&selector);
        }
    });
}

/// Returns whether an element has the focus now: none gets it beside an open dialog.
fn focus_first(selector: &str) -> bool {
    let element = document().query_selector(selector).ok().flatten();
    let element = element.and_then(|element| element.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|element| {
        let _ = element.focus();
        document().active_element().as_ref() == Some(element.as_ref())
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::board::position::Position;
    use crate::board::{Card, Change};
    use crate::sync::document::Document as _;

    const fn list(n: u128) -> ListId {
        ListId(Uuid::from_u128(n))
    }

    const fn card(n: u128) -> CardId {
        CardId(Uuid::from_u128(10 + n))
    }

    /// A board with two lists: three cards in the first, none in the second.
    fn board() -> Board {
        let mut board = Board::default();
        let mut places = Position::run_after(None, 3);
        let mut place = || places.next().expect("three places");
        for n in 0..3 {
            let position = place();
            if n < 2 {
                let title = n.to_string();
                let add = Change::AddList { list: list(n), title, position: position.clone(), archived: false };
                board.apply(&add).expect("a new list");
            }
            let add = Change::AddCard { card: card(n), content: Card::new(list(0), position, n.to_string()) };
            board.apply(&add).expect("a new card");
        }
        board
    }

    #[test]
    fn the_focus_of_a_card_that_is_gone_goes_to_its_neighbour() {
        let mut board = board();
        let mut archive = |n, refuge| {
            board.apply(&Change::ArchiveCard { card: card(n), archived: true }).expect("the card is there");
            assert_eq!(Refuge::of(&board, card(n)), refuge, "of {n}");
        };
        archive(1, Refuge::Card(card(2)));
        archive(2, Refuge::Card(card(0)));
        archive(0, Refuge::List(list(0)));
        let mut archive = |n, refuge| {
            board.apply(&Change::ArchiveList { list: list(n), archived: true }).expect("the list is there");
            assert_eq!(Refuge::of(&board, card(0)), refuge);
        };
        archive(0, Refuge::List(list(1)));
        archive(1, Refuge::Nothing);
    }
}
