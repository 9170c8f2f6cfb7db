//! A lock that one tab of a browser holds at a time.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

/// Time limit for a lock that is stolen, in milliseconds: it is granted at once, unless the browser's locks do not work.
const STEAL_MS: u32 = 3_000;

/// Whether this browser has locks. It has none on plain http, except from itself.
#[must_use]
pub fn available() -> bool {
    manager().is_some()
}

/// `navigator.locks`, which web-sys does not have yet.
fn manager() -> Option<JsValue> {
    let navigator = web_sys::window()?.navigator();
    Reflect::get(&navigator, &"locks".into()).ok().filter(|locks| locks.is_object())
}

/// A lock that this tab holds, or waits for. Given up when it is dropped.
pub struct Lock(Rc<Inner>);

struct Inner {
    name: String,
    follow: Box<dyn Fn(bool)>,
    /// The present request; what an older one says does not count.
    present: RefCell<Option<Request>>,
    requests: Cell<u64>,
}

/// A request for the lock, and the lock itself once it is granted.
struct Request {
    number: u64,
    held: bool,
    /// Withdraws it while it waits.
    withdraw: Option<AbortController>,
    /// Ends the wait for a lock that is stolen.
    _limit: Option<Timeout>,
    /// Lets the lock go: the browser holds it until the promise that it was given is fulfilled.
    let_go: Rc<RefCell<Option<Function>>>,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.0.present.borrow().as_ref().is_some_and(|request| request.held);
        f.debug_struct("Lock").field("name", &self.0.name).field("held", &held).finish_non_exhaustive()
    }
}

impl Lock {
    /// Asks for the lock called `name`. `follow` is told when this tab has it, and when it has it no more. A lock that is
    /// stolen is asked for again at once.
    pub fn request(name: &str, follow: impl Fn(bool) + 'static) -> Self {
        let inner = Rc::new(Inner {
            name: name.to_owned(),
            follow: Box::new(follow),
            present: RefCell::new(None),
            requests: Cell::new(0),
        });
        inner.ask(false);
        Self(inner)
    }

    /// Takes the lock from whoever has it. If the browser does not answer, this tab goes on as if it had it.
    pub fn steal(&self) {
        let held = self.0.present.borrow().as_ref().is_some_and(|request| request.held);
        if !held {
            self.0.end();
            self.0.ask(true);
        }
    }

    /// Gives the lock up, or stops waiting for it.
    pub fn release(&self) {
        if self.0.end() {
            (self.0.follow)(false);
        }
    }

    /// Asks again after [`Lock::release`].
    pub fn again(&self) {
        if self.0.present.borrow().is_none() {
            self.0.ask(false);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Inner {
    fn ask(self: &Rc<Self>, steal: bool) {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        // The two do not go together.
        let withdraw = if steal { None } else { AbortController::new().ok() };
        let options = Object::new();
        if let Some(withdraw) = &withdraw {
            // Setting a field of a plain object cannot fail.
            let _ = Reflect::set(&options, &"signal".into(), &withdraw.signal());
        } else {
            let _ = Reflect::set(&options, &"steal".into(), &steal.into());
        }
        let let_go = Rc::new(RefCell::new(None));
        let limit = steal.then(|| {
            let this = Rc::downgrade(self);
            Timeout::new(STEAL_MS, move || {
                if let Some(this) = this.upgrade() {
                    this.hold(number);
                }
            })
        });
        let request = Request { number, held: false, withdraw, _limit: limit, let_go: Rc::clone(&let_go) };
        self.present.replace(Some(request));
        let granted = {
            let this = Rc::downgrade(self);
            Closure::once_into_js(move |_lock: JsValue| granted(&this, number, &let_go))
        };
        let Some(asked) = self.call(&options, &granted) else {
            self.present.take();
            return;
        };
        let this = Rc::downgrade(self);
        spawn_local(async move {
            let failed = JsFuture::from(asked).await.is_err();
            if let Some(this) = this.upgrade()
                && failed
                && !this.lost(number)
            {
                // Denied, as where cookies are blocked: no other tab gets it either.
                this.hold(number);
            }
        });
    }

    /// Request `number` has the lock. Returns whether it is the present one.
    fn hold(&self, number: u64) -> bool {
        let newly = {
            let mut present = self.present.borrow_mut();
            let Some(request) = present.as_mut().filter(|request| request.number == number) else { return false };
            !std::mem::replace(&mut request.held, true)
        };
        if newly {
            (self.follow)(true);
        }
        true
    }

    fn call(&self, options: &Object, granted: &JsValue) -> Option<Promise> {
        let manager = manager()?;
        let request = Reflect::get(&manager, &"request".into()).ok()?.dyn_into::<Function>().ok()?;
        request.call3(&manager, &self.name.as_str().into(), options, granted).ok()?.dyn_into::<Promise>().ok()
    }

    /// The lock that request `number` held was stolen. Returns whether it held it.
    fn lost(self: &Rc<Self>, number: u64) -> bool {
        let mine = |request: &mut Request| request.number == number && request.held;
        let lost = self.present.borrow_mut().take_if(mine).is_some();
        if lost {
            (self.follow)(false);
            // Whoever follows may have asked already.
            if self.present.borrow().is_none() {
                self.ask(false);
            }
        }
        lost
    }

    /// Ends the present request. Returns whether that gave the lock up.
    fn end(&self) -> bool {
        let Some(request) = self.present.take() else { return false };
        if let Some(let_go) = request.let_go.take() {
            let _ = let_go.call0(&JsValue::NULL);
        } else if let Some(withdraw) = request.withdraw {
            withdraw.abort();
        }
        request.held
    }
}

/// The browser grants request `number`. Returns the promise that it holds the lock for.
fn granted(this: &Weak<Inner>, number: u64, let_go: &RefCell<Option<Function>>) -> JsValue {
    let Some(this) = this.upgrade() else { return JsValue::UNDEFINED };
    let promise = Promise::new(&mut |fulfil, _| {
        let_go.replace(Some(fulfil));
    });
    if this.hold(number) { promise.into() } else { JsValue::UNDEFINED }
}
