//! The files of a web config, and whether they have changed since they were read.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use watched_file::{FileError, FileKind, Mark};

/// A file that was written more recently may be half of one.
const SETTLES_AFTER: Duration = Duration::from_secs(1);

/// Files with their marks right before they were read; none: it was not there. Links are followed, so
/// a link to another file has another mark.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen(Vec<(PathBuf, Option<Mark>)>);

impl Seen {
    /// Returns whether any of the files has another mark now. Blocks the calling thread until the
    /// deadline at most.
    ///
    /// # Errors
    /// When a disk does not answer; the text names the file.
    pub(crate) fn is_over(&self, deadline: Instant) -> Result<bool, String> {
        for (path, then) in &self.0 {
            let now = mark(path, deadline);
            let now = now.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            if now != *then {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether nobody had written any of the files lately. A time that is still to come tells
    /// nothing.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        self.0.iter().all(|(_, mark)| {
            let age = mark.and_then(|mark| mark.written_ago(now));
            age.is_none_or(|age| age >= SETTLES_AFTER)
        })
    }
}

/// Reads files until a deadline, and remembers which; the good and the bad.
#[derive(Debug)]
pub(crate) struct Files {
    seen: RefCell<Seen>,
    deadline: Instant,
}

impl Files {
    pub(crate) fn until(deadline: Instant) -> Self {
        Self {
            seen: RefCell::default(),
            deadline,
        }
    }

    pub(crate) fn into_seen(self) -> Seen {
        self.seen.into_inner()
    }

    /// Reads a file, blocking the calling thread until the deadline at most.
    pub(super) fn read(&self, path: &Path, kind: FileKind) -> Result<Vec<u8>, FileError> {
        let mark = mark(path, self.deadline);
        // Without an answer it counts as missing, so that it is over once there is one.
        let known = mark.as_ref().ok().copied().flatten();
        self.seen.borrow_mut().0.push((path.to_owned(), known));
        mark?;
        Ok(watched_file::read_blocking(path, kind, self.deadline)?.bytes)
    }
}

/// Returns the mark of a file; `None` when there is no regular file.
fn mark(path: &Path, deadline: Instant) -> Result<Option<Mark>, FileError> {
    match watched_file::mark_blocking(path, deadline) {
        Err(FileError::Io(_) | FileError::NotRegular) => Ok(None),
        mark => mark,
    }
}
