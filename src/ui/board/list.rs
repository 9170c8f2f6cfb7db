//! A list of cards.

use leptos::prelude::*;

use super::block::CardBlock;
use super::blocks::BlockId;
use super::drag::{Drag, Draggable};
use super::focus::{focus_later, press_add_card};
use super::handle::use_board;
use super::in_place::InPlace;
use super::new::NewCard;
use super::place::Place;
use crate::board::ListId;
use crate::ui::dynamic::{Each, Item, When};
use crate::ui::menu::Menu;
use crate::ui::text::sole_text;

/// A list, with its cards and what adds one.
///
/// Renders whole on the server; what changes it appears once the page has come alive.
#[component]
pub fn ListColumn(
    /// Which.
    id: ListId,
) -> impl IntoView {
    let board = use_board();
    let drag = expect_context::<Drag>();
    let Some(signals) = board.mirror.list(id) else { return ().into_any() };
    let title = {
        let list = signals.list.clone();
        Signal::derive(move || list.with(|list| list.title.clone()))
    };
    let ids = signals.blocks;
    let block = |id: BlockId| Item::by_number(id.0, move || view! { <CardBlock id /> }.into_any());
    let blocks = move || ids.with(|ids| ids.iter().copied().map(block).collect::<Vec<_>>());
    let count = Signal::derive(move || signals.count.get().to_string());
    let renaming = RwSignal::new(false);
    view! {
        <li class="list" data-list=id.to_string()>
            <header class="list-head" on:pointerdown=move |event| drag.press(Draggable::List(id), &event)>
                <h2 class="list-title">
                    <InPlace
                        place=Place::ListTitle(id)
                        text=title
                        title
                        label="List title"
                        editable=board.editable
                        editing=renaming
                    />
                </h2>
                <span class="count">{sole_text(count)}</span>
                <When when=board.may_edit>
                    <ListMenu id renaming />
                </When>
            </header>
            <div class="cards" role="list" aria-label=title>
                <Each items=blocks />
            </div>
            <When when=board.may_edit>
                <NewCard list=id />
            </When>
        </li>
    }
    .into_any()
}

#[component]
fn ListMenu(id: ListId, renaming: RwSignal<bool>) -> impl IntoView {
    let board = use_board();
    let place = move || board.mirror.lists.with_untracked(|lists| lists.iter().position(|list| *list == id));
    let shift = move |by: isize| {
        if let Some(index) = place().and_then(|at| at.checked_add_signed(by)) {
            board.move_list(id, index);
            focus_later(format!("[data-list=\"{id}\"] summary"));
        }
    };
    view! {
        <Menu label="List menu">
            <button on:click=move |_| renaming.set(true)>"Rename"</button>
            <button on:click=move |_| {
                let _ = press_add_card(id);
            }>"Add a card"</button>
            <button on:click=move |_| shift(-1)>"Move left"</button>
            <button on:click=move |_| shift(1)>"Move right"</button>
            <button on:click=move |_| board.archive_list(id)>"Archive"</button>
        </Menu>
    }
    .into_any()
}
