//! The page, as Leptos components. Rendered on the server and hydrated in the browser.
//!
//! | module | what it is |
//! |---|---|
//! | [`app`] | the document's shell and the routes |
//! | [`home`] | the boards that this person has opened, and how to start one |
//! | [`open_link`] | opens a board by a link that was pasted |
//! | [`import_preview`] | what an import would make, before it is made |
//! | [`board`] | one board |
//! | [`connection`] | where a person stands; for any app |
//! | [`device`] | what only a browser has; nothing of it on the server |
//! | [`focus`] | keeps the keyboard focus on the page |
//! | [`toast`] | short messages that come and go; for any app |
//! | [`worker`] | the service worker, and new versions |
//! | [`api`] | server functions |

pub mod api;
pub mod app;
pub mod board;
pub mod chosen_file;
pub mod clipboard;
pub mod clock;
pub mod connection;
pub mod device;
pub mod download;
pub mod dynamic;
pub mod focus;
pub mod home;
pub mod icon;
pub mod import_preview;
pub mod keys;
pub mod menu;
pub mod open_link;
pub mod reload;
pub mod text;
pub mod toast;
pub mod worker;
