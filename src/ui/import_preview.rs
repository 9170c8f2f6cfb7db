//! What an import would make, shown before it is made.

use leptos::prelude::*;

use crate::board::import::{Import, ImportedCard, ImportedList, counted};

/// Most lists that are shown, and most cards of each. What there is beyond is counted.
const MOST_LISTS: usize = 8;
const MOST_CARDS: usize = 5;

/// Shows what a file holds, with "Make the board" and "Cancel".
///
/// Made after a person has chosen a file: renders nothing on the server. The button for making the board has the focus.
#[component]
pub fn ImportPreview(
    /// What the file holds. It is not kept.
    import: Import,
    /// The person wants the board.
    make: impl Fn() + 'static,
    /// The person does not.
    cancel: impl Fn() + 'static,
) -> impl IntoView {
    let button = NodeRef::<leptos::html::Button>::new();
    Effect::new(move |_| {
        if let Some(button) = button.get() {
            let _ = button.focus();
        }
    });
    let title = if import.title.is_empty() { "Untitled board".to_owned() } else { import.title.clone() };
    let lists = import.lists.iter().take(MOST_LISTS).map(list).collect::<Vec<_>>();
    let remarks =
        import.remarks.iter().cloned().map(|remark| view! { <li>{remark}</li> }.into_any()).collect::<Vec<_>>();
    let more = import.lists.len().saturating_sub(MOST_LISTS);
    view! {
        <section class="preview" aria-labelledby="preview">
            <h2 id="preview" translate="no" dir="auto">{title}</h2>
            <p>{summary(&import)}</p>
            <ul class="preview-lists">{lists}</ul>
            {(more > 0).then(|| view! { <p class="hint">{format!("And {more} more {}.", if more == 1 { "list" } else { "lists" })}</p> }.into_any())}
            {(!remarks.is_empty()).then(|| view! { <ul class="preview-remarks">{remarks}</ul> }.into_any())}
            <div class="row">
                <button node_ref=button class="button primary large" on:click=move |_| make()>"Make the board"</button>
                <button class="button large" on:click=move |_| cancel()>"Cancel"</button>
            </div>
        </section>
    }
    .into_any()
}

/// `Read as a Markdown checklist: 3 lists (1 archived) and 4 cards.`
fn summary(import: &Import) -> String {
    let archived = |count: usize| if count == 0 { String::new() } else { format!(" ({count} archived)") };
    let lists = import.lists.iter().filter(|list| list.archived).count();
    let cards = |list: &ImportedList| list.cards.iter().filter(|card| list.archived || card.archived).count();
    format!(
        "Read as {}: {}{} and {}{}.",
        import.format,
        counted(import.lists.len(), "list"),
        archived(lists),
        counted(import.cards(), "card"),
        archived(import.lists.iter().map(cards).sum()),
    )
}

fn list(list: &ImportedList) -> AnyView {
    let shown = list.cards.iter().take(MOST_CARDS).map(card).collect::<Vec<_>>();
    let more = list.cards.len().saturating_sub(MOST_CARDS);
    let title = if list.title.is_empty() { "Untitled list".to_owned() } else { list.title.clone() };
    let count = format!("{}{}", counted(list.cards.len(), "card"), if list.archived { ", archived" } else { "" });
    view! {
        <li>
            <p class="preview-list">
                <span translate="no" dir="auto">{title}</span>
                " "
                <span class="hint">{count}</span>
            </p>
            <ul>{shown}</ul>
            {(more > 0).then(|| view! { <p class="hint">{format!("and {more} more")}</p> }.into_any())}
        </li>
    }
    .into_any()
}

fn card(card: &ImportedCard) -> AnyView {
    let mark = if card.done { "☑" } else { "☐" };
    let state = if card.done { "Done: " } else { "" };
    view! {
        <li>
            <span aria-hidden="true">{mark}</span>
            <span class="visually-hidden">{state}</span>
            <span translate="no" dir="auto">{card.title.clone()}</span>
        </li>
    }
    .into_any()
}
