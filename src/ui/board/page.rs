//! A board's page.

use std::time::Duration;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::archive::ArchiveDialog;
use super::block::Waker;
use super::card::CardEvents;
use super::details::CardDetails;
use super::drafts::{HomelessDrafts, restore_drafts};
use super::drag::Drag;
use super::handle::BoardHandle;
use super::in_place::InPlace;
use super::list::ListColumn;
use super::move_to::MoveToDialog;
use super::new::NewList;
use super::place::Place;
use super::share::{ShareDialog, follow_replacement, open_if_addressed, open_new_link};
use super::shortcuts::{ShortcutsDialog, hear_board_keys};
use crate::board::{ListId, export};
use crate::sync::id::Key;
use crate::sync::message::Access;
use crate::ui::api::BoardPage;
use crate::ui::app::NotFound;
use crate::ui::connection::{
    ConnectionStatus, ConnectionToast, DevNetworkTools, NetworkIndicator, export_unsaved, import_unsaved,
};
use crate::ui::dynamic::{Alive, Each, Item, Later, When};
use crate::ui::home::Handover;
use crate::ui::icon::{ARCHIVE, EXPORT, IMPORT, Icon, KEYBOARD, KNOT, SHARE};
use crate::ui::menu::Menu;
use crate::ui::worker::NewVersion;
use crate::ui::{device, download::download};

/// The route `/b/<key>`: loads the board and shows it, or says that there is none.
///
/// On the server the board arrives with the page; in the browser, when one comes from the list of boards, it is fetched.
#[component]
pub fn BoardRoute() -> impl IntoView {
    let params = use_params_map();
    let key = Signal::derive(move || params.with(|params| params.get("key").unwrap_or_default()));
    let handover = use_context::<Handover>();
    let page = Resource::new_blocking(
        move || key.get(),
        move |key| {
            let made_here = handover.and_then(|handover| handover.board(&key));
            device::open(key, made_here)
        },
    );
    view! {
        <Suspense fallback=|| view! { <main class="plain-page" aria-busy="true"><p>"Opening the board…"</p></main> }>
            {move || {
                // When the answer comes, the person may have gone elsewhere, and the address with them.
                let key = key.get_untracked();
                Suspend::new(async move {
                    match page.await {
                        Ok(Some(page)) => view! { <BoardView page /> }.into_any(),
                        Ok(None) => view! { <Unknown key /> }.into_any(),
                        Err(_) => view! { <Unreachable key retry=move || page.refetch() /> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
}

/// A device that has not answered after this time is said to be slow.
const LOOKING_IS_SLOW: Duration = Duration::from_secs(1);

/// The server knows no board under this key. It may have been made here without a network, or have unsent changes from here when
/// somebody replaced its links: then this device has it. Or the key was replaced from here, and the answer lost: then this device has the
/// new one.
#[component]
fn Unknown(key: String) -> impl IntoView {
    let page = RwSignal::new(None);
    let remark = RwSignal::new("");
    Effect::new(move |_| {
        let Ok(key) = key.parse::<Key>() else { return };
        let slow = set_timeout_with_handle(
            move || {
                let _ = remark.try_set("Still looking whether this device has it…");
            },
            LOOKING_IS_SLOW,
        );
        leptos::task::spawn_local(async move {
            match device::take_up_replacement(&key).await {
                Some(new) => open_new_link(&new),
                None => drop(page.try_set(device::unsent_here(&key).await)),
            }
            if let Ok(slow) = slow {
                slow.clear();
            }
            let _ = remark.try_set("");
        });
    });
    move || match page.get() {
        Some(page) => view! { <BoardView page /> }.into_any(),
        None => view! { <NotFound remark /> }.into_any(),
    }
}

/// The server cannot be reached, and the device has not had the board until now. It may not have answered yet: then the board is shown
/// once it has. The board is asked for again once the server answers.
#[component]
fn Unreachable(key: String, retry: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let page = RwSignal::new(None);
    let looking = RwSignal::new(true);
    let alive = Alive::here();
    Effect::new(move |_| {
        leptos::task::spawn_local(async move {
            let wanted = move || alive.holds() && page.with_untracked(Option::is_none);
            if device::server_answers(wanted).await {
                retry();
            }
        });
        let Ok(key) = key.parse::<Key>() else { return };
        leptos::task::spawn_local(async move {
            let kept = device::kept_board(&key).await;
            let _ = looking.try_set(false);
            let _ = page.try_set(kept);
        });
    });
    let heading =
        move || if looking.get() { "This board can't be opened just now" } else { "This board is not on this device" };
    let why = move || {
        if looking.get() {
            "The server can't be reached, or cannot read it just now. Still looking whether this device has it…"
        } else {
            "There is no copy of it here, and the server can't be reached, or cannot read it just now. It opens once the server answers."
        }
    };
    move || match page.get() {
        Some(page) => view! { <BoardView page /> }.into_any(),
        None => view! {
            <main class="plain-page">
                <h1>{heading}</h1>
                <p role="status">{why}</p>
                <p>
                    <button class="button" on:click=move |_| retry()>
                        "Try again"
                    </button>
                </p>
            </main>
        }
        .into_any(),
    }
}

/// A board. Rendered whole on the server, readable without scripts; what changes it appears once the page has come alive.
#[component]
pub fn BoardView(
    /// The board as it is to start with.
    page: BoardPage,
) -> impl IntoView {
    let board = BoardHandle::new(&page);
    provide_context(board);
    let drag = Drag::new(board);
    provide_context(drag);
    let waker = Waker::new(board);
    provide_context(waker);
    let cards = CardEvents { board, drag };
    come_alive(board, &page);
    follow_replacement(board);
    restore_drafts(board);
    let shortcuts = RwSignal::new(false);
    Effect::new(move |_| {
        drag.listen();
        waker.listen();
        guard_leaving(board);
        hear_board_keys(board, shortcuts);
    });

    let column = |id: ListId| Item::by_id(id.0, move || view! { <ListColumn id /> }.into_any());
    let lists = move || board.mirror.lists.with(|lists| lists.iter().copied().map(column).collect::<Vec<_>>());
    let sharing = RwSignal::new(false);
    open_if_addressed(sharing);
    let archive = RwSignal::new(false);
    let name = Signal::derive(move || {
        board.mirror.title.with(|title| if title.is_empty() { "Untitled board".to_owned() } else { title.clone() })
    });

    view! {
        // The head outlives this page: it asks for the title once more after the page is gone.
        <Title text=move || name.try_get().unwrap_or_default() />
        <div class="app">
            <Topbar board name sharing archive shortcuts />
            <HomelessDrafts />
            <main
                class="board"
                on:touchmove=move |event| {
                    if drag.carries() {
                        event.prevent_default();
                    }
                }
            >
                <ol
                    class="lists"
                    aria-label="Lists"
                    on:click=move |event| cards.click(&event)
                    on:change=move |event| cards.change(&event)
                    on:keydown=move |event| cards.key(&event)
                    on:pointerdown=move |event| cards.press(&event)
                    on:contentvisibilityautostatechange:capture=move |event| waker.visibility_changed(&event)
                >
                    <Each items=lists />
                    <NewList />
                </ol>
            </main>
            <Later>
                <NetworkIndicator />
                <ConnectionToast />
                <DevNetworkTools />
                <NewVersion />
            </Later>
            <Later>
                <CardDetails />
                <MoveToDialog />
                <ShareDialog open=sharing />
                <ArchiveDialog open=archive />
                <ShortcutsDialog open=shortcuts />
            </Later>
        </div>
    }
    .into_any()
}

#[component]
fn Topbar(
    board: BoardHandle,
    name: Signal<String>,
    sharing: RwSignal<bool>,
    archive: RwSignal<bool>,
    shortcuts: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <header class="topbar">
            <a class="home" href="/" aria-label="All boards" title="All boards">
                <Icon path=KNOT />
            </a>
            <h1 class="board-title">
                <InPlace
                    place=Place::BoardTitle
                    text=name
                    title=board.mirror.title.into()
                    label="Board title"
                    editable=board.editable
                />
            </h1>
            <When when=move || board.status.with(|status| status.access == Access::View)>
                <span class="badge">"View only"</span>
            </When>
            <div class="topbar-end">
                <ConnectionStatus />
                <button class="button quiet needs-script" aria-label="Share" on:click=move |_| sharing.set(true)>
                    <Icon path=SHARE />
                    <span class="wide-only">"Share"</span>
                </button>
                <div class="needs-script">
                    <Menu label="Board menu">
                        <button on:click=move |_| archive.set(true)>
                            <Icon path=ARCHIVE />
                            "Archive"
                        </button>
                        <button on:click=move |_| save_copy(board)>
                            <Icon path=EXPORT />
                            "Export as JSON"
                        </button>
                        <button on:click=move |_| export_unsaved(board.connection)>
                            <Icon path=EXPORT />
                            "Export unsent changes"
                        </button>
                        <label class="file">
                            <Icon path=IMPORT />
                            "Import unsent changes"
                            <input
                                class="visually-hidden"
                                type="file"
                                accept=".json"
                                on:change=move |event| import_unsaved(board.connection, &event)
                            />
                        </label>
                        <button on:click=move |_| shortcuts.set(true)>
                            <Icon path=KEYBOARD />
                            "Keyboard shortcuts"
                        </button>
                    </Menu>
                </div>
            </div>
        </header>
    }
    .into_any()
}

/// Asks before the page is left with changes that only it has.
fn guard_leaving(board: BoardHandle) {
    let guard = window_event_listener(leptos::ev::beforeunload, move |event| {
        let only_here =
            !board.connection.kept.get_untracked() && board.status.with_untracked(|status| status.pending > 0);
        if only_here {
            event.prevent_default();
        }
    });
    on_cleanup(move || guard.remove());
}

fn save_copy(board: BoardHandle) {
    board.mirror.board.with_untracked(|board| download(&export::file_name(board), &export::to_json(board)));
}

/// In the browser: remembers the board, and takes over what the page of boards has handed to it.
fn come_alive(board: BoardHandle, page: &BoardPage) {
    let handover = use_context::<Handover>();
    let recent = device::RecentBoard {
        id: page.id,
        key: page.key.clone(),
        access: page.access,
        title: page.board.name().to_owned(),
        opened_at: 0,
        registered: page.registered,
        replacing: None,
    };
    Effect::new(move |_| {
        if let Some(handover) = handover
            && board.alive.get()
        {
            let (changes, remarks) = handover.take(board.id);
            board.import(changes, &remarks);
        }
    });
    Effect::new(move |_| {
        let title = board.mirror.title.get();
        let access = board.status.with_untracked(|status| status.access);
        device::remember(device::RecentBoard {
            title: if title.is_empty() { "Untitled board".to_owned() } else { title },
            access,
            ..recent.clone()
        });
    });
}
