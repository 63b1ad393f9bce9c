//! A folder below which no link is followed. Each step is opened from the one before it, so that a link
//! that takes the place of a folder meanwhile leads nowhere either.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// An open folder, with its path for messages.
#[derive(Debug)]
pub(super) struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

/// Entry with a name in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Nothing,
    /// A regular file of this many bytes.
    File(u64),
    Folder,
    Link,
    /// A device, a socket or a pipe.
    Other,
}

impl Folder {
    /// Opens the folder that the user named, which may be a link itself.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // The empty path is the current folder.
        let named = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            descriptor: fs::open(named, flags, Mode::empty())?,
            path: path.to_owned(),
        })
    }

    /// Opens the same folder once more.
    pub(super) fn same(&self) -> io::Result<Self> {
        Ok(Self {
            descriptor: self.descriptor.try_clone()?,
            path: self.path.clone(),
        })
    }

    /// The path of an entry, for messages.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens a folder in this one; a link fails as anything else that is no folder does.
    pub(super) fn below(&self, name: &str) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = fs::openat(&self.descriptor, name, flags, Mode::empty());
        // Systems differ in what they call a link here.
        let descriptor = opened.map_err(|error| match error {
            Errno::LOOP | Errno::MLINK => Errno::NOTDIR,
            other => other,
        })?;
        Ok(Self {
            descriptor,
            path: self.place(name),
        })
    }

    /// Makes a folder in this one, unless it is there, and opens it.
    pub(super) fn make(&self, name: &str) -> io::Result<Self> {
        match fs::mkdirat(&self.descriptor, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => self.below(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks at an entry without opening it.
    pub(super) fn entry(&self, name: &str) -> io::Result<Entry> {
        let stat = match fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Entry::Nothing),
            Err(error) => return Err(error.into()),
        };
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Entry::File(u64::try_from(stat.st_size).unwrap_or_default()),
            FileType::Directory => Entry::Folder,
            FileType::Symlink => Entry::Link,
            _ => Entry::Other,
        })
    }

    /// Opens a file for reading. A pipe that took its place does not block.
    pub(super) fn read(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(fs::openat(&self.descriptor, name, flags, Mode::empty())?.into())
    }

    /// Makes a file that is not there yet, and opens it for writing.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        Ok(fs::openat(&self.descriptor, name, flags, mode)?.into())
    }

    /// Renames an entry; it takes the place of a file or link of that name.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells whether an error of [`Folder::below`] or [`Folder::make`] comes from a link.
    pub(super) fn is_link(&self, name: &str, error: &io::Error) -> bool {
        error.kind() == ErrorKind::NotADirectory && matches!(self.entry(name), Ok(Entry::Link))
    }
}
