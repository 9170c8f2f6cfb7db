//! What was put away, and the way back.

use std::sync::Arc;

use leptos::prelude::*;

use super::dialog::Dialog;
use super::handle::use_board;
use crate::board::{Card, CardId, Change, List, ListId};
use crate::ui::dynamic::{Each, Item, When};

/// The dialog with archived lists and cards. Renders a closed dialog on the server.
#[component]
pub fn ArchiveDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let board = use_board();
    let view_of = board.mirror.board;
    let lists = move || {
        let item = |(id, list): (&ListId, &Arc<List>)| {
            let (id, title) = (*id, list.title.clone());
            let restore = move || {
                if board.edit(Change::ArchiveList { list: id, archived: false }) {
                    board.toasts.show_text("List restored.");
                }
            };
            Item::by_id(id.0, move || {
                view! { <Archived title=title.clone() of="List".to_owned() restore /> }.into_any()
            })
        };
        view_of.with(|board| board.lists.iter().filter(|(_, list)| list.archived).map(item).collect::<Vec<_>>())
    };
    let cards = move || {
        let item = |(id, card): (&CardId, &Arc<Card>), of: String| {
            let (id, title) = (*id, card.title.clone());
            let restore = move || {
                if board.edit(Change::ArchiveCard { card: id, archived: false }) {
                    board.toasts.show_text("Card restored.");
                }
            };
            Item::by_id(id.0, move || view! { <Archived title=title.clone() of=of.clone() restore /> }.into_any())
        };
        view_of.with(|board| {
            let list = |card: &Card| board.lists.get(&card.list).map(|list| list.title.clone()).unwrap_or_default();
            let archived = board.cards.iter().filter(|(_, card)| card.archived);
            archived.map(|(id, card)| item((id, card), list(card))).collect::<Vec<_>>()
        })
    };
    let empty = move || {
        view_of.with(|board| {
            !board.lists.values().any(|list| list.archived) && !board.cards.values().any(|card| card.archived)
        })
    };
    view! {
        <Dialog open=open.into() close=move || open.set(false) title="Archive">
            <When when=empty>
                <p class="hint">"Nothing is archived. Archived lists and cards are kept here, whole, and can be restored."</p>
            </When>
            <ul class="archive">
                <Each items=lists />
                <Each items=cards />
            </ul>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Archived(title: String, of: String, restore: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let board = use_board();
    view! {
        <li>
            <span class="archive-title" dir="auto" translate="no">{title}</span>
            <span class="hint" dir="auto">{of}</span>
            <When when=board.editable>
                <button class="button" on:click=move |_| restore()>"Restore"</button>
            </When>
        </li>
    }
    .into_any()
}
