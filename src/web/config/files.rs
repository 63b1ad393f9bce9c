//! The files of a web config, and whether they have changed since they were read.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Longer than any chain of certificates, and than the CAs of a whole system.
const LONGEST: u64 = 4 << 20;

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
