//! Unsaved changes as a file, for when a device cannot be trusted to keep them, or is not to be the one that sends them.
//!
//! Changes keep their ids in the file: taking it in twice, or on several devices, applies each change once.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::DocumentId;
use super::message::Limits;
use super::outbox::Kept;

/// What the file says that it is.
const FORMAT: &str = "sheetbend.unsent.v1";

/// Most bytes of a file that is read: 64 MiB.
pub const MAX_BYTES: usize = 67_108_864;

/// Unsaved changes of one document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unsent<C> {
    format: &'static str,
    /// The document's id.
    pub document: DocumentId,
    /// The changes, in the order they were made.
    pub changes: Vec<Kept<C>>,
}

/// Why a file was not taken in. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsentError {
    /// It is no such file.
    #[error("This is not a file of unsent changes. Choose one that was exported from a board's menu.")]
    Format,
    /// It belongs to another document.
    #[error("These changes belong to another board. Open that board and import them there.")]
    OtherDocument,
    /// It holds a change that cannot be read.
    #[error(
        "Change {0} in this file cannot be read: it was made by a newer version, or the file is damaged. Reload the page and try again."
    )]
    Change(usize),
    /// It holds a change that can never be accepted.
    #[error("Change {0} in this file is too large. Nothing was imported.")]
    TooLarge(usize),
}

impl<C: Serialize + DeserializeOwned> Unsent<C> {
    /// The changes of `document`.
    #[must_use]
    pub const fn new(document: DocumentId, changes: Vec<Kept<C>>) -> Self {
        Self { format: FORMAT, document, changes }
    }

    /// The file's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Changes are plain data with string keys: writing them cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a file that is to be taken into `document`.
    ///
    /// # Errors
    /// [`UnsentError`].
    pub fn read(text: &str, document: DocumentId, limits: &Limits) -> Result<Self, UnsentError> {
        #[derive(Deserialize)]
        struct File {
            format: String,
            document: DocumentId,
            changes: Vec<Value>,
        }

        let file: File = serde_json::from_str(text).map_err(|_| UnsentError::Format)?;
        if file.format != FORMAT {
            return Err(UnsentError::Format);
        }
        if file.document != document {
            return Err(UnsentError::OtherDocument);
        }
        let read = |(at, value): (usize, &Value)| {
            let kept = Kept::<C>::deserialize(value).map_err(|_| UnsentError::Change(at + 1))?;
            let fits = super::document::size_of(&kept.change) <= limits.change_bytes;
            if fits { Ok(kept) } else { Err(UnsentError::TooLarge(at + 1)) }
        };
        let changes = file.changes.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(Self::new(document, changes))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::sync::id::{ChangeId, uuid_v7};

    fn document(n: u128) -> DocumentId {
        DocumentId(Uuid::from_u128(n))
    }

    fn file() -> Unsent<u8> {
        let kept = |n: u8| Kept::new(ChangeId(uuid_v7(n.into(), [0; 10])), n, 7);
        Unsent::new(document(1), vec![kept(1), Kept { replaces: Some(kept(1).id), ..kept(2) }])
    }

    #[test]
    fn comes_back_as_it_was() {
        assert_eq!(Unsent::read(&file().to_json(), document(1), &Limits::default()), Ok(file()));
    }

    #[test]
    fn what_cannot_be_taken_in_is_said() {
        let read = |text: &str, document| Unsent::<u8>::read(text, document, &Limits::default());
        let text = file().to_json();
        assert_eq!(read(&text, document(2)), Err(UnsentError::OtherDocument));
        assert_eq!(read("{}", document(1)), Err(UnsentError::Format));
        assert_eq!(read("not JSON", document(1)), Err(UnsentError::Format));
        assert_eq!(read(&text.replace("unsent.v1", "unsent.v2"), document(1)), Err(UnsentError::Format));
        assert_eq!(read(&text.replace("\"change\": 2", "\"change\": {}"), document(1)), Err(UnsentError::Change(2)));
        let small = Limits { change_bytes: 0, ..Limits::default() };
        assert_eq!(Unsent::<u8>::read(&text, document(1), &small), Err(UnsentError::TooLarge(1)));
    }
}
