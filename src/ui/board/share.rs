//! The links that let others in.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Dialog;
use super::handle::use_board;
use crate::sync::id::Key;
use crate::sync::message::Access;
use crate::ui::clipboard::copy_text;
use crate::ui::dynamic::When;

/// The dialog with the edit and the view link. Who can only view has only the view link to give.
///
/// Renders a closed dialog on the server.
#[component]
pub fn ShareDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let board = use_board();
    let edits = move || board.status.with(|status| status.access == Access::Edit);
    let key = move || board.key.get_value();
    let view_key = move || if edits() { key().view_key() } else { key() };
    view! {
        <Dialog open=open.into() close=move || open.set(false) title="Share this board">
            <div class="fields">
                <When when=edits>
                    <LinkField label="Who has this link can edit" link=link_to(&key()) />
                </When>
                <LinkField label="Who has this link can only view" link=link_to(&view_key()) />
                <p class="hint">"A link is the key: give it only to people you trust with the board."</p>
            </div>
        </Dialog>
    }
    .into_any()
}

fn link_to(key: &Key) -> String {
    format!("{}/b/{}", location().origin().unwrap_or_default(), key.as_str())
}

#[component]
fn LinkField(label: &'static str, link: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let field = NodeRef::<leptos::html::Input>::new();
    let link = StoredValue::new(link);
    let copy = move |_| {
        if let Some(field) = field.get_untracked() {
            field.select();
        }
        spawn_local(async move {
            // If it cannot be copied from here, the link is selected, for the person to copy.
            copied.try_set(copy_text(&link.get_value()).await);
        });
    };
    view! {
        <label class="field">
            <span>{label}</span>
            <div class="row">
                <input node_ref=field readonly value=link.get_value() />
                <button class="button" on:click=copy>
                    {Signal::derive(move || if copied.get() { "Copied" } else { "Copy" }.to_owned())}
                </button>
            </div>
        </label>
    }
    .into_any()
}
