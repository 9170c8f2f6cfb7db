//! The forms that add cards and lists.

use leptos::ev::KeyboardEvent;
use leptos::html::Textarea;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::Element;

use super::field::{Field, FieldRemark};
use super::focus::{focus_add_card, focus_later};
use super::handle::{BoardHandle, use_board};
use super::place::Place;
use crate::board::import::lines;
use crate::board::model::MAX_TITLE;
use crate::board::position::Position;
use crate::board::{Board, Card, CardId, Change, ListId};
use crate::sync::document::Document as _;
use crate::ui::device;
use crate::ui::dynamic::When;
use crate::ui::focus::is_nowhere;
use crate::ui::icon::{Icon, PLUS};
use crate::ui::keys::{is_enter, is_escape};

/// Adds cards at the end of a list: Enter adds one and goes on to the next, Escape ends it. Several lines can become as many cards.
#[component]
pub fn NewCard(
    /// The list.
    list: ListId,
) -> impl IntoView {
    let board = use_board();
    let adding = RwSignal::new(false);
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
                <NewItem form=Form { board, place: Place::NewCard(list), adding } />
            </div>
        </When>
        <Reopen form=Form { board, place: Place::NewCard(list), adding } />
    }
    .into_any()
}

/// Adds a list behind the others. Its button does nothing until the page is hydrated.
#[component]
pub fn NewList() -> impl IntoView {
    let board = use_board();
    let adding = RwSignal::new(false);
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
                    <NewItem form=Form { board, place: Place::NewList, adding } />
                </When>
            </li>
        </When>
        <Reopen form=Form { board, place: Place::NewList, adding } />
    }
    .into_any()
}

/// A form that adds something.
#[derive(Clone, Copy, Debug)]
struct Form {
    board: BoardHandle,
    place: Place,
    adding: RwSignal<bool>,
}

/// What can be made of the text in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Offer {
    One,
    /// The lines make so many items.
    Many(usize),
}

impl Form {
    const fn what(self) -> &'static str {
        if matches!(self.place, Place::NewList) { "list" } else { "card" }
    }

    fn offer(text: &str) -> Offer {
        match lines::read(text).cards.len() {
            0 | 1 => Offer::One,
            many => Offer::Many(many),
        }
    }

    /// The changes that add one item for each line.
    fn many(self, text: &str) -> Result<Vec<Change>, String> {
        let lines = lines::read(text);
        let mut id = || device::new_id().unwrap_or_default();
        let board = self.board.mirror.board;
        match self.place {
            Place::NewCard(list) => {
                let last =
                    board.with_untracked(|board| board.open_cards(list).pop().map(|(_, card)| card.position.clone()));
                Ok(lines.into_changes(list, last.as_ref(), &mut id))
            }
            _ if lines.long > 0 => {
                Err(format!("A list's title has at most {MAX_TITLE} characters. {} longer.", are(lines.long)))
            }
            _ => {
                let last =
                    board.with_untracked(|board| board.open_lists().pop().map(|(_, list)| list.position.clone()));
                let places = Position::run_after(last.as_ref(), lines.cards.len());
                let add = |(position, card): (Position, crate::board::import::ImportedCard)| Change::AddList {
                    list: ListId(id()),
                    title: card.title,
                    position,
                    archived: false,
                };
                Ok(places.zip(lines.cards).map(add).collect())
            }
        }
    }

    /// The change that adds one item. A card's further lines are its notes; a list has none.
    fn one(self, text: &str) -> Option<Change> {
        let id = device::new_id()?;
        let board = self.board.mirror.board;
        let Place::NewCard(list) = self.place else {
            let last = board.with_untracked(|board| board.open_lists().pop().map(|(_, list)| list.position.clone()));
            let position = Position::between(last.as_ref(), None);
            return Some(Change::AddList {
                list: ListId(id),
                title: self.place.value(text),
                position,
                archived: false,
            });
        };
        let last = board.with_untracked(|board| board.open_cards(list).pop().map(|(_, card)| card.position.clone()));
        let (title, notes) = text.trim().split_once(['\n', '\r']).unwrap_or((text, ""));
        let mut card = Card::new(list, Position::between(last.as_ref(), None), self.place.value(title));
        notes.trim().clone_into(&mut card.notes);
        Some(Change::AddCard { card: CardId(id), content: card })
    }
}

fn are(count: usize) -> String {
    if count == 1 { "1 line is".to_owned() } else { format!("{count} lines are") }
}

/// Scrolls to the last card of a list.
fn show_last(list: ListId) {
    let cards = document().query_selector_all(&format!("[data-list=\"{list}\"] .card"));
    let last = cards.ok().and_then(|cards| cards.item(cards.length().checked_sub(1)?));
    if let Some(last) = last.and_then(|card| card.dyn_into::<Element>().ok()) {
        last.scroll_into_view_with_bool(false);
    }
}

/// Opens the form again when a draft comes back. The focus stays where it is.
#[component]
fn Reopen(form: Form) -> impl IntoView {
    let Form { board, place, adding } = form;
    Effect::new(move |_| {
        board.drafts_came.track();
        if board.editable.get() && device::drafts::get(board.id, &place.to_string()).is_some() {
            adding.set(true);
        }
    });
}

/// What is in the form: the field, what is offered for its text, and the way out, which discards the text and offers it back.
#[component]
fn NewItem(form: Form) -> impl IntoView {
    let Form { board, place, adding } = form;
    let field = Field::new(board, place, Signal::derive(String::new));
    let input = NodeRef::<Textarea>::new();
    let returned = field.is_mine();
    Effect::new(move |_| {
        if let Some(input) = input.get()
            && (!returned || is_nowhere())
        {
            let _ = input.focus();
            input.scroll_into_view_with_bool(false);
        }
    });
    let offer = Memo::new(move |_| field.text.with(|text| Form::offer(text)));
    let go_on = move || {
        field.done();
        if let Some(input) = input.get_untracked() {
            let _ = input.focus();
            // Once what was added is drawn.
            request_animation_frame(move || {
                if let Place::NewCard(list) = place {
                    show_last(list);
                }
                input.scroll_into_view_with_bool(false);
            });
        }
    };
    let add_one = move || {
        let text = field.text.get_untracked();
        if place.value(&text).is_empty() {
            return;
        }
        let Some(change) = form.one(&text) else { return };
        match Board::check(&change) {
            Err(refusal) => field.problem.set(Some(refusal.message.into_owned())),
            Ok(()) if board.edit(change) => go_on(),
            Ok(()) => {}
        }
    };
    let add_many = move || {
        let text = field.text.get_untracked();
        match form.many(&text) {
            Err(why) => field.problem.set(Some(why)),
            Ok(changes) => {
                let (count, made) = (changes.len(), board.edit_all(changes));
                if made == count {
                    let Offer::Many(items) = Form::offer(&text) else { return };
                    go_on();
                    board.tell_undo(format!("{items} {}s added.", form.what()));
                }
            }
        }
    };
    let add = move || match offer.get_untracked() {
        Offer::One => add_one(),
        Offer::Many(_) => add_many(),
    };
    let end = move || {
        field.discard();
        adding.set(false);
        match place {
            Place::NewCard(list) => focus_add_card(list),
            _ => focus_later(".add-list".to_owned()),
        }
    };
    let keys = move |event: KeyboardEvent| {
        event.stop_propagation();
        if is_enter(&event) && !event.shift_key() {
            event.prevent_default();
            add();
        } else if is_escape(&event) {
            end();
        }
    };
    let (label, placeholder, rows) = match place {
        Place::NewList => ("New list", "Name of the list", "1"),
        _ => ("New card", "What is to be done?", "2"),
    };
    let many = move || offer.with(|offer| matches!(offer, Offer::Many(_)));
    let add_label = move || match offer.get() {
        Offer::One => "Add".to_owned(),
        Offer::Many(count) => format!("Add {count} {}s", form.what()),
    };
    view! {
        <textarea
            node_ref=input
            rows=rows
            dir="auto"
            class:many=many
            aria-label=label
            placeholder=placeholder
            prop:value=field.text
            on:input=move |event| field.take_input(&event)
            on:keydown=keys
        ></textarea>
        <FieldRemark field unlimited=Signal::derive(many) />
        <div class="row">
            <button class="button primary" on:click=move |_| add()>{Signal::derive(add_label)}</button>
            <When when=many>
                <button class="button" on:click=move |_| add_one()>{format!("Keep as one {}", form.what())}</button>
            </When>
            <button class="button quiet" on:click=move |_| end()>"Done"</button>
        </div>
    }
    .into_any()
}
