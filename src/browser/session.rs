//! One document, open in this page: runs a [`Client`] on the browser's socket, clock and storage.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use gloo_timers::callback::{Interval, Timeout};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use super::boards::{self, NotCreated};
use super::channel::Channel;
use super::database::{self, Database};
use super::keeper::{Keeper, Keeping};
use super::lifecycle::{Listener, Sign, signs};
use super::lock::{self, Lock};
use super::probe::probe;
use super::socket::{Socket, websocket_opens};
use super::storage::OutboxStore;
use super::{clock, lifecycle};
use crate::sync::client::{
    Client, Effect, Event, Opening, Patience, Reading, Recalled, Settings, SocketEvent, Start, Status, Turn, Voice,
};
use crate::sync::digest::Cursor;
use crate::sync::document::{Document, Refusal};
use crate::sync::id::{ChangeId, ChangeIds, DocumentId, Key, ReplicaId, uuid_v7};
use crate::sync::link::{self, SocketId};
use crate::sync::message::ByeCode;
use crate::sync::network;
use crate::sync::outbox::{Kept, Mark};
use crate::sync::retained::Confirmed;
use crate::sync::transport;

/// A document as the device keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "D: DeserializeOwned"))]
pub struct KeptDocument<D> {
    /// As it was confirmed at `cursor`.
    pub document: D,
    /// Its place in the log.
    pub cursor: Cursor,
}

/// The document `id` as this device keeps it; `None` if it does not. Waits for the device for as long as it takes.
pub async fn kept_document<D: Document>(id: DocumentId) -> Option<KeptDocument<D>> {
    let get = async || Database::open().await?.get(database::Store::Documents, &id.to_string()).await;
    let text = database::patiently(get).await.ok()??;
    read(&text)
}

/// Whether this device has changes to the document `id` that are not saved. Waits for the device for as long as it takes.
pub async fn has_unsent(id: DocumentId) -> bool {
    let read = async || Database::open().await?.read(database::Store::Outbox, &format!("{id}/")).await;
    !OutboxStore::new(id).load().is_empty() || database::patiently(read).await.is_ok_and(|texts| !texts.is_empty())
}

/// What tabs tell each other of the outbox that they share.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", bound(deserialize = "C: DeserializeOwned"))]
enum Word<C> {
    /// This change is kept.
    Kept(Kept<C>),
    /// This one is let go.
    Forgotten(ChangeId),
    /// All of them were given away, as a file.
    TakenAlong,
}

/// What a page is told.
#[derive(Clone, Debug)]
pub enum Notice<D: Document> {
    /// The document as the person sees it is another.
    View(D),
    /// Changes of others were applied, in the order of the log. What a snapshot has in it already is not told one by one.
    Remote(Vec<D::Change>),
    /// Where the person stands is another.
    Status(Status),
    /// The refused changes that wait for this person are others: all of them, in the order they were made, and the document as the
    /// person sees it.
    Attention(D, Vec<Kept<D::Change>>),
    /// The connection took a turn.
    Line(Turn),
    /// Whether this device keeps every change. Those that it does not are in memory until the server has them.
    Kept(bool),
    /// The server knows the document now, which was made here.
    Registered,
    /// These entities stand otherwise with this person's changes than they did.
    Marks(Vec<(Uuid, Mark)>),
    /// The line took so long, there and back.
    Measured(Duration),
}

/// One document, open in this page. Dropping it closes the connection; what was not saved stays kept. If the device keeps it not, the
/// connection stays until it is saved or the document is opened again: then the next session takes it over.
pub struct Session<D: Document>(Rc<Open<D>>);

/// A session with what drives it.
struct Open<D: Document> {
    inner: Rc<Inner<D>>,
    _listeners: Vec<Listener>,
    _asleep: Interval,
}

thread_local! {
    /// Sessions that were left with changes that are only in memory.
    static LEFT: RefCell<HashMap<DocumentId, Left>> = RefCell::default();
}

/// A session that was left.
struct Left {
    /// An [`Open`].
    session: Rc<dyn Any>,
    /// Asks before the page goes with it.
    _guard: Option<Listener>,
}

struct Inner<D: Document> {
    client: RefCell<Client<D>>,
    id: DocumentId,
    key: Key,
    keeper: Keeper,
    channel: RefCell<Option<Channel>>,
    lock: RefCell<Option<Lock>>,
    /// This tab has the lock.
    held: Cell<bool>,
    /// The document's place in the log as it was last handed to the keeper; `None` until what the device kept was recalled.
    stored: Cell<Option<Cursor>>,
    storing: RefCell<Option<Timeout>>,
    ids: RefCell<ChangeIds>,
    socket: RefCell<Option<(SocketId, Socket)>>,
    timer: RefCell<Option<Timeout>>,
    effects: RefCell<VecDeque<Effect<D>>>,
    running: Cell<bool>,
    listener: Box<dyn Fn(Notice<D>)>,
    this: Weak<Self>,
}

impl<D: Document> fmt::Debug for Session<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("status", &self.0.inner.client.borrow().status()).finish_non_exhaustive()
    }
}

impl<D: Document> Session<D> {
    /// Opens a document and connects. `listener` is told of everything that changes from here on; the first view and status
    /// are told before this returns.
    pub fn open(opening: Opening<D>, listener: impl Fn(Notice<D>) + 'static) -> Self {
        let inner = Rc::new_cyclic(|this| Inner::new(opening, Box::new(listener), Weak::clone(this)));
        let follow = {
            let this = Rc::downgrade(&inner);
            move |sign| with(&this, |inner| inner.take_sign(sign))
        };
        inner.carry_out(Effect::ViewChanged);
        inner.carry_out(Effect::StatusChanged);
        let kept = inner.client.borrow_mut().marked();
        inner.carry_out(Effect::Marked(kept));
        inner.channel.replace(inner.follow_tabs());
        spawn_local(Rc::clone(&inner).begin());
        let asleep = {
            let this = Rc::downgrade(&inner);
            lifecycle::after_sleep(move || with(&this, |inner| inner.handle(Event::Nudge)))
        };
        let left = LEFT.with_borrow_mut(|left| left.remove(&inner.id));
        if let Some(left) = left.and_then(|left| left.session.downcast::<Open<D>>().ok()) {
            inner.handle(Event::Admit(left.inner.client.borrow_mut().take_along()));
            left.inner.end();
        }
        Self(Rc::new(Open { inner, _listeners: signs(follow), _asleep: asleep }))
    }

    /// Makes a change: keeps it, shows it, and sends it when it can.
    ///
    /// # Errors
    /// The reason why it can never be accepted; then nothing was done.
    pub fn edit(&self, change: D::Change) -> Result<ChangeId, Refusal> {
        self.0.inner.client.borrow().admits(&change)?;
        let made_at = clock::unix_now();
        let newest = self.0.inner.client.borrow().outbox().newest();
        let id = {
            let mut ids = self.0.inner.ids.borrow_mut();
            ids.raise(newest);
            ids.next(made_at, clock::random())
        };
        self.0.inner.handle(Event::Edit(Kept::new(id, change, made_at)));
        Ok(id)
    }

    /// Connects now, whatever the state.
    pub fn retry_now(&self) {
        self.0.inner.handle(Event::Start);
    }

    /// Lets a change go that is refused, or not on its way.
    pub fn discard(&self, id: ChangeId) {
        self.0.inner.handle(Event::Discard(id));
    }

    /// Measures how long the line takes, there and back. Without a line nothing comes of it.
    pub fn measure(&self) {
        self.0.inner.handle(Event::Measure);
    }

    /// The document's id.
    #[must_use]
    pub fn id(&self) -> DocumentId {
        self.0.inner.id
    }

    /// Looks at the client.
    pub fn look<R>(&self, read: impl FnOnce(&Client<D>) -> R) -> R {
        read(&self.0.inner.client.borrow())
    }

    /// Own changes that are not saved: pending ones, then refused ones.
    #[must_use]
    pub fn unsent(&self) -> Vec<Kept<D::Change>> {
        self.0.inner.tell_tabs(&Word::TakenAlong);
        self.0.inner.client.borrow_mut().take_along()
    }

    /// Takes in changes from a file. Those that are here already, or in the log, are not made again.
    pub fn admit(&self, changes: Vec<Kept<D::Change>>) {
        self.0.inner.handle(Event::Admit(changes));
    }
}

impl<D: Document> Drop for Session<D> {
    fn drop(&mut self) {
        let inner = &self.0.inner;
        if !inner.is_only_in_memory() {
            inner.end();
            return;
        }
        let guard = web_sys::window()
            .map(|window| Listener::new(window.into(), "beforeunload", |event| event.prevent_default()));
        let left = Left { session: Rc::clone(&self.0) as Rc<dyn Any>, _guard: guard };
        LEFT.with_borrow_mut(|all| all.insert(inner.id, left));
    }
}

/// From a change to the document to its being kept.
const STORE_AFTER_MS: u32 = 1_000;

/// What a record says, by way of [`Value`]: one decoder of each type in a page, not one for each way in.
fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    let value: Value = serde_json::from_str(text).ok()?;
    T::deserialize(&value).ok()
}

/// What records say. One that cannot be read, as a newer version's, stays where it is.
fn read_all<T: DeserializeOwned>(texts: &[String]) -> Vec<T> {
    texts.iter().filter_map(|text| read(text)).collect()
}

/// What the record of a saved change says in the outbox.
fn back_to_outbox<C: Serialize + DeserializeOwned>(text: &str) -> Option<String> {
    read::<Confirmed<C>>(text).map(|confirmed| write(&confirmed.kept))
}

fn write<T: Serialize>(value: &T) -> String {
    // Records are plain data with string keys: writing them cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn with<D: Document>(this: &Weak<Inner<D>>, act: impl FnOnce(&Inner<D>)) {
    if let Some(inner) = this.upgrade() {
        act(&inner);
    }
}

impl<D: Document> Inner<D> {
    fn is_only_in_memory(&self) -> bool {
        !self.keeper.keeps_all() && !self.client.borrow().outbox().is_empty()
    }

    /// Ends a session that was left, once nothing of it is in memory only.
    fn leave(&self) {
        let id = self.id;
        // Not from inside its own turn.
        spawn_local(async move {
            let left = LEFT.with_borrow_mut(|left| left.remove(&id));
            if let Some(left) = left.and_then(|left| left.session.downcast::<Open<D>>().ok()) {
                left.inner.end();
            }
        });
    }

    fn end(&self) {
        self.store_document();
        self.handle(Event::Stop);
        self.lock.take();
        self.channel.take();
    }

    fn new(opening: Opening<D>, listener: Box<dyn Fn(Notice<D>)>, this: Weak<Self>) -> Self {
        let keeper = {
            let this = Weak::clone(&this);
            Keeper::new(opening.id, back_to_outbox::<D::Change>, move |keeping| {
                with(&this, |inner| match keeping {
                    Keeping::OfferedAgain => inner.read_again(),
                    Keeping::Kept => {
                        (inner.listener)(Notice::Kept(true));
                        inner.leave();
                    }
                    Keeping::InMemory { .. } => (inner.listener)(Notice::Kept(false)),
                });
            })
        };
        let settings = Settings {
            key: opening.key.clone(),
            replica: ReplicaId(uuid_v7(clock::unix_now(), clock::random())),
            name: opening.name,
            link: link::Settings::default(),
            transport: Some(transport::Settings::default()),
            network: network::Settings::default(),
            patience: Patience::default(),
            voice: if lock::available() { Voice::Silent } else { Voice::Shared },
            seed: u64::from_le_bytes(clock::random()),
        };
        let start = Start {
            document: opening.document,
            cursor: opening.cursor,
            access: opening.access,
            kept: read_all(&keeper.early()),
            registered: opening.registered,
        };
        let client = Client::new(settings, start);
        Self {
            id: opening.id,
            key: opening.key,
            ids: RefCell::new(ChangeIds::after(client.outbox().newest())),
            client: RefCell::new(client),
            keeper,
            channel: RefCell::new(None),
            lock: RefCell::new(None),
            held: Cell::new(false),
            stored: Cell::new(None),
            storing: RefCell::new(None),
            socket: RefCell::new(None),
            timer: RefCell::new(None),
            effects: RefCell::new(VecDeque::new()),
            running: Cell::new(false),
            listener,
            this,
        }
    }

    /// Recalls what the device kept, then connects, then asks for the voice.
    ///
    /// Before the first, a rewound server would not be known for one, and older changes would be overtaken.
    async fn begin(self: Rc<Self>) {
        let known = self.recall().await;
        if !known {
            // The page may be gone in a moment, and is to open without a network from now on.
            self.write_document();
        }
        if !lifecycle::is_visible() {
            self.handle(Event::Visible(false));
        }
        self.handle(Event::Start);
        if !lifecycle::is_online() {
            self.handle(Event::Hint { online: false });
        }
        if lock::available() {
            let this = Weak::clone(&self.this);
            let speak = move |held| {
                with(&this, |inner| {
                    inner.held.set(held);
                    if held {
                        inner.read_again();
                    } else {
                        inner.handle(Event::Voice(Voice::Silent));
                    }
                });
            };
            self.lock.replace(Some(Lock::request(&format!("sheetbend/{}", self.id), speak)));
        }
    }

    /// Takes in what the device keeps. Returns whether it keeps the document, or is not to be asked to.
    async fn recall(&self) -> bool {
        // Only a page that has not begun takes the document.
        let loaded = self.keeper.load(self.stored.get().is_none()).await;
        let document = loaded.document.as_deref().and_then(read::<KeptDocument<D>>);
        let works = loaded.reading == Reading::Done;
        let known = document.is_some() || !works;
        if works && self.stored.get().is_none() {
            self.stored.set(Some(document.as_ref().map(|kept| kept.cursor).unwrap_or_default()));
        }
        let mut kept = read_all(&self.keeper.early());
        kept.extend(read_all(&loaded.outbox));
        self.handle(Event::Recalled(Recalled {
            reading: loaded.reading,
            kept,
            retained: read_all(&loaded.saved),
            document: document.map(|kept| (kept.document, kept.cursor)),
        }));
        known
    }

    /// Takes in what the device keeps once more: another tab may have kept something in its last moment, and told nobody. Then it
    /// speaks, if it has the lock.
    fn read_again(&self) {
        let Some(this) = self.this.upgrade() else { return };
        spawn_local(async move {
            this.recall().await;
            if this.held.get() {
                this.handle(Event::Voice(Voice::Sole));
            }
        });
    }

    fn take_sign(&self, sign: Sign) {
        match sign {
            Sign::Online(online) => self.handle(Event::Hint { online }),
            Sign::Visible(visible) => {
                if visible {
                    self.read_again();
                } else {
                    self.store_document();
                }
                self.handle(Event::Visible(visible));
            }
            // A page that is put to sleep with the lock would be waited for.
            Sign::Leaving => {
                self.store_document();
                if let Some(lock) = &*self.lock.borrow() {
                    lock.release();
                }
            }
            Sign::Back => {
                if let Some(lock) = &*self.lock.borrow() {
                    lock.again();
                }
                self.handle(Event::Nudge);
            }
        }
    }

    /// Feeds the client and carries out the effects, in order: those of an event that happens meanwhile come behind.
    fn handle(&self, event: Event<D>) {
        let effects = self.client.borrow_mut().handle(event, clock::now());
        self.effects.borrow_mut().extend(effects);
        if self.running.replace(true) {
            return;
        }
        while let Some(effect) = { self.effects.borrow_mut().pop_front() } {
            self.carry_out(effect);
        }
        self.running.set(false);
        self.store_soon();
        self.set_timer();
    }

    fn carry_out(&self, effect: Effect<D>) {
        match effect {
            Effect::Open(id, transport) => {
                let socket = Socket::open(transport, self.on_socket(id));
                self.socket.replace(Some((id, socket)));
            }
            Effect::TryWebSocket => {
                let this = Weak::clone(&self.this);
                spawn_local(async move {
                    if websocket_opens().await {
                        with(&this, |inner| inner.handle(Event::WebSocketOpened));
                    }
                });
            }
            Effect::Send(id, text) => {
                if let Some((present, socket)) = &*self.socket.borrow()
                    && *present == id
                {
                    socket.send(text);
                }
            }
            Effect::Close(id) => {
                self.socket.borrow_mut().take_if(|(present, _)| *present == id);
            }
            Effect::Keep(kept) => {
                self.keeper.keep(kept.id, write(&kept));
                self.tell_tabs(&Word::Kept(kept));
            }
            Effect::Saved(confirmed) => self.keeper.save(confirmed.kept.id, write(&confirmed)),
            Effect::Forget(id) => {
                self.keeper.forget(id);
                self.tell_tabs(&Word::Forgotten(id));
            }
            Effect::TakeOver => {
                if let Some(lock) = &*self.lock.borrow() {
                    lock.steal();
                }
            }
            Effect::Register(id) => {
                let (this, document, key) = (Weak::clone(&self.this), self.id, self.key.clone());
                spawn_local(async move {
                    let event = match boards::create(document, &key).await {
                        Ok(()) => Event::Registered(id),
                        // Nothing helps: the id or the key is another's.
                        Err(NotCreated::Refused(400..=407 | 409..=428)) => {
                            Event::Closed(id, ByeCode::UnknownKey.close_code())
                        }
                        Err(_) => Event::Closed(id, 1006),
                    };
                    with(&this, |inner| {
                        if matches!(event, Event::Registered(_)) {
                            (inner.listener)(Notice::Registered);
                        }
                        inner.handle(event);
                    });
                });
            }
            Effect::Probe(id) => {
                let this = Weak::clone(&self.this);
                spawn_local(async move {
                    let answer = probe(id).await;
                    with(&this, |inner| inner.handle(Event::Probed(id, answer)));
                });
            }
            Effect::Line(turn) => {
                if matches!(turn, Turn::Rewound { .. }) {
                    self.keeper.offer_again();
                }
                (self.listener)(Notice::Line(turn));
            }
            Effect::Remote(changes) => (self.listener)(Notice::Remote(changes)),
            Effect::ViewChanged => {
                let view = self.client.borrow().view().clone();
                (self.listener)(Notice::View(view));
            }
            Effect::StatusChanged => {
                let status = self.client.borrow().status();
                (self.listener)(Notice::Status(status));
            }
            Effect::Marked(entities) => {
                let marks = {
                    let client = self.client.borrow();
                    entities.into_iter().map(|entity| (entity, client.outbox().mark(entity))).collect()
                };
                (self.listener)(Notice::Marks(marks));
            }
            Effect::AttentionChanged => {
                let (view, attention) = {
                    let client = self.client.borrow();
                    (client.view().clone(), client.outbox().attention().cloned().collect())
                };
                (self.listener)(Notice::Attention(view, attention));
            }
            Effect::Measured(time) => (self.listener)(Notice::Measured(time)),
            // The list of them, and the view, are told as a whole.
            Effect::Refused(_) | Effect::Heard(_) => {}
        }
    }

    fn on_socket(&self, id: SocketId) -> impl Fn(SocketEvent) + 'static {
        let this = Weak::clone(&self.this);
        move |event| with(&this, |inner| inner.handle(Event::of_socket(id, event)))
    }

    /// Takes in what other tabs make, so that tabs agree without a network too.
    fn follow_tabs(&self) -> Option<Channel> {
        let this = Weak::clone(&self.this);
        Channel::open(&format!("sheetbend/{}", self.id), move |text| match read::<Word<D::Change>>(&text) {
            Some(Word::Kept(kept)) => with(&this, |inner| inner.handle(Event::Elsewhere(kept))),
            Some(Word::Forgotten(id)) => with(&this, |inner| inner.handle(Event::Discard(id))),
            Some(Word::TakenAlong) => with(&this, |inner| inner.handle(Event::TakenAlong)),
            None => {}
        })
    }

    fn tell_tabs(&self, word: &Word<D::Change>) {
        if let Some(channel) = &*self.channel.borrow() {
            channel.post(&write(word));
        }
    }

    /// The document is kept a moment after it has changed, since it is written whole.
    fn store_soon(&self) {
        let changed = self.stored.get().is_some_and(|stored| stored != self.client.borrow().confirmed().1);
        if changed && self.storing.borrow().is_none() {
            let this = Weak::clone(&self.this);
            self.storing.replace(Some(Timeout::new(STORE_AFTER_MS, move || with(&this, Self::store_document))));
        }
    }

    /// Keeps the document as it is confirmed now, if that is another than is kept.
    fn store_document(&self) {
        self.storing.take();
        if self.stored.get().is_some_and(|stored| stored != self.client.borrow().confirmed().1) {
            self.write_document();
        }
    }

    fn write_document(&self) {
        let client = self.client.borrow();
        let (document, cursor) = client.confirmed();
        self.keeper.set_document(write(&KeptDocument { document, cursor }));
        self.stored.set(Some(cursor));
    }

    /// One timer, for the client's deadline.
    fn set_timer(&self) {
        let due = self.client.borrow().deadline();
        let timer = due.map(|due| {
            let this = Weak::clone(&self.this);
            let wait = due.since(clock::now()).as_millis();
            // One more, since the browser's timers may fire a fraction early; `setTimeout` takes at most 2³¹ - 1.
            let wait = i32::try_from(wait + 1).unwrap_or(i32::MAX).unsigned_abs();
            Timeout::new(wait, move || with(&this, |inner| inner.handle(Event::Wake)))
        });
        self.timer.replace(timer);
    }
}
