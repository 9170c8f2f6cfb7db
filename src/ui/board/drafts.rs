//! Text that was typed and is not on the board: it comes back where it was, or is shown where nothing is left of that place.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::focus::focus_later;
use super::handle::{BoardHandle, use_board};
use super::place::Place;
use crate::board::ListId;
use crate::sync::drafts::Draft;
use crate::ui::clipboard::copy_text;
use crate::ui::device::drafts;
use crate::ui::dynamic::{Each, Item, When};
use crate::ui::focus::is_nowhere;
use crate::ui::icon::{CLOSE, Icon};
use crate::ui::text::typed_text;
use crate::ui::toast::{Kind, Toast};

/// As much of a text as a toast quotes, in characters.
const QUOTED: usize = 40;

const NOT_STORED: &str =
    "The text that you are typing can't be kept on this device. Leave this page open until it is on the board.";

impl BoardHandle {
    /// Says that a text was given up, and offers it back.
    pub(super) fn tell_discarded(self, place: Place, text: String, from: String) {
        let said = match place {
            Place::CardDue(_) => format!("Discarded {}", place.spoken(&text)),
            _ => format!("Discarded {}", quote(&text)),
        };
        let _ = self.discarded.try_update_value(|discarded| {
            discarded.retain(|(other, ..)| *other != place);
            discarded.push((place, text.clone(), from.clone()));
        });
        let back = move || self.take_back(place, &text, &from);
        self.toasts.show(Toast::new(said).action("Undo", back).named(name_of_toast(place)));
    }

    /// Brings the text back that was discarded last, if nothing was changed since. Returns whether there was one.
    pub(super) fn undo_discard(self) -> bool {
        let last = self.discarded.try_update_value(Vec::pop).flatten();
        if let Some((place, text, from)) = &last {
            self.toasts.dismiss_named(name_of_toast(*place));
            self.take_back(*place, text, from);
        }
        last.is_some()
    }

    fn take_back(self, place: Place, text: &str, from: &str) {
        self.add_draft(place, text, from);
        if !self.drafts_came.is_disposed() {
            self.discarded.update_value(|discarded| discarded.retain(|(other, ..)| *other != place));
            self.drafts_came.update(|times| *times += 1);
            if place.card().is_some() {
                self.opened.set(place.card());
            }
        }
    }

    /// Stores a text as a draft: behind what is being typed at this place, which nothing replaces.
    fn add_draft(self, place: Place, text: &str, from: &str) {
        let name = place.to_string();
        let (text, from) = match drafts::get(self.id, &name) {
            Some(there) => (place.joined(&there.text, text), there.from),
            None => (text.to_owned(), from.to_owned()),
        };
        self.store_draft(place, text, from);
    }

    /// Stores the text that is being typed at a place. Tells the person if the device does not take it.
    pub(super) fn store_draft(self, place: Place, text: String, from: String) {
        if !drafts::put(self.id, &place.to_string(), text, from) && self.connection.kept.get_untracked() {
            self.toasts.show(Toast::new(NOT_STORED).kind(Kind::Danger).lasting().named("draft-not-stored"));
        }
    }

    /// The drafts of this board with their places, the one typed last first.
    fn drafts(self) -> Vec<(Place, Draft)> {
        drafts::all(self.id).into_iter().filter_map(|(place, draft)| Some((place.parse().ok()?, draft))).collect()
    }
}

/// In the browser: shows drafts again where they were typed, once the page is hydrated and whenever a page with drafts ends.
pub fn restore_drafts(board: BoardHandle) {
    let came = board.drafts_came;
    // Toasts that offer something to be done on this page go with it.
    on_cleanup(move || {
        for name in board.offers.get_value() {
            board.toasts.dismiss_named(name);
        }
    });
    Effect::new(move |_| {
        if board.alive.get() {
            drafts::open(board.id, move || {
                let _ = came.try_update(|times| *times += 1);
            });
            came.update(|times| *times += 1);
        }
    });
    Effect::new(move |shown: Option<bool>| {
        // A page that ends later must not open a dialog over what the person does here.
        let may_open = came.get() <= 1 || is_nowhere();
        let shown = shown.unwrap_or_default();
        if shown || !may_open || !board.editable.get() {
            return shown;
        }
        // Of several cards the one typed last. The others show their drafts when they are opened.
        let card = board
            .drafts()
            .into_iter()
            .find_map(|(place, _)| place.card().filter(|card| board.mirror.card(*card).is_some()));
        if let Some(card) = card {
            board.opened.set(Some(card));
        }
        card.is_some()
    });
}

fn name_of_toast(place: Place) -> String {
    format!("discarded {place}")
}

fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("“{}…”", line[..end].trim_end()),
        None => format!("“{line}”"),
    }
}

/// Text whose place is gone, as when somebody archived the list: it can go into another list, or be copied.
///
/// Renders nothing on the server and while there is none.
#[component]
pub fn HomelessDrafts() -> impl IntoView {
    let board = use_board();
    let homeless = Memo::new(move |_| {
        board.drafts_came.track();
        let (lists, editable) = (board.mirror.lists.get(), board.may_edit.get());
        let gone = |place: &Place| match place {
            Place::NewCard(list) | Place::ListTitle(list) => !editable || !lists.contains(list),
            Place::NewList => !editable,
            _ => false,
        };
        let drafts = board.drafts().into_iter().filter(|(place, _)| gone(place));
        drafts.map(|(place, draft)| (place, draft.text)).collect::<Vec<_>>()
    });
    let items = move || {
        let item = |(place, text): (Place, String)| {
            Item::by_name(place.to_string(), move || view! { <HomelessDraft place text=text.clone() /> }.into_any())
        };
        homeless.get().into_iter().map(item).collect::<Vec<_>>()
    };
    // The text takes the focus, so that further keys go into it. On a button, a space would press it.
    Effect::new(move |before: Option<usize>| {
        let count = homeless.with(Vec::len);
        if count > before.unwrap_or_default() && is_nowhere() {
            focus_later(".homeless textarea".to_owned());
        }
        count
    });
    view! {
        <When when=move || homeless.with(|drafts| !drafts.is_empty())>
            <section class="homeless" aria-label="Texts without a place">
                <Each items />
            </section>
        </When>
    }
    .into_any()
}

#[component]
fn HomelessDraft(place: Place, text: String) -> impl IntoView {
    let board = use_board();
    let text = StoredValue::new(text);
    let gone = move || {
        board.drafts_came.update(|times| *times += 1);
    };
    let title = place
        .list()
        .and_then(|list| board.mirror.list(list))
        .map(|list| list.list.with_untracked(|list| list.title.clone()));
    let why = match (place, title) {
        (Place::NewCard(_), Some(title)) => format!("The list “{title}” is not here any more. You were typing a card:"),
        (Place::NewCard(_), None) => "You were typing a card:".to_owned(),
        (_, Some(title)) => format!("The list “{title}” is not here any more. You were renaming it:"),
        _ => "You were typing a list's title:".to_owned(),
    };
    let put = move |list: ListId| {
        board.add_draft(Place::NewCard(list), &text.get_value(), "");
        drafts::remove(board.id, &place.to_string());
        gone();
        focus_later(format!("[data-list=\"{list}\"] .new-card textarea"));
    };
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let text = text.get_value();
        spawn_local(async move {
            copied.try_set(copy_text(&text).await);
        });
    };
    let typed = move |event: web_sys::Event| {
        let Some(to) = typed_text(&event) else { return };
        text.set_value(to.clone());
        let from = drafts::get(board.id, &place.to_string()).map(|draft| draft.from).unwrap_or_default();
        board.store_draft(place, to, from);
    };
    let discard = move |_| {
        let text = text.get_value();
        drafts::remove(board.id, &place.to_string());
        gone();
        board.tell_discarded(place, text, String::new());
    };
    let lists = move || {
        let item = move |id: ListId| {
            let title = board.mirror.list(id).map(|list| list.list.with(|list| list.title.clone())).unwrap_or_default();
            let name = format!("{id} {title}");
            let button = move || {
                let title = title.clone();
                view! { <button class="button small-text" on:click=move |_| put(id)>{format!("Put into “{title}”")}</button> }
                    .into_any()
            };
            Item::by_name(name, button)
        };
        let offers = matches!(place, Place::NewCard(_)) && board.may_edit.get();
        let lists = if offers { board.mirror.lists.get() } else { Vec::new() };
        lists.into_iter().map(item).collect::<Vec<_>>()
    };
    view! {
        <div class="homeless-draft">
            <p class="hint">{why}</p>
            <textarea
                aria-label="Text without a place"
                rows="3"
                dir="auto"
                prop:value=text.get_value()
                on:input=typed
            ></textarea>
            <div class="row">
                <Each items=lists />
                <button class="button small-text" on:click=copy>
                    {Signal::derive(move || if copied.get() { "Copied" } else { "Copy" }.to_owned())}
                </button>
                <button class="button quiet square small" aria-label="Discard" title="Discard" on:click=discard>
                    <Icon path=CLOSE />
                </button>
            </div>
        </div>
    }
    .into_any()
}
