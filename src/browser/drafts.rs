//! The drafts of this page, in two stages. localStorage is written with every keystroke, so there is no timer whose text could be lost
//! with the page. Firefox writes it to the disk some seconds later: IndexedDB is written a moment after the keystroke, and has what
//! the browser's own end would lose.
//!
//! A page holds a Web Lock for as long as it runs. Whoever gets the lock of another page knows that the page has ended, and takes
//! its drafts over; one page only, since one page only gets the lock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use super::database::{Database, DatabaseError, Store, Write};
use super::lifecycle::{Listener, Sign, signs};
use super::lock::{self, Lock};
use super::time_limit::within;
use super::{clock, storage};
use crate::sync::drafts::{self, Command, Draft, Drafts, RecordName};
use crate::sync::id::{DocumentId, uuid_v7};

/// From a keystroke to its text being written to IndexedDB, in milliseconds.
const WRITE_AFTER_MS: u32 = 150;

/// Time limit for IndexedDB, in milliseconds, when a draft is to be shown again.
const SECOND_MS: u32 = 1_000;

/// The text of a record that is gone from the first stage, and may still be in the second.
const GONE: &str = "";

thread_local! {
    static PAGE: RefCell<Option<Page>> = const { RefCell::new(None) };
}

struct Page {
    drafts: Drafts,
    /// Waits for the end of other pages that have drafts of an opened document.
    others: Vec<((DocumentId, Uuid), Lock)>,
    /// The latest of each record that IndexedDB is to have; without a text it is to go.
    waiting: BTreeMap<RecordName, Option<String>>,
    /// Starts to write them. `None` while nothing waits.
    timer: Option<Timeout>,
    /// They hold the page's own lock.
    _listeners: Vec<Listener>,
}

fn lock_name(page: Uuid) -> String {
    format!("sheetbend/page/{page}")
}

fn with_page<T>(act: impl FnOnce(&mut Page) -> T) -> T {
    PAGE.with_borrow_mut(|page| act(page.get_or_insert_with(Page::start)))
}

impl Page {
    fn start() -> Self {
        let id = uuid_v7(clock::unix_now(), clock::random());
        let lock = lock::available().then(|| Rc::new(Lock::request(&lock_name(id), |_| {})));
        let follow = move |sign| match (sign, &lock) {
            // A page that holds a lock is not put into the back-forward cache.
            (Sign::Leaving, Some(lock)) => lock.release(),
            (Sign::Back, lock) => {
                lock.iter().for_each(|lock| lock.again());
                with_page(|page| {
                    for command in page.drafts.rewrite() {
                        let _ = page.run(command);
                    }
                });
            }
            _ => {}
        };
        Self {
            drafts: Drafts::new(id),
            others: Vec::new(),
            waiting: BTreeMap::new(),
            timer: None,
            _listeners: signs(follow),
        }
    }

    /// Takes over records of a page that has ended. Returns whether there was any draft among them.
    fn adopt(&mut self, records: Vec<(RecordName, String)>) -> bool {
        let mut came = false;
        for (name, text) in records {
            let commands = self.drafts.adopt(&name, &text);
            came |= !commands.is_empty();
            for command in commands {
                if self.run(command).is_err() {
                    // The other page's record is the only one.
                    break;
                }
            }
        }
        came
    }

    /// The first stage has it when this returns.
    fn run(&mut self, command: Command) -> Result<(), storage::NotKept> {
        match command {
            Command::Write(name, text) => {
                let kept = storage::write_text(&name.to_string(), &text);
                self.write_soon(name, Some(text), WRITE_AFTER_MS);
                kept
            }
            Command::Remove(name) => {
                // Until the second stage has lost it as well: if the page ends before, the text must not come back.
                let _ = storage::write_text(&name.to_string(), GONE);
                self.write_soon(name, None, 0);
                Ok(())
            }
            Command::TooLong => Err(storage::NotKept),
        }
    }

    fn write_soon(&mut self, name: RecordName, text: Option<String>, after_ms: u32) {
        self.waiting.insert(name, text);
        if self.timer.is_none() || after_ms == 0 {
            self.timer = Some(Timeout::new(after_ms, || {
                let waiting = with_page(|page| {
                    page.timer = None;
                    std::mem::take(&mut page.waiting)
                });
                spawn_local(write(waiting));
            }));
        }
    }
}

/// Writes records to the second stage. What it does not take is in the first.
async fn write(records: BTreeMap<RecordName, Option<String>>) {
    let gone: Vec<_> = records.iter().filter(|(_, text)| text.is_none()).map(|(name, _)| name.to_string()).collect();
    let record = |(name, text): (RecordName, _)| Write::Record { store: Store::Drafts, key: name.to_string(), text };
    let writes: Vec<_> = records.into_iter().map(record).collect();
    let written = match Database::open().await {
        Ok(database) => database.write_relaxed(&writes).await,
        Err(error) => Err(error),
    };
    if matches!(written, Ok(()) | Err(DatabaseError::Unavailable)) {
        // The page may have typed there again meanwhile.
        gone.iter().filter(|name| is_gone(name)).for_each(|name| storage::remove(name));
    }
}

/// Whether the first stage says that a record is gone.
fn is_gone(name: &str) -> bool {
    storage::read_text(name).is_some_and(|text| text == GONE)
}

/// The records of a document in the first stage; those that are gone have the text [`GONE`].
fn first(document: DocumentId) -> Vec<(RecordName, String)> {
    let names = storage::names(&drafts::prefix(document));
    let record = |name: &String| Some((name.parse().ok()?, storage::read_text(name)?));
    names.iter().filter_map(record).collect()
}

/// The records of a document in the second stage, but for those that the first knows to be gone.
async fn second(document: DocumentId) -> Vec<(RecordName, String)> {
    let Ok(database) = Database::open().await else { return Vec::new() };
    let found = database.read_with_keys(Store::Drafts, &drafts::prefix(document)).await.unwrap_or_default();
    let found = found.into_iter().filter(|(name, _)| !is_gone(name));
    found.filter_map(|(name, text)| Some((name.parse().ok()?, text))).collect()
}

/// Takes over what pages that have ended were typing into `document`, now and whenever one ends. `came` is told each time.
pub fn open(document: DocumentId, came: impl Fn() + Clone + 'static) {
    follow(document, &first(document), &came);
    spawn_local(async move { follow(document, &second(document).await, &came) });
}

/// Takes over what the pages of these records were typing: now of those that have ended, later of the others.
fn follow(document: DocumentId, records: &[(RecordName, String)], came: &(impl Fn() + Clone + 'static)) {
    let mut pages: Vec<_> = records.iter().map(|(name, _)| name.page).collect();
    pages.sort();
    pages.dedup();
    let mine = with_page(|page| page.drafts.page());
    for of in pages.into_iter().filter(|page| *page != mine) {
        let came = came.clone();
        if !lock::available() {
            spawn_local(take(document, of, came));
            continue;
        }
        let granted = move |held| {
            if held {
                let taken = take(document, of, came.clone());
                spawn_local(async move {
                    taken.await;
                    with_page(|page| page.others.retain(|(other, _)| *other != (document, of)));
                });
            }
        };
        let waits = with_page(|page| page.others.iter().any(|(other, _)| *other == (document, of)));
        if !waits {
            let lock = Lock::request(&lock_name(of), granted);
            with_page(|page| page.others.push(((document, of), lock)));
        }
    }
}

/// Takes over what the page `of` has stored, which has ended: of each record the newer one of both stages.
async fn take(document: DocumentId, of: Uuid, came: impl Fn()) {
    let second = within(SECOND_MS, second(document)).await.unwrap_or_default();
    let theirs = first(document).into_iter().chain(second).filter(|(name, _)| name.page == of).collect();
    if with_page(|page| page.adopt(theirs)) {
        came();
    }
}

/// Whether any page stores drafts of a document here.
#[must_use]
pub fn are_stored(document: DocumentId) -> bool {
    first(document).iter().any(|(_, text)| text != GONE)
}

/// The draft at a place, if there is one.
#[must_use]
pub fn get(document: DocumentId, place: &str) -> Option<Draft> {
    with_page(|page| page.drafts.get(document, place).cloned())
}

/// The drafts of a document with their places, the one typed last first.
#[must_use]
pub fn all(document: DocumentId) -> Vec<(String, Draft)> {
    with_page(|page| page.drafts.of(document))
}

/// Text was typed, starting from `from`. Returns whether the device stores it; if not, it is in memory.
pub fn put(document: DocumentId, place: &str, text: String, from: String) -> bool {
    let draft = Draft { text, from, at: clock::unix_now() };
    with_page(|page| {
        let command = page.drafts.put(document, place, draft);
        page.run(command)
    })
    .is_ok()
}

/// The text became a change or was discarded.
pub fn remove(document: DocumentId, place: &str) {
    with_page(|page| {
        if let Some(command) = page.drafts.remove(document, place) {
            let _ = page.run(command);
        }
    });
}
