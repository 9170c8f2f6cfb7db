//! The pill that says where a person stands.

use std::time::Duration;

use leptos::prelude::*;

use crate::sync::client::{Connection, Status};
use crate::sync::message::Access;
use crate::sync::network::Network;

/// What the pill says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pill {
    /// Nothing to say yet.
    Quiet,
    Connecting,
    Saved,
    /// Not saved any more, for too short a time to speak of it.
    Settling,
    Saving(usize),
    Reconnecting(usize),
    Offline(usize),
    Captive(usize),
    Unreachable(usize),
    Ended(usize),
    /// This link can only view; the changes were made with another.
    ViewOnly(usize),
    Outdated,
}

impl Pill {
    fn of(status: &Status) -> Self {
        match (&status.connection, status.network) {
            (Connection::Off, _) => Self::Quiet,
            (Connection::Refused(_) | Connection::GaveUp { .. }, _) => Self::Ended(status.pending),
            (Connection::Outdated, _) => Self::Outdated,
            (_, Network::Offline) => Self::Offline(status.pending),
            (Connection::Live, _) if status.pending > 0 && status.access == Access::View => {
                Self::ViewOnly(status.pending)
            }
            (Connection::Live, _) if status.pending > 0 => Self::Saving(status.pending),
            (Connection::Live, _) => Self::Saved,
            (_, Network::Captive) => Self::Captive(status.pending),
            (_, Network::Unreachable) => Self::Unreachable(status.pending),
            (Connection::Connecting { .. }, _) if status.last_sync == 0 => Self::Connecting,
            (Connection::Connecting { .. } | Connection::Waiting { .. } | Connection::Suspended { .. }, _) => {
                Self::Reconnecting(status.pending)
            }
        }
    }

    /// The pill's state, for the stylesheet and for tests.
    const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Connecting => "connecting",
            Self::Saved => "saved",
            Self::Settling => "settling",
            Self::Saving(_) => "saving",
            Self::Reconnecting(_) => "reconnecting",
            Self::Offline(_) => "offline",
            Self::Captive(_) => "captive",
            Self::Unreachable(_) => "unreachable",
            Self::Ended(_) | Self::ViewOnly(_) => "ended",
            Self::Outdated => "outdated",
        }
    }

    fn text(self) -> String {
        match self {
            Self::Quiet | Self::Settling => String::new(),
            Self::Connecting => "Connecting…".to_owned(),
            Self::Saved => "Saved".to_owned(),
            Self::Saving(1) => "Saving 1 change…".to_owned(),
            Self::Saving(count) => format!("Saving {count} changes…"),
            Self::Reconnecting(count) => kept_here("Reconnecting…", count),
            Self::Offline(count) => kept_here("You're offline.", count),
            Self::Captive(count) => kept_here("This network wants you to log in.", count),
            Self::Unreachable(count) => kept_here("Can't reach the server.", count),
            Self::Ended(count) => kept_here("Not connected.", count),
            Self::ViewOnly(count) => kept_here("This link can only view.", count),
            Self::Outdated => "New version. Reload".to_owned(),
        }
    }

    /// Whether there is something that is not saved.
    const fn is_unsaved(self) -> bool {
        match self {
            Self::Saving(count)
            | Self::Reconnecting(count)
            | Self::Offline(count)
            | Self::Captive(count)
            | Self::Unreachable(count)
            | Self::Ended(count)
            | Self::ViewOnly(count) => count > 0,
            Self::Quiet | Self::Connecting | Self::Saved | Self::Settling | Self::Outdated => false,
        }
    }

    /// How long the state must last before it is shown, so that a line that blinks does not make the page flicker.
    const fn patience(self, shown: Self) -> Duration {
        match (self, shown) {
            (Self::Saving(_), Self::Saved | Self::Settling) => Duration::from_millis(300),
            // What was said to be under way is said for long enough to be read.
            (Self::Connecting, _) | (Self::Saved, Self::Saving(_)) => Duration::from_millis(400),
            (Self::Reconnecting(_), Self::Saved | Self::Settling | Self::Saving(_)) => Duration::from_secs(2),
            _ => Duration::ZERO,
        }
    }
}

fn kept_here(state: &str, count: usize) -> String {
    match count {
        0 => state.to_owned(),
        1 => format!("{state} 1 change kept here"),
        _ => format!("{state} {count} changes kept here"),
    }
}

/// A pill that says where a person stands: connecting, saved, saving, reconnecting (with a button to try now), or ended.
///
/// Renders an empty pill of the same size on the server and before hydration: neither knows anything of the line.
#[component]
pub fn ConnectionStatus(
    /// Where the person stands.
    status: Signal<Status>,
    /// Connects now; never reloads the page.
    retry: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let now = Memo::new(move |_| status.with(Pill::of));
    let shown = RwSignal::new(Pill::Quiet);
    Effect::new(move |previous: Option<(&'static str, Option<TimeoutHandle>)>| {
        let next = now.get();
        if next.is_unsaved() && shown.get_untracked() == Pill::Saved {
            // Patience is for what is not shown yet. "Saved" is taken back at once.
            shown.set(Pill::Settling);
        }
        let waiting = previous.and_then(|(name, timer)| timer.map(|timer| (name, timer)));
        if let Some((name, timer)) = waiting {
            if name == next.name() && shown.get_untracked().name() != name {
                // More of the same: it is shown when it was to be shown.
                return (name, Some(timer));
            }
            timer.clear();
        }
        let patience = next.patience(shown.get_untracked());
        if patience.is_zero() {
            shown.set(next);
            return (next.name(), None);
        }
        let show = move || {
            shown.try_set(now.get_untracked());
        };
        (next.name(), set_timeout_with_handle(show, patience).ok())
    });
    let can_retry = move || {
        matches!(
            shown.get(),
            Pill::Reconnecting(_) | Pill::Offline(_) | Pill::Captive(_) | Pill::Unreachable(_) | Pill::Ended(_)
        )
    };
    view! {
        <div class="pill" data-state=Signal::derive(move || shown.get().name().to_owned())>
            <span class="dot" aria-hidden="true"></span>
            <span class="pill-text" role="status">{Signal::derive(move || shown.get().text())}</span>
            <Show when=can_retry>
                <button class="button link" on:click=move |_| retry()>
                    "Retry now"
                </button>
            </Show>
        </div>
    }
    .into_any()
}
