//! What was put away, and the way back.

use leptos::prelude::*;

use super::dialog::Dialog;
use super::handle::use_board;
use crate::board::{CardId, Change, ListId};

/// The dialog with archived lists and cards. Renders a closed dialog on the server.
#[component]
pub fn ArchiveDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let board = use_board();
    let view_of = board.mirror.board;
    let lists = move || {
        view_of.with(|board| {
            let archived = board.lists.iter().filter(|(_, list)| list.archived);
            archived.map(|(id, list)| (*id, list.title.clone())).collect::<Vec<_>>()
        })
    };
    let cards = move || {
        view_of.with(|board| {
            let archived = board.cards.iter().filter(|(_, card)| card.archived);
            let list = |id| board.lists.get(id).map(|list| list.title.clone()).unwrap_or_default();
            archived.map(|(id, card)| (*id, card.title.clone(), list(&card.list))).collect::<Vec<_>>()
        })
    };
    let restore_list = move |list: ListId| {
        if board.edit(Change::ArchiveList { list, archived: false }) {
            board.tell("List restored.");
        }
    };
    let restore_card = move |card: CardId| {
        if board.edit(Change::ArchiveCard { card, archived: false }) {
            board.tell("Card restored.");
        }
    };
    view! {
        <Dialog open=open.into() close=move || open.set(false) title="Archive">
            <Show when=move || lists().is_empty() && cards().is_empty()>
                <p class="hint">"Nothing is archived. Archived lists and cards are kept here, whole, and can be restored."</p>
            </Show>
            <ul class="archive">
                <For each=lists key=|(id, _)| *id let((id, title))>
                    <li>
                        <span class="archive-title">{title}</span>
                        <span class="hint">"List"</span>
                        <Show when=move || board.editable.get()>
                            <button class="button" on:click=move |_| restore_list(id)>"Restore"</button>
                        </Show>
                    </li>
                </For>
                <For each=cards key=|(id, ..)| *id let((id, title, list))>
                    <li>
                        <span class="archive-title">{title}</span>
                        <span class="hint">{list}</span>
                        <Show when=move || board.editable.get()>
                            <button class="button" on:click=move |_| restore_card(id)>"Restore"</button>
                        </Show>
                    </li>
                </For>
            </ul>
        </Dialog>
    }
    .into_any()
}
