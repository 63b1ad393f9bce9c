//! Reads the small files that an operator names, such as configs, PEM files and secrets, in bounded time.
//!
//! A file must be a regular one and of bounded length. The read happens on a thread of its own, and
//! no caller waits for it beyond a deadline: a mount that hangs blocks that thread in the kernel, and
//! nothing can interrupt it. Concurrent callers of one file share one read (single flight). A read is
//! overdue when a caller gave up on it and it takes a second or longer; while it is stuck, further
//! callers of that file fail at once. So the number of stuck threads is at most one a file, and bounded
//! in all.
//!
//! ```
//! use std::path::Path;
//!
//! use tokio::time::Instant;
//! use watched_file::{FileKind, LIMIT, read_text};
//!
//! let missing = Path::new("config.yml");
//! let error = read_text(missing, FileKind::CONFIG, Instant::now() + LIMIT).unwrap_err();
//! assert!(error.named_by("--config.file").ends_with("name an existing file with --config.file"));
//! ```
//!
//! Files that a program follows are read through a [`Reader`], which notes their [`Mark`]s. [`Seen`] tells
//! whether one changed since, and whether all are settled: a file that was written a moment ago may be half
//! of one.

mod content;
mod error;
mod flight;
#[cfg(any(test, feature = "testing"))]
pub mod hang;
mod seen;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

pub use content::{Content, Mark};
pub use error::FileError;
use flight::Task;
pub use seen::{Reader, Seen, Trouble};

/// Limit of time for all the files that a command or a reload reads.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Time after which a file that was written counts as whole: before, it may be half of one.
pub const SETTLES_AFTER: Duration = Duration::from_secs(1);

/// Kind of a file, which bounds its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileKind {
    /// Name in a sentence, with its article.
    pub noun: &'static str,
    /// Bytes that a file of this kind may have.
    pub longest: u64,
}

impl FileKind {
    /// A configuration; at most 1 MiB.
    pub const CONFIG: Self = Self {
        noun: "a configuration",
        longest: 1 << 20,
    };
    /// Certificates or a key; at most 1 MiB.
    pub const PEM: Self = Self {
        noun: "a PEM file",
        longest: 1 << 20,
    };
    /// A key, password or token; at most 64 KiB.
    pub const SECRET: Self = Self {
        noun: "a secret",
        longest: 64 << 10,
    };
}

/// Reads a text file. Blocks the calling thread until the deadline at most.
///
/// # Errors
/// When the file cannot be read in time, is no regular file, is too long, or is not UTF-8.
pub fn read_text(path: &Path, kind: FileKind, deadline: Instant) -> Result<String, FileError> {
    let content = read_blocking(path, kind, deadline)?;
    String::from_utf8(content.bytes).map_err(|_| FileError::NotText)
}

/// Reads a file. Blocks the calling thread until the deadline at most: not for async code.
pub fn read_blocking(path: &Path, kind: FileKind, deadline: Instant) -> Result<Content, FileError> {
    flight::wait_blocking(path, Task::Read(kind), deadline)
}

/// Reads a file, waiting until the deadline at most.
pub async fn read(path: &Path, kind: FileKind, deadline: Instant) -> Result<Content, FileError> {
    flight::wait(path, Task::Read(kind), deadline).await
}

/// Returns the mark of a file without opening it. Blocks the calling thread until the deadline at
/// most: not for async code.
pub fn mark_blocking(path: &Path, deadline: Instant) -> Result<Option<Mark>, FileError> {
    Ok(flight::wait_blocking(path, Task::Look, deadline)?.mark)
}
