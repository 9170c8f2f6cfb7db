//! A card on the board.

use leptos::prelude::*;

use super::card_mark::Mark;
use super::drag::{Drag, Draggable};
use super::handle::use_board;
use super::label::LabelChip;
use super::shortcuts::on_card_key;
use crate::board::{CardId, Change, Date};
use crate::ui::device;
use crate::ui::dynamic::{Each, Item, When};
use crate::ui::icon::{CALENDAR, Icon, URGENT};

/// A card on the board: a tick, the title that opens it, and what is to be known at a glance.
///
/// Renders whole on the server, notes included. Each part follows its own field, so that a change draws no more than it
/// changes; whether it is overdue shows once the page has come alive, since only the device knows what day it is.
#[component]
pub fn CardItem(
    /// Which.
    id: CardId,
) -> impl IntoView {
    let board = use_board();
    let drag = expect_context::<Drag>();
    let Some(card) = board.mirror.card(id) else { return ().into_any() };
    let field = |card: &ArcRwSignal<_>| card.clone();
    let (done, urgent, title) = (field(&card), field(&card), field(&card));
    let (labels, notes, due) = (field(&card), field(&card), field(&card));
    let labels = Memo::new(move |_| labels.with(|card| card.labels.clone()));
    let notes = Memo::new(move |_| notes.with(|card| card.notes.clone()));
    let due = Memo::new(move |_| due.with(|card| card.due.filter(|_| !card.archived)));
    let urgent = Memo::new(move |_| urgent.with(|card| card.urgent));
    let done = Memo::new(move |_| done.with(|card| card.done));
    let title = Signal::derive(move || title.with(|card| card.title.clone()));
    let locked = Signal::derive(move || !board.editable.get());
    let chips = move || {
        let chip =
            |name: String| Item::by_name(name.clone(), move || view! { <LabelChip name=name.clone() /> }.into_any());
        labels.get().into_iter().map(chip).collect::<Vec<_>>()
    };
    view! {
        <li
            class="card"
            class:done=done
            class:urgent=urgent
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
            <When when=move || !notes.with(String::is_empty)>
                <p class="card-notes">{notes}</p>
            </When>
            <When when=move || urgent.get() || due.get().is_some() || !labels.with(std::collections::BTreeSet::is_empty)>
                <ul class="card-facts">
                    <When when=urgent>
                        <li class="fact alarm">
                            <Icon path=URGENT />
                            "Urgent"
                        </li>
                    </When>
                    {move || due.get().map(|due| view! { <DueFact due done=done /> })}
                    <Each items=chips />
                </ul>
            </When>
        </li>
    }
    .into_any()
}

#[component]
fn DueFact(due: Date, done: Memo<bool>) -> impl IntoView {
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
