//! Reasons why the database cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Reason why the database cannot be used, with the path and a remedy in its text.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A newer version of the program wrote the file, which stays untouched.
    #[error(
        "{} has version {found} of the tables, and this program knows versions up to {known}: run the newer \
         program, or name another folder with --storage.path", path.display()
    )]
    Newer {
        /// Path of the database's file.
        path: PathBuf,
        /// Version of the file.
        found: usize,
        /// Newest version that this program knows.
        known: usize,
    },
    /// Another process holds the database.
    #[error(
        "another process uses {}: stop that process, or name another folder with --storage.path", path.display()
    )]
    Locked {
        /// Path of the database's file.
        path: PathBuf,
    },
    /// The file is damaged. Opening moves such a file aside, so only reading and writing return this.
    #[error(
        "{} is corrupt ({detail}): restart the exporter, which moves the file aside and creates a new one",
        path.display()
    )]
    Corrupt {
        /// Path of the database's file.
        path: PathBuf,
        /// Damage that was found.
        detail: String,
    },
    /// The system refused.
    #[error("cannot {action} {}: {source}: {}", path.display(), io_remedy(source))]
    Io {
        /// Action that failed, with the kind of its object.
        action: &'static str,
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("cannot {action} {}: {source}: {}", path.display(), sqlite_remedy(source))]
    Sqlite {
        /// Action that failed.
        action: &'static str,
        /// Path of the database's file.
        path: PathBuf,
        /// Error of SQLite.
        source: rusqlite::Error,
    },
}

impl DiskError {
    /// Builds the error of an action of SQLite on a file.
    pub(super) fn of(action: &'static str, path: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
        let path = path.to_owned();
        // The tables take no such value.
        if let FromSqlConversionFailure(..) | InvalidColumnType(..) | Utf8Error(..) = source {
            return Self::corrupt(&path, source.to_string());
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::corrupt(&path, source.to_string())
            }
            _ => Self::Sqlite {
                action,
                path,
                source,
            },
        }
    }

    /// Builds the error of a damaged file.
    pub(super) fn corrupt(path: &Path, detail: impl Into<String>) -> Self {
        Self::Corrupt {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    /// Builds the error of an action on a file or folder.
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

const LET_WRITE: &str = "let this user write to the folder and its files";
const FREE_SPACE: &str = "free space on its disk; what was stored before is still there";
const MOUNT: &str = "mount its disk writable, or name another folder with --storage.path";
const NAME_FOLDER: &str = "name a folder with --storage.path";
const LOCAL_DISK: &str =
    "check the disk and the mount, and name a folder on a local disk with --storage.path";

fn io_remedy(error: &io::Error) -> &'static str {
    use io::ErrorKind::{
        AlreadyExists, NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    match error.kind() {
        PermissionDenied => LET_WRITE,
        ReadOnlyFilesystem => MOUNT,
        StorageFull | QuotaExceeded => FREE_SPACE,
        AlreadyExists | NotADirectory => NAME_FOLDER,
        _ => LOCAL_DISK,
    }
}

fn sqlite_remedy(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => FREE_SPACE,
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            "make it a regular file in a folder, and let this user write to both"
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed) => LOCAL_DISK,
        _ => "please report this with the log",
    }
}
