//! Who may come in, and how, at this moment: the web config in use, which follows its files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_rustls::rustls::ServerConfig;

use super::auth::Logins;
use super::config::{self, Files, RateLimit, Seen, WebConfig, WebConfigError};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);

/// The web config in use, and what it has counted and remembered.
#[derive(Debug)]
pub struct Access {
    /// None: there is no file, and never will be.
    path: Option<PathBuf>,
    config: ArcSwap<WebConfig>,
    /// How this process speaks is settled when it starts.
    is_tls: bool,
    logins: Logins,
    bucket: Mutex<Option<Bucket>>,
    seen: Mutex<Seen>,
}

impl Access {
    /// Plain HTTP for everybody.
    pub fn open() -> Self {
        Self::with(None, WebConfig::open(), Seen::default())
    }

    /// As the file says, which is followed from then on.
    pub fn load(path: &Path) -> Result<Self, WebConfigError> {
        let (config, seen) = read(path);
        Ok(Self::with(Some(path.to_owned()), config?, seen))
    }

    fn with(path: Option<PathBuf>, config: WebConfig, seen: Seen) -> Self {
        Self {
            path,
            is_tls: config.tls.is_some(),
            bucket: Mutex::new(
                config
                    .rate_limit
                    .map(|limit| Bucket::new(limit, Instant::now())),
            ),
            config: ArcSwap::from_pointee(config),
            logins: Logins::default(),
            seen: Mutex::new(seen),
        }
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// What is in force in a few words, with its file; none without one.
    pub fn summary(&self) -> Option<(&Path, String)> {
        Some((self.path.as_deref()?, self.config.load().summary()))
    }

    /// What is worth a word in the log.
    pub fn hints(&self) -> Vec<String> {
        self.config.load().hints.clone()
    }

    pub(super) fn config(&self) -> Arc<WebConfig> {
        self.config.load_full()
    }

    /// How to speak TLS with a client that comes now; none: plain HTTP.
    pub(super) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.config.load().tls.clone()
    }

    pub(super) fn logins(&self) -> &Logins {
        &self.logins
    }

    /// Counts a request; whether it is one too many.
    pub(super) fn is_over_limit(&self) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket
            .as_mut()
            .is_some_and(|bucket| !bucket.take(Instant::now()))
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
            // A slow disk must hold nobody up.
            let looked = tokio::task::spawn_blocking(move || access.look());
            if let Err(error) = looked.await {
                tracing::error!(%error, "Reading the web config failed: this is a bug, please report it.");
            }
        }
    }

    /// Reads everything anew if a file has changed.
    fn look(&self) {
        let Some(path) = &self.path else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.is_over() {
            return;
        }
        let (config, now_seen) = read(path);
        *seen = now_seen;
        match config {
            Ok(config) => self.take_over(config),
            Err(problems) => tracing::error!(
                %problems,
                "The changed web config cannot be used; what was read before stays in use."
            ),
        }
    }

    fn take_over(&self, mut config: WebConfig) {
        let old = self.config();
        if config.tls.is_some() != self.is_tls {
            let now = self.scheme();
            tracing::warn!(
                "The web config asks to change between http and https, which takes a restart; \
                 this process goes on with {now}. The rest of the file is in use."
            );
            config.tls.clone_from(&old.tls);
        }
        if config.rate_limit != old.rate_limit {
            let bucket = config
                .rate_limit
                .map(|limit| Bucket::new(limit, Instant::now()));
            *self.bucket.lock().unwrap_or_else(PoisonError::into_inner) = bucket;
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
fn read(path: &Path) -> (Result<WebConfig, WebConfigError>, Seen) {
    let files = Files::default();
    let config = config::read(path, &files);
    (config, files.into_seen())
}

/// A token bucket that starts full.
#[derive(Debug)]
struct Bucket {
    limit: RateLimit,
    tokens: f64,
    counted: Instant,
}

impl Bucket {
    fn new(limit: RateLimit, now: Instant) -> Self {
        Self {
            limit,
            tokens: f64::from(limit.burst),
            counted: now,
        }
    }

    /// Whether there was a token left, which is gone then.
    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.counted);
        self.counted = now;
        let earned = passed.as_secs_f64() / self.limit.interval.as_secs_f64();
        self.tokens = (self.tokens + earned).min(f64::from(self.limit.burst));
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_gives_its_burst_and_then_one_every_interval() {
        let limit = RateLimit {
            interval: Duration::from_secs(2),
            burst: 3,
        };
        let start = Instant::now();
        let mut bucket = Bucket::new(limit, start);
        let at = |seconds| start + Duration::from_secs(seconds);
        let taken = |bucket: &mut Bucket, seconds| bucket.take(at(seconds));
        assert_eq!(
            [0; 4].map(|s| taken(&mut bucket, s)),
            [true, true, true, false]
        );
        assert_eq!(
            [1, 2, 3].map(|s| taken(&mut bucket, s)),
            [false, true, false]
        );
        // However long nobody asks, there are never more than the burst.
        assert_eq!(
            [99; 4].map(|s| taken(&mut bucket, s)),
            [true, true, true, false]
        );
    }
}
