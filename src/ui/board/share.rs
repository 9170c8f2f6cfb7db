//! The links that let others in.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Dialog;
use super::handle::{BoardHandle, use_board};
use crate::sync::client::Connection;
use crate::sync::id::Key;
use crate::sync::message::Access;
use crate::ui::clipboard::copy_text;
use crate::ui::device::{self, RecentBoard};
use crate::ui::dynamic::When;
use crate::ui::home::page_of;
use crate::ui::reload::replace_with;
use crate::ui::text::sole_text;

/// The fragment of an address that opens the share dialog.
const SHARE: &str = "#share";

/// The dialog with the edit and the view link. Who can only view has only the view link to give.
///
/// Renders a closed dialog on the server.
#[component]
pub fn ShareDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let board = use_board();
    // Not by the status itself: every turn of the connection would make the dialog anew, with what was asked in it.
    let edits = board.may_edit;
    let key = move || board.key.get_value();
    let view_key = move || if edits.get() { key().view_key() } else { key() };
    view! {
        <Dialog open=open.into() close=move || open.set(false) title="Share this board">
            <div class="fields">
                <When when=edits>
                    <LinkField label="Who has this link can edit" link=link_to(&key()) />
                </When>
                <LinkField label="Who has this link can only view" link=link_to(&view_key()) />
                <p class="hint">"A link is the key: give it only to people you trust with the board."</p>
                <When when=move || !board.registered.get()>
                    <p class="hint" role="status">"The links work once this board has reached the server."</p>
                </When>
                <When when=edits>
                    <ReplaceLinks />
                </When>
            </div>
        </Dialog>
    }
    .into_any()
}

/// Takes all links out of use and makes new ones, once the person has said so twice.
#[component]
fn ReplaceLinks() -> impl IntoView {
    let board = use_board();
    let (asked, busy) = (RwSignal::new(false), RwSignal::new(false));
    let problem = RwSignal::new(String::new());
    let replace = move |_| {
        busy.set(true);
        board.replacing.set(true);
        problem.set(String::new());
        spawn_local(async move {
            let replaced = device::replace_links(recent(board)).await;
            let _ = busy.try_set(false);
            match replaced {
                Ok(key) => open_new_link(&key),
                Err(why) => {
                    let _ = problem.try_set(why);
                    let _ = board.replacing.try_set(false);
                }
            }
        });
    };
    view! {
        <When
            when=asked
            otherwise=move || {
                view! {
                    <div class="row">
                        <button class="button" on:click=move |_| asked.set(true)>"Replace both links…"</button>
                    </div>
                }
            }
        >
            <p>"The old links stop working at once, for everybody who has one. You go on with the new link; give it to those who are to go on too."</p>
            <div class="row">
                <button class="button danger" disabled=busy on:click=replace>"Replace both links"</button>
                <button class="button" on:click=move |_| asked.set(false)>"Keep them"</button>
            </div>
            <p role="status">{sole_text(problem)}</p>
        </When>
    }
    .into_any()
}

/// Opens the board under its new link, with the share dialog open: the person who replaced the links passes the new ones on.
pub fn open_new_link(key: &Key) {
    replace_with(&format!("{}{SHARE}", page_of(key)));
}

/// Opens the share dialog if the address ends with `#share`, and removes that fragment.
pub fn open_if_addressed(open: RwSignal<bool>) {
    Effect::new(move |_| {
        let location = location();
        if location.hash().is_ok_and(|hash| hash == SHARE)
            && let (Ok(path), Ok(history)) = (location.pathname(), window().history())
        {
            // It fails only for a page that is being left.
            let _ = history.replace_state_with_url(&history.state().unwrap_or_default(), "", Some(&path));
            open.set(true);
        }
    });
}

/// When the link stops working, the page goes on by the new one if this device has it: from another of its pages, or because the answer
/// to a replacement was lost.
pub fn follow_replacement(board: BoardHandle) {
    let ended = Memo::new(move |_| board.status.with(|status| matches!(status.connection, Connection::Refused(_))));
    Effect::new(move |_| {
        // The page that replaces the links itself opens the new one when it has the answer.
        if ended.get() && !board.replacing.get() {
            let key = board.key.get_value();
            spawn_local(async move {
                if let Some(key) = device::key_after(board.id, &key).await {
                    replace_with(&page_of(&key));
                }
            });
        }
    });
}

fn recent(board: BoardHandle) -> RecentBoard {
    RecentBoard {
        id: board.id,
        key: board.key.get_value(),
        access: Access::Edit,
        title: board.mirror.board.with_untracked(|board| board.name().to_owned()),
        opened_at: 0,
        registered: true,
        replacing: None,
    }
}

fn link_to(key: &Key) -> String {
    location().origin().unwrap_or_default() + &page_of(key)
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
        let link = link.get_value();
        spawn_local(async move {
            // If it cannot be copied from here, the link is selected, for the person to copy.
            copied.try_set(copy_text(&link).await);
        });
    };
    view! {
        <label class="field">
            <span>{label}</span>
            <div class="row">
                <input node_ref=field readonly value=link.get_value() />
                <button class="button" on:click=copy>
                    {sole_text(Signal::derive(move || if copied.get() { "Copied" } else { "Copy" }.to_owned()))}
                </button>
            </div>
        </label>
    }
    .into_any()
}
