//! Short messages that come and go, for any app: a stack of them, and the page's live regions.
//!
//! ```text
//! #[component]
//! fn App() -> impl IntoView {
//!     let toasts = provide_toasts();
//!     let archive = move |_| {
//!         toasts.show(Toast::new("Card archived.").action("Undo", || undo()));
//!     };
//!     view! {
//!         <button on:click=archive>"Archive"</button>
//!         <Toaster />
//!     }
//! }
//! ```
//!
//! | part | what it is |
//! |---|---|
//! | [`Toast`] | one message: its kind, how long it stays, what can be done about it |
//! | [`Toasts`] | the handle: shows, updates and dismisses |
//! | [`Toaster`] | the component; one a page |
//! | [`stack`] | which are there, and until when: pure |
//!
//! **On the server** a [`Toaster`] renders an empty stack and its two live regions, so that screen readers know the regions before
//! they speak. Handles may be made there; what is shown on them is not rendered.

mod handle;
pub mod stack;
pub mod toaster;

pub use self::handle::{Toasts, provide_toasts, use_toasts};
pub use self::stack::{Action, Kind, Logged, Toast, ToastId};
pub use self::toaster::Toaster;
