//! How a card stands with this person's changes to it.

use leptos::prelude::*;

use super::handle::use_board;
use super::mirror::CardMark;
use crate::board::CardId;
use crate::ui::icon::{CHECK, CLOCK, Icon, URGENT};

/// A card's mark: kept here and not saved yet (once that has lasted for a second), saved (for a moment after that), or not accepted,
/// which opens the card with the reason and a way on. It has a place of its own, so nothing moves.
///
/// Renders nothing on the server, and for a card without changes of this person's.
#[component]
pub fn Mark(
    /// The card.
    card: CardId,
) -> impl IntoView {
    let board = use_board();
    let mark = board.mirror.mark(card.0);
    let kept = move || {
        let kept = if board.connection.kept.get() { "Kept on this device, not saved yet" } else { "Not saved yet" };
        kept.to_owned()
    };
    // One part for all three: there is a mark on every card, and nothing in most of them.
    move || match mark.get() {
        CardMark::None => ().into_any(),
        CardMark::Kept => view! {
            <span class="mark" data-mark="kept" title=Signal::derive(kept)>
                <Icon path=CLOCK />
                <span class="visually-hidden">"Not saved yet"</span>
            </span>
        }
        .into_any(),
        CardMark::Saved => view! {
            <span class="mark" data-mark="saved" title="Saved">
                <Icon path=CHECK />
            </span>
        }
        .into_any(),
        CardMark::Refused => view! {
            <button
                class="mark"
                data-mark="refused"
                title="A change to this card was not accepted"
                aria-label="Not accepted: what now?"
                on:click=move |_| board.opened.set(Some(card))
            >
                <Icon path=URGENT />
            </button>
        }
        .into_any(),
    }
}
