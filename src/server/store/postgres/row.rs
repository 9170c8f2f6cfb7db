//! Between the values of PostgreSQL and ours.

use std::str::FromStr;

use serde_json::value::RawValue;
use tokio_postgres::Row;

use crate::server::store::StoreError;
use crate::sync::digest::Cursor;
use crate::sync::id::ChangeId;
use crate::sync::message::{Access, Record};

/// The columns that [`record`] reads, in order.
pub(super) const RECORD: &str = "version, digest, id, author, timestamp, change, refusal";

/// Reads a row of [`RECORD`].
pub(super) fn record(row: &Row) -> Result<Record, StoreError> {
    let refusal: Option<&str> = row.try_get(6).map_err(StoreError::failed)?;
    Ok(Record {
        version: unsigned(row, 0)?,
        digest: parsed(row, 1)?,
        id: ChangeId(row.try_get(2).map_err(StoreError::failed)?),
        author: String::from_utf8(row.try_get(3).map_err(StoreError::failed)?).map_err(StoreError::failed)?,
        timestamp: unsigned(row, 4)?,
        change: RawValue::from_string(row.try_get(5).map_err(StoreError::failed)?).map_err(StoreError::failed)?,
        refused: refusal.map(serde_json::from_str).transpose().map_err(StoreError::failed)?,
    })
}

/// A version and a digest, in the columns `at` and the one after it.
pub(super) fn cursor(row: &Row, at: usize) -> Result<Cursor, StoreError> {
    Ok(Cursor { version: unsigned(row, at)?, digest: parsed(row, at + 1)? })
}

/// A text column as what it stands for.
pub(super) fn parsed<T>(row: &Row, column: usize) -> Result<T, StoreError>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.try_get::<_, &str>(column).map_err(StoreError::failed)?.parse().map_err(StoreError::failed)
}

/// A count. PostgreSQL's integers have a sign.
pub(super) fn unsigned(row: &Row, column: usize) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<_, i64>(column).map_err(StoreError::failed)?).map_err(StoreError::failed)
}

/// A count for PostgreSQL. Those of a log never come near the end of the range; a client may claim any.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What a key allows.
pub(super) fn access(row: &Row, column: usize) -> Result<Access, StoreError> {
    match row.try_get::<_, &str>(column).map_err(StoreError::failed)? {
        "edit" => Ok(Access::Edit),
        "view" => Ok(Access::View),
        other => Err(StoreError::failed(format!("{other:?} is neither edit nor view"))),
    }
}
