//! Messages as the text frames that carry them. A frame is encoded once, however many get it: clones share the text.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use serde_json::value::RawValue;

use crate::sync::digest::Cursor;
use crate::sync::message::{Bye, Record, Resume, ServerFrame, SyncResponse};

/// A document's JSON text, shared by all who get it.
pub(super) type DocumentJson = Arc<RawValue>;

/// Most bytes of changes in one `committed` frame, but for one entry that is larger by itself. A frame counts as a sign of
/// life only when it has arrived whole, so it must not take long on a slow line.
const COMMITTED_BYTES: usize = 64 * 1024;

/// `committed` frames for entries that follow each other, each with the place in the log of its last one.
pub(super) fn committed(records: &[Record]) -> Vec<(Utf8Bytes, Cursor)> {
    let mut frames = Vec::new();
    let mut rest = records;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|record| {
            bytes += size(record);
            bytes <= COMMITTED_BYTES
        });
        let (entries, later) = rest.split_at(fitting.count().max(1));
        let end = entries.last().map_or_else(Cursor::default, Record::cursor);
        frames.push((encode(&ServerFrame::Committed { entries }), end));
        rest = later;
    }
    frames
}

/// A `sync_response` frame.
pub(super) fn sync_response(response: &SyncResponse<DocumentJson, Record>) -> Utf8Bytes {
    encode(&ServerFrame::SyncResponse(response))
}

/// A `ping` frame.
pub(super) fn ping(nonce: u64, version: Option<u64>) -> Utf8Bytes {
    encode(&ServerFrame::Ping { nonce, version })
}

/// A `pong` frame.
pub(super) fn pong(nonce: u64) -> Utf8Bytes {
    encode(&ServerFrame::Pong { nonce })
}

/// A `saving` frame.
pub(super) fn saving(ok: bool) -> Utf8Bytes {
    encode(&ServerFrame::Saving { ok })
}

/// A `bye` frame.
pub(super) fn bye(bye: &Bye) -> Utf8Bytes {
    encode(&ServerFrame::Bye(bye))
}

/// A `resume` line.
pub(super) fn resume(resume: &Resume) -> Utf8Bytes {
    encode(&ServerFrame::Resume(resume))
}

/// About how many bytes an entry takes in a frame.
pub(super) fn size(record: &Record) -> usize {
    const FIELDS: usize = 200;
    FIELDS + record.author.len() + record.change.get().len()
}

fn encode(frame: &ServerFrame<'_, DocumentJson>) -> Utf8Bytes {
    // Messages are plain data with string keys: writing them cannot fail.
    serde_json::to_string(frame).unwrap_or_default().into()
}
