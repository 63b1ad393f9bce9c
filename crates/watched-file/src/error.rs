//! Reasons why a file was not read.

use std::io;
use std::sync::Arc;

use crate::FileKind;

/// Reason why a file was not read. The text completes "cannot read FILE: …", with the remedy where
/// that does not depend on what names the file; see [`FileError::named_by`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("{0}{remedy}", remedy = system_remedy(.0))]
    Io(#[source] Arc<io::Error>),
    /// A folder, a pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// More bytes than the kind allows.
    #[error("it is longer than {}, so it is not {}", size(*.0), .0.noun)]
    TooLong(FileKind),
    /// Bytes that are no text.
    #[error("it is not UTF-8: save it in that encoding")]
    NotText,
    /// The disk did not answer until the deadline, or an earlier read still waits for it.
    #[error("its disk does not answer: check the mount, and keep the file on a local disk")]
    NoAnswer,
    /// Reads of other files took all of the time.
    #[error(
        "it was not read, since the disk of another file took all of the time: check the mount of that one"
    )]
    OutOfTime,
    /// Too many reads are stuck already.
    #[error(
        "it was not read, since too many reads of other files are stuck: check the mounts, then restart"
    )]
    TooManyStuck,
}

impl FileError {
    /// Returns the text with a remedy in every case, for a file that this flag or key names.
    pub fn named_by(&self, flag: &str) -> String {
        let wanted = match self {
            Self::Io(_) if self.is_not_there() => "an existing file",
            Self::NotRegular => "a regular file",
            Self::TooLong(_) => "another file",
            _ => return self.to_string(),
        };
        format!("{self}: name {wanted} with {flag}")
    }

    /// Returns true when no file has this path.
    pub fn is_not_there(&self) -> bool {
        use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
        matches!(self, Self::Io(error)
            if matches!(error.kind(), NotFound | NotADirectory | InvalidFilename))
    }
}

fn system_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => ": let this user read it",
        _ => "",
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

fn size(kind: FileKind) -> String {
    match kind.longest {
        mib if mib >= 1 << 20 => format!("{} MiB", mib >> 20),
        kib => format!("{} KiB", kib >> 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_remedy_that_fits() {
        let io = |kind: io::ErrorKind| FileError::from(io::Error::from(kind));
        for (error, remedy) in [
            (
                io(io::ErrorKind::NotFound),
                "name an existing file with --flag",
            ),
            (
                io(io::ErrorKind::NotADirectory),
                "name an existing file with --flag",
            ),
            (io(io::ErrorKind::PermissionDenied), "let this user read it"),
            (FileError::NotRegular, "name a regular file with --flag"),
            (
                FileError::TooLong(FileKind::PEM),
                "name another file with --flag",
            ),
            (FileError::NotText, "save it in that encoding"),
            (
                FileError::NoAnswer,
                "check the mount, and keep the file on a local disk",
            ),
            (FileError::OutOfTime, "check the mount of that one"),
            (FileError::TooManyStuck, "check the mounts, then restart"),
        ] {
            let text = error.named_by("--flag");
            let (_, told) = text.split_once(": ").unwrap_or_default();
            assert_eq!(told, remedy, "{text}");
        }
    }
}
