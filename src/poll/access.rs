//! An account's transport and its products' providers, opened when they are first needed: the system's
//! CAs may come later.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::Deps;
use crate::blocking::run_blocking;
use crate::clock::VendorClock;
use crate::cloud::transport::{RequestMetrics, Transport};
use crate::cloud::{Discovery, PollFailure, Provider};
use crate::config::{Account, ProductConfig};
use crate::http::ApiError;
use crate::model::{Memory, Observation, Reason};

/// One account's transport.
pub(super) struct LazyTransport {
    account: Arc<Account>,
    requests: RequestMetrics,
    /// Clock of the account's vendor.
    pub(super) clock: VendorClock,
    /// Opened transport of before, whose limits go on; with its secrets it is let go once there is a
    /// new one.
    before: Mutex<Option<Before>>,
    opened: OnceLock<Arc<Transport>>,
    /// Held during an attempt to open it.
    opening: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone)]
struct Before {
    transport: Arc<Transport>,
    account: Arc<Account>,
}

impl LazyTransport {
    pub(super) fn new(
        account: Arc<Account>,
        deps: &Deps,
        clock: VendorClock,
        before: Option<&Self>,
    ) -> Self {
        Self {
            account,
            requests: deps.metrics.requests.clone(),
            clock,
            before: Mutex::new(before.and_then(Self::to_follow)),
            opened: OnceLock::new(),
            opening: Arc::default(),
        }
    }

    /// Returns the opened transport; of one that was never opened, that of before.
    fn to_follow(&self) -> Option<Before> {
        let Some(transport) = self.opened.get() else {
            return self.before.lock().clone();
        };
        Some(Before {
            transport: transport.clone(),
            account: self.account.clone(),
        })
    }

    /// Returns the transport, opening it where it is not open yet. That reads the system's CAs: not for an
    /// async thread.
    pub(super) fn open(&self) -> Result<Arc<Transport>, ApiError> {
        if let Some(transport) = self.opened.get() {
            return Ok(transport.clone());
        }
        let mut new = Transport::new(
            &self.account.connection(),
            self.requests.clone(),
            self.clock.clone(),
        )?;
        let before = self.before.lock().clone();
        if let Some(before) = before {
            let is_same = *before.account.cloud == *self.account.cloud;
            new = new.following(&before.transport, is_same);
        }
        let opened = self.opened.get_or_init(|| Arc::new(new));
        self.before.lock().take();
        Ok(opened.clone())
    }

    /// Returns the transport, opening it on the blocking pool: one attempt at a time, for which a call
    /// waits no longer than for an answer.
    async fn get(self: &Arc<Self>) -> Result<Arc<Transport>, ApiError> {
        if let Some(transport) = self.opened.get() {
            return Ok(transport.clone());
        }
        let opening = async {
            let held = self.opening.clone().lock_owned().await;
            let this = self.clone();
            let open = move || {
                let _held = held;
                this.open()
            };
            run_blocking(open).await
        };
        let opened = tokio::time::timeout(self.account.polling.timeout, opening).await;
        opened.unwrap_or_else(|_| {
            let text = "the CAs of the system cannot be read in time: check its disk";
            Err(ApiError::new(Reason::Timeout, text))
        })
    }
}

/// One product over its account's transport.
pub(super) struct LazyProvider {
    transport: Arc<LazyTransport>,
    config: ProductConfig,
    opened: OnceLock<Arc<dyn Provider>>,
}

impl LazyProvider {
    pub(super) fn new(transport: Arc<LazyTransport>, config: ProductConfig) -> Self {
        Self {
            transport,
            config,
            opened: OnceLock::new(),
        }
    }

    async fn get(&self) -> Result<&Arc<dyn Provider>, ApiError> {
        if let Some(provider) = self.opened.get() {
            return Ok(provider);
        }
        let transport = self.transport.get().await?;
        let new = self.transport.account.open(&self.config, &transport)?;
        // Another call may have been faster.
        Ok(self.opened.get_or_init(|| new))
    }
}

impl Provider for LazyProvider {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async move { self.get().await?.discover().await })
    }

    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        memory: &'a Memory,
        fresh: Duration,
    ) -> BoxFuture<'a, Result<Observation, PollFailure>> {
        Box::pin(async move { self.get().await?.observe(cluster_id, memory, fresh).await })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Weak;

    use jiff::SignedDuration;

    use super::*;
    use crate::clock::Clock;
    use crate::clouds::CLOUDS;
    use crate::poll::{Metrics, Storage};
    use crate::store::Store;
    use watched_file::hang::hang;

    fn deps() -> Deps {
        Deps {
            store: Arc::new(Store::new()),
            metrics: Metrics::default(),
            clock: Clock::system(),
            storage: Storage::default(),
            confirms_at_once: false,
        }
    }

    /// An account without https, whose way needs no file.
    fn access(before: Option<&LazyTransport>) -> Arc<LazyTransport> {
        let text = "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, \
                    ses: {endpoint: 'http://127.0.0.1:1'}}}]";
        let config = crate::config::parse(CLOUDS, text, Path::new("."), &|_| None);
        let account = Arc::new(config.unwrap().accounts.remove(0));
        Arc::new({
            let clock = before.map_or_else(|| deps().clock.into(), |before| before.clock.clone());
            LazyTransport::new(account, &deps(), clock, before)
        })
    }

    /// What products share shows whether a transport goes on where another stopped.
    fn shared(access: &LazyTransport) -> Arc<SignedDuration> {
        let transport = access.open().unwrap();
        transport.shared(|| SignedDuration::from_secs(7))
    }

    #[tokio::test]
    async fn the_way_before_is_let_go_once_the_new_one_is_open() {
        let mut now = access(None);
        let known = shared(&now);
        for _ in 0..3 {
            let next = access(Some(&now));
            let before: Weak<Transport> = Arc::downgrade(&now.open().unwrap());
            drop(std::mem::replace(&mut now, next));
            assert!(before.upgrade().is_some(), "its limits are still needed");
            assert!(Arc::ptr_eq(&known, &shared(&now)), "it goes on");
            assert!(before.upgrade().is_none());
        }
    }

    #[tokio::test]
    async fn ways_that_were_never_opened_are_not_kept() {
        let mut now = access(None);
        let known = shared(&now);
        let opened = Arc::downgrade(&now.open().unwrap());
        for _ in 0..3 {
            let next = access(Some(&now));
            let before = Arc::downgrade(&now);
            drop(std::mem::replace(&mut now, next));
            assert!(before.upgrade().is_none());
        }
        assert!(opened.upgrade().is_some(), "only the one that was opened");
        assert!(Arc::ptr_eq(&known, &shared(&now)), "it goes on");
        assert!(opened.upgrade().is_none());
    }

    #[tokio::test]
    async fn a_ca_file_is_not_read_again_when_the_transport_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::copy("tests/data/tls/ca.pem", &path).unwrap();
        let text = "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, \
                    ca_file: ca.pem, ses: {}}}]";
        let config = crate::config::parse(CLOUDS, text, folder.path(), &|_| None);
        let account = Arc::new(config.unwrap().accounts.remove(0));
        let hang = hang(&path);
        let opened = LazyTransport::new(account, &deps(), deps().clock.into(), None).open();
        assert!(opened.is_ok(), "{opened:?}");
        assert_eq!(hang.stuck(), 0);
    }
}
