//! The boards that this person has opened, and how to start one.

use std::collections::HashSet;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;

use super::chosen_file::ChosenFile;
use super::clock;
use super::device::{self, RecentBoard};
use super::dynamic::{Alive, Each, Item, When};
use super::focus::focus_drawn;
use super::icon::{CLOSE, Icon, KNOT, PLUS};
use super::import_preview::ImportPreview;
use super::open_link::OpenLink;
use super::text::sole_text;
use super::toast::{Toast, use_toasts};
use crate::board::import::{Import, ImportError};
use crate::board::{Change, import};
use crate::sync::id::{DocumentId, Key};
use crate::sync::message::Access;

/// A board that was removed can be put back for this long: its link may be the only key to it.
const UNDO: Duration = Duration::from_secs(30);

/// A board on its way from this page to a page of its own, which makes the changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Handover(StoredValue<Option<(DocumentId, Key, Imported)>>);

/// The changes that make an imported board, and what the person should know of the import.
type Imported = (Vec<Change>, Vec<String>);

impl Handover {
    fn give(&self, id: DocumentId, key: Key, imported: Imported) {
        self.0.set_value(Some((id, key, imported)));
    }

    /// The board under `key`, if it is the one that was given.
    #[must_use]
    pub fn board(&self, key: &str) -> Option<DocumentId> {
        self.0.with_value(|given| given.as_ref().filter(|(_, other, _)| other.as_str() == key).map(|(id, ..)| *id))
    }

    /// What was given for `id`, once.
    #[must_use]
    pub fn take(&self, id: DocumentId) -> Imported {
        let mine = |given: &mut Option<(DocumentId, Key, Imported)>| given.take_if(|(board, ..)| *board == id);
        self.0.try_update_value(mine).flatten().map(|(.., imported)| imported).unwrap_or_default()
    }
}

/// The page `/`.
///
/// On the server it renders the ways to start a board; the boards that were opened here are known to the device only and
/// show once the page has come alive.
#[component]
pub fn Home() -> impl IntoView {
    let boards = RwSignal::new(None::<Vec<RecentBoard>>);
    let problem = RwSignal::new(None::<String>);
    let busy = RwSignal::new(None::<&'static str>);
    // Reading the device may end after a board was removed, and still find it.
    let removed = StoredValue::new(HashSet::new());
    Effect::new(move |_| {
        boards.set(Some(device::recent_boards()));
        // What the list at hand has lost in a crash comes a moment later.
        spawn_local(async move {
            let mut all = device::all_recent_boards().await;
            let _ = removed.try_with_value(|removed| all.retain(|board| !removed.contains(&board.id)));
            let _ = boards.try_set(Some(all));
        });
    });
    let start = use_start();
    let alive = Alive::here();
    let ready = RwSignal::new(None::<Import>);
    let make = move || {
        if let Some(import) = ready.try_update(Option::take).flatten() {
            start(changes_of(import));
        }
    };
    let preview = move || {
        let import = ready.get_untracked()?;
        Some(view! { <ImportPreview import make cancel=move || ready.set(None) /> }.into_any())
    };
    let import = move |event: leptos::ev::Event| {
        let Some(file) = ChosenFile::of(&event) else { return };
        busy.set(Some("Reading the file…"));
        problem.set(None);
        ready.set(None);
        spawn_local(async move {
            let imported = read(&file).await;
            if !alive.holds() {
                return;
            }
            busy.set(None);
            match imported {
                Ok(import) => ready.set(Some(import)),
                Err(why) => problem.set(Some(why)),
            }
        });
    };
    let item = move |board: RecentBoard| {
        Item::by_id(board.id.0, move || view! { <RecentItem board=board.clone() boards removed /> }.into_any())
    };
    let recent = move || boards.get().unwrap_or_default().into_iter().map(item).collect::<Vec<_>>();
    view! {
        <Title text="" />
        <main class="home-page">
            <header class="home-head">
                <Icon path=KNOT />
                <h1>"Sheetbend"</h1>
                <p>"Boards that keep working when the network does not."</p>
            </header>
            <div class="row needs-script">
                <button
                    class="button primary large"
                    disabled=Signal::derive(move || busy.get().is_some())
                    on:click=move |_| start((Vec::new(), Vec::new()))
                >
                    <Icon path=PLUS />
                    "New board"
                </button>
                <label class="button large file">
                    "New board from a file"
                    <input class="visually-hidden" type="file" accept=".json,.md,.markdown,.txt,.csv,.tsv" on:change=import />
                </label>
                <span class="hint" role="status">{sole_text(Signal::derive(move || busy.get().unwrap_or_default().to_owned()))}</span>
            </div>
            <p class="hint needs-script">
                "A board exported from here, Trello, WeKan, Nextcloud Deck (JSON) or Todoist (CSV), a checklist in Markdown, \
                 a table (CSV) or plain text. You see what it makes before it is made."
            </p>
            <OpenLink />
            <p class="hint no-script">"Reading a board works without scripts; making one needs them. Turn them on for this site."</p>
            <When when=move || problem.with(Option::is_some)>
                <p class="problem" role="alert">{sole_text(Signal::derive(move || problem.get().unwrap_or_default()))}</p>
            </When>
            <When when=move || ready.with(Option::is_some)>{preview}</When>
            <When when=move || boards.with(|boards| boards.as_ref().is_some_and(|boards| !boards.is_empty()))>
                <section aria-labelledby="recent">
                    <h2 id="recent">"Your boards"</h2>
                    <ul class="recent">
                        <Each items=recent />
                    </ul>
                </section>
            </When>
            <When when=move || boards.with(|boards| boards.as_ref().is_some_and(Vec::is_empty))>
                <p class="empty">
                    {if device::stores() {
                        "Boards you open on this device are listed here."
                    } else {
                        "This browser lets the page store nothing, so boards are not listed here. Keep their links."
                    }}
                </p>
            </When>
        </main>
    }
    .into_any()
}

/// The boards on this page; `None` before hydration.
type Boards = RwSignal<Option<Vec<RecentBoard>>>;

/// A board of the list, with what removes it from there. Until the toast goes, that can be undone.
#[component]
fn RecentItem(board: RecentBoard, boards: Boards, removed: StoredValue<HashSet<DocumentId>>) -> impl IntoView {
    let toasts = use_toasts();
    let gone = board.clone();
    let forget = move |_| {
        let board = gone.clone();
        device::forget(board.id);
        removed.update_value(|removed| {
            removed.insert(board.id);
        });
        boards.update(|boards| boards.iter_mut().for_each(|boards| boards.retain(|other| other.id != board.id)));
        let text = format!("“{}” is off this list. It opens by its link only.", board.title);
        let undo = move || {
            device::put_back(board.clone());
            // The page may have been left meanwhile.
            removed.try_update_value(|removed| removed.remove(&board.id));
            let _ = boards.try_update(|boards| put_back(boards.get_or_insert_default(), board.clone()));
            focus_drawn(format!("[data-board=\"{}\"] a", board.id));
        };
        toasts.show(Toast::new(text).for_time(UNDO).action("Undo", undo));
    };
    view! {
        <li data-board=board.id.to_string()>
            <a href=page_of(&board.key)>
                <span class="recent-title" dir="auto" translate="no">{board.title.clone()}</span>
                <When when=move || board.access == Access::View>
                    <span class="badge">"View only"</span>
                </When>
            </a>
            <button
                class="button quiet square"
                aria-label=format!("Take {} off this list", board.title)
                title="Take off this list; the board stays"
                on:click=forget
            >
                <Icon path=CLOSE />
            </button>
        </li>
    }
    .into_any()
}

/// Puts a board back where it was in the list, the last opened first.
fn put_back(boards: &mut Vec<RecentBoard>, board: RecentBoard) {
    if boards.iter().all(|other| other.id != board.id) {
        let at = boards.partition_point(|other| other.opened_at >= board.opened_at);
        boards.insert(at, board);
    }
}

/// What starts a board with some changes, with or without a network: its page registers it with the server.
fn use_start() -> impl Fn(Imported) + Copy + Send + Sync + 'static {
    let handover = expect_context::<Handover>();
    let navigate = StoredValue::new(use_navigate());
    move |imported| {
        let (Some(id), Some(key)) = (device::new_id().map(DocumentId), device::new_key()) else { return };
        device::remember(RecentBoard {
            id,
            key: key.clone(),
            access: Access::Edit,
            title: "Untitled board".to_owned(),
            opened_at: 0,
            registered: false,
            replacing: None,
        });
        let page = page_of(&key);
        handover.give(id, key, imported);
        navigate.with_value(|navigate| navigate(&page, leptos_router::NavigateOptions::default()));
    }
}

/// The address of the board that a key opens, on its server.
#[must_use]
pub fn page_of(key: &Key) -> String {
    format!("/b/{}", key.as_str())
}

/// Reads a board from a file. An error is a sentence for the person.
async fn read(file: &ChosenFile) -> Result<Import, String> {
    let bytes = file.bytes();
    if bytes > import::MAX_BYTES {
        return Err(ImportError::TooBig { bytes }.to_string());
    }
    import::read(&file.name(), &file.contents().await?, &clock::zone).map_err(|error| error.to_string())
}

fn changes_of(mut import: Import) -> Imported {
    let remarks = std::mem::take(&mut import.remarks);
    (import.into_changes(&mut || device::new_id().unwrap_or_default()), remarks)
}
