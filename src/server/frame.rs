//! Messages as the text frames that carry them. A frame is encoded once, however many get it: clones share the text.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use serde_json::value::RawValue;

use crate::sync::message::{Bye, Record, Resume, ServerFrame, SyncResponse};

/// A document's JSON text, shared by all who get it.
pub(super) type DocumentJson = Arc<RawValue>;

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
