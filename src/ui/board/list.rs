//! A list of cards.

use leptos::ev::KeyboardEvent;
use leptos::html::{Input, Textarea};
use leptos::prelude::*;

use super::block::CardBlock;
use super::blocks::BlockId;
use super::drag::{Drag, Draggable};
use super::focus::{focus_add_card, focus_later, press_add_card};
use super::handle::use_board;
use super::in_place::InPlace;
use crate::board::{Change, ListId};
use crate::ui::dynamic::{Each, Item, When};
use crate::ui::icon::{Icon, PLUS};
use crate::ui::menu::Menu;

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
                        text=title
                        label="List title"
                        editable=board.editable
                        editing=renaming
                        commit=move |title| { board.edit(Change::RenameList { list: id, title }); }
                    />
                </h2>
                <span class="count">{count}</span>
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

/// Adds cards at the end of a list: Enter adds one and goes on to the next, Escape ends it. What was typed and not added is
/// still there when the form is opened again.
#[component]
fn NewCard(list: ListId) -> impl IntoView {
    let board = use_board();
    let adding = RwSignal::new(false);
    let title = RwSignal::new(String::new());
    let field = NodeRef::<Textarea>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    let add = move || {
        let text = title.get_untracked().split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            return;
        }
        if board.add_card(list, text).is_some() {
            title.set(String::new());
        }
        if let Some(field) = field.get_untracked() {
            let _ = field.focus();
            field.scroll_into_view_with_bool(false);
        }
    };
    let end = move || {
        adding.set(false);
        focus_add_card(list);
    };
    let keys = move |event: KeyboardEvent| {
        event.stop_propagation();
        match event.key().as_str() {
            "Enter" if !event.is_composing() && !event.shift_key() => {
                event.prevent_default();
                add();
            }
            "Escape" => end(),
            _ => {}
        }
    };
    view! {
        <When
            when=adding
            otherwise=move || {
                view! {
                    <button class="add-card" on:click=move |_| adding.set(true)>
                        <Icon path=PLUS />
                        "Add card"
                    </button>
                }
            }
        >
            <div class="new-card">
                <textarea
                    node_ref=field
                    rows="2"
                    dir="auto"
                    aria-label="New card"
                    placeholder="What is to be done?"
                    maxlength=crate::board::model::MAX_TITLE
                    prop:value=title
                    on:input=move |event| title.set(event_target_value(&event))
                    on:keydown=keys
                ></textarea>
                <div class="row">
                    <button class="button primary" on:click=move |_| add()>"Add"</button>
                    <button class="button quiet" on:click=move |_| end()>"Done"</button>
                </div>
            </div>
        </When>
    }
    .into_any()
}

/// Adds a list behind the others. Renders nothing until the page has come alive.
#[component]
pub fn NewList() -> impl IntoView {
    let board = use_board();
    let adding = RwSignal::new(false);
    let field = NodeRef::<Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let _ = field.focus();
            field.scroll_into_view();
        }
    });
    let add = move || {
        let Some(field) = field.get_untracked() else { return };
        let title = field.value().trim().to_owned();
        if !title.is_empty() && board.add_list(title).is_some() {
            field.set_value("");
        }
        let _ = field.focus();
    };
    let keys = move |event: KeyboardEvent| {
        event.stop_propagation();
        match event.key().as_str() {
            "Enter" if !event.is_composing() => add(),
            "Escape" => {
                adding.set(false);
                focus_later(".add-list".to_owned());
            }
            _ => {}
        }
    };
    view! {
        <When when=board.may_edit>
            <li class="new-list">
                <When
                    when=adding
                    otherwise=move || {
                        view! {
                            <button class="add-list" on:click=move |_| adding.set(true)>
                                <Icon path=PLUS />
                                "Add list"
                            </button>
                        }
                    }
                >
                    <input
                        node_ref=field
                        aria-label="New list"
                        dir="auto"
                        placeholder="Name of the list"
                        maxlength=crate::board::model::MAX_TITLE
                        on:keydown=keys
                    />
                    <div class="row">
                        <button class="button primary" on:click=move |_| add()>"Add"</button>
                        <button class="button quiet" on:click=move |_| adding.set(false)>"Done"</button>
                    </div>
                </When>
            </li>
        </When>
    }
    .into_any()
}
