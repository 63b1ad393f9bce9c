//! Reads every file that an operator names: configs, PEM files, secrets, specs, scenarios.
//!
//! A file must be a regular one and of bounded length. The read happens on a thread of its own, and
//! no caller waits for it beyond a deadline: a mount that hangs blocks that thread in the kernel, and
//! nothing can interrupt it. Concurrent callers of one file share one read (single flight). A read is
//! overdue when a caller gave up on it and it takes a second or longer; while it is stuck, further
//! callers of that file fail at once. So the number of stuck
//! threads is at most one a file, and bounded in all.

mod content;
mod error;
mod flight;
#[cfg(test)]
pub(crate) mod hang;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

pub(crate) use content::{Content, Mark};
pub use error::FileError;
use flight::Task;

/// Limit of time for all the files that a command or a reload reads.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Purpose of a file, which bounds its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The config, or the web config.
    Config,
    /// Certificates or a key.
    Pem,
    /// A key, password or token.
    Secret,
    /// A spec of `start`.
    Spec,
    /// A scenario of the simulator.
    Scenario,
}

impl Kind {
    /// Bytes that a file of this kind may have.
    const fn longest(self) -> u64 {
        match self {
            Self::Config | Self::Pem | Self::Spec => 1 << 20,
            Self::Secret => 64 << 10,
            Self::Scenario => 16 << 20,
        }
    }

    /// Name in a sentence.
    const fn noun(self) -> &'static str {
        match self {
            Self::Config => "a configuration",
            Self::Pem => "a PEM file",
            Self::Secret => "a secret",
            Self::Spec => "a spec",
            Self::Scenario => "a scenario",
        }
    }
}

/// Reads a text file. Blocks the calling thread until the deadline at most.
///
/// # Errors
/// When the file cannot be read in time, is no regular file, is too long, or is not UTF-8.
pub fn read_text(path: &Path, kind: Kind, deadline: Instant) -> Result<String, FileError> {
    let content = read_blocking(path, kind, deadline)?;
    String::from_utf8(content.bytes).map_err(|_| FileError::NotText)
}

/// Reads a file. Blocks the calling thread until the deadline at most: not for async code.
pub(crate) fn read_blocking(
    path: &Path,
    kind: Kind,
    deadline: Instant,
) -> Result<Content, FileError> {
    flight::wait_blocking(path, Task::Read(kind), deadline)
}

/// Reads a file, waiting until the deadline at most.
pub(crate) async fn read(path: &Path, kind: Kind, deadline: Instant) -> Result<Content, FileError> {
    flight::wait(path, Task::Read(kind), deadline).await
}

/// Returns the mark of a file without opening it. Blocks the calling thread until the deadline at
/// most: not for async code.
pub(crate) fn mark_blocking(path: &Path, deadline: Instant) -> Result<Option<Mark>, FileError> {
    Ok(flight::wait_blocking(path, Task::Look, deadline)?.mark)
}
