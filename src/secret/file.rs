//! A secret in a file that may be replaced at any time, and be half-written at that.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, MutexGuard};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::text::trimmed;
use watched_file::{Content, FileError, FileKind, Mark, Trouble};

/// A file with a secret, and what was last read of it.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    settles_after: Duration,
    /// Held for moments only, never while the file is read.
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    value: Option<SecretString>,
    /// The file that the value was read from; none when that may not have been whole.
    mark: Option<Mark>,
    /// Number of the read that gave the value.
    serial: u64,
    /// Reason why the file could not be used after that.
    trouble: Trouble,
}

impl SecretFile {
    /// Nothing is read of it yet.
    pub fn new(path: PathBuf) -> Self {
        Self::settling(path, watched_file::SETTLES_AFTER)
    }

    /// One that counts as whole when it did not change for so long.
    pub(crate) fn settling(path: PathBuf, settles_after: Duration) -> Self {
        Self {
            path,
            settles_after,
            known: Mutex::default(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the secret that was read last, without blanks around it.
    ///
    /// # Errors
    /// When no read has given a secret yet.
    pub(super) fn get(&self) -> Result<SecretString, String> {
        let known = self.known();
        let unread = || "it was not read yet".to_owned();
        let why = || known.trouble.why().map_or_else(unread, str::to_owned);
        known.value.clone().ok_or_else(why)
    }

    /// Reads the file. Blocks the calling thread until the deadline at most: not for async code.
    pub(super) fn refresh_blocking(&self, deadline: Instant) {
        self.take(watched_file::read_blocking(
            &self.path,
            FileKind::SECRET,
            deadline,
        ));
    }

    /// Reads the file, waiting until the deadline at most. While it is missing, bad, being written,
    /// or on a disk that does not answer, the secret from before stays in use.
    pub(super) async fn refresh(&self, deadline: Instant) {
        self.take(watched_file::read(&self.path, FileKind::SECRET, deadline).await);
    }

    fn take(&self, read: Result<Content, FileError>) {
        let mut known = self.known();
        let found = match read {
            // A later read was faster.
            Ok(content) if content.serial < known.serial => return,
            Ok(content) => {
                let is_known = known.mark.is_some() && known.mark == content.mark;
                // The keys of an account may be two files, which are moved into place one after the other.
                let is_in_place =
                    |mark: &Mark| mark.is_in_place(SystemTime::now(), self.settles_after);
                let mark = content.mark.filter(is_in_place);
                if known.value.is_some() && mark.is_none() && !is_known {
                    return;
                }
                let serial = content.serial;
                parse(content.bytes).map(|value| (value, mark, serial))
            }
            Err(error) => Err(error.to_string()),
        };
        match found {
            Ok((value, mark, serial)) => {
                let old = known.value.as_ref().map(ExposeSecret::expose_secret);
                if old.is_some_and(|old| old != value.expose_secret()) {
                    tracing::info!(file = %self.path.display(), "A secret's file changed; the new one is used.");
                }
                *known = Known {
                    value: Some(value),
                    mark,
                    serial,
                    trouble: Trouble::default(),
                };
            }
            Err(why) => {
                if known.trouble.is_new(Some(&why)) && known.value.is_some() {
                    tracing::warn!(
                        file = %self.path.display(), why,
                        "A secret's file cannot be used; the one from before stays in use."
                    );
                }
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }
}

/// Returns the secret in these bytes.
fn parse(bytes: Vec<u8>) -> Result<SecretString, String> {
    let not_text = |_| "it is not UTF-8 text".to_owned();
    let text = SecretString::from(String::from_utf8(bytes).map_err(not_text)?);
    trimmed(text.expose_secret()).map_err(|why| why.to_string())
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

    /// Reads the file and returns the secret.
    fn read(file: &SecretFile) -> Result<String, String> {
        file.refresh_blocking(Instant::now() + watched_file::LIMIT);
        let secret = file.get();
        secret.map(|secret| secret.expose_secret().to_owned())
    }

    fn value(file: &SecretFile) -> String {
        read(file).unwrap()
    }

    #[test]
    fn a_file_that_never_was_good_is_an_error_until_it_is() {
        let (_folder, path) = folder();
        let file = SecretFile::settling(path.clone(), Duration::ZERO);
        assert!(read(&file).is_err());
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(read(&file).unwrap_err(), "it is empty");
        std::fs::write(&path, "a\r\n").unwrap();
        assert_eq!(value(&file), "a");
    }

    #[test]
    fn a_mark_and_blanks_around_are_no_part_of_the_secret() {
        let (_folder, path) = folder();
        let file = SecretFile::settling(path.clone(), Duration::ZERO);
        std::fs::write(&path, "\u{feff}\u{a0} hun ter2\u{200b}\u{2060} \r\n").unwrap();
        assert_eq!(value(&file), "hun ter2");
    }

    #[test]
    fn a_placeholder_does_not_replace_the_secret_from_before() {
        let (_folder, path) = folder();
        let file = SecretFile::settling(path.clone(), Duration::ZERO);
        std::fs::write(&path, "${NCLOUD_SECRET}\n").unwrap();
        let why = read(&file).unwrap_err();
        assert!(
            why.contains("placeholder") && !why.contains("NCLOUD"),
            "{why}"
        );
        std::fs::write(&path, "a").unwrap();
        assert_eq!(value(&file), "a");
        std::fs::write(&path, "{{ .Data.secret }}").unwrap();
        assert_eq!(value(&file), "a");
    }

    #[test]
    fn the_value_from_before_serves_while_the_file_is_not_good() {
        let (_folder, path) = folder();
        let file = SecretFile::settling(path.clone(), Duration::ZERO);
        std::fs::write(&path, "a").unwrap();
        assert_eq!(value(&file), "a");
        let long = vec![b'x'; (64 << 10) + 1];
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
    fn a_file_that_is_moved_into_place_settles_from_then() {
        let (folder, path) = folder();
        std::fs::write(&path, "a").unwrap();
        let file = SecretFile::settling(path.clone(), Duration::from_millis(400));
        assert_eq!(value(&file), "a");
        let new = folder.path().join("new");
        std::fs::write(&new, "b").unwrap();
        let opened = std::fs::File::options().append(true).open(&new).unwrap();
        opened
            .set_modified(SystemTime::now() - Duration::from_secs(3600))
            .unwrap();
        std::fs::rename(&new, &path).unwrap();
        assert_eq!(value(&file), "a", "its other half may still be the old one");
        let begun = Instant::now();
        while value(&file) == "a" {
            assert!(begun.elapsed() < watched_file::LIMIT, "it never settles");
        }
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

    #[test]
    fn a_read_that_began_earlier_does_not_replace_a_later_one() {
        let (_folder, path) = folder();
        std::fs::write(&path, "old").unwrap();
        let file = SecretFile::settling(path.clone(), Duration::ZERO);
        let deadline = Instant::now() + watched_file::LIMIT;
        let early = watched_file::read_blocking(&path, FileKind::SECRET, deadline);
        std::fs::write(&path, "new").unwrap();
        assert_eq!(value(&file), "new");
        file.take(early);
        assert_eq!(file.get().unwrap().expose_secret(), "new");
    }
}
