//! The read itself, on whichever thread it is called.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;

use crate::{FileError, FileKind};

/// Content of a file.
#[derive(Clone)]
pub struct Content {
    /// All of it; empty for a look at the mark alone.
    pub bytes: Vec<u8>,
    /// Mark of the bytes; `None` when the file changed while it was read.
    pub mark: Option<Mark>,
    /// Order of the reads: a later read has a larger number.
    pub serial: u64,
}

impl fmt::Debug for Content {
    /// Omits the bytes, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Content");
        shown.field("length", &self.bytes.len());
        shown.field("mark", &self.mark).finish_non_exhaustive()
    }
}

/// Identity and times of a file: a link that points elsewhere leads to another inode, and a writer
/// moves the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    inode: (u64, u64),
    size: u64,
    modified: Nanoseconds,
    changed: Nanoseconds,
}

/// Time since the epoch.
type Nanoseconds = i128;

impl Mark {
    fn new(metadata: &Metadata) -> Self {
        let time = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            inode: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Reports that the content was written `after` ago or earlier. A time in the future tells nothing:
    /// it counts as settled.
    pub fn is_settled(&self, now: SystemTime, after: Duration) -> bool {
        is_past(self.modified, now, after)
    }

    /// Reports that the content, the owner, the mode and the name were changed `after` ago or earlier: a
    /// file that was moved into place counts from then, however old its content is. A time in the future
    /// counts as settled.
    pub fn is_in_place(&self, now: SystemTime, after: Duration) -> bool {
        is_past(self.modified.max(self.changed), now, after)
    }
}

/// Returns whether a time lies `after` back or more, or in the future.
fn is_past(time: Nanoseconds, now: SystemTime, after: Duration) -> bool {
    let time = u64::try_from(time).map(Duration::from_nanos).ok();
    let time = time.and_then(|time| SystemTime::UNIX_EPOCH.checked_add(time));
    let age = time.and_then(|time| now.duration_since(time).ok());
    age.is_none_or(|age| age >= after)
}

/// Returns the mark of a regular file without opening it.
pub(super) fn look(path: &Path) -> Result<Mark, FileError> {
    regular(&std::fs::metadata(path)?)
}

/// Reads a regular file up to the limit of its kind.
pub(super) fn read(path: &Path, kind: FileKind) -> Result<(Vec<u8>, Option<Mark>), FileError> {
    // Opening a device or a pipe can have effects of its own.
    look(path)?;
    let file = open(path)?;
    let before = regular(&file.metadata()?)?;
    let mut bytes = Vec::new();
    // One byte more than allowed shows that there is more.
    let most = kind.longest.saturating_add(1);
    (&file).take(most).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > kind.longest {
        return Err(FileError::TooLong(kind));
    }
    let after = Mark::new(&file.metadata()?);
    Ok((bytes, Some(after).filter(|after| *after == before)))
}

/// Opens without waiting for a writer: the file may have become a named pipe since it was looked at.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    options.open(path)
}

fn regular(metadata: &Metadata) -> Result<Mark, FileError> {
    if metadata.is_file() {
        Ok(Mark::new(metadata))
    } else {
        Err(FileError::NotRegular)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_may_be_without_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "a").unwrap();
        let kind = FileKind {
            noun: "a file",
            longest: u64::MAX,
        };
        assert_eq!(read(&path, kind).unwrap().0, b"a");
    }

    #[test]
    fn opening_a_named_pipe_without_a_writer_returns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let opened = open(&path).unwrap().metadata().unwrap();
        assert!(matches!(regular(&opened), Err(FileError::NotRegular)));
    }
}
