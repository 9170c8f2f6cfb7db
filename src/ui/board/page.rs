//! A board's page.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::archive::ArchiveDialog;
use super::attention::Attention;
use super::details::CardDetails;
use super::drag::Drag;
use super::handle::BoardHandle;
use super::in_place::InPlace;
use super::list::{ListColumn, NewList};
use super::move_to::MoveToDialog;
use super::share::ShareDialog;
use super::shortcuts::{ShortcutsDialog, on_board_key};
use crate::board::{Change, ListId, export};
use crate::sync::client::Connection;
use crate::sync::id::Key;
use crate::sync::message::Access;
use crate::sync::unsent::{self, UnsentError};
use crate::ui::api::BoardPage;
use crate::ui::app::NotFound;
use crate::ui::chosen_file::ChosenFile;
use crate::ui::connection::status::ConnectionStatus;
use crate::ui::dynamic::{Each, Item, When};

use crate::ui::home::Handover;
use crate::ui::icon::{ARCHIVE, CLOSE, EXPORT, IMPORT, Icon, KEYBOARD, KNOT, SHARE};
use crate::ui::menu::Menu;
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
            {move || Suspend::new(async move {
                match page.await {
                    Ok(Some(page)) => view! { <BoardView page /> }.into_any(),
                    Ok(None) => view! { <Unknown key=key.get_untracked() /> }.into_any(),
                    Err(_) => view! { <Unreachable retry=move || page.refetch() /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// The server knows no board under this key. It may have been made here without a network: then this device has it.
#[component]
fn Unknown(key: String) -> impl IntoView {
    let page = RwSignal::new(None);
    Effect::new(move |_| {
        let Ok(key) = key.parse::<Key>() else { return };
        if device::unregistered(&key).is_some() {
            leptos::task::spawn_local(async move { page.set(device::kept_board(&key).await) });
        }
    });
    move || match page.get() {
        Some(page) => view! { <BoardView page /> }.into_any(),
        None => view! { <NotFound /> }.into_any(),
    }
}

#[component]
fn Unreachable(retry: impl Fn() + Send + Sync + 'static) -> impl IntoView {
    view! {
        <main class="plain-page">
            <h1>"The board can't be opened just now"</h1>
            <p>"The server can't be reached, or cannot read the board. What you changed before is kept on this device."</p>
            <p>
                <button class="button" on:click=move |_| retry()>
                    "Try again"
                </button>
            </p>
        </main>
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
    come_alive(board, page);
    Effect::new(move |_| {
        drag.listen();
        guard_leaving(board);
    });
    on_cleanup(move || board.disconnect());

    let column = |id: ListId| Item::by_id(id.0, move || view! { <ListColumn id /> }.into_any());
    let lists = move || board.mirror.lists.with(|lists| lists.iter().copied().map(column).collect::<Vec<_>>());
    let sharing = RwSignal::new(false);
    let archive = RwSignal::new(false);
    let shortcuts = RwSignal::new(false);
    let name = move || {
        board.mirror.title.with(|title| if title.is_empty() { "Untitled board".to_owned() } else { title.clone() })
    };

    view! {
        <Title text=name />
        <div class="app" on:keydown=move |event| on_board_key(board, shortcuts, &event)>
            <Topbar board name=Signal::derive(name) sharing archive shortcuts />
            <When when=board.unkept>
                <p class="banner danger" role="alert">
                    <span>"Changes can't be kept on this device: its storage is full or denied. Leave this page open until everything is saved."</span>
                    <button class="button" on:click=move |_| save_unsent(board)>"Export"</button>
                </p>
            </When>
            <Ended board />
            <Attention board />
            <main
                class="board"
                on:touchmove=move |event| {
                    if drag.carries() {
                        event.prevent_default();
                    }
                }
            >
                <ol class="lists" aria-label="Lists">
                    <Each items=lists />
                    <NewList />
                </ol>
            </main>
            <Notes board />
            <CardDetails />
            <MoveToDialog />
            <ShareDialog open=sharing />
            <ArchiveDialog open=archive />
            <ShortcutsDialog open=shortcuts />
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
                    text=name
                    label="Board title"
                    editable=board.editable
                    commit=move |title| { board.edit(Change::RenameBoard { title }); }
                />
            </h1>
            <When when=move || board.status.with(|status| status.access == Access::View)>
                <span class="badge">"View only"</span>
            </When>
            <div class="topbar-end">
                <ConnectionStatus status=board.status.into() retry=move || board.retry_now() />
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
                        <button on:click=move |_| save_unsent(board)>
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
                                on:change=move |event| take_in(board, &event)
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

/// Says why the board is not followed any more, when trying again cannot help. What was not saved can be taken along.
#[component]
fn Ended(board: BoardHandle) -> impl IntoView {
    let why = Memo::new(move |_| {
        board.status.with(|status| match &status.connection {
            Connection::Refused(bye) if bye.message.is_empty() => {
                Some("The server does not accept this page any more.".to_owned())
            }
            Connection::Refused(bye) => Some(bye.message.clone()),
            _ => None,
        })
    });
    let unsaved = move || board.status.with(|status| status.pending > 0);
    view! {
        <When when=move || why.with(Option::is_some)>
            <div class="banner danger">
                <p role="alert">
                    {Signal::derive(move || why.get().unwrap_or_default())}
                    <When when=unsaved>" What is not saved is kept on this device."</When>
                </p>
                <When when=unsaved>
                    <button class="button" on:click=move |_| save_unsent(board)>"Export unsent changes"</button>
                </When>
            </div>
        </When>
    }
    .into_any()
}

/// What happened last, at the foot of the page, and the live region that says it aloud. Both stand in the server's HTML, so
/// that screen readers know the region before it speaks.
#[component]
fn Notes(board: BoardHandle) -> impl IntoView {
    let text = move || board.note.with(|note| note.as_ref().map(|note| note.text.clone()));
    let undo = move || board.note.with(|note| note.as_ref().is_some_and(|note| note.undo));
    Effect::new(move |previous: Option<Option<TimeoutHandle>>| {
        if let Some(timer) = previous.flatten() {
            timer.clear();
        }
        board
            .note
            .with(|note| note.as_ref().is_some_and(|note| !note.lasting))
            .then(|| {
                let hide = move || {
                    board.note.try_set(None);
                };
                set_timeout_with_handle(hide, std::time::Duration::from_secs(7)).ok()
            })
            .flatten()
    });
    view! {
        <div class="visually-hidden" role="status" aria-live="polite">{board.announcement}</div>
        <When when=move || text().is_some()>
            <div class="note">
                <span>{Signal::derive(move || text().unwrap_or_default())}</span>
                <When when=undo>
                    <button
                        class="button link"
                        on:click=move |_| {
                            board.note.set(None);
                            board.undo();
                        }
                    >
                        "Undo"
                    </button>
                </When>
                <button class="button link" aria-label="Close" on:click=move |_| board.note.set(None)>
                    <Icon path=CLOSE />
                </button>
            </div>
        </When>
    }
    .into_any()
}

/// Asks before the page is left with changes that only it has.
fn guard_leaving(board: BoardHandle) {
    let guard = window_event_listener(leptos::ev::beforeunload, move |event| {
        let only_here = board.unkept.get_untracked() && board.status.with_untracked(|status| status.pending > 0);
        if only_here {
            event.prevent_default();
        }
    });
    on_cleanup(move || guard.remove());
}

/// Gives the person all that is not saved as a file, which any device takes in.
fn save_unsent(board: BoardHandle) {
    match board.unsent() {
        Some(text) => board.mirror.board.with_untracked(|board| {
            download(&export::file_name(board).replace(".json", "-unsent.json"), &text);
        }),
        None => board.tell("Everything is saved: there is nothing to export."),
    }
}

fn take_in(board: BoardHandle, event: &leptos::ev::Event) {
    let Some(file) = ChosenFile::of(event) else { return };
    if file.bytes() > unsent::MAX_BYTES {
        return board.tell(UnsentError::Format.to_string());
    }
    leptos::task::spawn_local(async move {
        match file.text().await {
            Ok(text) => board.take_in(&text),
            Err(why) => board.tell(why),
        }
    });
}

fn save_copy(board: BoardHandle) {
    board.mirror.board.with_untracked(|board| download(&export::file_name(board), &export::to_json(board)));
}

/// In the browser: connects, remembers the board, and takes over what the page of boards has handed to it.
fn come_alive(board: BoardHandle, page: BoardPage) {
    let handover = use_context::<Handover>();
    let recent = device::RecentBoard {
        id: page.id,
        key: page.key.clone(),
        access: page.access,
        title: page.board.name().to_owned(),
        opened_at: 0,
        registered: page.registered,
    };
    let page = StoredValue::new(Some(page));
    Effect::new(move |_| {
        let Some(page) = page.try_update_value(Option::take).flatten() else { return };
        let id = page.id;
        #[cfg(feature = "hydrate")]
        super::live::connect(board, page);
        if let Some(handover) = handover {
            let (changes, remarks) = handover.take(id);
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
