//! Between the values of SQLite and ours.

use std::str::FromStr;

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use serde_json::value::RawValue;

use crate::sync::message::{Access, Record};

/// The columns that [`record`] reads, in order.
pub(super) const RECORD: &str = "version, digest, id, author, timestamp, change, refusal";

/// Reads a row of [`RECORD`].
pub(super) fn record(row: &Row<'_>) -> Result<Record> {
    let refusal: Option<String> = row.get(6)?;
    Ok(Record {
        version: unsigned(row, 0)?,
        digest: parsed(row, 1)?,
        id: parsed(row, 2)?,
        author: row.get(3)?,
        timestamp: unsigned(row, 4)?,
        change: RawValue::from_string(row.get(5)?).map_err(|error| unreadable(5, error))?,
        refused: refusal.map(|json| serde_json::from_str(&json)).transpose().map_err(|error| unreadable(6, error))?,
    })
}

/// A text column as what it stands for.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?.as_str()?.parse().map_err(|error: T::Err| unreadable(column, error))
}

/// A count. SQLite's integers have a sign.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|error| unreadable(column, error))
}

/// A count for SQLite. Those of a log never come near the end of the range; a client may claim any.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What a key allows, from the column `access`.
pub(super) fn access(row: &Row<'_>, column: usize) -> Result<Access> {
    match row.get_ref(column)?.as_str()? {
        "edit" => Ok(Access::Edit),
        "view" => Ok(Access::View),
        other => Err(unreadable(column, format!("{other:?} is neither edit nor view"))),
    }
}

fn unreadable(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
