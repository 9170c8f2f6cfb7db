//! The details of the connection.

use std::time::Duration;

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::handle::use_connection;
use super::history::{Happened, because};
use super::latency::LatencyChart;
use super::outbox::{OutboxList, RefusedList, UnsavedFiles, age};
use crate::sync::client::{Connection, Status, Synchronized};
use crate::sync::message::SUBPROTOCOL;
use crate::sync::transport::Transport;
use crate::ui::clock;
use crate::ui::dynamic::{Each, Item, When, root_class};
use crate::ui::icon::{CLOSE, Icon};
use crate::ui::keys::is_escape;
use crate::ui::text::sole_text;
use crate::ui::toast::use_toasts;

/// The panel that the pill opens: where the person stands in a sentence, how long the line takes, versions, the last sync,
/// attempts and their reasons, and the queue.
///
/// Renders nothing on the server and while it is closed. Escape closes it, and the focus goes back to the pill; so does a press
/// elsewhere.
#[component]
pub fn StatusPanel(
    /// The pill.
    opener: NodeRef<html::Button>,
) -> impl IntoView {
    let open = use_connection().panel;
    let panel = NodeRef::<html::Div>::new();
    let close = move || {
        open.set(false);
        if let Some(opener) = opener.get_untracked() {
            let _ = opener.focus();
        }
    };
    // Then the toasts stand on the other side.
    root_class("with-panel", move || open.get());
    // What is typed here is not for the board.
    let keep = |event: KeyboardEvent| {
        if event.key() != "Escape" {
            event.stop_propagation();
        }
    };
    Effect::new(move |_| {
        if let Some(panel) = panel.get() {
            let _ = panel.focus();
        }
    });
    Effect::new(move |_| {
        let elsewhere = window_event_listener(leptos::ev::mousedown, move |event: MouseEvent| {
            let at = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
            let inside = |element: &web_sys::Node| element.contains(at.as_ref());
            let within = panel.get_untracked().is_some_and(|panel| inside(&panel));
            let on_pill = opener.get_untracked().is_some_and(|opener| inside(&opener));
            let on_toast = at.as_ref().and_then(|at| at.dyn_ref::<web_sys::Element>()).is_some_and(|at| {
                at.closest(".toaster, .indicator, .network-tools").is_ok_and(|found| found.is_some())
            });
            if open.get_untracked() && !within && !on_pill && !on_toast {
                open.set(false);
            }
        });
        let escape = window_event_listener(leptos::ev::keydown, move |event| {
            if is_escape(&event) && open.get_untracked() {
                close();
            }
        });
        on_cleanup(move || {
            elsewhere.remove();
            escape.remove();
        });
    });
    view! {
        <When when=open>
            <div class="panel" role="dialog" aria-label="Connection" tabindex="-1" node_ref=panel on:keydown=keep>
                <Details close />
            </div>
        </When>
    }
    .into_any()
}

#[component]
fn Details(close: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let connection = use_connection();
    let status = connection.status;
    let tick = use_seconds();
    let sentence = move || connection.sentence();
    let synced = move || {
        tick.track();
        match (status.with(Status::synchronized), connection.synced_at.get()) {
            (Synchronized::InSync, _) => "now".to_owned(),
            (_, 0) => "not yet".to_owned(),
            (_, at) => age(clock::unix_now().saturating_sub(at)),
        }
    };
    let attempts = move || status.with(in_words);
    let server = move || status.with(|status| or_dash(&status.server_build));
    let refused = move || connection.refused.with(|refused| !refused.is_empty());
    view! {
        <div class="panel-head">
            <h2>{sole_text(Signal::derive(sentence))}</h2>
            <button class="button quiet square" aria-label="Close" on:click=move |_| close()>
                <Icon path=CLOSE />
            </button>
        </div>
        <LatencyChart />
        <dl class="facts">
            <Fact name="Last in sync" value=Signal::derive(synced) />
            <Fact name="Connection" value=Signal::derive(attempts) />
            <Fact name="Place in the log" value=Signal::derive(move || status.with(|status| status.version.to_string())) />
            <Fact name="Server" value=Signal::derive(server) />
            <Fact name="This page" value=Signal::derive(page_build) />
            <Fact name="Protocol" value=Signal::derive(|| SUBPROTOCOL.to_owned()) />
        </dl>
        <When when=refused>
            <section>
                <h3>"Needs attention"</h3>
                <RefusedList />
            </section>
        </When>
        <section>
            <h3>"Unsaved changes"</h3>
            <OutboxList tick />
            <UnsavedFiles />
        </section>
        <section>
            <h3>"What happened"</h3>
            <HistoryList />
        </section>
        <section>
            <h3>"Messages"</h3>
            <MessageList />
        </section>
        <label class="check">
            <input
                type="checkbox"
                prop:checked=connection.tools
                on:change=move |event| connection.tools.set(event_target_checked(&event))
            />
            "Tools that make the network bad"
        </label>
    }
    .into_any()
}

#[component]
fn Fact(name: &'static str, value: Signal<String>) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{sole_text(value)}</dd>
        </div>
    }
    .into_any()
}

#[component]
fn HistoryList() -> impl IntoView {
    let history = use_connection().history;
    let item = |(n, line): (usize, &Happened)| {
        let Happened { at, what } = line.clone();
        // Lines are added in front: counted from the end, each keeps its number.
        Item::by_name(format!("{n} {at}"), move || view! { <TimedLine at text=what.clone() /> }.into_any())
    };
    let items = move || {
        history.with(|history| {
            let count = history.lines().count();
            history.lines().enumerate().map(|(n, line)| item((count - n, line))).collect::<Vec<_>>()
        })
    };
    view! {
        <ul class="log" tabindex="0" aria-label="What happened">
            <Each items />
        </ul>
    }
    .into_any()
}

#[component]
fn MessageList() -> impl IntoView {
    let toasts = use_toasts();
    let items = move || {
        let log = toasts.log();
        let count = log.len();
        let item = |(n, logged): (usize, crate::ui::toast::Logged)| {
            let (at, text) = (logged.at, logged.text);
            Item::by_name(format!("{} {at}", count - n), move || {
                view! { <TimedLine at text=text.clone() /> }.into_any()
            })
        };
        log.into_iter().enumerate().map(item).collect::<Vec<_>>()
    };
    view! {
        <When when=move || toasts.log().is_empty()>
            <p class="hint">"None so far."</p>
        </When>
        <ul class="log" tabindex="0" aria-label="Messages">
            <Each items />
        </ul>
    }
    .into_any()
}

#[component]
fn TimedLine(at: u64, text: String) -> impl IntoView {
    view! {
        <li>
            <time>{time_of_day(at)}</time>
            <span>{text}</span>
        </li>
    }
    .into_any()
}

/// Counts the seconds that this is on the page.
fn use_seconds() -> Signal<u64> {
    let seconds = RwSignal::new(0_u64);
    Effect::new(move |_| {
        let count = move || {
            let _ = seconds.try_update(|seconds| *seconds += 1);
        };
        if let Ok(timer) = set_interval_with_handle(count, Duration::from_secs(1)) {
            on_cleanup(move || timer.clear());
        }
    });
    seconds.into()
}

fn in_words(status: &Status) -> String {
    match &status.connection {
        Connection::Off => "not started".to_owned(),
        Connection::Connecting { attempt: 0 } => "connecting".to_owned(),
        Connection::Connecting { attempt } => format!("connecting, after {attempt} failed attempts"),
        Connection::Live => match status.transport {
            Transport::WebSocket => "live".to_owned(),
            Transport::Http => "live over HTTP: something on the way blocks WebSockets".to_owned(),
        },
        Connection::Waiting { attempt, why, .. } => format!("attempt {} comes next: {}", attempt + 1, because(why)),
        Connection::Suspended { why } => format!("held back: {}", because(why)),
        Connection::GaveUp { attempts } => format!("given up after {attempts} attempts"),
        Connection::Refused(_) => "ended by the server".to_owned(),
        Connection::Outdated => "ended: this page is too old".to_owned(),
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "–".to_owned() } else { text.to_owned() }
}

/// The build that the page came with, as the document says.
pub(super) fn page_build() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute("data-build")).unwrap_or_else(|| "–".to_owned())
}

/// A time as a clock here shows it.
fn time_of_day(at: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit for 285,000 years")]
    let date = js_sys::Date::new(&(at as f64).into());
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}
