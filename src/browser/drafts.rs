//! The drafts of this page, in localStorage: written with every keystroke, so there is no timer whose text could be lost.
//!
//! A page holds a Web Lock for as long as it runs. Whoever gets the lock of another page knows that the page has ended, and takes
//! its drafts over; one page only, since one page only gets the lock.

use std::cell::RefCell;
use std::rc::Rc;

use uuid::Uuid;

use super::lifecycle::{Listener, Sign, signs};
use super::lock::{self, Lock};
use super::{clock, storage};
use crate::sync::drafts::{self, Command, Draft, Drafts, RecordName};
use crate::sync::id::{DocumentId, uuid_v7};

thread_local! {
    static PAGE: RefCell<Option<Page>> = const { RefCell::new(None) };
}

struct Page {
    drafts: Drafts,
    /// Waits for the end of other pages that have drafts of an opened document.
    others: Vec<((DocumentId, Uuid), Lock)>,
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
                for command in with_page(|page| page.drafts.rewrite()) {
                    let _ = run(command);
                }
            }
            _ => {}
        };
        Self { drafts: Drafts::new(id), others: Vec::new(), _listeners: signs(follow) }
    }

    /// Takes over what `of` has stored for `document`. Returns whether that was anything.
    fn adopt(&mut self, document: DocumentId, of: Uuid) -> bool {
        let mut came = false;
        for name in records(document).into_iter().filter(|name| name.page == of) {
            let Some(text) = storage::read_text(&name.to_string()) else { continue };
            let commands = self.drafts.adopt(&name, &text);
            came |= !commands.is_empty();
            for command in commands {
                if run(command).is_err() {
                    // The other page's record is the only one.
                    break;
                }
            }
        }
        came
    }
}

/// The stored records of a document.
fn records(document: DocumentId) -> Vec<RecordName> {
    storage::names(&drafts::prefix(document)).iter().filter_map(|name| name.parse().ok()).collect()
}

fn run(command: Command) -> Result<(), storage::NotKept> {
    match command {
        Command::Write(name, text) => storage::write_text(&name.to_string(), &text),
        Command::Remove(name) => {
            storage::remove(&name.to_string());
            Ok(())
        }
        Command::TooLong => Err(storage::NotKept),
    }
}

/// Takes over what pages that have ended were typing into `document`, now and whenever one ends. `came` is told each time.
pub fn open(document: DocumentId, came: impl Fn() + Clone + 'static) {
    let mut pages: Vec<_> = records(document).into_iter().map(|name| name.page).collect();
    pages.sort();
    pages.dedup();
    let mine = with_page(|page| page.drafts.page());
    for of in pages.into_iter().filter(|page| *page != mine) {
        let came = came.clone();
        let take = move || {
            if with_page(|page| page.adopt(document, of)) {
                came();
            }
        };
        if !lock::available() {
            take();
            continue;
        }
        let granted = move |held| {
            if held {
                take();
                // Not from inside the request's own callback.
                wasm_bindgen_futures::spawn_local(async move {
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

/// Whether any page stores drafts of a document here.
#[must_use]
pub fn are_stored(document: DocumentId) -> bool {
    !records(document).is_empty()
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
    run(with_page(|page| page.drafts.put(document, place, draft))).is_ok()
}

/// The text became a change or was discarded.
pub fn remove(document: DocumentId, place: &str) {
    if let Some(command) = with_page(|page| page.drafts.remove(document, place)) {
        let _ = run(command);
    }
}
