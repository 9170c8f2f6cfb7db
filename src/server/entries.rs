//! Entries as they are stored and sent.

use axum::extract::ws::Utf8Bytes;

use super::frame;
use crate::sync::digest::Cursor;
use crate::sync::message::Record;

/// Most bytes of changes in one `committed` frame, but for one entry that is larger by itself. A frame counts as a sign of
/// life only when it has arrived whole, so it must not take long on a slow line.
const FRAME_BYTES: usize = 64 * 1024;

/// Entries that follow each other in a log. Their JSON is written once: it goes to disk, and then to all clients.
#[derive(Debug)]
pub struct Entries<'a> {
    records: &'a [Record],
    frames: Vec<Committed>,
}

impl<'a> Entries<'a> {
    /// Writes their JSON.
    #[must_use]
    pub fn new(records: &'a [Record]) -> Self {
        let mut frames = Vec::new();
        let mut rest = records;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fitting = rest.iter().take_while(|record| {
                bytes += frame::size(record);
                bytes <= FRAME_BYTES
            });
            let (entries, later) = rest.split_at(fitting.count().max(1));
            let end = entries.last().map_or_else(Cursor::default, Record::cursor);
            frames.push(Committed { text: frame_of(entries), entries: entries.len(), end });
            rest = later;
        }
        Self { records, frames }
    }

    /// They.
    #[must_use]
    pub const fn records(&self) -> &'a [Record] {
        self.records
    }

    /// The frames that carry them, in order.
    #[must_use]
    pub fn frames(&self) -> &[Committed] {
        &self.frames
    }

    pub(super) fn into_frames(self) -> Vec<Committed> {
        self.frames
    }
}

/// A `committed` frame. Clones share the text.
#[derive(Clone, Debug)]
pub struct Committed {
    pub(super) text: Utf8Bytes,
    /// How many it carries.
    pub(super) entries: usize,
    /// The place in the log of the last one.
    pub(super) end: Cursor,
}

impl Committed {
    /// The entries as a JSON array.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.text[BEFORE.len()..self.text.len() - AFTER.len()]
    }
}

/// What is before and after the entries in a frame.
const BEFORE: &str = r#"{"type":"committed","entries":"#;
const AFTER: &str = "}";

fn frame_of(entries: &[Record]) -> Utf8Bytes {
    let json = serde_json::to_string(entries).expect("records are plain data with string keys");
    [BEFORE, &json, AFTER].concat().into()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::sync::digest::Digest;
    use crate::sync::id::ChangeId;
    use crate::sync::message::ServerFrame;

    fn record(version: u64, bytes: usize) -> Record {
        Record {
            version,
            digest: Digest::GENESIS,
            id: ChangeId(uuid::Uuid::from_u128(version.into())),
            author: "Ada".into(),
            timestamp: 0,
            change: RawValue::from_string(format!("\"{}\"", "w".repeat(bytes))).expect("JSON"),
            refused: None,
        }
    }

    #[test]
    fn the_array_of_a_frame_is_its_entries() {
        let records = [record(1, 3), record(2, 4)];
        let entries = Entries::new(&records);
        let [frame] = entries.frames() else { panic!("one frame: {entries:?}") };
        let said: ServerFrame<'_, ()> = ServerFrame::Committed { entries: &records };
        assert_eq!(frame.text.as_str(), serde_json::to_string(&said).expect("JSON"));
        assert_eq!(frame.json(), serde_json::to_string(&records).expect("JSON"));
        assert_eq!((frame.entries, frame.end.version), (2, 2));
        assert!(Entries::new(&[]).frames().is_empty());
    }

    #[test]
    fn a_frame_is_no_larger_than_it_must_be() {
        let records = [record(1, 40_000), record(2, 30_000), record(3, 100_000), record(4, 1), record(5, 1)];
        let carried = |frame: &Committed| (frame.entries, frame.end.version);
        let frames: Vec<_> = Entries::new(&records).frames().iter().map(carried).collect();
        assert_eq!(frames, [(1, 1), (1, 2), (1, 3), (2, 5)]);
    }
}
