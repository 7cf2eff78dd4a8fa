//! The right to write to an SQLite file. SQLite itself would let two servers execute the same runs.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Holds the right until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the right; `None` if somebody else has it. It is a file beside that of the database, because who closes a file of
    /// a database gives up the locks that SQLite itself has there (<https://www.sqlite.org/howtocorrupt.html>, 2.2).
    pub(crate) fn take(database: &Path) -> io::Result<Option<FileLock>> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(name)?;
        Ok(is_taken(&file)?.then_some(FileLock { _file: file }))
    }
}

#[cfg(unix)]
fn is_taken(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Nobody checks.
#[cfg(not(unix))]
fn is_taken(_file: &File) -> io::Result<bool> {
    Ok(true)
}
