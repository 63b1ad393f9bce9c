//! A secret in a file that may be replaced at any time, and be half-written at that.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};

/// Longer than any key or password; a token that somebody put into a file fits too.
const LONGEST: usize = 64 << 10;

/// A file that changed more recently may still be written.
const SETTLES_AFTER: Duration = Duration::from_secs(1);

/// A file with a secret, and what was last read of it.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    settles_after: Duration,
    /// Held by the one who looks at the file, however long that takes.
    looking: Mutex<()>,
    /// Held for moments only.
    known: Mutex<Known>,
    /// Whether the disk does not answer.
    #[cfg(test)]
    pub(crate) hangs: std::sync::atomic::AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    value: Option<SecretString>,
    /// The file that the value was read from; none when that may not have been whole.
    mark: Option<Mark>,
    /// Why the file could not be used after that, as it was told.
    trouble: Option<String>,
}

/// Tells apart a file and what stands in it at different times: a link that points elsewhere leads
/// to another inode, and whoever writes moves the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    inode: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl SecretFile {
    /// Nothing is read of it yet.
    pub fn new(path: PathBuf) -> Self {
        Self::settling(path, SETTLES_AFTER)
    }

    /// One that counts as whole when it did not change for so long.
    pub(crate) fn settling(path: PathBuf, settles_after: Duration) -> Self {
        Self {
            path,
            settles_after,
            looking: Mutex::default(),
            known: Mutex::default(),
            #[cfg(test)]
            hangs: false.into(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret now, without the line end that editors add. While the file is missing, bad, being
    /// written or looked at by somebody else, the one from before.
    pub(super) fn get(&self) -> Result<SecretString, String> {
        let _looking = match self.looking.try_lock() {
            Ok(looking) => looking,
            Err(TryLockError::Poisoned(looking)) => looking.into_inner(),
            Err(TryLockError::WouldBlock) => {
                if let Some(value) = self.known().value.clone() {
                    return Ok(value);
                }
                self.looking.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        #[cfg(test)]
        while self.hangs.load(std::sync::atomic::Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let (old, known) = {
            let known = self.known();
            (known.value.clone(), known.mark)
        };
        let Some(old) = old else {
            let (value, mark) = read(&self.path)?;
            let mut known = self.known();
            known.mark = Some(mark).filter(|mark| self.is_settled(*mark));
            known.value = Some(value.clone());
            return Ok(value);
        };
        let trouble = match look(&self.path) {
            Ok(mark) if known == Some(mark) => None,
            Ok(mark) if !self.is_settled(mark) => return Ok(old),
            Ok(mark) => match read(&self.path) {
                Ok((value, read)) if read == mark => {
                    if value.expose_secret() != old.expose_secret() {
                        tracing::info!(file = %self.path.display(), "A secret's file changed; the new one is used.");
                    }
                    *self.known() = Known {
                        value: Some(value.clone()),
                        mark: Some(mark),
                        trouble: None,
                    };
                    return Ok(value);
                }
                // It changed again meanwhile.
                Ok(_) => return Ok(old),
                Err(why) => Some(why),
            },
            Err(why) => Some(why),
        };
        let mut known = self.known();
        if known.trouble != trouble {
            if let Some(why) = &trouble {
                tracing::warn!(
                    file = %self.path.display(), why,
                    "A secret's file cannot be used; the one from before stays in use."
                );
            }
            known.trouble = trouble;
        }
        Ok(old)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits for the disk.
    #[cfg(test)]
    pub(crate) fn is_looked_at(&self) -> bool {
        matches!(self.looking.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Whether nobody has written it lately. A time that is still to come tells nothing.
    fn is_settled(&self, mark: Mark) -> bool {
        let (seconds, nanoseconds) = mark.modified.max(mark.changed);
        let at = Duration::new(
            u64::try_from(seconds).unwrap_or_default(),
            u32::try_from(nanoseconds).unwrap_or_default(),
        );
        let age = SystemTime::UNIX_EPOCH
            .checked_add(at)
            .and_then(|at| SystemTime::now().duration_since(at).ok());
        age.is_none_or(|age| age >= self.settles_after)
    }
}

impl Mark {
    fn new(metadata: &Metadata) -> Self {
        Self {
            inode: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Looks at a file without opening it: a named pipe would block whoever does.
fn look(path: &Path) -> Result<Mark, String> {
    let metadata = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    Ok(Mark::new(&metadata))
}

/// What stands in a file, and the file that it was.
fn read(path: &Path) -> Result<(SecretString, Mark), String> {
    look(path)?;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| e.to_string())?;
    let mark = file.metadata().map_err(|e| e.to_string())?;
    file.take(LONGEST as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    if bytes.len() > LONGEST {
        return Err("it is longer than 64 KiB, so it is not a secret".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let text = SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned());
    if text.expose_secret().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok((text, Mark::new(&mark)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        (folder, path)
    }

    fn value(file: &SecretFile) -> String {
        file.get().unwrap().expose_secret().to_owned()
    }

    #[test]
    fn a_file_that_never_was_good_is_an_error_until_it_is() {
        let (_folder, path) = folder();
        let file = SecretFile::settling(path.clone(), Duration::ZERO);
        assert!(file.get().is_err());
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(file.get().unwrap_err(), "it is empty");
        std::fs::write(&path, "a\r\n").unwrap();
        assert_eq!(value(&file), "a");
    }

    #[test]
    fn the_value_from_before_serves_while_the_file_is_not_good() {
        let (_folder, path) = folder();
        let file = SecretFile::settling(path.clone(), Duration::ZERO);
        std::fs::write(&path, "a").unwrap();
        assert_eq!(value(&file), "a");
        let long = vec![b'x'; LONGEST + 1];
        for bad in [&b""[..], b"\xff\xfe", &long] {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(value(&file), "a");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(value(&file), "a");
        std::fs::create_dir(&path).unwrap();
        assert_eq!(value(&file), "a");
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, "b").unwrap();
        assert_eq!(value(&file), "b");
    }

    #[test]
    fn a_link_that_is_turned_is_followed() {
        let (folder, path) = folder();
        for (version, text) in [("1", "a"), ("2", "b")] {
            let version = folder.path().join(version);
            std::fs::create_dir(&version).unwrap();
            std::fs::write(version.join("key"), text).unwrap();
        }
        // As Kubernetes does it: secret -> ..data/key, ..data -> 1.
        let data = folder.path().join("..data");
        symlink("1", &data).unwrap();
        symlink("..data/key", &path).unwrap();
        let file = SecretFile::settling(path, Duration::ZERO);
        assert_eq!(value(&file), "a");
        symlink("2", folder.path().join("..new")).unwrap();
        std::fs::rename(folder.path().join("..new"), &data).unwrap();
        assert_eq!(value(&file), "b");
    }

    #[test]
    fn a_file_that_is_being_written_is_left_alone() {
        let (_folder, path) = folder();
        std::fs::write(&path, "a").unwrap();
        let file = SecretFile::settling(path.clone(), Duration::from_millis(400));
        assert_eq!(value(&file), "a", "the first one has to serve");
        std::fs::write(&path, "ha").unwrap();
        assert_eq!(value(&file), "a");
        std::fs::write(&path, "half and half").unwrap();
        assert_eq!(value(&file), "a");
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(value(&file), "half and half");
    }

    #[test]
    fn a_first_value_that_was_half_written_is_read_again() {
        let (_folder, path) = folder();
        std::fs::write(&path, "ha").unwrap();
        let file = SecretFile::settling(path.clone(), Duration::from_millis(400));
        assert_eq!(value(&file), "ha");
        std::fs::write(&path, "whole").unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(value(&file), "whole");
    }

    #[test]
    fn a_value_is_in_no_debug() {
        let (_folder, path) = folder();
        std::fs::write(&path, "hunter2").unwrap();
        let file = SecretFile::new(path);
        assert_eq!(value(&file), "hunter2");
        assert!(!format!("{file:?}").contains("hunter2"));
    }
}
