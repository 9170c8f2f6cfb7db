//! Between the values of SQLite and ours.

use std::str::FromStr;

use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};

use crate::sync::digest::Cursor;
use crate::sync::message::Access;

/// The first two columns, a version and a digest.
pub(super) fn cursor(row: &Row<'_>) -> Result<Cursor> {
    Ok(Cursor { version: unsigned(row, 0)?, digest: parsed(row, 1)? })
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

/// What a column has is not what belongs there.
pub(super) fn unreadable(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
