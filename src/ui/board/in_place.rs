//! Text that is renamed where it stands.

use leptos::html::Input;
use leptos::prelude::*;

use crate::ui::dynamic::When;

/// Text that becomes a field when it is pressed. Enter or leaving the field commits, Escape does not.
///
/// A button, which is disabled while it cannot be renamed: on the server, and until the page has come alive. It is the same element
/// from then on, so the page is not painted anew.
#[component]
pub fn InPlace(
    /// The text.
    text: Signal<String>,
    /// What the text is, for screen readers.
    label: &'static str,
    /// Whether it can be renamed.
    editable: Signal<bool>,
    /// Told the new text, when it is another and not blank.
    commit: impl Fn(String) + Copy + Send + Sync + 'static,
    /// Opens the field from outside.
    #[prop(optional)]
    editing: RwSignal<bool>,
) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let _ = field.focus();
            field.select();
        }
    });
    let from = StoredValue::new(String::new());
    Effect::new(move |_| {
        if editing.get() {
            from.set_value(text.get_untracked());
        }
    });
    let finish = move |value: String| {
        if !editing.get_untracked() {
            return;
        }
        editing.set(false);
        let value = value.trim();
        if !value.is_empty() && value != from.get_value() {
            commit(value.to_owned());
        }
    };
    let keys = move |event: leptos::ev::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.is_composing() => finish(event_target_value(&event)),
        "Escape" => {
            event.stop_propagation();
            editing.set(false);
        }
        _ => event.stop_propagation(),
    };
    view! {
        <When
            when=editing
            otherwise=move || {
                view! {
                    <button
                        class="in-place"
                        dir="auto"
                        disabled=Signal::derive(move || !editable.get())
                        on:click=move |_| editing.set(true)
                    >
                        {text}
                    </button>
                }
            }
        >
            <input
                class="in-place-field"
                dir="auto"
                node_ref=field
                aria-label=label
                maxlength=crate::board::model::MAX_TITLE
                prop:value=text.get_untracked()
                on:keydown=keys
                on:blur=move |event| finish(event_target_value(&event))
            />
        </When>
    }
    .into_any()
}
