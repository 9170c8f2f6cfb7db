//! One server a data folder.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Holds the data folder until dropped, or until the process is gone, however it went.
#[derive(Debug)]
pub(super) struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Takes the folder; `None` if another process, or another store in this one, has it.
    pub(super) fn take(folder: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).append(true).open(folder.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // To close it is not enough: a program that is started in this moment holds it too until it runs. If this fails, closing
        // has to do.
        let _ = self.file.unlock();
    }
}
