//! Where a person stands, as hooks and components that any app can use. [`crate::ui::toast`] has the toasts that go with them.
//!
//! ```text
//! #[component]
//! fn Counter(opening: Opening<Tally>) -> impl IntoView {
//!     let tally = RwSignal::new(opening.document.clone());
//!     let document = use_document(opening, WORDS, move |news| {
//!         if let News::View(view) = news {
//!             tally.set(view);
//!         }
//!     });
//!     view! {
//!         <header><ConnectionStatus /></header>
//!         <button on:click=move |_| drop(document.edit(Change::Add(1)))>{move || tally.get().total}</button>
//!         <NetworkIndicator />
//!         <ConnectionToast />
//!     }
//! }
//! ```
//!
//! with `provide_toasts()` and `<Toaster />` around it. `examples/tally` is a whole app.
//!
//! | part | what it is | on the server and before hydration |
//! |---|---|---|
//! | [`use_document`] | opens a document, gives its handle | opens nothing |
//! | [`use_connection`] | status, retry, all that the components know | not connected, nothing pending |
//! | [`use_network_status`] | online, offline, captive, unreachable | unknown |
//! | [`use_synchronized_state`] | behind, syncing with counts, in sync | behind |
//! | [`use_outbox`] | the queue: list, retry, copy, discard, export, import | empty |
//! | [`ConnectionStatus`] | the pill, and the panel that it opens | an empty pill of the same size |
//! | [`NetworkIndicator`] | the strip that says what stands in the way | nothing, in its own place |
//! | [`ConnectionToast`] | one toast for the line going and coming back | nothing |
//! | [`DevNetworkTools`] | makes the network bad | nothing |
//!
//! The stylesheet is `style/connection.css`; it uses the custom properties of `style/tokens.css`.
//!
//! Screen readers hear that the line is down and that it is back, politely; countdown digits they do not; that something may be
//! lost interrupts. All of it is said by the two live regions of [`Toaster`](crate::ui::toast::Toaster).

mod document;
mod handle;
pub mod history;
pub mod indicator;
pub mod latency;
#[cfg(feature = "hydrate")]
mod live;
pub mod outbox;
pub mod panel;
pub mod standing;
pub mod status;
pub mod toast;
pub mod tools;

pub use self::document::{DocumentHandle, News, Words, use_document};
pub use self::handle::{
    ConnectionHandle, Driver, ExportedFile, OutboxHandle, Stand, Unsaved, use_connection, use_network_status,
    use_outbox, use_synchronized_state,
};
pub use self::indicator::NetworkIndicator;
pub use self::outbox::{OutboxList, RefusedList, export_unsaved, import_unsaved};
pub use self::status::ConnectionStatus;
pub use self::toast::ConnectionToast;
pub use self::tools::DevNetworkTools;
