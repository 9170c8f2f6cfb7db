//! The keyboard's way around a board.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::Element;

use super::dialog::Dialog;
use super::focus::{focus_card, focus_drawn_card, press_add_card};
use super::handle::BoardHandle;
use super::typing::Typing;
use crate::board::{Board, CardId, Change, ListId};
use crate::ui::clock;
use crate::ui::keys::{is_composing, is_key};

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
    let press = window_event_listener(leptos::ev::pointerdown, move |_| {
        board.typing.try_update_value(Typing::end);
    });
    let first = SendWrapper::new(hear_first(move |event| on_any_key(board, event)));
    on_cleanup(move || {
        keys.remove();
        press.remove();
        let (name, hear) = first.take();
        let _ = window().remove_event_listener_with_callback_and_bool(name, hear.as_ref().unchecked_ref(), true);
    });
}

/// Hears keys before anything else on the page does: fields keep theirs to themselves.
fn hear_first(act: impl Fn(&KeyboardEvent) + 'static) -> (&'static str, Closure<dyn Fn(web_sys::Event)>) {
    let hear = Closure::new(move |event: web_sys::Event| {
        // Filling in a form, Chromium tells of keys that are none.
        if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
            act(event);
        }
    });
    let _ = window().add_event_listener_with_callback_and_bool("keydown", hear.as_ref().unchecked_ref(), true);
    ("keydown", hear)
}

/// Takes note of what is text, has a key that is held press a button once, and undoes.
///
/// Outside of fields, the browser's own undo and redo are prevented: they would change the text of a field that has no focus.
fn on_any_key(board: BoardHandle, event: &KeyboardEvent) {
    let (key, in_field) = (event.key(), is_in(event, TEXT));
    if key.eq_ignore_ascii_case("z") && is_command(event) && !event.alt_key() && !in_field {
        if !event.shift_key() && acts(board, event) {
            board.undo();
        }
        event.prevent_default();
    }
    board.typing.try_update_value(|typing| typing.press(&key, in_field, clock::now()));
    if key == "Enter" && event.repeat() && !in_field {
        event.prevent_default();
    }
}

/// Where keys are text, or choose something.
const TEXT: &str = "input:not([type=checkbox]), textarea, select, [contenteditable]:not([contenteditable=false])";

/// Where keys belong to a menu that is open.
const MENU: &str = ".menu[open]";

fn is_in(event: &KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.closest(selector).is_ok_and(|found| found.is_some()))
}

fn is_command(event: &KeyboardEvent) -> bool {
    event.ctrl_key() || event.meta_key()
}

/// Whether a key acts: it was pressed once, and is not meant as text, for a menu, or for a dialog that is open or about to open.
fn acts(board: BoardHandle, event: &KeyboardEvent) -> bool {
    let types = board.typing.with_value(|typing| typing.is_on(clock::now()));
    let asked = board.opened.get_untracked().is_some()
        || board.moving.get_untracked().is_some()
        || document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some());
    let elsewhere = types || asked || is_in(event, TEXT) || is_in(event, MENU);
    let other = event.get_modifier_state("AltGraph") || is_composing(event);
    !(event.repeat() || event.default_prevented() || other || elsewhere)
}

fn on_board_key(board: BoardHandle, shortcuts: RwSignal<bool>, event: &KeyboardEvent) {
    if is_key(event) && event.key() == "?" && !is_command(event) && !event.alt_key() && acts(board, event) {
        shortcuts.set(true);
    }
}

/// Keys on a focused card.
pub fn on_card_key(board: BoardHandle, card: CardId, event: &KeyboardEvent) {
    if !is_key(event) || is_command(event) {
        return;
    }
    let once = || acts(board, event);
    let acted = match (event.key().as_str(), event.alt_key()) {
        (key @ ("ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight"), moves) => arrow(board, card, key, moves),
        ("x", false) if once() => toggle(board, card, |id, done, _| Change::SetDone { card: id, done: !done }),
        ("u", false) if once() => toggle(board, card, |id, _, urgent| Change::SetUrgent { card: id, urgent: !urgent }),
        ("m", false) if board.editable.get_untracked() && once() => {
            board.moving.set(Some(card));
            true
        }
        ("a", false) if board.editable.get_untracked() && once() => {
            board.archive_card(card);
            true
        }
        ("n", false) if once() => {
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
        focus_drawn_card(board, there);
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
