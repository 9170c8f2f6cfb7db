//! What components know of a connection, and the hooks that give it to them.

use std::rc::Rc;

use leptos::prelude::*;
use send_wrapper::SendWrapper;
use uuid::Uuid;

use super::history::History;
use super::standing::{Standing, not_accepted};
use crate::sync::client::{Status, Synchronized};
use crate::sync::id::ChangeId;
use crate::sync::message::Access;
use crate::sync::network::Network;
use crate::sync::time::UnixMillis;
use crate::ui::toast::{Kind, Toast, Toasts};

/// An own change that is not saved, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaved {
    /// Its id.
    pub id: ChangeId,
    /// What it does, in words.
    pub words: String,
    /// When it was made.
    pub made_at: UnixMillis,
    /// How it stands.
    pub stand: Stand,
    /// The entities that it touches.
    pub entities: Vec<Uuid>,
}

/// How a change stands that is not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It waits.
    Waiting,
    /// It was sent, and there is no word of it yet.
    UnderWay,
    /// The server refused it, for this reason.
    Refused(String),
}

/// A file for the person to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What runs a connection. In a page it is what [`use_document`](super::use_document) opens; on the server there is none.
pub trait Driver {
    /// Connects now.
    fn retry_now(&self);
    /// Measures the line; what comes of it is told to the handle.
    fn measure(&self);
    /// Pending changes, the oldest first, so many at most.
    fn pending(&self, most: usize) -> Vec<Unsaved>;
    /// Refused changes whose author has not decided, in the order they were made.
    fn refused(&self) -> Vec<Unsaved>;
    /// A change with all that its author wrote.
    fn in_full(&self, id: ChangeId) -> Option<String>;
    /// Offers a refused change once more, as a new one.
    ///
    /// # Errors
    /// Why it can never be accepted, for the person.
    fn offer_again(&self, id: ChangeId) -> Result<(), String>;
    /// Lets a change go that is refused, or not on its way.
    fn discard(&self, id: ChangeId);
    /// All that is not saved, as a file; `None` if there is nothing.
    fn export(&self) -> Option<ExportedFile>;
    /// Takes in such a file. Returns how many changes were in it.
    ///
    /// # Errors
    /// Why it was not taken in, for the person.
    fn import(&self, text: &str) -> Result<usize, String>;
}

/// What components know of a connection. Cheap to copy.
#[derive(Clone, Copy)]
pub struct ConnectionHandle {
    /// Where the person stands, as the engine says, at once.
    pub status: RwSignal<Status>,
    /// Where the person stands, as it is shown: what blinks is not in it.
    pub standing: RwSignal<Standing>,
    /// Whether this device keeps every change.
    pub kept: RwSignal<bool>,
    /// Refused changes whose author has not decided.
    pub refused: RwSignal<Vec<Unsaved>>,
    /// What became of the connection.
    pub history: RwSignal<History>,
    /// How long the line took, there and back, in milliseconds: the last measurements, the oldest first.
    pub latency: RwSignal<Vec<u32>>,
    /// When this page and the server were last seen to agree, on the wall clock here; 0 for never.
    pub synced_at: RwSignal<UnixMillis>,
    /// The panel with the details is open.
    pub panel: RwSignal<bool>,
    /// The tools that make the network bad are on the page.
    pub tools: RwSignal<bool>,
    /// Where messages go, if a component above provides toasts.
    toasts: Option<Toasts>,
    /// Wrapped, since the server moves pages between threads; it has no driver, so it never touches one.
    driver: StoredValue<Option<SendWrapper<Rc<dyn Driver>>>>,
}

/// Measurements that are kept.
const MEASURED: usize = 60;

impl ConnectionHandle {
    /// A handle of a connection that was not made yet, known to all components below.
    pub fn provide(access: Access, version: u64) -> Self {
        let handle = Self {
            status: RwSignal::new(Status::initial(access, version)),
            standing: RwSignal::new(Standing::Quiet),
            kept: RwSignal::new(true),
            refused: RwSignal::new(Vec::new()),
            history: RwSignal::new(History::default()),
            latency: RwSignal::new(Vec::new()),
            synced_at: RwSignal::new(0),
            panel: RwSignal::new(false),
            tools: RwSignal::new(false),
            toasts: use_context::<Toasts>(),
            driver: StoredValue::new(None),
        };
        provide_context(handle);
        handle.settle_standing();
        if let Some(toasts) = handle.toasts {
            handle.announce(toasts);
        }
        if cfg!(debug_assertions) {
            Effect::new(move |_| handle.tools.set(true));
        }
        handle
    }

    /// The connection is made: `driver` runs it, for as long as the page is there.
    pub fn drive(&self, driver: Rc<dyn Driver>) {
        self.driver.set_value(Some(SendWrapper::new(driver)));
    }

    /// The page is left: the connection closes. What was not saved stays kept.
    pub fn close(&self) {
        self.driver.try_set_value(None);
    }

    /// The line took so long, there and back.
    pub fn measured(&self, ms: u32) {
        let _ = self.latency.try_update(|latency| {
            latency.push(ms);
            let over = latency.len().saturating_sub(MEASURED);
            latency.drain(..over);
        });
    }

    /// Where the person stands, in a sentence or two.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.standing.get().in_full(self.kept.get())
    }

    /// Connects now.
    pub fn retry_now(&self) {
        if let Some(driver) = self.driver() {
            driver.retry_now();
        }
    }

    /// Tells the person something.
    pub(super) fn tell(&self, kind: Kind, text: impl Into<String>) {
        if let Some(toasts) = self.toasts {
            toasts.show(Toast::new(text).kind(kind));
        }
    }

    pub(super) fn driver(&self) -> Option<Rc<dyn Driver>> {
        self.driver.try_with_value(Clone::clone).flatten().map(SendWrapper::take)
    }

    /// Shows each state once it has lasted for as long as it must.
    fn settle_standing(&self) {
        let (status, shown) = (self.status, self.standing);
        let now = Memo::new(move |_| status.with(Standing::of));
        Effect::new(move |previous: Option<(&'static str, Option<TimeoutHandle>)>| {
            let next = now.get();
            if next.pending() > 0 && shown.get_untracked() == Standing::Saved {
                // Patience is for what is not shown yet. "Saved" is taken back at once.
                shown.set(Standing::Settling);
            }
            if let Some((name, Some(timer))) = previous {
                if name == next.name() && shown.get_untracked().name() != name {
                    // More of the same: it is shown when it was to be shown.
                    return (name, Some(timer));
                }
                timer.clear();
            }
            let patience = next.patience(shown.get_untracked());
            if patience.is_zero() {
                if shown.get_untracked() != next {
                    shown.set(next);
                }
                return (next.name(), None);
            }
            let show = move || {
                if let Some(now) = now.try_get_untracked() {
                    shown.try_set(now);
                }
            };
            (next.name(), set_timeout_with_handle(show, patience).ok())
        });
    }

    /// Has what is news said aloud: that the line is down, and that it is back; politely. That something may be lost interrupts.
    fn announce(&self, toasts: Toasts) {
        let Self { standing, kept, refused, .. } = *self;
        Effect::new(move |before: Option<Standing>| {
            let (before, after) = (before.unwrap_or_default(), standing.get());
            let sentence = after.in_full(kept.get_untracked());
            if after.is_down() && after.name() != before.name() {
                toasts.say(false, sentence);
            } else if before.is_down() && matches!(after, Standing::Attention(_)) {
                // What needs attention is said by itself.
                toasts.say(false, "Connected.");
            } else if before.is_down() && matches!(after, Standing::Saved) {
                toasts.say(false, "Connected. Everything is saved.");
            } else if before.is_down() && !after.is_down() {
                toasts.say(false, format!("Connected. {sentence}"));
            }
            // Between the two, what was said last stands.
            if matches!(after, Standing::Settling) { before } else { after }
        });
        Effect::new(move |was: Option<bool>| {
            let keeps = kept.get();
            match (was.unwrap_or(true), keeps) {
                (true, false) => toasts.say(true, NOT_KEPT),
                (false, true) => toasts.say(false, "Changes are kept on this device again."),
                _ => {}
            }
            keeps
        });
        Effect::new(move |before: Option<Vec<ChangeId>>| {
            let before = before.unwrap_or_default();
            let after: Vec<_> = refused.with(|refused| refused.iter().map(|unsaved| unsaved.id).collect());
            if after.iter().any(|id| !before.contains(id)) {
                toasts.say(false, not_accepted(after.len()));
            }
            after
        });
    }
}

/// What is said when the device does not keep changes.
pub(super) const NOT_KEPT: &str =
    "Changes can't be kept on this device. Leave this page open until everything is saved.";

impl std::fmt::Debug for ConnectionHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionHandle").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The connection of the document around.
///
/// # Panics
/// Where no component above has called [`use_document`](super::use_document).
#[must_use]
pub fn use_connection() -> ConnectionHandle {
    use_context().expect("a component above calls use_document()")
}

/// Where the device stands: online, offline, behind a captive portal, or with the server out of reach. Tells changes only.
///
/// On the server and before hydration: [`Network::Unknown`].
#[must_use]
pub fn use_network_status() -> Signal<Network> {
    let status = use_connection().status;
    Memo::new(move |_| status.with(|status| status.network)).into()
}

/// How far this page and the server agree, with counts. Tells changes only.
///
/// On the server and before hydration: behind, with nothing pending.
#[must_use]
pub fn use_synchronized_state() -> Signal<Synchronized> {
    let status = use_connection().status;
    Memo::new(move |_| status.with(Status::synchronized)).into()
}

/// The queue of own changes that are not saved. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct OutboxHandle(ConnectionHandle);

/// The queue of own changes that are not saved.
#[must_use]
pub fn use_outbox() -> OutboxHandle {
    OutboxHandle(use_connection())
}

impl OutboxHandle {
    /// How many are pending.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.status.with(|status| status.pending)
    }

    /// Whether none is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pending changes, the oldest first, so many at most. Follows the queue.
    #[must_use]
    pub fn pending(&self, most: usize) -> Vec<Unsaved> {
        self.0.status.track();
        self.0.driver().map(|driver| driver.pending(most)).unwrap_or_default()
    }

    /// Refused changes whose author has not decided. Follows them.
    #[must_use]
    pub fn refused(&self) -> Vec<Unsaved> {
        self.0.refused.get()
    }

    /// A change with all that its author wrote, to copy.
    #[must_use]
    pub fn in_full(&self, id: ChangeId) -> Option<String> {
        self.0.driver()?.in_full(id)
    }

    /// Offers a refused change once more, as a new one.
    ///
    /// # Errors
    /// Why it can never be accepted, for the person.
    pub fn offer_again(&self, id: ChangeId) -> Result<(), String> {
        self.0.driver().map_or(Ok(()), |driver| driver.offer_again(id))
    }

    /// Lets a change go that is refused, or not on its way.
    pub fn discard(&self, id: ChangeId) {
        if let Some(driver) = self.0.driver() {
            driver.discard(id);
        }
    }

    /// All that is not saved, as a file; `None` if there is nothing.
    #[must_use]
    pub fn export(&self) -> Option<ExportedFile> {
        self.0.driver()?.export()
    }

    /// Takes in such a file. Returns how many changes were in it; those that were saved before are not made twice.
    ///
    /// # Errors
    /// Why it was not taken in, for the person.
    pub fn import(&self, text: &str) -> Result<usize, String> {
        self.0.driver().map_or(Ok(0), |driver| driver.import(text))
    }
}
