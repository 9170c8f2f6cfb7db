//! What tabs of one browser tell each other.

use std::fmt;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use super::lifecycle::Listener;

/// A channel to the other tabs. Closed when it is dropped.
pub struct Channel {
    channel: BroadcastChannel,
    _listener: Listener,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.channel.name()).finish()
    }
}

impl Channel {
    /// Opens the channel called `name`; what other tabs post there is told to `listener`, in the order in which each posts it.
    /// `None` in a browser that has none.
    pub fn open(name: &str, listener: impl Fn(String) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
        let hear = move |event: web_sys::Event| {
            if let Some(text) = event.dyn_ref::<MessageEvent>().and_then(|message| message.data().as_string()) {
                listener(text);
            }
        };
        let listener = Listener::new(channel.clone().into(), "message", hear);
        Some(Self { channel, _listener: listener })
    }

    /// Tells the other tabs.
    pub fn post(&self, text: &str) {
        // It fails only once the channel is closed, and that is when this is gone.
        let _ = self.channel.post_message(&JsValue::from_str(text));
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.close();
    }
}
