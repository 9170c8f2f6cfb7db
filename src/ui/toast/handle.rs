//! The handle that shows toasts.

use std::borrow::Cow;
use std::future::Future;

use leptos::prelude::*;

use super::stack::{Kind, Logged, Pause, Stack, Toast, ToastId};
use crate::ui::clock;

/// Something said aloud by a live region. Each is a node of its own: the same words again are said again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) number: u64,
    pub(super) text: String,
}

/// Shows, updates and dismisses toasts, and has things said by screen readers. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Toasts {
    pub(super) stack: RwSignal<Stack>,
    pub(super) polite: RwSignal<Said>,
    pub(super) assertive: RwSignal<Said>,
}

/// Makes the page's toasts known to all components below. Put one [`Toaster`](super::Toaster) on the page.
#[must_use]
pub fn provide_toasts() -> Toasts {
    let toasts = Toasts {
        stack: RwSignal::new(Stack::default()),
        polite: RwSignal::new(Said::default()),
        assertive: RwSignal::new(Said::default()),
    };
    provide_context(toasts);
    toasts
}

/// The page's toasts.
///
/// # Panics
/// Where no component above has called [`provide_toasts`].
#[must_use]
pub fn use_toasts() -> Toasts {
    use_context().expect("a component above calls provide_toasts()")
}

impl Toasts {
    /// Shows a toast, and has it said aloud: politely, unless something may be lost.
    pub fn show(&self, toast: Toast) -> ToastId {
        self.say(toast.kind == Kind::Danger, toast.text.clone());
        self.show_silently(toast)
    }

    /// Shows a plain message.
    pub fn show_text(&self, text: impl Into<String>) {
        self.show(Toast::new(text));
    }

    /// Shows a toast that says what was said already.
    pub fn show_silently(&self, toast: Toast) -> ToastId {
        let shown = self.stack.try_update(|stack| stack.show(toast, clock::now(), clock::unix_now()));
        // It is gone only with the page.
        shown.unwrap_or(ToastId::Numbered(0))
    }

    /// Shows a toast in the place of the one that is known by `id`, and has it said; as a new one, if that is gone.
    pub fn update(&self, id: &ToastId, toast: Toast) -> ToastId {
        self.say(toast.kind == Kind::Danger, toast.text.clone());
        let shown = self.stack.try_update(|stack| stack.update(id, toast, clock::now(), clock::unix_now()));
        shown.unwrap_or(ToastId::Numbered(0))
    }

    /// Takes a toast away, if it is there.
    pub fn dismiss(&self, id: &ToastId) {
        if self.stack.try_update_untracked(|stack| stack.dismiss(id)) == Some(true) {
            self.stack.notify();
        }
    }

    /// No toast's time runs while one of the reasons holds.
    pub(super) fn pause(&self, why: Pause, holds: bool) {
        if self.stack.try_update_untracked(|stack| stack.pause(why, holds, clock::now())) == Some(true) {
            self.stack.notify();
        }
    }

    /// Takes away the toast of this name, if it is there.
    pub fn dismiss_named(&self, name: impl Into<Cow<'static, str>>) {
        self.dismiss(&ToastId::Named(name.into()));
    }

    /// Shows that something is under way until `work` has come to its end, then what came of it, in the same place.
    pub fn promise<T: 'static>(
        &self,
        under_way: impl Into<String>,
        work: impl Future<Output = T> + 'static,
        outcome: impl FnOnce(T) -> Toast + 'static,
    ) {
        let this = *self;
        let id = self.show(Toast::new(under_way).kind(Kind::Busy).lasting());
        leptos::task::spawn_local(async move {
            let toast = outcome(work.await);
            this.update(&id, toast);
        });
    }

    /// Has something said by screen readers, and shows nothing. What may be lost interrupts (`urgent`), nothing else does.
    pub fn say(&self, urgent: bool, text: impl Into<String>) {
        let region = if urgent { self.assertive } else { self.polite };
        let text = text.into();
        // The page is gone: nobody listens.
        let _ = region.try_update(|said| *said = Said { number: said.number + 1, text });
    }

    /// What was shown, the last first.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        self.stack.with(|stack| stack.log().iter().cloned().collect())
    }
}
