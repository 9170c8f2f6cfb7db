//! Keyboard focus among cards and lists.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::handle::BoardHandle;
use crate::board::{CardId, ListId};

/// Focuses a card once it has been drawn, and brings it into view.
pub fn focus_card(board: BoardHandle, card: CardId) {
    board.mirror.wake_card(card);
    focus_later(format!("[data-card=\"{card}\"] .card-open"));
}

/// Runs what may draw cards anew. A focus that was on one of them is on it afterwards, and on the same part of it.
pub fn keep_focus(draw: impl FnOnce()) {
    let focus = document().active_element();
    let card = focus.as_ref().and_then(|focus| focus.closest("[data-card]").ok().flatten());
    draw();
    let (Some(focus), Some(card)) = (focus, card.and_then(|card| card.get_attribute("data-card"))) else { return };
    request_animation_frame(move || {
        if !focus.is_connected() && document().active_element().is_none_or(|at| at.tag_name() == "BODY") {
            let part = focus.class_list().item(0).unwrap_or_default();
            focus_first(&format!("[data-card=\"{card}\"] .{part}"));
        }
    });
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

/// Focuses the first element that `selector` finds, after what has changed is drawn; unless the person has gone elsewhere meanwhile.
pub fn focus_later(selector: String) {
    let from = document().active_element();
    request_animation_frame(move || {
        let at = document().active_element();
        let elsewhere = at != from && at.is_some_and(|at| at.tag_name() != "BODY");
        if elsewhere {
            return;
        }
        focus_first(&selector);
    });
}

fn focus_first(selector: &str) {
    let element = document().query_selector(selector).ok().flatten();
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}
