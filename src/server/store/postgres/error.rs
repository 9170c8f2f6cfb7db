//! Errors of the database, without what people wrote.

use tokio_postgres::error::SqlState;

use super::super::StoreError;

/// What PostgreSQL says, without the detail: that may quote a row.
#[derive(Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code})")]
struct Said {
    message: String,
    code: String,
}

/// An error as a [`StoreError`]. That there is no room is told apart from the rest.
pub(super) fn failed(error: tokio_postgres::Error) -> StoreError {
    match error.as_db_error() {
        Some(said) if *said.code() == SqlState::DISK_FULL => StoreError::Full,
        Some(said) => {
            let (message, code) = (said.message().to_owned(), said.code().code().to_owned());
            StoreError::failed(Said { message, code })
        }
        None => StoreError::failed(error),
    }
}
