//! Ids, keys and entries made of small numbers.

use serde_json::value::RawValue;
use sheetbend::server::store::{KeyHash, Keys, NewDocument};
use sheetbend::sync::digest::{Cursor, Digest};
use sheetbend::sync::id::{ChangeId, DocumentId, Key, uuid_v7};
use sheetbend::sync::message::Record;

pub(crate) fn change_id(n: u64) -> ChangeId {
    ChangeId(uuid_v7(n, [0; 10]))
}

pub(crate) fn document_id(n: u64) -> DocumentId {
    DocumentId(uuid_v7(n, [1; 10]))
}

pub(crate) fn key(n: u8) -> Key {
    Key::from_random([n; 16])
}

/// Document `n`, opened by the keys `n` and `n + 100`.
pub(crate) fn new_document(n: u8) -> NewDocument {
    NewDocument {
        id: document_id(n.into()),
        keys: Keys { edit: KeyHash::of(&key(n)), view: KeyHash::of(&key(n + 100)) },
        created_at: 1_764_000_000_000,
    }
}

/// Entries of a true log that follow `after`, each saying a word made of its number.
pub(crate) fn records(after: Cursor, numbers: impl IntoIterator<Item = u64>) -> Vec<Record> {
    let mut at = after;
    let record = |number: u64| {
        let change = format!(r#"{{"kind":"say","word":"w{number}"}}"#);
        let mut record = Record {
            version: at.version + 1,
            digest: Digest::GENESIS,
            id: change_id(number),
            author: "Ada".into(),
            timestamp: 1_764_000_000_000 + number,
            change: RawValue::from_string(change).expect("JSON"),
            refused: None,
        };
        record.digest = at.digest.then(&record);
        at = record.cursor();
        record
    };
    numbers.into_iter().map(record).collect()
}
