//! One document, open in this page: runs a [`Client`] on the browser's socket, clock and storage.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::StorageEvent;

use super::lifecycle::{Listener, Sign, signs};
use super::probe::probe;
use super::socket::Socket;
use super::storage::{Elsewhere, OutboxStore};
use super::{clock, lifecycle};
use crate::sync::client::{Client, Effect, Event, Settings, SocketEvent, Start, Status, Turn};
use crate::sync::digest::Cursor;
use crate::sync::document::{Document, Refusal};
use crate::sync::id::{ChangeId, ChangeIds, DocumentId, Key, ReplicaId, uuid_v7};
use crate::sync::link::{self, SocketId};
use crate::sync::message::Access;
use crate::sync::network;
use crate::sync::outbox::Kept;

/// What to open.
#[derive(Clone, Debug)]
pub struct Opening<D> {
    /// The document's id: what its outbox is kept under.
    pub id: DocumentId,
    /// Its edit or view key.
    pub key: Key,
    /// The name this person goes by; may be empty.
    pub name: String,
    /// The document as the page came with it.
    pub document: D,
    /// Its place in the log.
    pub cursor: Cursor,
    /// What the key allows.
    pub access: Access,
}

/// What a page is told.
#[derive(Clone, Debug)]
pub enum Notice<D: Document> {
    /// The document as the person sees it is another.
    View(D),
    /// Where the person stands is another.
    Status(Status),
    /// The refused changes that wait for this person are others: all of them, in the order they were made.
    Attention(Vec<Kept<D::Change>>),
    /// The connection took a turn.
    Line(Turn),
    /// A change could not be kept on this device: it is in memory until the server has it.
    NotKept,
}

/// One document, open in this page. Dropping it closes the connection; what was not saved stays kept.
pub struct Session<D: Document> {
    inner: Rc<Inner<D>>,
    _listeners: Vec<Listener>,
}

struct Inner<D: Document> {
    url: String,
    client: RefCell<Client<D>>,
    outbox: OutboxStore,
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
        f.debug_struct("Session").field("status", &self.inner.client.borrow().status()).finish_non_exhaustive()
    }
}

impl<D: Document> Session<D> {
    /// Opens a document and connects. `listener` is told of everything that changes from here on; the first view and status
    /// are told before this returns.
    pub fn open(opening: Opening<D>, listener: impl Fn(Notice<D>) + 'static) -> Self {
        let outbox = OutboxStore::new(opening.id);
        let kept: Vec<Kept<D::Change>> = outbox.load();
        let settings = Settings {
            key: opening.key,
            replica: ReplicaId(uuid_v7(clock::unix_now(), clock::random())),
            name: opening.name,
            link: link::Settings::default(),
            network: network::Settings::default(),
            alone: false,
            seed: u64::from_le_bytes(clock::random()),
        };
        let start = Start {
            document: opening.document,
            cursor: opening.cursor,
            access: opening.access,
            kept,
            retained: Vec::new(),
        };
        let client = Client::new(settings, start);
        let inner = Rc::new_cyclic(|this| Inner {
            url: sync_url(),
            ids: RefCell::new(ChangeIds::after(client.outbox().newest())),
            client: RefCell::new(client),
            outbox,
            socket: RefCell::new(None),
            timer: RefCell::new(None),
            effects: RefCell::new(VecDeque::new()),
            running: Cell::new(false),
            listener: Box::new(listener),
            this: Weak::clone(this),
        });
        let follow = {
            let this = Rc::downgrade(&inner);
            move |sign| {
                let event = match sign {
                    Sign::Online(online) => Event::Hint { online },
                    Sign::Visible(visible) => Event::Visible(visible),
                    Sign::Back => Event::Nudge,
                };
                with(&this, |inner| inner.handle(event));
            }
        };
        inner.carry_out(Effect::ViewChanged);
        inner.handle(Event::Start);
        if !lifecycle::is_online() {
            inner.handle(Event::Hint { online: false });
        }
        let mut listeners = signs(follow);
        listeners.extend(inner.follow_tabs());
        Self { inner, _listeners: listeners }
    }

    /// Makes a change: keeps it, shows it, and sends it when it can.
    ///
    /// # Errors
    /// The reason why it can never be accepted; then nothing was done.
    pub fn edit(&self, change: D::Change) -> Result<ChangeId, Refusal> {
        self.inner.client.borrow().admits(&change)?;
        let made_at = clock::unix_now();
        let newest = self.inner.client.borrow().outbox().newest();
        let id = {
            let mut ids = self.inner.ids.borrow_mut();
            ids.raise(newest);
            ids.next(made_at, clock::random())
        };
        self.inner.handle(Event::Edit(Kept { id, change, made_at, refused: None }));
        Ok(id)
    }

    /// Connects now, whatever the state.
    pub fn retry_now(&self) {
        self.inner.handle(Event::Start);
    }

    /// Lets a refused change go.
    pub fn dismiss(&self, id: ChangeId) {
        self.inner.handle(Event::Dismiss(id));
    }

    /// Own changes that the server refused, in the order they were made.
    #[must_use]
    pub fn attention(&self) -> Vec<Kept<D::Change>> {
        self.inner.client.borrow().outbox().attention().cloned().collect()
    }
}

impl<D: Document> Drop for Session<D> {
    fn drop(&mut self) {
        self.inner.handle(Event::Stop);
    }
}

fn with<D: Document>(this: &Weak<Inner<D>>, act: impl FnOnce(&Inner<D>)) {
    if let Some(inner) = this.upgrade() {
        act(&inner);
    }
}

impl<D: Document> Inner<D> {
    /// Feeds the client and carries out the effects, in order: those of an event that happens meanwhile come behind.
    fn handle(&self, event: Event<D>) {
        let (effects, attention) = {
            let mut client = self.client.borrow_mut();
            let before = client.outbox().refused();
            let effects = client.handle(event, clock::now());
            let after = client.outbox();
            (effects, (after.refused() != before).then(|| after.attention().cloned().collect()))
        };
        self.effects.borrow_mut().extend(effects);
        if self.running.replace(true) {
            return;
        }
        while let Some(effect) = { self.effects.borrow_mut().pop_front() } {
            self.carry_out(effect);
        }
        self.running.set(false);
        if let Some(attention) = attention {
            (self.listener)(Notice::Attention(attention));
        }
        self.set_timer();
    }

    fn carry_out(&self, effect: Effect<D>) {
        match effect {
            Effect::Open(id) => {
                let socket = Socket::open(&self.url, self.on_socket(id));
                self.socket.replace(Some((id, socket)));
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
                if self.outbox.keep(&kept).is_err() {
                    (self.listener)(Notice::NotKept);
                }
            }
            Effect::Saved(kept) => self.outbox.forget(kept.id),
            Effect::Forget(id) => self.outbox.forget(id),
            Effect::Probe(id) => {
                let this = Weak::clone(&self.this);
                spawn_local(async move {
                    let answer = probe(id).await;
                    with(&this, |inner| inner.handle(Event::Probed(id, answer)));
                });
            }
            Effect::Line(turn) => (self.listener)(Notice::Line(turn)),
            Effect::ViewChanged => {
                let view = self.client.borrow().view().clone();
                (self.listener)(Notice::View(view));
            }
            Effect::StatusChanged => {
                let status = self.client.borrow().status();
                (self.listener)(Notice::Status(status));
            }
            // The list of them is told as a whole.
            Effect::Refused(_) => {}
        }
    }

    fn on_socket(&self, id: SocketId) -> impl Fn(SocketEvent) + 'static {
        let this = Weak::clone(&self.this);
        move |event| with(&this, |inner| inner.handle(Event::of_socket(id, event)))
    }

    /// Takes in what other tabs make, so that tabs agree without a network too. Each sends what it holds; ids make that
    /// harmless.
    fn follow_tabs(&self) -> Option<Listener> {
        let (this, window) = (Weak::clone(&self.this), web_sys::window()?);
        let follow = move |event: web_sys::Event| {
            let Ok(event) = event.dyn_into::<StorageEvent>() else { return };
            with(&this, |inner| match inner.outbox.elsewhere::<D::Change>(&event) {
                Some(Elsewhere::Kept(kept)) => inner.handle(Event::Elsewhere(kept)),
                Some(Elsewhere::Forgotten(id)) => inner.handle(Event::Dismiss(id)),
                None => {}
            });
        };
        Some(Listener::new(window.into(), "storage", follow))
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

/// The sync endpoint of the server that the page came from.
fn sync_url() -> String {
    let location = web_sys::window().map(|window| window.location());
    let part = |read: fn(&web_sys::Location) -> Result<String, wasm_bindgen::JsValue>| {
        location.as_ref().and_then(|location| read(location).ok()).unwrap_or_default()
    };
    let scheme = if part(web_sys::Location::protocol) == "https:" { "wss" } else { "ws" };
    format!("{scheme}://{}/api/sync", part(web_sys::Location::host))
}
