//! A card on the board.

use std::collections::BTreeSet;

use leptos::prelude::*;

use super::card_mark::Mark;
use super::drag::{Drag, Draggable};
use super::handle::use_board;
use super::label::LabelChip;
use super::shortcuts::on_card_key;
use crate::board::{Card, CardId, Change, Date};
use crate::ui::device;
use crate::ui::dynamic::When;
use crate::ui::icon::{CALENDAR, Icon, URGENT};

/// A card on the board: a tick, the title that opens it, and what is to be known at a glance.
///
/// Renders whole on the server, notes included. A change to one part does not draw the others; whether it is overdue shows once the page has come alive, since only the device knows what day it is.
#[component]
pub fn CardItem(
    /// Which.
    id: CardId,
) -> impl IntoView {
    let board = use_board();
    let drag = expect_context::<Drag>();
    let Some(card) = board.mirror.card(id) else { return ().into_any() };
    let (state, title, facts) = (card.clone(), card.clone(), card);
    let title = Signal::derive(move || title.with(|card| card.title.clone()));
    let state = Memo::new(move |_| state.with(|card| (card.done, card.urgent)));
    let facts = Memo::new(move |_| facts.with(|card| Facts::of(card)));
    let locked = Signal::derive(move || !board.editable.get());
    let class = move || match state.get() {
        (false, false) => "card",
        (true, false) => "card done",
        (false, true) => "card urgent",
        (true, true) => "card done urgent",
    };
    let done = Signal::derive(move || state.get().0);
    view! {
        <li
            class=class
            data-card=id.to_string()
            on:pointerdown=move |event| drag.press(Draggable::Card(id), &event)
            on:keydown=move |event| on_card_key(board, id, &event)
        >
            <input
                class="tick"
                type="checkbox"
                aria-label="Done"
                checked=done.get_untracked()
                prop:checked=done
                disabled=locked
                on:change=move |event| {
                    board.edit(Change::SetDone { card: id, done: event_target_checked(&event) });
                }
            />
            <button class="card-open" on:click=move |_| drag.unless_dragged(|| board.opened.set(Some(id)))>
                {title}
            </button>
            <Mark card=id />
            {move || facts.get().map(|facts| facts.view(done))}
        </li>
    }
    .into_any()
}

/// What is below a card's title. There is nothing in most cards, and a board has many: one part for all of it.
#[derive(Clone, PartialEq)]
struct Facts {
    notes: String,
    urgent: bool,
    due: Option<Date>,
    labels: BTreeSet<String>,
}

impl Facts {
    fn of(card: &Card) -> Option<Self> {
        let due = card.due.filter(|_| !card.archived);
        let some = !card.notes.is_empty() || card.urgent || due.is_some() || !card.labels.is_empty();
        some.then(|| Self { notes: card.notes.clone(), urgent: card.urgent, due, labels: card.labels.clone() })
    }

    fn view(self, done: Signal<bool>) -> AnyView {
        let Self { notes, urgent, due, labels } = self;
        let listed = urgent || due.is_some() || !labels.is_empty();
        let urgent = urgent.then(|| view! { <li class="fact alarm"><Icon path=URGENT />"Urgent"</li> }.into_any());
        let due = due.map(|due| view! { <DueFact due done /> }.into_any());
        let labels = labels.into_iter().map(|name| view! { <LabelChip name /> }.into_any());
        let facts: Vec<_> = urgent.into_iter().chain(due).chain(labels).collect();
        view! {
            {(!notes.is_empty()).then(|| view! { <p class="card-notes">{notes}</p> })}
            {listed.then(|| view! { <ul class="card-facts">{facts}</ul> })}
        }
        .into_any()
    }
}

#[component]
fn DueFact(due: Date, done: Signal<bool>) -> impl IntoView {
    let today = RwSignal::new(None);
    Effect::new(move |_| today.set(device::today()));
    let overdue = move || !done.get() && today.get().is_some_and(|today| due < today);
    view! {
        <li class="fact" class:alarm=Signal::derive(overdue)>
            <Icon path=CALENDAR />
            <time datetime=due.to_string()>{due.spoken()}</time>
            <When when=overdue>
                <span>" · overdue"</span>
            </When>
        </li>
    }
}
