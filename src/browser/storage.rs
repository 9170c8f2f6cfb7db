//! What the device keeps at once, and not much of it: localStorage.

use gloo_storage::{LocalStorage, Storage as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::sync::id::{ChangeId, DocumentId};

/// The device would not keep something: storage is denied, full, or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this browser keeps nothing: its storage is denied or full")]
pub struct NotKept;

/// Whether there is a localStorage at all. `gloo_storage` panics where it is denied, so this is asked first.
#[must_use]
pub fn available() -> bool {
    web_sys::window().is_some_and(|window| matches!(window.local_storage(), Ok(Some(_))))
}

/// Reads a value; `None` if there is none, or none that can be read.
#[must_use]
pub fn read<T: DeserializeOwned>(name: &str) -> Option<T> {
    if !available() {
        return None;
    }
    let value: Value = LocalStorage::get(name).ok()?;
    T::deserialize(&value).ok()
}

/// Writes a value.
///
/// # Errors
/// [`NotKept`]; what was there before is there still.
pub fn write<T: Serialize>(name: &str, value: &T) -> Result<(), NotKept> {
    if !available() {
        return Err(NotKept);
    }
    LocalStorage::set(name, value).map_err(|_| NotKept)
}

/// The names of all records that begin with `prefix`.
#[must_use]
pub fn names(prefix: &str) -> Vec<String> {
    if !available() {
        return Vec::new();
    }
    let storage = LocalStorage::raw();
    let names = (0..LocalStorage::length()).filter_map(|at| storage.key(at).ok().flatten());
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// Reads a record's text; `None` if there is none.
#[must_use]
pub fn read_text(name: &str) -> Option<String> {
    if !available() {
        return None;
    }
    LocalStorage::raw().get_item(name).ok().flatten()
}

/// Writes a record's text.
///
/// # Errors
/// [`NotKept`]; what was there before is there still.
pub fn write_text(name: &str, text: &str) -> Result<(), NotKept> {
    if !available() {
        return Err(NotKept);
    }
    LocalStorage::raw().set_item(name, text).map_err(|_| NotKept)
}

/// Removes a record.
pub fn remove(name: &str) {
    if available() {
        LocalStorage::delete(name);
    }
}

/// The first stage of one document's outbox: one record a change, so that adding one never rewrites the others.
#[derive(Clone, Debug)]
pub struct OutboxStore {
    prefix: String,
}

impl OutboxStore {
    /// The outbox of `document`.
    #[must_use]
    pub fn new(document: DocumentId) -> Self {
        Self { prefix: format!("sheetbend/outbox/{document}/") }
    }

    /// The texts of all records, in no particular order.
    #[must_use]
    pub fn load(&self) -> Vec<String> {
        names(&self.prefix).iter().filter_map(|name| read_text(name)).collect()
    }

    /// Keeps a record, in place of one of the same change.
    ///
    /// # Errors
    /// [`NotKept`].
    pub fn keep(&self, id: ChangeId, text: &str) -> Result<(), NotKept> {
        write_text(&self.name(id), text)
    }

    /// Lets a record go.
    pub fn forget(&self, id: ChangeId) {
        remove(&self.name(id));
    }

    fn name(&self, id: ChangeId) -> String {
        format!("{}{id}", self.prefix)
    }
}
