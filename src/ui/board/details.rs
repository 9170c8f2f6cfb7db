//! Everything about one card.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;

use super::dialog::Dialog;
use super::focus::focus_card;
use super::handle::{BoardHandle, use_board};
use crate::board::model::{MAX_LABEL, MAX_NOTES, MAX_TITLE};
use crate::board::{Card, CardId, Change};
use crate::ui::connection::{RefusedList, Unsaved};
use crate::ui::dynamic::{Each, Item, When};
use crate::ui::icon::{ARCHIVE, CLOSE, Icon, MOVE};
use crate::ui::toast::{Kind, Toast};

/// The dialog with everything about the card that is open. Renders a closed dialog on the server.
#[component]
pub fn CardDetails() -> impl IntoView {
    let board = use_board();
    let close = move || {
        if let Some(card) = board.opened.get_untracked() {
            board.opened.set(None);
            focus_card(board, card);
        }
    };
    view! {
        <Dialog open=Signal::derive(move || board.opened.get().is_some()) close title="Card" class="details">
            {move || {
                let id = board.opened.get()?;
                let card = board.mirror.card(id)?;
                Some(view! { <Details id card /> })
            }}
        </Dialog>
    }
    .into_any()
}

#[component]
fn Details(id: CardId, card: ArcRwSignal<Arc<Card>>) -> impl IntoView {
    let board = use_board();
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
    let locked = Signal::derive(move || !board.editable.get());
    let rename = move |value: String| {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !value.is_empty() && value != title.get_untracked() {
            board.edit(Change::RenameCard { card: id, title: value });
        }
    };
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
        <div class="fields">
            <label class="field">
                <span>"Title"</span>
                <input
                    dir="auto"
                    maxlength=MAX_TITLE
                    readonly=locked
                    prop:value=title
                    on:change=move |event| rename(event_target_value(&event))
                />
            </label>
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
                <label class="check">
                    "Due"
                    <input
                        type="date"
                        readonly=locked
                        prop:value=due
                        on:change=move |event| {
                            board.edit(Change::SetDue { card: id, due: event_target_value(&event).parse().ok() });
                        }
                    />
                </label>
            </div>
            <Labels board id />
            <NotesField board id notes />
            <When when=board.editable>
                <div class="row">
                    <button class="button" on:click=move |_| board.moving.set(Some(id))>
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
                                        board.opened.set(None);
                                        board.archive_card(id);
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

/// The notes. Written while they are typed, every second, and on leaving; what others write meanwhile is merged in
/// by the board and shown as soon as the field is left.
#[component]
fn NotesField(board: BoardHandle, id: CardId, notes: Memo<String>) -> impl IntoView {
    /// What is typed is written this often.
    const PAUSE: Duration = Duration::from_secs(1);

    let draft = RwSignal::new(notes.get_untracked());
    let from = StoredValue::new(notes.get_untracked());
    let writing = RwSignal::new(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let write = move || {
        let (before, after) = (from.get_value(), draft.get_untracked());
        if before == after {
            return true;
        }
        let made = board.edit(Change::EditNotes { card: id, from: before, to: after.clone() });
        if made {
            from.set_value(after);
        }
        made
    };
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    let typed = move |text: String| {
        draft.set(text);
        if timer.with_value(Option::is_none) {
            let due = move || {
                timer.set_value(None);
                write();
            };
            timer.set_value(set_timeout_with_handle(due, PAUSE).ok());
        }
    };
    // What could not be written, being too long, stays in the field for its author to shorten.
    let leave = move || {
        stop();
        if write() {
            writing.set(false);
        }
    };
    Effect::new(move |_| {
        let shown = notes.get();
        if !writing.get() {
            from.set_value(shown.clone());
            draft.set(shown);
        }
    });
    on_cleanup(move || {
        stop();
        if let Some(text) = draft.try_get_untracked()
            && !write()
        {
            let text = format!("These notes were too long to keep: {text}");
            board.toasts.show(Toast::new(text).kind(Kind::Danger).lasting());
        }
    });
    view! {
        <label class="field">
            <span>"Notes"</span>
            <textarea
                class="notes"
                dir="auto"
                rows="8"
                maxlength=MAX_NOTES
                readonly=Signal::derive(move || !board.editable.get())
                prop:value=draft
                on:focus=move |_| writing.set(true)
                on:input=move |event| typed(event_target_value(&event))
                on:blur=move |_| leave()
            ></textarea>
        </label>
    }
    .into_any()
}

#[component]
fn Labels(board: BoardHandle, id: CardId) -> impl IntoView {
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
    let add = move |event: leptos::ev::Event| {
        use wasm_bindgen::JsCast;

        let label = event_target_value(&event).trim().to_owned();
        if !label.is_empty() && board.edit(Change::SetLabel { card: id, label, on: true }) {
            let field = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
            if let Some(field) = field {
                field.set_value("");
            }
        }
    };
    view! {
        <div class="field">
            <span>"Labels"</span>
            <ul class="label-list">
                <Each items=mine />
                <When when=board.editable>
                    <li>
                        <input dir="auto" list="labels" aria-label="Add a label" placeholder="Add a label" maxlength=MAX_LABEL on:change=add />
                        <datalist id="labels">
                            <Each items=offers />
                        </datalist>
                    </li>
                </When>
            </ul>
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
            <span dir="auto">{name.clone()}</span>
            <When when=board.editable>
                <button class="button quiet square small" aria-label=format!("Take off {name}") on:click=off.clone()>
                    <Icon path=CLOSE />
                </button>
            </When>
        </li>
    }
}
