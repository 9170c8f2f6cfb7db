//! The queue of own changes as a list that people can see into, and act on.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;

use super::handle::{ConnectionHandle, OutboxHandle, Stand, Unsaved, use_connection, use_outbox};
use crate::sync::id::ChangeId;
use crate::sync::unsent::{self, UnsentError};
use crate::ui::chosen_file::ChosenFile;
use crate::ui::clipboard::copy_text;
use crate::ui::clock;
use crate::ui::download::download;
use crate::ui::dynamic::{Each, Item, When};
use crate::ui::text::sole_text;
use crate::ui::toast::Kind;

/// Most pending changes that are listed.
const LISTED: usize = 50;

/// Own changes that are not saved: each in words, with its age and how it stands, and what can be done about it. The oldest 50 are
/// listed, and how many more there are.
///
/// Renders an empty list on the server and before hydration.
#[component]
pub fn OutboxList(
    /// Comes round now and then, for the ages.
    tick: Signal<u64>,
) -> impl IntoView {
    let outbox = use_outbox();
    let listed = Memo::new(move |_| {
        tick.track();
        outbox.pending(LISTED)
    });
    let item = move |change: Unsaved| {
        let id = change.id;
        let key = format!("{id} {:?}", change.stand);
        Item::by_name(key, move || view! { <PendingItem change=change.clone() tick /> }.into_any())
    };
    let items = move || listed.get().into_iter().map(item).collect::<Vec<_>>();
    let more = move || outbox.len().saturating_sub(LISTED);
    view! {
        <When when=move || outbox.is_empty()>
            <p class="hint">"Everything is saved."</p>
        </When>
        <ul class="changes">
            <Each items />
        </ul>
        <When when=move || more() != 0>
            <p class="hint">{sole_text(Signal::derive(move || format!("and {} more", more())))}</p>
        </When>
    }
    .into_any()
}

#[component]
fn PendingItem(change: Unsaved, tick: Signal<u64>) -> impl IntoView {
    let outbox = use_outbox();
    let (id, made_at) = (change.id, change.made_at);
    let age = move || {
        tick.track();
        age(clock::unix_now().saturating_sub(made_at))
    };
    let waits = change.stand == Stand::Waiting;
    let stand = if waits { "Waits" } else { "On its way" };
    view! {
        <li>
            <p>
                <span class="change-words" translate="no">{change.words}</span>
                <span class="hint">{sole_text(Signal::derive(move || format!("{stand} · {}", age())))}</span>
            </p>
            <span class="row">
                <CopyButton id />
                {waits.then(|| view! { <DiscardButton discard=move || outbox.discard(id) /> })}
            </span>
        </li>
    }
    .into_any()
}

/// Refused changes whose author has not decided: each with the reason, and a way on.
///
/// Renders nothing on the server, and while there are none.
#[component]
pub fn RefusedList(
    /// Those that are listed; all, unless told.
    #[prop(optional, into)]
    of: Option<Signal<Vec<Unsaved>>>,
) -> impl IntoView {
    let outbox = use_outbox();
    let refused = move || of.map_or_else(|| outbox.refused(), |of| of.get());
    let item =
        |change: Unsaved| Item::by_id(change.id.0, move || view! { <RefusedItem change=change.clone() /> }.into_any());
    let items = move || refused().into_iter().map(item).collect::<Vec<_>>();
    view! {
        <ul class="changes refused">
            <Each items />
        </ul>
    }
    .into_any()
}

#[component]
fn RefusedItem(change: Unsaved) -> impl IntoView {
    let (connection, outbox) = (use_connection(), use_outbox());
    let id = change.id;
    let reason = match change.stand {
        Stand::Refused(reason) => reason,
        Stand::Waiting | Stand::UnderWay => String::new(),
    };
    let retry = move |_| {
        if let Err(why) = outbox.offer_again(id) {
            connection.tell(Kind::Warning, why);
        }
    };
    view! {
        <li>
            <p>
                <span class="change-words" translate="no">{change.words}</span>
                <span class="reason">{reason}</span>
            </p>
            <span class="row">
                <button class="button small-text" on:click=retry>"Retry"</button>
                <CopyButton id />
                <DiscardButton discard=move || outbox.discard(id) />
            </span>
        </li>
    }
    .into_any()
}

/// Copies a change with all that its author wrote; where nothing can be copied, it is a file.
#[component]
fn CopyButton(id: ChangeId) -> impl IntoView {
    let outbox: OutboxHandle = use_outbox();
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let Some(text) = outbox.in_full(id) else { return };
        spawn_local(async move {
            if !copy_text(&text).await {
                download("change.txt", &text);
            }
            copied.try_set(true);
        });
    };
    view! {
        <button class="button quiet small-text" on:click=copy>
            {sole_text(Signal::derive(move || if copied.get() { "Copied" } else { "Copy" }.to_owned()))}
        </button>
    }
    .into_any()
}

/// Asks once more before it discards.
#[component]
fn DiscardButton(discard: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let sure = RwSignal::new(false);
    let press = move |event: leptos::ev::MouseEvent| {
        if sure.get_untracked() {
            focus_around(&event);
            discard();
        } else {
            sure.set(true);
        }
    };
    view! {
        <button
            class="button quiet small-text"
            class:danger=sure
            on:click=press
            on:blur=move |_| {
                let _ = sure.try_set(false);
            }
        >
            {sole_text(Signal::derive(move || if sure.get() { "Discard for good?" } else { "Discard" }.to_owned()))}
        </button>
    }
    .into_any()
}

/// The button is gone in a moment: the focus goes to what it is in.
fn focus_around(event: &leptos::ev::MouseEvent) {
    let button = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let around = button.and_then(|button| button.closest(".panel, dialog").ok().flatten());
    let first = around.and_then(|around| around.query_selector("button").ok().flatten());
    if let Some(first) = first.and_then(|first| first.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = first.focus();
    }
}

/// Gives the person all that is not saved as a file, which any device takes in; or says that there is nothing.
pub fn export_unsaved(connection: ConnectionHandle) {
    match connection.driver().and_then(|driver| driver.export()) {
        Some(file) => download(&file.name, &file.text),
        None => connection.tell(Kind::Plain, "Everything is saved: there is nothing to export."),
    }
}

/// Takes in the file of unsaved changes that was chosen, and says what came of it.
pub fn import_unsaved(connection: ConnectionHandle, event: &leptos::ev::Event) {
    let Some(file) = ChosenFile::of(event) else { return };
    if file.bytes() > unsent::MAX_BYTES {
        return connection.tell(Kind::Warning, UnsentError::Format.to_string());
    }
    spawn_local(async move {
        let imported = match file.text().await {
            Ok(text) => connection.driver().map_or(Ok(0), |driver| driver.import(&text)),
            Err(why) => Err(why),
        };
        match imported {
            Ok(1) => connection.tell(Kind::Plain, "1 change taken in. If it was saved before, it is not made twice."),
            Ok(count) => {
                let text = format!("{count} changes taken in. Those that were saved before are not made twice.");
                connection.tell(Kind::Plain, text);
            }
            Err(why) => connection.tell(Kind::Warning, why),
        }
    });
}

/// A time in words: how long ago.
pub(super) fn age(ms: u64) -> String {
    match ms / 1_000 {
        0..=4 => "just now".to_owned(),
        s @ 5..=59 => format!("{s} s ago"),
        s @ 60..=3_599 => format!("{} min ago", s / 60),
        s @ 3_600..=86_399 => format!("{} h ago", s / 3_600),
        s => format!("{} days ago", s / 86_400),
    }
}

/// The buttons that take unsaved changes out and in.
#[component]
pub fn UnsavedFiles() -> impl IntoView {
    let connection = use_connection();
    view! {
        <div class="row">
            <button class="button small-text" on:click=move |_| export_unsaved(connection)>"Export"</button>
            <label class="button small-text file">
                "Import"
                <input
                    class="visually-hidden"
                    type="file"
                    accept=".json"
                    on:change=move |event| import_unsaved(connection, &event)
                />
            </label>
        </div>
    }
    .into_any()
}
