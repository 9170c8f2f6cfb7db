//! A card on the board.

use std::collections::BTreeSet;

use leptos::ev::{Event, KeyboardEvent, PointerEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::card_mark::Mark;
use super::drag::{Drag, Draggable};
use super::handle::{BoardHandle, use_board};
use super::label::LabelChip;
use super::shortcuts::on_card_key;
use crate::board::{Card, CardId, Change, Date};
use crate::ui::device;
use crate::ui::dynamic::When;
use crate::ui::icon::{CALENDAR, Icon, URGENT};
use crate::ui::text::sole_text;

/// A card on the board: a tick, the title that opens it, and what is to be known at a glance.
///
/// Renders whole on the server, notes included; what is done to it, the board hears ([`CardEvents`]). A change to one part does not draw the others; whether it is overdue shows once the page has come alive, since only the device knows what day it is.
#[component]
pub fn CardItem(
    /// Which.
    id: CardId,
) -> impl IntoView {
    let board = use_board();
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
        <div class=class role="listitem" data-card=id.to_string()>
            <input
                class="tick"
                type="checkbox"
                aria-label="Done"
                checked=done.get_untracked()
                prop:checked=done
                disabled=locked
            />
            <button class="card-open" dir="auto" translate="no">{sole_text(title)}</button>
            <Mark card=id />
            {move || facts.get().map(|facts| facts.view(done))}
        </div>
    }
    .into_any()
}

/// What people do to cards, heard in one place for all of them, so that a card costs no listeners.
#[derive(Clone, Copy, Debug)]
pub struct CardEvents {
    /// The cards' board.
    pub board: BoardHandle,
    /// What moves them.
    pub drag: Drag,
}

impl CardEvents {
    /// A click: on a title, it opens the card.
    pub fn click(self, event: &Event) {
        if let Some(card) = card_of(event, ".card-open") {
            self.drag.unless_dragged(|| self.board.opened.set(Some(card)));
        }
    }

    /// A tick was set or taken away.
    pub fn change(self, event: &Event) {
        if let Some(card) = card_of(event, ".tick") {
            self.board.edit(Change::SetDone { card, done: event_target_checked(event) });
        }
    }

    /// A key went down.
    pub fn key(self, event: &KeyboardEvent) {
        if let Some(card) = card_of(event, "*") {
            on_card_key(self.board, card, event);
        }
    }

    /// A pointer went down.
    pub fn press(self, event: &PointerEvent) {
        if let Some(card) = card_of(event, "*") {
            self.board.mirror.wake_card(card);
            self.drag.press(Draggable::Card(card), event);
        }
    }
}

/// The card that something happened on, if it was on what `selector` means.
fn card_of(event: &Event, selector: &str) -> Option<CardId> {
    let on: Element = event.target()?.dyn_into().ok()?;
    let card = on.closest(selector).ok()??.closest("[data-card]").ok()??;
    card.get_attribute("data-card")?.parse().ok()
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
            {(!notes.is_empty()).then(|| view! { <p class="card-notes" dir="auto" translate="no">{notes}</p> })}
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
