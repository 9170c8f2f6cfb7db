//! What the device keeps for good: IndexedDB, as texts under text keys.
//!
//! The binding is our own: the crates for it bring tokio into the page, or hide the durability of a transaction.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    EventTarget, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
};

use super::lifecycle::Listener;

const NAME: &str = "sheetbend";
const VERSION: u32 = 2;

/// So long is a database waited for by who can go on without it. A slow disk may take longer: that is not to have none.
pub const OPEN_MS: u32 = 3_000;

/// A part of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Own changes that are not saved.
    Outbox,
    /// Own changes that were confirmed lately.
    Saved,
    /// Documents as they were confirmed.
    Documents,
    /// The documents that were opened here, and how.
    Opened,
}

impl Store {
    const ALL: [Self; 4] = [Self::Outbox, Self::Saved, Self::Documents, Self::Opened];

    const fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Saved => "saved",
            Self::Documents => "documents",
            Self::Opened => "opened",
        }
    }
}

/// Something to be written.
#[derive(Clone, Debug)]
pub enum Write {
    /// The record under this key is to say this; or, without a text, to go.
    Record {
        /// Where it is.
        store: Store,
        /// Its key.
        key: String,
        /// Its text.
        text: Option<String>,
    },
    /// All records whose keys start with this move from one part to another.
    Move {
        /// Where they are.
        from: Store,
        /// Where they are to be.
        to: Store,
        /// What their keys start with.
        prefix: String,
        /// What a record says there.
        becomes: fn(&str) -> Option<String>,
    },
}

/// Why the database did not do what it was asked. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// There is none: it is denied, or does not open.
    #[error("this browser has no database for this site")]
    Unavailable,
    /// It has not opened in time, and may yet.
    #[error("this browser's database takes its time")]
    Late,
    /// The device has no room left.
    #[error("this device has no room left for this site")]
    Full,
    /// Anything else.
    #[error("the browser's database failed")]
    Failed,
}

/// The database of this site. Clones are the same.
#[derive(Clone, Debug)]
pub struct Database(Rc<RefCell<Open>>);

#[derive(Debug)]
struct Open {
    database: IdbDatabase,
    /// Gives the database up when another tab wants to make it newer.
    _version: Listener,
}

impl Drop for Open {
    fn drop(&mut self) {
        // One that nobody uses must not stand in the way of a newer version until the browser collects it.
        self.database.close();
    }
}

impl Database {
    /// Opens the database, and makes it if there is none. Takes as long as the browser does: see [`OPEN_MS`].
    ///
    /// # Errors
    /// [`DatabaseError::Unavailable`].
    pub async fn open() -> Result<Self, DatabaseError> {
        Ok(Self(Rc::new(RefCell::new(open().await?))))
    }

    /// Writes all of these or none, durably: when this returns, they survive a power cut.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn write(&self, writes: &[Write]) -> Result<(), DatabaseError> {
        let transaction = match self.begin("readwrite") {
            Err(DatabaseError::Failed) => {
                // The browser closes a database under a page: when its files are cleared, when it runs short of memory.
                self.open_again().await?;
                self.begin("readwrite")?
            }
            begun => begun?,
        };
        for write in writes {
            match write {
                Write::Record { store, key, text } => put(&transaction, *store, key, text.as_deref())?,
                Write::Move { from, to, prefix, becomes } => {
                    move_all(&transaction, *from, *to, prefix, *becomes).await?;
                }
            }
        }
        if told(&transaction, "complete", &["abort", "error"]).await {
            return Ok(());
        }
        let full = transaction.error().is_some_and(|error| error.name() == "QuotaExceededError");
        Err(if full { DatabaseError::Full } else { DatabaseError::Failed })
    }

    /// The texts of all records whose keys start with `prefix`, in the order of the keys.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn read(&self, store: Store, prefix: &str) -> Result<Vec<String>, DatabaseError> {
        let range = range(prefix)?;
        let found = self.ask(store, |store| store.get_all_with_key(&range)).await?;
        Ok(Array::from(&found).iter().filter_map(|text| text.as_string()).collect())
    }

    /// The text of the record under `key`, if there is one.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn get(&self, store: Store, key: &str) -> Result<Option<String>, DatabaseError> {
        let found = self.ask(store, |store| store.get(&key.into())).await?;
        Ok(found.as_string())
    }

    async fn ask(
        &self,
        store: Store,
        question: impl Fn(&IdbObjectStore) -> Result<IdbRequest, JsValue>,
    ) -> Result<JsValue, DatabaseError> {
        let transaction = self.begin("readonly")?;
        answer(question(&store_of(&transaction, store)?)).await
    }

    /// A transaction over all parts. Chromium's are relaxed unless asked to be strict.
    fn begin(&self, mode: &str) -> Result<IdbTransaction, DatabaseError> {
        let database = &self.0.borrow().database;
        let names: Array = Store::ALL.iter().map(|store| JsValue::from_str(store.name())).collect();
        let begin = || {
            let options = Object::new();
            Reflect::set(&options, &"durability".into(), &"strict".into())?;
            let transaction = Reflect::get(database, &"transaction".into())?.dyn_into::<Function>()?;
            transaction.call3(database, &names, &mode.into(), &options)?.dyn_into::<IdbTransaction>()
        };
        begin().map_err(|_| DatabaseError::Failed)
    }

    async fn open_again(&self) -> Result<(), DatabaseError> {
        let opening = pin!(open());
        let Either::Left((again, _)) = select(opening, TimeoutFuture::new(OPEN_MS)).await else {
            return Err(DatabaseError::Failed);
        };
        self.0.replace(again?);
        Ok(())
    }
}

fn store_of(transaction: &IdbTransaction, store: Store) -> Result<IdbObjectStore, DatabaseError> {
    transaction.object_store(store.name()).map_err(|_| DatabaseError::Failed)
}

fn range(prefix: &str) -> Result<IdbKeyRange, DatabaseError> {
    IdbKeyRange::bound(&prefix.into(), &format!("{prefix}\u{ffff}").into()).map_err(|_| DatabaseError::Failed)
}

fn put(transaction: &IdbTransaction, store: Store, key: &str, text: Option<&str>) -> Result<(), DatabaseError> {
    let (store, key) = (store_of(transaction, store)?, JsValue::from_str(key));
    let asked = match text {
        Some(text) => store.put_with_key(&JsValue::from_str(text), &key),
        None => store.delete(&key),
    };
    asked.map(drop).map_err(|_| DatabaseError::Failed)
}

/// Nothing but the transaction's own requests is awaited in it: else it would end by itself.
async fn move_all(
    transaction: &IdbTransaction,
    from: Store,
    to: Store,
    prefix: &str,
    becomes: fn(&str) -> Option<String>,
) -> Result<(), DatabaseError> {
    let (source, range) = (store_of(transaction, from)?, range(prefix)?);
    let keys = answer(source.get_all_keys_with_key(&range)).await?;
    let texts = answer(source.get_all_with_key(&range)).await?;
    for (key, text) in Array::from(&keys).iter().zip(Array::from(&texts).iter()) {
        let Some((key, text)) = key.as_string().zip(text.as_string().as_deref().and_then(becomes)) else { continue };
        put(transaction, to, &key, Some(&text))?;
        put(transaction, from, &key, None)?;
    }
    Ok(())
}

async fn answer(request: Result<IdbRequest, JsValue>) -> Result<JsValue, DatabaseError> {
    let request = request.map_err(|_| DatabaseError::Failed)?;
    if told(&request, "success", &["error"]).await {
        request.result().map_err(|_| DatabaseError::Failed)
    } else {
        Err(DatabaseError::Failed)
    }
}

async fn open() -> Result<Open, DatabaseError> {
    let request = request().ok_or(DatabaseError::Unavailable)?;
    let upgrade = {
        let request = request.clone();
        Listener::new(request.clone().into(), "upgradeneeded", move |_| make(&request))
    };
    let opened = told(&request, "success", &["error"]).await;
    drop(upgrade);
    let database = request.result().ok().filter(|_| opened).and_then(|result| result.dyn_into::<IdbDatabase>().ok());
    let database = database.ok_or(DatabaseError::Unavailable)?;
    let version = {
        let database = database.clone();
        Listener::new(database.clone().into(), "versionchange", move |_| database.close())
    };
    Ok(Open { database, _version: version })
}

fn request() -> Option<IdbOpenDbRequest> {
    let factory: IdbFactory = web_sys::window()?.indexed_db().ok()??;
    factory.open_with_u32(NAME, VERSION).ok()
}

fn make(request: &IdbOpenDbRequest) {
    let database = request.result().ok().and_then(|result| result.dyn_into::<IdbDatabase>().ok());
    let Some(database) = database else { return };
    for store in Store::ALL {
        // One that cannot be made makes the opening fail, which is told.
        let _ = database.create_object_store(store.name());
    }
}

/// Waits until `target` tells of its success, or of one of its failures.
async fn told(target: &EventTarget, success: &'static str, failures: &[&'static str]) -> bool {
    let (tell, answer) = oneshot::channel();
    let tell = Rc::new(RefCell::new(Some(tell)));
    let listen = |name: &'static str, outcome: bool| {
        let tell = Rc::clone(&tell);
        Listener::new(target.clone(), name, move |event| {
            // An error that nobody has handled would go on to the window.
            event.stop_propagation();
            if let Some(tell) = tell.borrow_mut().take() {
                // Whoever waited may have given up.
                let _ = tell.send(outcome);
            }
        })
    };
    let listeners: Vec<_> =
        std::iter::once(listen(success, true)).chain(failures.iter().map(|name| listen(name, false))).collect();
    let outcome = answer.await.unwrap_or(false);
    drop(listeners);
    outcome
}
