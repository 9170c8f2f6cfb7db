//! The pill that says where a person stands.

use std::time::Duration;

use leptos::html;
use leptos::prelude::*;

use super::handle::use_connection;
use super::panel::StatusPanel;
use super::standing::{Standing, unsaved};
use crate::sync::time::Moment;
use crate::ui::clock;
use crate::ui::dynamic::{Each, Item, When};
use crate::ui::text::sole_text;

/// A pill that says where a person stands: connecting, saved, saving so many, reconnecting in so many seconds, offline, and so on.
/// It opens a panel with the details. "Retry now" connects; it never reloads the page.
///
/// Its size does not depend on what it says, so nothing beside it moves. What it says is announced by the toaster's live region,
/// without the seconds.
///
/// Renders "Starting…" on the server and before hydration: neither knows anything of the connection.
#[component]
pub fn ConnectionStatus() -> impl IntoView {
    let connection = use_connection();
    let standing = connection.standing;
    let pill = NodeRef::<html::Button>::new();
    let seconds = use_countdown(standing);
    let open = connection.panel;
    let name = Signal::derive(move || standing.get().name().to_owned());
    // What it says is a new node whenever it says something else: a text that grows in place would move.
    let words = move || {
        let (standing, kept) = (standing.get(), connection.kept.get());
        // That changes are lost with the page comes before all else.
        let (text, brief) = if kept {
            (standing.in_short(), standing.in_brief())
        } else {
            ("Not kept on this device".to_owned(), "Not kept")
        };
        let counts = kept && matches!(standing, Standing::Reconnecting { until: Some(_), .. });
        let pending = if kept && matches!(standing, Standing::Saving(_)) { 0 } else { standing.pending() };
        let unsaved = unsaved(pending, kept);
        let key = format!("{} {text} {unsaved:?}", standing.name());
        let view = move || {
            view! { <PillWords text=text.clone() brief pending kept unsaved=unsaved.clone() seconds=counts.then_some(seconds) /> }.into_any()
        };
        vec![Item::by_name(key, view)]
    };
    view! {
        <div class="pill" data-state=name class:unkept=move || !connection.kept.get()>
            <button
                class="pill-open"
                node_ref=pill
                aria-expanded=move || open.get().to_string()
                aria-haspopup="dialog"
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <span class="visually-hidden">"Connection: "</span>
                <Each items=words />
            </button>
            <When when=move || standing.get().can_retry()>
                <button class="button link retry" on:click=move |_| connection.retry_now()>
                    "Retry now"
                </button>
            </When>
            <StatusPanel opener=pill />
        </div>
    }
    .into_any()
}

#[component]
fn PillWords(
    text: String,
    brief: &'static str,
    pending: usize,
    kept: bool,
    unsaved: Option<String>,
    seconds: Option<Signal<u64>>,
) -> impl IntoView {
    view! {
        <span class="pill-words">
            <span class="dot" aria-hidden="true"></span>
            <span class="pill-text wide-only">{text}</span>
            <span class="pill-text narrow-only">{brief}</span>
            {seconds.map(|seconds| view! { <span class="pill-seconds">" in " <span class="digits">{sole_text(Signal::derive(move || seconds.get().to_string()))}</span> " s"</span> })}
            {unsaved.map(|unsaved| {
                view! {
                    <span class="pill-kept" title=unsaved>
                        <span class="wide-only">"· "</span>
                        <span class="pill-count">{pending}</span>
                        <span class="wide-only">{if kept { " kept" } else { " not saved" }}</span>
                    </span>
                }
            })}
        </span>
    }
    .into_any()
}

/// Whole seconds until the next attempt; it counts while there is one.
fn use_countdown(standing: RwSignal<Standing>) -> Signal<u64> {
    let seconds = RwSignal::new(0);
    let until = Memo::new(move |_| match standing.get() {
        Standing::Reconnecting { until, .. } => until,
        _ => None,
    });
    let count = move |until: Moment| {
        let left = until.since(clock::now());
        let _ = seconds.try_update(|seconds| {
            *seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        });
    };
    Effect::new(move |timer: Option<Option<IntervalHandle>>| {
        if let Some(timer) = timer.flatten() {
            timer.clear();
        }
        let until = until.get()?;
        count(until);
        set_interval_with_handle(move || count(until), Duration::from_millis(250)).ok()
    });
    seconds.into()
}
