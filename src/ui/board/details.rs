//! Everything about one card.

use std::sync::Arc;
use std::time::Duration;

use js_sys::Reflect;
use leptos::ev::{Event, KeyboardEvent};
use leptos::html::Input;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::HtmlInputElement;

use super::dialog::Dialog;
use super::field::{FieldRemark, Fields};
use super::focus::{focus_card, focus_later};
use super::handle::{BoardHandle, use_board};
use super::place::{Left, Place};
use crate::board::{Card, CardId, Change};
use crate::ui::connection::{RefusedList, Unsaved};
use crate::ui::dynamic::{Alive, Each, Item, When};
use crate::ui::icon::{ARCHIVE, CLOSE, Icon, MOVE};
use crate::ui::keys::{is_enter, is_key};
use crate::ui::text::typed_text;

/// The dialog with everything about the card that is open. Renders a closed dialog on the server.
#[component]
pub fn CardDetails() -> impl IntoView {
    let board = use_board();
    let fields = Fields::here();
    // A text that cannot be saved keeps the dialog open, with the reason. Closing again closes it, and the text stays as a draft.
    let asked = RwSignal::new(false);
    let held = Signal::derive(move || asked.get() && fields.have_problem());
    Effect::new(move |_| {
        board.opened.track();
        asked.set(false);
    });
    let close = move || {
        let Some(card) = board.opened.get_untracked() else { return };
        let told = held.get_untracked();
        if fields.leave() || told {
            board.opened.set(None);
            focus_card(board, card);
        } else {
            asked.set(true);
            focus_later(".details :is(.remarked, .field):has(.bad) :is(input, textarea)".to_owned());
        }
    };
    view! {
        <Dialog
            open=Signal::derive(move || board.opened.get().is_some())
            close
            escape=Callback::new(move |()| fields.discard())
            title="Card"
            class="details"
        >
            {move || {
                let id = board.opened.get()?;
                let card = board.mirror.card(id)?;
                Some(view! { <Details id card fields /> })
            }}
            <When when=held>
                <p class="field-remark" role="status">"Not saved. Close again to keep the text on this device for later."</p>
            </When>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Details(id: CardId, card: ArcRwSignal<Arc<Card>>, fields: Fields) -> impl IntoView {
    let board = use_board();
    let list = {
        let card = card.clone();
        Memo::new(move |_| card.with(|card| card.list))
    };
    let text = {
        let card = card.clone();
        move |read: fn(&Card) -> String| {
            let card = card.clone();
            Memo::new(move |_| card.with(|card| read(card)))
        }
    };
    let flag = move |read: fn(&Card) -> bool| {
        let card = card.clone();
        Memo::new(move |_| card.with(|card| read(card)))
    };
    let title = text(|card| card.title.clone());
    let due = text(|card| card.due.map(|due| due.to_string()).unwrap_or_default());
    let done = flag(|card| card.done);
    let urgent = flag(|card| card.urgent);
    let archived = flag(|card| card.archived);
    let notes = text(|card| card.notes.clone());
    let list_archived =
        Memo::new(move |_| board.mirror.list(list.get()).is_some_and(|list| list.list.with(|list| list.archived)));
    let remark = move || match (archived.get(), list_archived.get()) {
        (true, _) => "This card is archived.",
        (false, true) => "The list of this card is archived, and the card with it.",
        (false, false) => "",
    };
    let locked = Signal::derive(move || !board.editable.get());
    let refused = Memo::new(move |_| {
        let touch = |change: &&Unsaved| change.entities.contains(&id.0);
        board.connection.refused.with(|refused| refused.iter().filter(touch).cloned().collect::<Vec<_>>())
    });
    view! {
        <When when=move || refused.with(|refused| !refused.is_empty())>
            <section class="needs-attention">
                <h3>"Needs attention"</h3>
                <RefusedList of=refused />
            </section>
        </When>
        <p class="hint" role="status">{remark}</p>
        <div class="fields">
            <TitleField board id title fields />
            <div class="row">
                <label class="check">
                    <input
                        type="checkbox"
                        disabled=locked
                        prop:checked=done
                        on:change=move |event| {
                            board.edit(Change::SetDone { card: id, done: event_target_checked(&event) });
                        }
                    />
                    "Done"
                </label>
                <label class="check">
                    <input
                        type="checkbox"
                        disabled=locked
                        prop:checked=urgent
                        on:change=move |event| {
                            board.edit(Change::SetUrgent { card: id, urgent: event_target_checked(&event) });
                        }
                    />
                    "Urgent"
                </label>
                <DueField board id due fields />
            </div>
            <Labels board id fields />
            <NotesField board id notes fields />
            <When when=board.editable>
                <div class="row">
                    <button
                        class="button"
                        on:click=move |_| {
                            if fields.leave() {
                                board.moving.set(Some(id));
                            }
                        }
                    >
                        <Icon path=MOVE />
                        "Move to…"
                    </button>
                    <When
                        when=archived
                        otherwise=move || {
                            view! {
                                <button
                                    class="button"
                                    on:click=move |_| {
                                        if fields.leave() {
                                            board.archive_card(id);
                                            board.opened.set(None);
                                            focus_card(board, id);
                                        }
                                    }
                                >
                                    <Icon path=ARCHIVE />
                                    "Archive"
                                </button>
                            }
                        }
                    >
                        <button
                            class="button"
                            on:click=move |_| { board.edit(Change::ArchiveCard { card: id, archived: false }); }
                        >
                            <Icon path=ARCHIVE />
                            "Restore"
                        </button>
                    </When>
                </div>
            </When>
        </div>
    }
    .into_any()
}

#[component]
fn TitleField(board: BoardHandle, id: CardId, title: Memo<String>, fields: Fields) -> impl IntoView {
    let alive = Alive::here();
    let field = fields.add(board, Place::CardTitle(id), title.into());
    let leave = move || {
        let _ = field.leave();
    };
    let keys = move |event: KeyboardEvent| {
        if is_enter(&event) {
            leave();
            field.enter();
        }
    };
    view! {
        <div class="remarked">
            <label class="field">
                <span>"Title"</span>
                <input
                    dir="auto"
                    readonly=Signal::derive(move || !board.editable.get())
                    prop:value=field.text
                    on:focus=move |_| field.enter()
                    on:input=move |event| field.take_input(&event)
                    on:keydown=keys
                    on:blur=alive.later(leave)
                />
            </label>
            <FieldRemark field />
        </div>
    }
    .into_any()
}

/// The due date. A day from the picker is written at once; one that is typed, on leaving the field or by Enter: until then each key
/// makes another day of it.
#[component]
fn DueField(board: BoardHandle, id: CardId, due: Memo<String>, fields: Fields) -> impl IntoView {
    let alive = Alive::here();
    let field = fields.add(board, Place::CardDue(id), due.into());
    let input = NodeRef::<Input>::new();
    // Keys came since the date was written last.
    let by_keys = StoredValue::new(false);
    // Not bound to the text: to write a half-typed date back would clear it.
    let show = move |text: &str| {
        if let Some(input) = input.get_untracked()
            && (input.value() != text || is_half_typed(&input))
        {
            input.set_value(text);
        }
    };
    Effect::new(move |_| {
        let text = field.text.get();
        if input.get().is_some() && by_keys.try_get_value() == Some(false) {
            show(&text);
        }
    });
    let leave = move || {
        let half = input.get_untracked().is_some_and(|input| is_half_typed(&input));
        if half {
            // Nothing that could be a date: the board's shows again.
            field.done();
        } else if !field.leave() {
            return;
        }
        by_keys.set_value(false);
        show(&field.text.get_untracked());
    };
    let typed = move |event: Event| {
        let half = input.get_untracked().is_some_and(|input| is_half_typed(&input));
        if half {
            // Nor is the day that was there before the half of one.
            field.typed(field.from().unwrap_or_default());
            return;
        }
        field.typed(event_target_value(&event));
        if !by_keys.get_value() {
            leave();
            field.enter();
        }
    };
    let keys = move |event: KeyboardEvent| {
        if is_enter(&event) {
            leave();
            field.enter();
        } else if is_key(&event) && !matches!(event.key().as_str(), "Tab" | "Escape" | "Shift") {
            by_keys.set_value(true);
        }
    };
    // WebKit shows today where there is no day.
    let nothing_to_see = Memo::new(move |_| !board.may_edit.get() && due.with(String::is_empty));
    view! {
        <label class="check" hidden=move || nothing_to_see.get()>
            "Due"
            <input
                type="date"
                min="1900-01-01"
                max="9999-12-31"
                node_ref=input
                readonly=Signal::derive(move || !board.editable.get())
                on:focus=move |_| field.enter()
                on:change=alive.only(typed)
                on:keydown=keys
                on:blur=alive.later(leave)
            />
        </label>
        <FieldRemark field />
    }
    .into_any()
}

/// Whether a date field shows something that is no day: `validity.badInput`.
fn is_half_typed(input: &HtmlInputElement) -> bool {
    let read = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED);
    read(&read(input, "validity"), "badInput").is_truthy()
}

/// The notes. Written while they are typed, every second, and on leaving; what others write meanwhile is merged in by the board and
/// shown once the field is left.
#[component]
fn NotesField(board: BoardHandle, id: CardId, notes: Memo<String>, fields: Fields) -> impl IntoView {
    /// What is typed is written this often.
    const PAUSE: Duration = Duration::from_secs(1);

    let alive = Alive::here();
    let field = fields.add(board, Place::CardNotes(id), notes.into());
    let timer = StoredValue::new(None::<TimeoutHandle>);
    // All that is written until the field is left is undone in one step.
    let began = StoredValue::new(false);
    let write = move || {
        let Some(from) = field.from() else { return };
        let to = field.text.get_untracked();
        let Left::Changed { change, .. } = Place::CardNotes(id).leave(&from, &to, &from) else { return };
        let made = if began.get_value() { board.edit_on(change) } else { board.edit(change) };
        if made {
            began.set_value(true);
            field.written(to);
        }
    };
    let typed = move |text: String| {
        field.typed(text);
        if timer.with_value(Option::is_none) {
            let due = alive.only(move |()| {
                timer.set_value(None);
                write();
            });
            timer.set_value(set_timeout_with_handle(move || due(()), PAUSE).ok());
        }
    };
    let leave = move || {
        write();
        began.set_value(false);
        let _ = field.leave();
    };
    view! {
        <div class="remarked">
            <label class="field">
                <span>"Notes"</span>
                <textarea
                    class="notes"
                    dir="auto"
                    rows="8"
                    readonly=Signal::derive(move || !board.editable.get())
                    prop:value=field.text
                    on:focus=move |_| field.enter()
                    on:input=move |event| {
                        if let Some(text) = typed_text(&event) {
                            typed(text);
                        }
                    }
                    on:blur=alive.later(leave)
                ></textarea>
            </label>
            <FieldRemark field />
        </div>
    }
    .into_any()
}

#[component]
fn Labels(board: BoardHandle, id: CardId, fields: Fields) -> impl IntoView {
    let labels = move || {
        let card = board.mirror.card(id);
        card.map(|card| card.with(|card| card.labels.clone())).unwrap_or_default()
    };
    let mine = move || {
        let item = |name: String| {
            Item::by_name(name.clone(), move || view! { <LabelOfCard board id name=name.clone() /> }.into_any())
        };
        labels().into_iter().map(item).collect::<Vec<_>>()
    };
    let known = move || {
        let mine = labels();
        let mut all = std::collections::BTreeSet::new();
        board.mirror.board.with(|board| {
            for card in board.cards.values() {
                all.extend(card.labels.iter().filter(|label| !mine.contains(*label)).cloned());
            }
        });
        all.into_iter().take(40).collect::<Vec<_>>()
    };
    let offers = move || {
        let item = |name: String| {
            Item::by_name(name.clone(), move || view! { <option value=name.clone()></option> }.into_any())
        };
        known().into_iter().map(item).collect::<Vec<_>>()
    };
    let alive = Alive::here();
    let field = fields.add(board, Place::CardLabel(id), Signal::derive(String::new));
    let add = move || {
        let _ = field.leave();
    };
    let keys = move |event: KeyboardEvent| {
        if is_enter(&event) {
            add();
        }
    };
    view! {
        <div class="field">
            <span>"Labels"</span>
            <ul class="label-list">
                <Each items=mine />
                <When when=board.editable>
                    <li>
                        <input
                            dir="auto"
                            list="labels"
                            aria-label="Add a label"
                            placeholder="Add a label"
                            prop:value=field.text
                            on:input=move |event| field.take_input(&event)
                            on:keydown=keys
                            on:change=alive.later(add)
                        />
                        <datalist id="labels">
                            <Each items=offers />
                        </datalist>
                    </li>
                </When>
            </ul>
            <FieldRemark field />
        </div>
    }
    .into_any()
}

#[component]
fn LabelOfCard(board: BoardHandle, id: CardId, name: String) -> impl IntoView {
    let off = {
        let name = name.clone();
        move |_| {
            board.edit(Change::SetLabel { card: id, label: name.clone(), on: false });
        }
    };
    view! {
        <li class="label-of-card">
            <span dir="auto" translate="no">{name.clone()}</span>
            <When when=board.editable>
                <button class="button quiet square small" aria-label=format!("Take off {name}") on:click=off.clone()>
                    <Icon path=CLOSE />
                </button>
            </When>
        </li>
    }
}
