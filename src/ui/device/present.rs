//! The browser's half.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::ServerFnError;
use send_wrapper::SendWrapper;
use uuid::Uuid;

use super::RecentBoard;
use super::recent;
pub use super::recent::{all as all_recent_boards, forget, local as recent_boards, put_back, remember, set_registered};
use crate::board::{Board, Date};
pub use crate::browser::drafts;
use crate::browser::probe::probe;
pub use crate::browser::storage::available as stores;
use crate::browser::time_limit::within;
use crate::browser::{boards, clock, session};
use crate::sync::digest::Cursor;
use crate::sync::id::{DocumentId, Key, uuid_v7};
use crate::sync::message::Access;
use crate::sync::network::{Answer, ProbeId};
use crate::ui::api::BoardPage;

/// So long the device may take to say whether it has a board, and then the server to open one that the device has too.
const PATIENCE_MS: u32 = 3_000;

/// From one question to a server that was not reached to the next.
const ASK_MS: u32 = 5_000;

/// An id for something new.
#[must_use]
pub fn new_id() -> Option<Uuid> {
    Some(uuid_v7(clock::unix_now(), clock::random()))
}

/// A key for a new board.
#[must_use]
pub fn new_key() -> Option<Key> {
    Some(Key::from_random(clock::random()))
}

/// The day it is here.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn today() -> Option<Date> {
    let now = js_sys::Date::new_0();
    Date::new(u16::try_from(now.get_full_year()).ok()?, now.get_month() as u8 + 1, now.get_date() as u8)
}

/// The board that `key` opens, as this device keeps it; `None` if it was not opened here before. Waits for the device for as long as
/// it takes.
pub async fn kept_board(key: &Key) -> Option<BoardPage> {
    let recent = recent::find(&|board| board.key == *key).await?;
    let kept = session::kept_document::<Board>(recent.id).await;
    let (board, cursor) = match kept {
        Some(kept) => (kept.document, kept.cursor),
        None if recent.registered => return None,
        None => Default::default(),
    };
    let RecentBoard { id, access, registered, .. } = recent;
    Some(BoardPage { id, key: key.clone(), access, cursor, board, registered })
}

/// The board that was made here under `key`, if the server does not know it yet. Waits for the device for as long as it takes.
async fn made_here(key: &Key) -> Option<BoardPage> {
    kept_board(key).await.filter(|page| !page.registered)
}

/// The board that `key` opened before, if this device has something of it that the server does not. Waits for the device for as long as
/// it takes.
pub async fn unsent_here(key: &Key) -> Option<BoardPage> {
    let page = kept_board(key).await?;
    let unsent = !page.registered || drafts::are_stored(page.id) || session::has_unsent(page.id).await;
    unsent.then_some(page)
}

/// Opens a board: at once if it was made here and the server does not know it yet, else as the server has it, else as this
/// device keeps it.
///
/// # Errors
/// If the server cannot be reached, and the board was not opened here before, or the device has not answered in time.
pub fn open(
    key: String,
    handed: Option<DocumentId>,
) -> impl Future<Output = Result<Option<BoardPage>, ServerFnError>> + Send {
    // A page has one thread; what it waits for here is of its own.
    SendWrapper::new(open_here(key, handed))
}

async fn open_here(key: String, handed: Option<DocumentId>) -> Result<Option<BoardPage>, ServerFnError> {
    let Ok(key) = key.parse::<Key>() else { return Ok(None) };
    // A device that takes its time is asked again below.
    let here = within(PATIENCE_MS, made_here(&key)).await.flatten();
    if let Some(here) = here.or_else(|| handed.map(|id| new_board(id, key.clone()))) {
        return Ok(Some(here));
    }
    // Not by way of the server function's own client: that takes whatever answers for the server, and has no timeout.
    let asked = async { boards::open::<BoardPage>(&key).await.map_err(ServerFnError::new) };
    let kept = |answer, page: Option<_>| page.map_or(answer, |page| Ok(Some(page)));
    match select(pin!(asked), TimeoutFuture::new(PATIENCE_MS)).await {
        Either::Left((answer @ Ok(_), _)) => answer,
        Either::Left((error, _)) => kept(error, within(PATIENCE_MS, kept_board(&key)).await.flatten()),
        Either::Right(((), asked)) => {
            let keeping = pin!(kept_board(&key));
            match select(keeping, asked).await {
                Either::Left((Some(page), _)) => Ok(Some(page)),
                Either::Left((None, asked)) => asked.await,
                Either::Right((answer @ Ok(_), _)) => answer,
                Either::Right((error, keeping)) => kept(error, within(PATIENCE_MS, keeping).await.flatten()),
            }
        }
    }
}

/// Asks every five seconds whether the server can be reached, for as long as `wanted`. Returns whether it can.
pub async fn server_answers(wanted: impl Fn() -> bool) -> bool {
    loop {
        TimeoutFuture::new(ASK_MS).await;
        if !wanted() {
            return false;
        }
        if probe(ProbeId(u64::from_le_bytes(clock::random()))).await == Answer::Echoed {
            return wanted();
        }
    }
}

/// Replaces a board's links, and remembers the new one; takes up a replacement that was begun before. The new key is on the device
/// before the server is asked: if the answer is lost, the key must not be.
///
/// # Errors
/// A sentence for the person.
pub async fn replace_links(board: RecentBoard) -> Result<Key, String> {
    const NOT_KEPT: &str =
        "The new link can't be kept on this device, so nothing was replaced. Make room, and try again.";
    const NO_ANSWER: &str = "This device does not answer, so nothing was replaced. Try again in a moment.";
    // A replacement that was begun before must be known: its key may be the only one that opens the board.
    let begun = within(PATIENCE_MS, recent::find(&|other| other.id == board.id && other.key == board.key)).await;
    let begun = begun.ok_or(NO_ANSWER)?;
    let key = begun.and_then(|board| board.replacing).unwrap_or_else(|| Key::from_random(clock::random()));
    let asking = RecentBoard { replacing: Some(key.clone()), ..board.clone() };
    if !recent::remember_for_good(asking).await {
        return Err(NOT_KEPT.to_owned());
    }
    boards::replace_key(&board.key, &key).await.map_err(|why| why.to_string())?;
    // If the device fails just now, the page's address has the key.
    let _ = recent::remember_for_good(RecentBoard { key: key.clone(), replacing: None, ..board }).await;
    Ok(key)
}

/// The key that has taken the place of `key`, if this device began to replace it and did not hear how that went.
pub async fn take_up_replacement(key: &Key) -> Option<Key> {
    let board = recent::find(&|board| board.key == *key && board.replacing.is_some()).await?;
    replace_links(board).await.ok()
}

/// The key that has taken the place of `key`, which opened the board `id`, if this device has it.
pub async fn key_after(id: DocumentId, key: &Key) -> Option<Key> {
    let board = recent::find(&|board| board.id == id).await?;
    if board.key == *key { take_up_replacement(key).await } else { Some(board.key) }
}

/// A board that was just made.
fn new_board(id: DocumentId, key: Key) -> BoardPage {
    BoardPage { id, key, access: Access::Edit, cursor: Cursor::default(), board: Board::default(), registered: false }
}
