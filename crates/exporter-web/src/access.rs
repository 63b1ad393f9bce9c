//! The live web config: TLS, users and rate limit, reloaded when its files change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use spanned_yaml::ConfigError;
use token_bucket::TokenBucket;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_rustls::rustls::ServerConfig;
use watched_file::{Reader, Seen, Trouble};

use super::auth::Logins;
use super::config::{self, RateLimit, WebConfig};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);

/// Live web config, with the state of its logins and of its rate limit.
#[derive(Debug)]
pub struct Access {
    /// File of the web config; `None` for a server without one.
    path: Option<PathBuf>,
    config: ArcSwap<WebConfig>,
    /// Scheme of the process: a change of it takes a restart.
    is_tls: bool,
    logins: Logins,
    bucket: Mutex<Option<TokenBucket>>,
    seen: Mutex<Seen>,
    /// Reason why the files cannot be looked at.
    hang: Mutex<Trouble>,
}

impl Access {
    /// Builds the web config of a server without a file: plain HTTP without logins.
    pub fn open() -> Self {
        Self::with(None, WebConfig::open(), Seen::default())
    }

    /// Loads a web config file, which [`serve`](crate::serve) follows. Blocks the calling thread for at
    /// most [`watched_file::LIMIT`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let (config, seen) = read(path, Instant::now() + watched_file::LIMIT);
        Ok(Self::with(Some(path.to_owned()), config?, seen))
    }

    fn with(path: Option<PathBuf>, config: WebConfig, seen: Seen) -> Self {
        Self {
            path,
            is_tls: config.tls.is_some(),
            bucket: Mutex::new(config.rate_limit.map(bucket)),
            config: ArcSwap::from_pointee(config),
            logins: Logins::default(),
            seen: Mutex::new(seen),
            hang: Mutex::default(),
        }
    }

    /// Returns `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// Returns the file and a summary of its settings; `None` without a file.
    pub fn summary(&self) -> Option<(&Path, String)> {
        Some((self.path.as_deref()?, self.config.load().summary()))
    }

    /// Returns remarks on settings that are legal and likely wrong, for the log.
    pub fn hints(&self) -> Vec<String> {
        self.config.load().hints.clone()
    }

    pub(super) fn config(&self) -> Arc<WebConfig> {
        self.config.load_full()
    }

    /// Returns the TLS settings for a new connection; `None` for plain HTTP.
    pub(super) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.config.load().tls.clone()
    }

    pub(super) fn logins(&self) -> &Logins {
        &self.logins
    }

    /// Counts a request; whether it is one too many.
    pub(super) fn is_over_limit(&self) -> bool {
        let mut bucket = self.bucket.lock();
        bucket
            .as_mut()
            .is_some_and(|bucket| bucket.take(Instant::now().into_std()).is_err())
    }

    /// Follows the files for ever. Without a file there is nothing to do.
    pub(super) async fn follow(self: Arc<Self>) {
        if self.path.is_none() {
            return std::future::pending().await;
        }
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let access = self.clone();
            // A slow disk must not block the runtime.
            let looked = tokio::task::spawn_blocking(move || access.look());
            if let Err(error) = looked.await {
                tracing::error!(%error, "Reading the web config failed: this is a bug, please report it.");
            }
        }
    }

    /// Reads everything anew if a file has changed.
    fn look(&self) {
        self.look_until(Instant::now() + watched_file::LIMIT);
    }

    fn look_until(&self, deadline: Instant) {
        let Some(path) = &self.path else { return };
        let mut seen = self.seen.lock();
        let changed = seen.has_changed(deadline);
        let why = changed.as_ref().err().map(String::as_str);
        if self.hang.lock().is_new(why) {
            tracing::error!(
                why,
                "The web config cannot be followed; what was read before stays in use."
            );
        }
        if !changed.unwrap_or_default() {
            return;
        }
        let (config, now_seen) = read(path, deadline);
        // A file that is being written may be valid when half of it is there, and lack the users.
        if !now_seen.is_settled(SystemTime::now()) || now_seen.has_changed(deadline) != Ok(false) {
            return;
        }
        *seen = now_seen;
        match config {
            Ok(config) => self.take_over(config),
            Err(problems) => {
                // A line of the log for each.
                for problem in problems.to_string().lines() {
                    tracing::error!(
                        problem,
                        "The changed web config cannot be used; what was read before stays in use."
                    );
                }
            }
        }
    }

    fn take_over(&self, config: WebConfig) {
        let old = self.config();
        if config.may_be_cut && (self.is_tls || !old.users.is_empty()) {
            tracing::error!(
                "The changed web config has nothing in it, or nothing after basic_auth_users; \
                 what was read before stays in use. Write basic_auth_users: {{}} where nobody \
                 should need to log in."
            );
            return;
        }
        if config.tls.is_some() != self.is_tls {
            let now = self.scheme();
            tracing::error!(
                "The changed web config asks to change between http and https, which takes a \
                 restart; this process goes on with {now} and all of what was read before."
            );
            return;
        }
        if config.rate_limit != old.rate_limit {
            *self.bucket.lock() = config.rate_limit.map(bucket);
        }
        for hint in config.hints.iter().filter(|hint| !old.hints.contains(hint)) {
            tracing::warn!("Web config: {hint}.");
        }
        tracing::info!(
            now = config.summary(),
            "The web config has changed and is in use."
        );
        self.config.store(Arc::new(config));
    }
}

/// Reads the config, and tells which files it was.
fn read(path: &Path, deadline: Instant) -> (Result<WebConfig, ConfigError>, Seen) {
    let files = Reader::until(deadline);
    let config = config::read(path, &files);
    (config, files.into_seen())
}

/// Builds the bucket of a rate limit, which starts full.
fn bucket(limit: RateLimit) -> TokenBucket {
    TokenBucket::new(
        limit.interval,
        limit.burst.into(),
        Instant::now().into_std(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use watched_file::hang::hang;

    const HASH: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

    /// Writes a file so long ago.
    fn write(path: &Path, text: &str, age: Duration) {
        std::fs::write(path, text).unwrap();
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    fn loaded(text: &str) -> (tempfile::TempDir, PathBuf, Access) {
        let folder = tempfile::tempdir().unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
        for name in ["server.pem", "server.key"] {
            let path = folder.path().join(name);
            std::fs::copy(data.join(name), &path).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            write(&path, &text, Duration::from_secs(60));
        }
        let path = folder.path().join("web.yml");
        write(&path, text, Duration::from_secs(60));
        let access = Access::load(&path).unwrap();
        (folder, path, access)
    }

    fn users(names: &[&str]) -> String {
        let line = |name: &&str| format!("  {name}: {HASH}\n");
        "basic_auth_users:\n".to_owned() + &names.iter().map(line).collect::<String>()
    }

    const TLS: &str = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n";

    #[test]
    fn a_file_that_may_be_half_written_is_taken_once_it_settles() {
        let (_folder, path, access) = loaded(&users(&["alice", "bob"]));
        for age in [Duration::ZERO, Duration::from_millis(300)] {
            write(&path, &users(&["alice"]), age);
            access.look();
            assert_eq!(access.config().users.len(), 2, "{age:?}");
        }
        write(&path, &users(&["alice"]), Duration::from_secs(2));
        access.look();
        assert_eq!(access.config().users.len(), 1);
    }

    #[test]
    fn a_disk_that_hangs_leaves_the_config_from_before_in_use() {
        let (folder, path, access) = loaded(&format!("{TLS}{}", users(&["alice", "bob"])));
        let hang = hang(&folder.path().join("server.pem"));
        let changed = format!("{TLS}{}", users(&["alice"]));
        write(&path, &changed, Duration::from_secs(2));
        for _ in 0..3 {
            access.look_until(Instant::now() + Duration::from_millis(50));
            assert_eq!(access.config().users.len(), 2);
        }
        hang.until_stuck();
        assert!(hang.stuck() <= 2, "a look and a read");
        drop(hang);
        let begun = Instant::now();
        while access.config().users.len() == 2 {
            access.look();
            assert!(begun.elapsed() < watched_file::LIMIT, "it never recovers");
        }
    }

    #[test]
    fn a_file_that_was_cut_off_opens_no_door() {
        for tls in ["", TLS] {
            let (_folder, path, access) = loaded(&format!("{tls}{}", users(&["alice"])));
            let cut = format!("{tls}basic_auth_users:\n");
            for text in ["", "# users\n", "---\n", &cut] {
                write(&path, text, Duration::from_secs(2));
                access.look();
                assert_eq!(access.config().users.len(), 1, "{text:?}");
                assert_eq!(access.tls().is_some(), !tls.is_empty());
            }
            let meant = format!("{tls}basic_auth_users: {{}}\n");
            write(&path, &meant, Duration::from_secs(2));
            access.look();
            assert_eq!(access.config().users.len(), 0);
        }
    }

    #[test]
    fn nothing_of_a_file_that_changes_the_scheme_is_used() {
        for (before, after) in [(TLS, ""), ("", TLS)] {
            let (_folder, path, access) = loaded(&format!("{before}{}", users(&["alice"])));
            let limit = "rate_limit: {interval: 1s, burst: 1}\n";
            write(&path, &format!("{after}{limit}"), Duration::from_secs(2));
            access.look();
            assert_eq!(access.config().users.len(), 1, "{after}");
            assert!(access.config().rate_limit.is_none());
            assert_eq!(access.tls().is_some(), !before.is_empty());
        }
    }
}
