//! Reasons why a file was not read.

use std::io;
use std::sync::Arc;

use super::Kind;

/// Reason why a file was not read. The text completes "cannot read FILE: …".
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("{0}")]
    Io(#[source] Arc<io::Error>),
    /// A folder, a pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// More bytes than the kind allows.
    #[error("it is longer than {}, so it is not {}", size(*.0), .0.noun())]
    TooLong(Kind),
    /// Bytes that are no text.
    #[error("it is not UTF-8: save it in that encoding")]
    NotText,
    /// The disk did not answer until the deadline, or an earlier read still waits for it.
    #[error("its disk does not answer: check the mount, and keep the file on a local disk")]
    NoAnswer,
    /// Reads of other files took all of the time.
    #[error("it was not read, since the disk of another file took all of the time")]
    OutOfTime,
    /// Too many reads are stuck already.
    #[error(
        "it was not read, since too many reads of other files are stuck: check the mounts, then restart"
    )]
    TooManyStuck,
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

fn size(kind: Kind) -> String {
    match kind.longest() {
        mib if mib >= 1 << 20 => format!("{} MiB", mib >> 20),
        kib => format!("{} KiB", kib >> 10),
    }
}
