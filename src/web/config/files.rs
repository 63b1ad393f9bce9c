//! The files of a web config, and whether they have changed since they were read.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Longer than any chain of certificates, and than the CAs of a whole system.
const LONGEST: u64 = 4 << 20;

/// A file that was written more recently may be half of one.
const SETTLES_AFTER: Duration = Duration::from_secs(1);

/// What a file looks like from outside: device, inode, length, and the times at which its content
/// and anything of it changed. Links are followed, so a link to another file looks different.
type Look = [i128; 5];

/// Files, with what each looked like right before it was read; none: it was not there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::web) struct Seen(Vec<(PathBuf, Option<Look>)>);

impl Seen {
    /// Whether any of the files looks different now.
    pub(in crate::web) fn is_over(&self) -> bool {
        self.0.iter().any(|(path, then)| look(path) != *then)
    }

    /// Whether nobody had written any of the files lately. A time that is still to come tells
    /// nothing.
    pub(in crate::web) fn is_settled(&self, now: SystemTime) -> bool {
        self.0.iter().all(|(_, look)| {
            let written = look.map(|[_, _, _, written, _]| written);
            let age = written
                .and_then(|nanos| u64::try_from(nanos).ok())
                .and_then(|nanos| SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanos)))
                .and_then(|written| now.duration_since(written).ok());
            age.is_none_or(|age| age >= SETTLES_AFTER)
        })
    }
}

/// Reads files, and remembers which; the good and the bad.
#[derive(Debug, Default)]
pub(in crate::web) struct Files(RefCell<Seen>);

impl Files {
    pub(in crate::web) fn into_seen(self) -> Seen {
        self.0.into_inner()
    }

    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.borrow_mut().0.push((path.to_owned(), look(path)));
        // A named pipe would block whoever opens it.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        fs::File::open(path)?
            .take(LONGEST)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn look(path: &Path) -> Option<Look> {
    let metadata = fs::metadata(path).ok()?;
    let time = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    Some([
        metadata.dev().into(),
        metadata.ino().into(),
        metadata.len().into(),
        time(metadata.mtime(), metadata.mtime_nsec()),
        time(metadata.ctime(), metadata.ctime_nsec()),
    ])
}
