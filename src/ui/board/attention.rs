//! Changes that the server refused: each with the reason and a way on.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::handle::BoardHandle;
use crate::board::{Board, Card, Change};
use crate::sync::outbox::Kept;
use crate::ui::clipboard::copy_text;
use crate::ui::download::download;
use crate::ui::dynamic::{Each, Item, When};

/// The list of refused changes. Renders nothing on the server, nor while there are none.
#[component]
pub fn Attention(
    /// The board whose changes they are.
    board: BoardHandle,
) -> impl IntoView {
    let item = move |kept: &Kept<Change>| {
        let kept = kept.clone();
        Item::by_id(kept.id.0, move || view! { <Refused board kept=kept.clone() /> }.into_any())
    };
    let refused = move || board.attention.with(|list| list.iter().map(item).collect::<Vec<_>>());
    view! {
        <When when=move || board.attention.with(|list| !list.is_empty())>
            <section class="banner danger column" aria-label="Needs attention">
                <p role="alert">"Some of your changes were not accepted. They are kept here until you decide."</p>
                <ul class="attention">
                    <Each items=refused />
                </ul>
            </section>
        </When>
    }
    .into_any()
}

#[component]
fn Refused(board: BoardHandle, kept: Kept<Change>) -> impl IntoView {
    let reason = kept.refused.as_ref().map(|refusal| refusal.message.to_string());
    let what = board.mirror.board.with_untracked(|board| in_words(board, &kept.change));
    let id = kept.id;
    let copied = RwSignal::new(false);
    let text = StoredValue::new(board.mirror.board.with_untracked(|board| in_full(board, &kept.change)));
    let copy = move |_| {
        spawn_local(async move {
            let text = text.get_value();
            if !copy_text(&text).await {
                download("change.txt", &text);
            }
            copied.try_set(true);
        });
    };
    view! {
        <li>
            <span>
                <strong>{what}</strong>
                " "
                {reason}
            </span>
            <span class="row">
                <button class="button" on:click=copy>
                    {Signal::derive(move || if copied.get() { "Copied" } else { "Copy" }.to_owned())}
                </button>
                <button class="button" on:click=move |_| board.retry(&kept)>"Retry"</button>
                <button class="button quiet" on:click=move |_| board.dismiss(id)>"Discard"</button>
            </span>
        </li>
    }
}

/// A change with all that its author wrote, for them to keep.
fn in_full(board: &Board, change: &Change) -> String {
    let card = |card: &Card| format!("{}\n{}\n", card.title, card.notes);
    match change {
        Change::AddCard { content, .. } => card(content),
        Change::ImportCards { cards } => cards.iter().map(|(_, content)| card(content)).collect(),
        Change::EditNotes { to, .. } => to.clone(),
        _ => in_words(board, change),
    }
}

/// A change in words, for its author.
#[must_use]
pub fn in_words(board: &Board, change: &Change) -> String {
    let card = |id| board.cards.get(id).map_or_else(|| "a card".to_owned(), |card| format!("“{}”", card.title));
    let list = |id| board.lists.get(id).map_or_else(|| "a list".to_owned(), |list| format!("“{}”", list.title));
    match change {
        Change::RenameBoard { title } => format!("Name the board “{title}”."),
        Change::AddList { title, .. } => format!("Add the list “{title}”."),
        Change::RenameList { title, .. } => format!("Name a list “{title}”."),
        Change::MoveList { list: id, .. } => format!("Move {}.", list(id)),
        Change::ArchiveList { list: id, archived: true } => format!("Archive {}.", list(id)),
        Change::ArchiveList { list: id, archived: false } => format!("Restore {}.", list(id)),
        Change::AddCard { content, .. } => format!("Add “{}”.", content.title),
        Change::ImportCards { cards } => format!("Import {} cards.", cards.len()),
        Change::RenameCard { title, .. } => format!("Name a card “{title}”."),
        Change::EditNotes { card: id, to, .. } => format!("Write in the notes of {}: “{to}”.", card(id)),
        Change::SetDone { card: id, done: true } => format!("Tick {}.", card(id)),
        Change::SetDone { card: id, done: false } => format!("Take the tick off {}.", card(id)),
        Change::SetUrgent { card: id, urgent: true } => format!("Mark {} urgent.", card(id)),
        Change::SetUrgent { card: id, urgent: false } => format!("Mark {} not urgent.", card(id)),
        Change::SetLabel { card: id, label, on: true } => format!("Label {} “{label}”.", card(id)),
        Change::SetLabel { card: id, label, on: false } => format!("Take the label “{label}” off {}.", card(id)),
        Change::SetDue { card: id, due: Some(due) } => format!("Make {} due on {}.", card(id), due.spoken()),
        Change::SetDue { card: id, due: None } => format!("Make {} not due.", card(id)),
        Change::MoveCard { card: id, list: to, .. } => format!("Move {} to {}.", card(id), list(to)),
        Change::ArchiveCard { card: id, archived: true } => format!("Archive {}.", card(id)),
        Change::ArchiveCard { card: id, archived: false } => format!("Restore {}.", card(id)),
    }
}
