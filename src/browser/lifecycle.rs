//! What the browser says of the network and of the page.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget};

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

/// Calls `back` when the device says that the network is back, or the person comes back to the page: `online`, page visible
/// again, `resume` after a freeze, `pageshow` from the back-forward cache.
#[must_use]
pub fn on_return(back: impl Fn() + Clone + 'static) -> Vec<Listener> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let Some(document) = window.document() else { return Vec::new() };
    let call = || {
        let back = back.clone();
        move |_| back()
    };
    let visible = {
        let (back, document) = (back.clone(), document.clone());
        move |_| {
            if !document.hidden() {
                back();
            }
        }
    };
    vec![
        Listener::new(window.clone().into(), "online", call()),
        Listener::new(window.into(), "pageshow", call()),
        Listener::new(document.clone().into(), "resume", call()),
        Listener::new(document.into(), "visibilitychange", visible),
    ]
}
