//! What the browser says of the network and of the page.

use std::cell::Cell;

use gloo_timers::callback::Interval;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget};

use super::clock;
use super::simulator::Simulator;

/// How often a page looks whether the device was asleep.
const LOOK_EVERY_MS: u32 = 2_000;

/// A look that comes later than this is taken for the end of a sleep.
const ASLEEP_MS: u64 = 7_000;

/// A listener that is taken off when it is dropped.
#[derive(Debug)]
pub struct Listener {
    target: EventTarget,
    name: &'static str,
    callback: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Listens to the event `name` of `target`.
    pub fn new(target: EventTarget, name: &'static str, callback: impl FnMut(Event) + 'static) -> Self {
        let callback = Closure::<dyn FnMut(Event)>::new(callback);
        // Adding a listener cannot fail: the DOM defines no error for it.
        let _ = target.add_event_listener_with_callback(name, callback.as_ref().unchecked_ref());
        Self { target, name, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.name, self.callback.as_ref().unchecked_ref());
    }
}

/// What the browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The device says that it is online, or not: a hint.
    Online(bool),
    /// The page can be seen, or not.
    Visible(bool),
    /// The page is left, or put to sleep: it may never run again.
    Leaving,
    /// The page runs again after a freeze, or is back from the back-forward cache.
    Back,
}

/// What the device says now of its network.
#[must_use]
pub fn is_online() -> bool {
    let says = web_sys::window().is_none_or(|window| window.navigator().on_line());
    says && !Simulator::of_page().is_offline()
}

/// Whether somebody may see the page.
#[must_use]
pub fn is_visible() -> bool {
    web_sys::window().and_then(|window| window.document()).is_none_or(|document| !document.hidden())
}

/// Calls `woken` after the device was asleep, for as long as the interval is kept. Browsers have no event for that while a page stays
/// visible, and the clock of most pages stands still meanwhile, so the wall clock tells. Of hidden pages it tells nothing: their timers
/// are late anyway.
pub fn after_sleep(woken: impl Fn() + 'static) -> Interval {
    let looked = Cell::new(clock::unix_now());
    Interval::new(LOOK_EVERY_MS, move || {
        let now = clock::unix_now();
        if now.saturating_sub(looked.replace(now)) > ASLEEP_MS && is_visible() {
            woken();
        }
    })
}

/// Tells `follow` what the browser says of the network and of the page, for as long as the listeners are kept.
#[must_use]
pub fn signs(follow: impl Fn(Sign) + Clone + 'static) -> Vec<Listener> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let Some(document) = window.document() else { return Vec::new() };
    let say = |sign: Sign| {
        let follow = follow.clone();
        move |_: Event| follow(sign)
    };
    let visibility = {
        let (follow, document) = (follow.clone(), document.clone());
        move |_: Event| follow(Sign::Visible(!document.hidden()))
    };
    vec![
        Listener::new(window.clone().into(), "online", say(Sign::Online(true))),
        Listener::new(window.clone().into(), "offline", say(Sign::Online(false))),
        Listener::new(window.clone().into(), "pagehide", say(Sign::Leaving)),
        Listener::new(window.into(), "pageshow", say(Sign::Back)),
        Listener::new(document.clone().into(), "freeze", say(Sign::Leaving)),
        Listener::new(document.clone().into(), "resume", say(Sign::Back)),
        Listener::new(document.into(), "visibilitychange", visibility),
    ]
}
