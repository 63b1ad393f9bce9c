//! Files of a database: their names and lengths, and moving them aside.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::error::DiskError;

/// Ends of the names of a database's write-ahead log.
pub(super) const LOG: &str = "-wal";

/// Ends of the names of the files that SQLite keeps beside a database.
pub(super) const COMPANIONS: [&str; 3] = [LOG, "-shm", "-journal"];

/// Returns the path with more at its end.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut whole = OsString::from(path);
    whole.push(suffix);
    whole.into()
}

/// Returns the length of a file; 0 where there is none.
pub(super) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Writes the entries of a folder to its disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), DiskError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| DiskError::io("sync the folder", folder, error))
}

/// Moves a database and the files beside it to names that say when they were found corrupt. Returns the new
/// path of the database.
pub(super) fn set_aside(file: &Path, now: Timestamp) -> Result<PathBuf, DiskError> {
    let to = free_name(file, now);
    // A kill between two renames leaves a log without its database, which the next start moves aside too.
    rename(file, &to)?;
    for suffix in COMPANIONS {
        let companion = with_suffix(file, suffix);
        if is_taken(&companion) {
            rename(&companion, &with_suffix(&to, suffix))?;
        }
    }
    if let Some(folder) = file.parent() {
        sync_folder(folder)?;
    }
    Ok(to)
}

/// Returns the first name that neither the database nor a file beside it would replace.
fn free_name(file: &Path, now: Timestamp) -> PathBuf {
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
    let first = with_suffix(file, &format!(".corrupt-{time}"));
    let is_free = |name: &PathBuf| {
        let mut others = COMPANIONS.iter();
        !is_taken(name) && !others.any(|suffix| is_taken(&with_suffix(name, suffix)))
    };
    if is_free(&first) {
        return first;
    }
    let mut numbered = (2u64..).map(|number| with_suffix(&first, &format!("-{number}")));
    numbered.find(is_free).unwrap_or(first)
}

fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    let renamed = fs::rename(from, to);
    renamed.map_err(|error| DiskError::io("move the corrupt file", from, error))
}
