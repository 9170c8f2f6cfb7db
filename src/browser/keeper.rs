//! Keeps one document's changes on this device: drives [`WriteBehind`] with localStorage and IndexedDB.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use futures_util::future::{Either, select};
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use super::database::{Database, DatabaseError, OPEN_MS, Store, Write, patiently};
use super::storage::OutboxStore;
use crate::sync::client::Reading;
use crate::sync::id::{ChangeId, DocumentId};
use crate::sync::write_behind::{Record, WriteBehind};

/// A second stage that fails is tried again after this time.
const RETRY_MS: u32 = 5_000;

/// What became of what the device is to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// It keeps every change.
    Kept,
    /// So many are in memory only.
    InMemory {
        /// Changes that neither stage has.
        changes: usize,
    },
    /// What was read is not all: what was confirmed is in the outbox again, or the second stage has opened late, or has failed to. It
    /// is to be read again.
    OfferedAgain,
}

/// What the second stage had.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Own changes that are not saved.
    pub outbox: Vec<String>,
    /// Own changes that were confirmed lately.
    pub saved: Vec<String>,
    /// The document, as it was confirmed.
    pub document: Option<String>,
    /// Whether it could be read. If not, there is nothing here.
    pub reading: Reading,
}

/// What this device keeps of one document.
pub struct Keeper(Rc<Inner>);

struct Inner {
    document: DocumentId,
    first: OutboxStore,
    second: RefCell<Option<Database>>,
    stages: RefCell<WriteBehind>,
    told: Cell<Keeping>,
    listener: Box<dyn Fn(Keeping)>,
    retry: RefCell<Option<Timeout>>,
    /// The second stage is being read for longer than anybody waits.
    reading_late: Cell<bool>,
    asked_to_persist: Cell<bool>,
    /// What a saved record says in the outbox.
    becomes: fn(&str) -> Option<String>,
    this: Weak<Self>,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("document", &self.0.document).finish_non_exhaustive()
    }
}

impl Keeper {
    /// What this device keeps of `document`. `listener` is told what becomes of it; `becomes` is what the record of a saved change
    /// says when it is put back into the outbox.
    pub fn new(
        document: DocumentId,
        becomes: fn(&str) -> Option<String>,
        listener: impl Fn(Keeping) + 'static,
    ) -> Self {
        Self(Rc::new_cyclic(|this| Inner {
            document,
            first: OutboxStore::new(document),
            second: RefCell::new(None),
            stages: RefCell::new(WriteBehind::default()),
            told: Cell::new(Keeping::Kept),
            listener: Box::new(listener),
            retry: RefCell::new(None),
            reading_late: Cell::new(false),
            asked_to_persist: Cell::new(false),
            becomes,
            this: Weak::clone(this),
        }))
    }

    /// Whether it keeps every change; those that it does not are in memory.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        self.0.stages.borrow().in_memory() == 0
    }

    /// What the first stage has of the outbox, at once.
    #[must_use]
    pub fn early(&self) -> Vec<String> {
        self.0.first.load()
    }

    /// Reads what the second stage has; the document, which may be large, if that is asked for. If it does not answer in time the
    /// page goes on without: [`Keeping::OfferedAgain`] is told once it has answered.
    pub async fn load(&self, with_document: bool) -> Loaded {
        let read = if self.0.reading_late.get() { Err(DatabaseError::Late) } else { self.0.read(with_document).await };
        let loaded = read.unwrap_or_else(|error| {
            // One that was there fails for now: what is to be written there waits.
            if self.0.second.borrow().is_none() {
                self.0.stages.borrow_mut().second_is_missing();
            }
            let reading = if error == DatabaseError::Late { Reading::UnderWay } else { Reading::Failed };
            Loaded { outbox: Vec::new(), saved: Vec::new(), document: None, reading }
        });
        self.0.proceed();
        loaded
    }

    /// Keeps a change. When this returns, it survives the end of the page, if the first stage takes it.
    pub fn keep(&self, id: ChangeId, text: String) {
        let first = self.0.first.keep(id, &text).is_ok();
        self.0.stages.borrow_mut().keep(id, text, first);
        self.0.ask_to_persist();
        self.0.proceed();
    }

    /// A change was confirmed: it moves to the lately confirmed, as `text`.
    pub fn save(&self, id: ChangeId, text: String) {
        if self.0.stages.borrow_mut().save(id, text) {
            self.0.first.forget(id);
        }
        self.0.proceed();
    }

    /// Lets a change go.
    pub fn forget(&self, id: ChangeId) {
        self.0.first.forget(id);
        self.0.stages.borrow_mut().forget(id);
        self.0.proceed();
    }

    /// The server is not the one that confirmed what was confirmed: all of it goes back to the outbox, and then
    /// [`Keeping::OfferedAgain`] is told.
    pub fn offer_again(&self) {
        self.0.stages.borrow_mut().offer_again();
        self.0.proceed();
    }

    /// The document is another.
    pub fn set_document(&self, text: String) {
        self.0.stages.borrow_mut().set_document(text);
        self.0.proceed();
    }
}

async fn load(document: DocumentId, with_document: bool) -> Result<(Database, Loaded), DatabaseError> {
    let prefix = format!("{document}/");
    let database = Database::open().await?;
    let text = if with_document { database.get(Store::Documents, &document.to_string()).await? } else { None };
    let loaded = Loaded {
        outbox: database.read(Store::Outbox, &prefix).await?,
        saved: database.read(Store::Saved, &prefix).await?,
        document: text,
        reading: Reading::Done,
    };
    Ok((database, loaded))
}

impl Inner {
    async fn read(&self, with_document: bool) -> Result<Loaded, DatabaseError> {
        match select(Box::pin(load(self.document, with_document)), TimeoutFuture::new(OPEN_MS)).await {
            Either::Left((read, _)) => read.map(|(database, loaded)| {
                self.is_there(database);
                loaded
            }),
            Either::Right(((), reading)) => {
                self.reading_late.set(true);
                let (this, document) = (Weak::clone(&self.this), self.document);
                spawn_local(async move {
                    let mut read = reading.await;
                    if matches!(read, Err(DatabaseError::Late)) {
                        read = patiently(|| load(document, with_document)).await;
                    }
                    let Some(this) = this.upgrade() else { return };
                    this.reading_late.set(false);
                    if let Ok((database, _)) = read {
                        this.is_there(database);
                    }
                    // What was read may be old by now.
                    (this.listener)(Keeping::OfferedAgain);
                });
                Err(DatabaseError::Late)
            }
        }
    }

    /// The second stage answers.
    fn is_there(&self, database: Database) {
        self.second.replace(Some(database));
        self.stages.borrow_mut().second_is_there();
    }

    /// Writes what waits, if nothing is being written, and tells whether all is kept.
    fn proceed(&self) {
        let second = self.second.borrow().clone();
        let rests = self.stages.borrow().is_failing() && self.retry.borrow().is_some();
        if let Some(database) = second
            && !rests
            && let Some(batch) = { self.stages.borrow_mut().next_batch() }
        {
            let this = Weak::clone(&self.this);
            let writes: Vec<_> = batch.into_iter().map(|(record, text)| self.write(record, text)).collect();
            spawn_local(async move {
                let durable = database.write(&writes).await.is_ok();
                if let Some(this) = this.upgrade() {
                    this.written(durable);
                }
            });
        }
        if self.stages.borrow().retries() && self.retry.borrow().is_none() {
            let this = Weak::clone(&self.this);
            let again = move || {
                if let Some(this) = this.upgrade() {
                    this.try_again();
                }
            };
            self.retry.replace(Some(Timeout::new(RETRY_MS, again)));
        }
        let changes = self.stages.borrow().in_memory();
        let keeping = if changes == 0 { Keeping::Kept } else { Keeping::InMemory { changes } };
        if self.told.replace(keeping) != keeping {
            (self.listener)(keeping);
        }
    }

    fn written(&self, durable: bool) {
        let offered = durable && self.stages.borrow().is_offering_again();
        let done = self.stages.borrow_mut().written(durable);
        for id in done {
            self.first.forget(id);
        }
        if offered {
            (self.listener)(Keeping::OfferedAgain);
        }
        self.proceed();
    }

    fn try_again(&self) {
        self.retry.take();
        let unkept = self.stages.borrow().unkept();
        for (id, text) in unkept {
            let first = self.first.keep(id, &text).is_ok();
            self.stages.borrow_mut().keep(id, text, first);
        }
        self.proceed();
    }

    fn write(&self, record: Record, text: Option<String>) -> Write {
        let (store, key) = match record {
            Record::EverySaved => {
                let prefix = format!("{}/", self.document);
                return Write::Move { from: Store::Saved, to: Store::Outbox, prefix, becomes: self.becomes };
            }
            Record::Outbox(id) => (Store::Outbox, format!("{}/{id}", self.document)),
            Record::Saved(id) => (Store::Saved, format!("{}/{id}", self.document)),
            Record::Document => (Store::Documents, self.document.to_string()),
        };
        Write::Record { store, key, text }
    }

    /// Asks the browser, once, not to clear this site's storage when the device runs short. It may say no; then it is as before.
    fn ask_to_persist(&self) {
        if self.asked_to_persist.replace(true) {
            return;
        }
        let ask = || {
            let navigator = web_sys::window()?.navigator();
            let storage = Reflect::get(&navigator, &"storage".into()).ok()?;
            let persist = Reflect::get(&storage, &"persist".into()).ok()?.dyn_into::<Function>().ok()?;
            persist.call0(&storage).ok()
        };
        ask();
    }
}
