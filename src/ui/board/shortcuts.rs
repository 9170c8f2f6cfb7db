//! The keyboard's way around a board.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::dialog::Dialog;
use super::focus::{focus_card, press_add_card};
use super::handle::BoardHandle;
use crate::board::{Board, CardId, Change, ListId};

const KEYS: [(&str, &str); 10] = [
    ("↑ ↓ ← →", "Go from card to card"),
    ("Alt + arrow", "Move the card"),
    ("Enter", "Open the card"),
    ("x", "Tick the card"),
    ("u", "Mark the card urgent"),
    ("m", "Move the card to…"),
    ("a", "Archive the card"),
    ("n", "Add a card to the list"),
    ("Ctrl + z", "Undo your last change"),
    ("?", "Show these keys"),
];

/// The dialog that lists the keys. Renders a closed dialog on the server.
#[component]
pub fn ShortcutsDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <Dialog open=open.into() close=move || open.set(false) title="Keyboard shortcuts" class="small">
            <dl class="keys">
                {KEYS
                    .into_iter()
                    .map(|(key, what)| {
                        view! {
                            <div>
                                <dt>
                                    <kbd>{key}</kbd>
                                </dt>
                                <dd>{what}</dd>
                            </div>
                        }
                    })
                    .collect_view()}
            </dl>
        </Dialog>
    }
    .into_any()
}

/// Hears keys that mean something anywhere on a board, outside fields and dialogs, whatever has the focus, until the current owner is
/// cleaned up.
pub fn hear_board_keys(board: BoardHandle, shortcuts: RwSignal<bool>) {
    let keys = window_event_listener(leptos::ev::keydown, move |event| on_board_key(board, shortcuts, &event));
    on_cleanup(move || keys.remove());
}

fn on_board_key(board: BoardHandle, shortcuts: RwSignal<bool>, event: &KeyboardEvent) {
    let is_text = |at: &Element| at.matches("input:not([type=checkbox]), textarea, select").unwrap_or(false);
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let asked = document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some());
    if asked || target.is_some_and(|target| is_text(&target)) {
        return;
    }
    match event.key().as_str() {
        "z" if (event.ctrl_key() || event.meta_key()) && !event.shift_key() => {
            event.prevent_default();
            board.undo();
        }
        "?" => shortcuts.set(true),
        _ => {}
    }
}

/// Keys on a focused card.
pub fn on_card_key(board: BoardHandle, card: CardId, event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() {
        return;
    }
    let acted = match (event.key().as_str(), event.alt_key()) {
        (key @ ("ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight"), moves) => arrow(board, card, key, moves),
        ("x", false) => toggle(board, card, |id, done, _| Change::SetDone { card: id, done: !done }),
        ("u", false) => toggle(board, card, |id, _, urgent| Change::SetUrgent { card: id, urgent: !urgent }),
        ("m", false) if board.editable.get_untracked() => {
            board.moving.set(Some(card));
            true
        }
        ("a", false) if board.editable.get_untracked() => {
            step(board, card, "ArrowDown").or_else(|| step(board, card, "ArrowUp")).into_iter().for_each(
                |(_, _, next)| {
                    if let Some(next) = next {
                        focus_card(board, next);
                    }
                },
            );
            board.archive_card(card);
            true
        }
        ("n", false) => {
            let list = board.mirror.board.with_untracked(|board| board.cards.get(&card).map(|card| card.list));
            list.is_some_and(press_add_card)
        }
        _ => false,
    };
    if acted {
        event.prevent_default();
        event.stop_propagation();
    }
}

fn toggle(board: BoardHandle, id: CardId, change: fn(CardId, bool, bool) -> Change) -> bool {
    let card = board.mirror.board.with_untracked(|board| board.cards.get(&id).cloned());
    card.is_some_and(|card| board.edit(change(id, card.done, card.urgent)))
}

fn arrow(board: BoardHandle, card: CardId, key: &str, moves: bool) -> bool {
    let Some((list, index, there)) = step(board, card, key) else { return moves };
    if moves && board.editable.get_untracked() {
        board.move_card(card, list, index);
        focus_card(board, card);
        return true;
    }
    if let Some(there) = there {
        focus_card(board, there);
    }
    true
}

/// One step from `card`: the list and the place there, and the card that stands there now.
fn step(board: BoardHandle, card: CardId, key: &str) -> Option<(ListId, usize, Option<CardId>)> {
    board.mirror.board.with_untracked(|board| {
        let list = board.cards.get(&card)?.list;
        let cards = board.open_cards(list);
        let at = cards.iter().position(|(id, _)| *id == card)?;
        let in_list = |index: usize| cards.get(index).map(|(id, _)| (list, index, Some(*id)));
        match key {
            "ArrowUp" => in_list(at.checked_sub(1)?),
            "ArrowDown" => in_list(at + 1),
            "ArrowLeft" => beside(board, list, at, -1),
            _ => beside(board, list, at, 1),
        }
    })
}

fn beside(board: &Board, list: ListId, at: usize, by: isize) -> Option<(ListId, usize, Option<CardId>)> {
    let lists = board.open_lists();
    let here = lists.iter().position(|(id, _)| *id == list)?;
    let (next, _) = lists.get(here.checked_add_signed(by)?)?;
    let cards = board.open_cards(*next);
    let there = cards.get(at).or_else(|| cards.last()).map(|(id, _)| *id);
    Some((*next, at.min(cards.len()), there))
}
