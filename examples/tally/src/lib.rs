//! A counter that everyone shares, who opens the page: Sheetbend's engine and connection components in another app.

#![recursion_limit = "256"]

pub mod tally;

use leptos::prelude::*;
use sheetbend::sync::client::Opening;
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::{DocumentId, Key};
use sheetbend::sync::message::Access;
use sheetbend::ui::connection::{
    ConnectionStatus, ConnectionToast, DevNetworkTools, NetworkIndicator, News, Words, use_document,
};
use sheetbend::ui::toast::{Toaster, provide_toasts, use_toasts};

use crate::tally::{Count, Tally};

/// The one tally. Whoever can open the page may count, so its key is no secret.
pub fn the_tally() -> (DocumentId, Key) {
    (DocumentId(uuid::Uuid::from_u128(1)), Key::from_random(*b"for all to count"))
}

/// How changes read to people, in the panel and in files.
const WORDS: Words<Tally> = Words {
    in_short: |_, Count::Add { name, by }| format!("Count {name}: {by}."),
    in_full: |_, Count::Add { name, by }| format!("{name}: {by}"),
    file_name: |_| "tally".to_owned(),
};

/// The tally as it stands, and its place in the log: what the page comes with.
#[server(prefix = "/api", endpoint = "tally")]
pub async fn open() -> Result<(Tally, Cursor), ServerFnError> {
    use sheetbend::server::{Server, store::sqlite::Sqlite};

    let opened = expect_context::<Server<Tally, Sqlite>>().open(&the_tally().1).await?;
    opened.map(|opened| (opened.view, opened.cursor)).ok_or_else(|| ServerFnError::new("The tally is gone."))
}

#[component]
pub fn App() -> impl IntoView {
    let _ = provide_toasts();
    let page = Resource::new_blocking(|| (), |()| open());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                page.await.map(|(tally, cursor)| view! { <Counter tally cursor /> })
            })}
        </Suspense>
        <Toaster />
    }
}

#[component]
fn Counter(tally: Tally, cursor: Cursor) -> impl IntoView {
    let toasts = use_toasts();
    let (id, key) = the_tally();
    let shown = RwSignal::new(tally.clone());
    let opening =
        Opening { id, key, name: String::new(), document: tally, cursor, access: Access::Edit, registered: true };
    let document = use_document(opening, WORDS, move |news| {
        if let News::View(tally) = news {
            shown.set(tally);
        }
    });
    let count = move |name: String| {
        if let Some(Err(refusal)) = document.edit(Count::Add { name, by: 1 }) {
            toasts.show_text(refusal.message);
        }
    };
    let draft = RwSignal::new(String::new());
    let add = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        count(draft.get_untracked());
    };
    view! {
        <main class="tally">
            <header><ConnectionStatus /></header>
            <h1>"Tally"</h1>
            <ul>
                <For each=move || shown.get().counts key=Clone::clone let((name, total))>
                    <li>
                        <span>{name.clone()} ": " {total}</span>
                        <button class="button" on:click=move |_| count(name.clone())>"+ 1"</button>
                    </li>
                </For>
            </ul>
            <form class="row" on:submit=add>
                <input aria-label="Name" prop:value=draft on:input=move |event| draft.set(event_target_value(&event)) />
                <button class="button">"Count"</button>
            </form>
        </main>
        <NetworkIndicator />
        <ConnectionToast />
        <DevNetworkTools />
    }
}

/// The document around the app, rendered on the server.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>"Tally"</title>
                <link rel="stylesheet" href="/pkg/tally.css" />
                <AutoReload options=options.clone() />
                <HydrationScripts options />
            </head>
            <body><App /></body>
        </html>
    }
}

/// The page has arrived: brings it to life.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(App);
}
