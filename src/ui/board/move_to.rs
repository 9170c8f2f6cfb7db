//! "Move to…": a card's way to another place without dragging.

use std::sync::Arc;

use leptos::prelude::*;

use super::dialog::Dialog;
use super::focus::focus_card;
use super::handle::use_board;
use crate::board::{CardId, List, ListId};
use crate::ui::dynamic::{Each, Item};

/// The dialog that asks where to move a card. Renders a closed dialog on the server.
#[component]
pub fn MoveToDialog() -> impl IntoView {
    let board = use_board();
    let close = move || {
        if let Some(card) = board.moving.get_untracked() {
            board.moving.set(None);
            focus_card(board, card);
        }
    };
    view! {
        <Dialog open=Signal::derive(move || board.moving.get().is_some()) close title="Move to" class="small">
            {move || board.moving.get().map(|card| view! { <Places card /> })}
        </Dialog>
    }
    .into_any()
}

#[component]
fn Places(card: CardId) -> impl IntoView {
    let board = use_board();
    let view_of = board.mirror.board;
    let (list, place) = view_of.with_untracked(|board| {
        let list = board.cards.get(&card).map(|card| card.list);
        let place = list.map_or(0, |list| board.open_cards(list).iter().position(|(id, _)| *id == card).unwrap_or(0));
        (list, place)
    });
    let list = RwSignal::new(list);
    let place = RwSignal::new(place);
    let option = move |(id, item): (ListId, Arc<List>)| {
        let title = item.title.clone();
        // Signals are made with the option: those made here would go when the lists change, and the option stays.
        let option = move || {
            let chosen = Signal::derive(move || list.get() == Some(id));
            view! { <option translate="no" value=id.to_string() prop:selected=chosen>{title.clone()}</option> }
                .into_any()
        };
        Item::by_id(id.0, option)
    };
    let lists = move || view_of.with(|board| board.open_lists().into_iter().map(option).collect::<Vec<_>>());
    let place_option = move |at: usize| {
        let option = move || {
            let chosen = Signal::derive(move || place.get() == at);
            view! { <option value=at.to_string() prop:selected=chosen>{(at + 1).to_string()}</option> }.into_any()
        };
        Item::by_name(at.to_string(), option)
    };
    let places = move || {
        let others =
            |id: ListId| view_of.with(|board| board.open_cards(id).iter().filter(|(id, _)| *id != card).count());
        let last = list.get().map(others);
        last.map(|last| (0..=last).map(place_option).collect::<Vec<_>>()).unwrap_or_default()
    };
    let go = move |_| {
        // Closing disposes of both.
        let (list, place) = (list.get_untracked(), place.get_untracked());
        if let Some(list) = list {
            board.move_card(card, list, place);
            board.moving.set(None);
            board.opened.set(None);
            focus_card(board, card);
        }
    };
    view! {
        <div class="fields">
            <label class="field">
                <span>"List"</span>
                <select
                    autofocus
                    dir="auto"
                    on:change=move |event| {
                        list.set(event_target_value(&event).parse().ok());
                        place.set(0);
                    }
                >
                    <Each items=lists />
                </select>
            </label>
            <label class="field">
                <span>"Place"</span>
                <select on:change=move |event| place.set(event_target_value(&event).parse().unwrap_or(0))>
                    <Each items=places />
                </select>
            </label>
            <div class="row">
                <button class="button primary" on:click=go>"Move"</button>
            </div>
        </div>
    }
    .into_any()
}
