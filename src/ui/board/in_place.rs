//! Text that is renamed where it stands.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::html::{Button, Input};
use leptos::prelude::*;

use super::field::{Field, FieldRemark};
use super::handle::use_board;
use super::place::Place;
use crate::ui::dynamic::{Alive, When};
use crate::ui::focus::is_nowhere;
use crate::ui::keys::{is_enter, is_escape};
use crate::ui::text::sole_text;

/// Text that becomes a field when it is pressed. Enter or leaving the field commits, Escape discards.
///
/// A button, which is disabled while the text cannot be renamed: on the server, and until the page is hydrated. It is the same
/// element from then on, so the page is not painted anew.
#[component]
pub fn InPlace(
    /// What is renamed.
    place: Place,
    /// The text on the button.
    text: Signal<String>,
    /// The title, which the field begins with. Another than `text` where that stands for no title.
    title: Signal<String>,
    /// What the text is, for screen readers.
    label: &'static str,
    /// Whether it can be renamed.
    editable: Signal<bool>,
    /// Opens the field from outside.
    #[prop(optional)]
    editing: RwSignal<bool>,
) -> impl IntoView {
    let board = use_board();
    let alive = Alive::here();
    let field = Field::new(board, place, title);
    let input = NodeRef::<Input>::new();
    let button = NodeRef::<Button>::new();
    let by_key = StoredValue::new(false);
    // A draft that came back opens the field, and leaves the focus where it is.
    let returned = StoredValue::new(false);
    let selects = StoredValue::new(false);
    let select = move || {
        // Text that came without a key, as from a phone's keyboard, must not be selected: the next key would replace it.
        if selects.try_update_value(std::mem::take) == Some(true)
            && !field.has_draft()
            && let Some(input) = input.get_untracked()
        {
            input.select();
        }
    };
    Effect::new(move |_| {
        board.drafts_came.track();
        if field.has_draft() && editable.get() && !editing.get_untracked() {
            returned.set_value(true);
            editing.set(true);
        }
    });
    Effect::new(move |_| {
        let Some(input) = input.get() else { return };
        if returned.try_update_value(std::mem::take) != Some(true) || is_nowhere() {
            let _ = input.focus();
            input.select();
            // Chromium drops the selection at the end of the press that opened the field. A key may come before it is back.
            selects.set_value(true);
            set_timeout(alive.then(select), Duration::ZERO);
        }
    });
    Effect::new(move |_| {
        let Some(button) = button.get() else { return };
        if by_key.try_update_value(std::mem::take) == Some(true) {
            let _ = button.focus();
        }
    });
    let finish = move |key: bool| {
        if editing.get_untracked() && field.leave() {
            by_key.set_value(key);
            editing.set(false);
        }
    };
    let keys = move |event: KeyboardEvent| {
        event.stop_propagation();
        select();
        if is_enter(&event) {
            // The key would press the button that gets the focus.
            event.prevent_default();
            finish(true);
        } else if is_escape(&event) {
            by_key.set_value(true);
            field.discard();
            editing.set(false);
        }
    };
    view! {
        <When
            when=editing
            otherwise=move || {
                view! {
                    <button
                        class="in-place"
                        dir="auto"
                        translate="no"
                        node_ref=button
                        disabled=Signal::derive(move || !editable.get())
                        on:click=move |_| editing.set(true)
                    >
                        {sole_text(text)}
                    </button>
                }
            }
        >
            <input
                class="in-place-field"
                dir="auto"
                node_ref=input
                aria-label=label
                placeholder=text
                prop:value=field.text
                on:focus=move |_| field.enter()
                on:input=move |event| field.take_input(&event)
                on:keydown=keys
                on:blur=alive.later(move || finish(false))
            />
            <FieldRemark field />
        </When>
    }
    .into_any()
}
