//! One server a data folder.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Holds the data folder until dropped, or until the process is gone, however it went.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder; `None` if another process, or another store in this one, has it.
    pub(super) fn take(folder: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).append(true).open(folder.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
