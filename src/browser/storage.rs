//! What the device keeps, in localStorage: one record a change, so that adding one never rewrites the others.

use gloo_storage::{LocalStorage, Storage as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use web_sys::StorageEvent;

use crate::sync::id::{ChangeId, DocumentId};
use crate::sync::outbox::Kept;

/// The device would not keep something: storage is denied, full, or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this browser keeps nothing: its storage is denied or full")]
pub struct NotKept;

/// Whether there is a localStorage at all. `gloo_storage` panics where it is denied, so this is asked first.
fn available() -> bool {
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

/// What another tab has done to the outbox that all of them share.
#[derive(Clone, Debug, PartialEq)]
pub enum Elsewhere<C> {
    /// It keeps a change.
    Kept(Kept<C>),
    /// It has let one go: the server has it, or its author does not want it any more.
    Forgotten(ChangeId),
}

/// The outbox of one document on this device.
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

    /// Everything kept, in no particular order. A record that cannot be read is left where it is.
    #[must_use]
    pub fn load<C: DeserializeOwned>(&self) -> Vec<Kept<C>> {
        if !available() {
            return Vec::new();
        }
        let storage = LocalStorage::raw();
        let names = (0..LocalStorage::length()).filter_map(|at| storage.key(at).ok().flatten());
        names.filter(|name| name.starts_with(&self.prefix)).filter_map(|name| read(&name)).collect()
    }

    /// Keeps a record, in place of one with the same id.
    ///
    /// # Errors
    /// [`NotKept`].
    pub fn keep<C: Serialize>(&self, kept: &Kept<C>) -> Result<(), NotKept> {
        write(&self.name(kept.id), kept)
    }

    /// Lets a record go.
    pub fn forget(&self, id: ChangeId) {
        if available() {
            LocalStorage::delete(self.name(id));
        }
    }

    /// What another tab has done to this outbox, by the event that the browser tells of it.
    #[must_use]
    pub fn elsewhere<C: DeserializeOwned>(&self, event: &StorageEvent) -> Option<Elsewhere<C>> {
        let name = event.key()?;
        let id = name.strip_prefix(&self.prefix)?.parse().ok()?;
        match event.new_value() {
            Some(text) => {
                let value: Value = serde_json::from_str(&text).ok()?;
                Kept::deserialize(&value).ok().map(Elsewhere::Kept)
            }
            None => Some(Elsewhere::Forgotten(id)),
        }
    }

    fn name(&self, id: ChangeId) -> String {
        format!("{}{id}", self.prefix)
    }
}
