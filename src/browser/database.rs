//! What the device keeps for good: IndexedDB, as texts under text keys.
//!
//! A page has one connection. It is opened at the first use and given up while the page is in the back-forward cache or frozen,
//! with the transactions that were not done: WebKit lets transactions of other pages wait for those of a page that cannot go on.
//! The next use after that opens another.
//!
//! A browser may never answer. Opening goes on for as long as it takes, reading and writing have a [time limit](LIMIT_MS); who
//! cannot wait for either gives up [earlier](OPEN_MS).
//!
//! The binding is our own: the crates for it bring tokio into the page, or hide the durability of a transaction.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    EventTarget, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
    PageTransitionEvent,
};

use super::lifecycle::Listener;
use super::time_limit::within;

const NAME: &str = "sheetbend";
const VERSION: u32 = 3;

/// Time limit for opening and reading, in milliseconds, where the page can go on without. A slow disk may take longer: that is
/// not to have none.
pub const OPEN_MS: u32 = 3_000;

/// Time limit for one transaction, in milliseconds. It is aborted then, and can be tried again.
pub const LIMIT_MS: u32 = 20_000;

/// The durability of transactions that survive a power cut.
const STRICT: &str = "strict";

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
    /// Text that is being typed.
    Drafts,
}

impl Store {
    const ALL: [Self; 5] = [Self::Outbox, Self::Saved, Self::Documents, Self::Opened, Self::Drafts];

    const fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Saved => "saved",
            Self::Documents => "documents",
            Self::Opened => "opened",
            Self::Drafts => "drafts",
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
    /// It has not answered within the time limit, and may later.
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
pub struct Database(Rc<Page>);

/// The page's connection to the database.
#[derive(Debug, Default)]
struct Page {
    connection: RefCell<Option<Connection>>,
    /// Those who wait for it to open; empty unless it is being opened.
    waiting: RefCell<Vec<oneshot::Sender<Result<(), DatabaseError>>>>,
    opening: Cell<bool>,
    /// Transactions that are not done.
    transactions: RefCell<Vec<IdbTransaction>>,
    /// The page is in the back-forward cache, or frozen.
    away: Cell<bool>,
    listeners: RefCell<Vec<Listener>>,
}

thread_local! {
    static PAGE: Rc<Page> = Page::new();
}

#[derive(Debug)]
struct Connection {
    database: IdbDatabase,
    /// Gives the database up when another tab wants to make it newer.
    _version: Listener,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // One that nobody uses must not stand in the way of a newer version until the browser collects it.
        self.database.close();
    }
}

impl Page {
    fn new() -> Rc<Self> {
        let page = Rc::new(Self::default());
        let listen = |target: EventTarget, name: &'static str, away: bool| {
            let page = Rc::downgrade(&page);
            Listener::new(target, name, move |event| {
                // A page that is left for good needs no care: the browser ends what it has begun.
                let stays = event.dyn_ref::<PageTransitionEvent>().is_none_or(PageTransitionEvent::persisted);
                if let Some(page) = page.upgrade()
                    && stays
                {
                    page.set_away(away);
                }
            })
        };
        if let Some(window) = web_sys::window()
            && let Some(document) = window.document()
        {
            page.listeners.replace(vec![
                listen(window.clone().into(), "pagehide", true),
                listen(window.into(), "pageshow", false),
                listen(document.clone().into(), "freeze", true),
                listen(document.into(), "resume", false),
            ]);
        }
        page
    }

    fn set_away(&self, away: bool) {
        self.away.set(away);
        if away {
            for transaction in self.transactions.take() {
                // It fails only for one that is done.
                let _ = transaction.abort();
            }
            self.connection.take();
        }
    }

    /// Opens the connection, if it is not open.
    async fn connect(self: &Rc<Self>) -> Result<(), DatabaseError> {
        if self.away.get() {
            return Err(DatabaseError::Failed);
        }
        if self.connection.borrow().is_some() {
            return Ok(());
        }
        let (tell, opened) = oneshot::channel();
        {
            let mut waiting = self.waiting.borrow_mut();
            waiting.retain(|other| !other.is_canceled());
            waiting.push(tell);
        }
        if !self.opening.replace(true) {
            let this = Rc::clone(self);
            spawn_local(async move { this.open().await });
        }
        opened.await.unwrap_or(Err(DatabaseError::Failed))
    }

    /// Opens the connection, and tells those who wait. Not dropped before it is open: the browser would keep an open connection
    /// that nobody knows of.
    async fn open(&self) {
        let outcome = match open().await {
            Ok(_) if self.away.get() => Err(DatabaseError::Failed),
            Ok(opened) => {
                self.connection.replace(Some(opened));
                Ok(())
            }
            Err(error) => Err(error),
        };
        self.opening.set(false);
        for tell in self.waiting.take() {
            // Whoever waited may have given up.
            let _ = tell.send(outcome);
        }
    }

    /// Begins a transaction over all parts. Chromium's are relaxed unless asked to be strict.
    fn begin(self: &Rc<Self>, mode: &str, durability: &str) -> Result<Transaction, DatabaseError> {
        let connection = self.connection.borrow();
        let database = &connection.as_ref().ok_or(DatabaseError::Failed)?.database;
        let names: Array = Store::ALL.iter().map(|store| JsValue::from_str(store.name())).collect();
        let begin = || {
            let options = Object::new();
            Reflect::set(&options, &"durability".into(), &durability.into())?;
            let transaction = Reflect::get(database, &"transaction".into())?.dyn_into::<Function>()?;
            transaction.call3(database, &names, &mode.into(), &options)?.dyn_into::<IdbTransaction>()
        };
        let transaction = begin().map_err(|_| DatabaseError::Failed)?;
        self.transactions.borrow_mut().push(transaction.clone());
        Ok(Transaction { transaction, page: Rc::clone(self) })
    }
}

/// A transaction. Aborted when it is dropped before it is done, so that those that come after need not wait for it.
struct Transaction {
    transaction: IdbTransaction,
    page: Rc<Page>,
}

impl Transaction {
    fn store(&self, store: Store) -> Result<IdbObjectStore, DatabaseError> {
        self.transaction.object_store(store.name()).map_err(|_| DatabaseError::Failed)
    }

    fn done(&self) {
        self.page.transactions.borrow_mut().retain(|other| *other != self.transaction);
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let under_way = self.page.transactions.borrow().contains(&self.transaction);
        if under_way {
            self.done();
            // It fails only for one that is done.
            let _ = self.transaction.abort();
        }
    }
}

impl Database {
    /// Opens the database, and makes it if there is none. Takes as long as the browser does: see [`OPEN_MS`].
    ///
    /// # Errors
    /// [`DatabaseError::Unavailable`]; [`DatabaseError::Failed`] while the page is away.
    pub async fn open() -> Result<Self, DatabaseError> {
        let page = PAGE.with(Rc::clone);
        page.connect().await?;
        Ok(Self(page))
    }

    /// Writes all of these or none, durably: when this returns, they survive a power cut.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing was written then.
    pub async fn write(&self, writes: &[Write]) -> Result<(), DatabaseError> {
        within(LIMIT_MS, self.write_all(writes, STRICT)).await.unwrap_or(Err(DatabaseError::Late))
    }

    /// Writes all of these or none, without a wait for the disk: when this returns, they survive the end of the browser, and may not
    /// survive a power cut.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing was written then.
    pub async fn write_relaxed(&self, writes: &[Write]) -> Result<(), DatabaseError> {
        within(LIMIT_MS, self.write_all(writes, "relaxed")).await.unwrap_or(Err(DatabaseError::Late))
    }

    async fn write_all(&self, writes: &[Write], durability: &str) -> Result<(), DatabaseError> {
        let transaction = self.begin("readwrite", durability).await?;
        for write in writes {
            match write {
                Write::Record { store, key, text } => put(&transaction, *store, key, text.as_deref())?,
                Write::Move { from, to, prefix, becomes } => {
                    move_all(&transaction, *from, *to, prefix, *becomes).await?;
                }
            }
        }
        let complete = told(&transaction.transaction, "complete", &["abort", "error"]).await;
        transaction.done();
        if complete {
            return Ok(());
        }
        let full = transaction.transaction.error().is_some_and(|error| error.name() == "QuotaExceededError");
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

    /// The keys of all records that start with `prefix`, and their texts, in order.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn read_with_keys(&self, store: Store, prefix: &str) -> Result<Vec<(String, String)>, DatabaseError> {
        let range = range(prefix)?;
        let keys = self.ask(store, |store| store.get_all_keys_with_key(&range)).await?;
        let mut found = Vec::new();
        for key in Array::from(&keys).iter().filter_map(|key| key.as_string()) {
            let text = self.get(store, &key).await?;
            found.extend(text.map(|text| (key, text)));
        }
        Ok(found)
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
        let ask = async {
            let transaction = self.begin("readonly", STRICT).await?;
            let answer = answer(question(&transaction.store(store)?)).await;
            transaction.done();
            answer
        };
        within(LIMIT_MS, ask).await.unwrap_or(Err(DatabaseError::Late))
    }

    /// Begins a transaction, on a new connection if need be: the browser closes a database under a page, when its files are
    /// cleared or it runs short of memory, and the page gives it up while it is away.
    async fn begin(&self, mode: &str, durability: &str) -> Result<Transaction, DatabaseError> {
        if let Ok(begun) = self.0.begin(mode, durability) {
            return Ok(begun);
        }
        self.0.connection.take();
        self.0.connect().await?;
        self.0.begin(mode, durability)
    }
}

/// Asks the database until it answers, however late.
///
/// # Errors
/// [`DatabaseError`], but not [`DatabaseError::Late`].
pub async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, DatabaseError>
where
    F: Future<Output = Result<T, DatabaseError>>,
{
    loop {
        match ask().await {
            Err(DatabaseError::Late) => {}
            answer => return answer,
        }
    }
}

fn range(prefix: &str) -> Result<IdbKeyRange, DatabaseError> {
    IdbKeyRange::bound(&prefix.into(), &format!("{prefix}\u{ffff}").into()).map_err(|_| DatabaseError::Failed)
}

fn put(transaction: &Transaction, store: Store, key: &str, text: Option<&str>) -> Result<(), DatabaseError> {
    let (store, key) = (transaction.store(store)?, JsValue::from_str(key));
    let asked = match text {
        Some(text) => store.put_with_key(&JsValue::from_str(text), &key),
        None => store.delete(&key),
    };
    asked.map(drop).map_err(|_| DatabaseError::Failed)
}

/// Nothing but the transaction's own requests is awaited in it: else it would end by itself.
async fn move_all(
    transaction: &Transaction,
    from: Store,
    to: Store,
    prefix: &str,
    becomes: fn(&str) -> Option<String>,
) -> Result<(), DatabaseError> {
    let (source, range) = (transaction.store(from)?, range(prefix)?);
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

async fn open() -> Result<Connection, DatabaseError> {
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
    Ok(Connection { database, _version: version })
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
