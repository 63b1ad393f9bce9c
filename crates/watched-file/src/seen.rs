//! Files that are followed: which they were when they were read, and whether they changed since.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::time::Instant;

use crate::{FileError, FileKind, Mark, SETTLES_AFTER};

/// Files with their marks right before they were read; `None` for a file that was not there. Links are
/// followed, so a link to another file has another mark.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen(Vec<(PathBuf, Option<Mark>)>);

impl Seen {
    /// Returns whether any of the files has another mark now. Blocks the calling thread until the
    /// deadline at most.
    ///
    /// # Errors
    /// When a disk does not answer; the text names the file.
    pub fn has_changed(&self, deadline: Instant) -> Result<bool, String> {
        for (path, then) in &self.0 {
            let now = mark(path, deadline);
            let now = now.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            if now != *then {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reports that all files are settled.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let mut marks = self.0.iter().filter_map(|(_, mark)| *mark);
        marks.all(|mark| mark.is_settled(now, SETTLES_AFTER))
    }
}

/// Reader of files until a deadline, which notes them, the good and the bad.
#[derive(Debug)]
pub struct Reader {
    seen: RefCell<Seen>,
    deadline: Instant,
}

impl Reader {
    /// Builds a reader that gives up at the deadline.
    pub fn until(deadline: Instant) -> Self {
        Self {
            seen: RefCell::default(),
            deadline,
        }
    }

    /// Returns the files that were read, to be followed.
    pub fn into_seen(self) -> Seen {
        self.seen.into_inner()
    }

    /// Reads a file, blocking the calling thread until the deadline at most.
    pub fn read(&self, path: &Path, kind: FileKind) -> Result<Vec<u8>, FileError> {
        let mark = mark(path, self.deadline);
        // Without an answer it counts as missing, so that it has changed once there is one.
        let known = mark.as_ref().ok().copied().flatten();
        self.seen.borrow_mut().0.push((path.to_owned(), known));
        mark?;
        Ok(crate::read_blocking(path, kind, self.deadline)?.bytes)
    }
}

/// Returns the mark of a file; `None` when there is no regular file.
fn mark(path: &Path, deadline: Instant) -> Result<Option<Mark>, FileError> {
    match crate::mark_blocking(path, deadline) {
        Err(FileError::Io(_) | FileError::NotRegular) => Ok(None),
        mark => mark,
    }
}

/// Trouble with files that are followed, told once for as long as it lasts.
#[derive(Debug, Default)]
pub struct Trouble(Option<String>);

impl Trouble {
    /// Takes down what is wrong now, and reports trouble that was not there before.
    pub fn is_new(&mut self, why: Option<&str>) -> bool {
        let is_new = why.is_some() && self.0.as_deref() != why;
        self.0 = why.map(str::to_owned);
        is_new
    }

    /// Returns what is wrong.
    pub fn why(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + crate::LIMIT
    }

    #[test]
    fn notices_a_file_that_changes_comes_or_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let read = || {
            let reader = Reader::until(soon());
            let read = reader.read(&path, FileKind::PEM);
            (read, reader.into_seen())
        };
        let (missing, seen) = read();
        assert!(missing.unwrap_err().is_not_there());
        assert_eq!(seen.has_changed(soon()), Ok(false));
        std::fs::write(&path, "a").unwrap();
        assert_eq!(seen.has_changed(soon()), Ok(true));
        let (there, seen) = read();
        assert_eq!(there.unwrap(), b"a");
        assert_eq!(seen.has_changed(soon()), Ok(false));
        std::fs::write(&path, "longer").unwrap();
        assert_eq!(seen.has_changed(soon()), Ok(true));
        let (_, seen) = read();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(seen.has_changed(soon()), Ok(true));
    }

    #[test]
    fn a_file_settles_a_second_after_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "a").unwrap();
        let reader = Reader::until(soon());
        reader.read(&path, FileKind::PEM).unwrap();
        reader
            .read(&folder.path().join("none"), FileKind::PEM)
            .unwrap_err();
        let seen = reader.into_seen();
        let now = std::fs::metadata(&path).unwrap().modified().unwrap();
        assert!(!seen.is_settled(now + Duration::from_millis(900)));
        assert!(seen.is_settled(now + SETTLES_AFTER));
        // A clock that was set back tells nothing of the age.
        assert!(seen.is_settled(now - Duration::from_millis(1)));
    }

    #[test]
    fn trouble_is_told_once_for_as_long_as_it_lasts() {
        let mut trouble = Trouble::default();
        let told =
            [Some("a"), Some("a"), Some("b"), None, Some("b")].map(|why| trouble.is_new(why));
        assert_eq!(told, [true, false, true, false, true]);
        assert_eq!(trouble.why(), Some("b"));
    }
}
