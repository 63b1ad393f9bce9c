//! An account's way to its vendor, opened when it is first needed: the system's CAs may come later.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::{Mutex, MutexGuard};

use super::Deps;
use crate::blocking::run_blocking;
use crate::clock::VendorClock;
use crate::cloud::transport::Transport;
use crate::cloud::{Discovery, Provider};
use crate::config::{Account, ProductConfig};
use crate::http::{ApiError, Reason};
use crate::model::{Memory, Observation};

/// One account's transport.
pub(super) struct Access {
    account: Arc<Account>,
    deps: Deps,
    /// Clock of the account's vendor: that of the access before, in the same place.
    pub(super) clock: VendorClock,
    way: Mutex<Way>,
    /// Held during an attempt to open the transport.
    opening: Arc<tokio::sync::Mutex<()>>,
}

enum Way {
    /// Not opened yet; with what it takes the place of, whose limits go on.
    Closed(Option<Arc<Access>>),
    /// Opened. What was before is let go, with its secrets.
    Open(Arc<Transport>),
}

impl Access {
    pub(super) fn new(account: Arc<Account>, deps: Deps, before: Option<&Arc<Self>>) -> Self {
        let clock = match before {
            Some(before) => before.clock.clone(),
            None => VendorClock::new(deps.clock.clone()),
        };
        // Of one that was never opened, what was before counts.
        let before = before.and_then(|access| match &*access.lock() {
            Way::Open(_) => Some(access.clone()),
            Way::Closed(before) => before.clone(),
        });
        Self {
            account,
            deps,
            clock,
            way: Mutex::new(Way::Closed(before)),
            opening: Arc::default(),
        }
    }

    /// The transport; another attempt to open it is made each time until there is one. That reads
    /// the system's CAs: not for an async thread.
    pub(super) fn transport(&self) -> Result<Arc<Transport>, ApiError> {
        if let Some(transport) = self.opened() {
            return Ok(transport);
        }
        let requests = self.deps.metrics.requests.clone();
        // It reads files: whoever only wants to know how far this is must not wait for that.
        let mut new = Transport::new(&self.account.connection(), requests, self.clock.clone())?;
        let mut way = self.lock();
        let before = match &mut *way {
            Way::Open(transport) => return Ok(transport.clone()),
            Way::Closed(before) => before.take(),
        };
        if let Some(before) = before
            && let Way::Open(old) = &*before.lock()
        {
            new = new.following(old, *before.account.cloud == *self.account.cloud);
        }
        let new = Arc::new(new);
        *way = Way::Open(new.clone());
        Ok(new)
    }

    /// Returns the transport, opening it on the blocking pool: one attempt at a time, for which a call
    /// waits no longer than for an answer.
    async fn transport_apart(self: &Arc<Self>) -> Result<Arc<Transport>, ApiError> {
        if let Some(transport) = self.opened() {
            return Ok(transport);
        }
        let opening = async {
            let held = self.opening.clone().lock_owned().await;
            let this = self.clone();
            let open = move || {
                let _held = held;
                this.transport()
            };
            run_blocking(open).await
        };
        let opened = tokio::time::timeout(self.account.polling.timeout, opening).await;
        opened.unwrap_or_else(|_| {
            let text = "the CAs of the system cannot be read in time: check its disk";
            Err(ApiError::new(Reason::Timeout, text))
        })
    }

    fn opened(&self) -> Option<Arc<Transport>> {
        match &*self.lock() {
            Way::Open(transport) => Some(transport.clone()),
            Way::Closed(_) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Way> {
        self.way.lock()
    }
}

/// One product over its account's transport.
pub(super) struct Service {
    access: Arc<Access>,
    config: ProductConfig,
    provider: Mutex<Option<Arc<dyn Provider>>>,
}

impl Service {
    pub(super) fn new(access: Arc<Access>, config: ProductConfig) -> Self {
        Self {
            access,
            config,
            provider: Mutex::default(),
        }
    }

    async fn open(&self) -> Result<Arc<dyn Provider>, ApiError> {
        if let Some(provider) = &*self.lock() {
            return Ok(provider.clone());
        }
        let transport = self.access.transport_apart().await?;
        let new = self.access.account.open(&self.config, &transport)?;
        // Another call may have been faster.
        Ok(self.lock().get_or_insert(new).clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<dyn Provider>>> {
        self.provider.lock()
    }
}

impl Provider for Service {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async move { self.open().await?.discover().await })
    }

    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        memory: &'a Memory,
        fresh: Duration,
    ) -> BoxFuture<'a, Result<Observation, ApiError>> {
        Box::pin(async move { self.open().await?.observe(cluster_id, memory, fresh).await })
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
    use crate::poll::Metrics;
    use crate::store::Store;
    use watched_file::hang::hang;

    /// An account without https, whose way needs no file.
    fn access(before: Option<&Arc<Access>>) -> Arc<Access> {
        let text = "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, \
                    ses: {endpoint: 'http://127.0.0.1:1'}}}]";
        let config = crate::config::parse(CLOUDS, text, Path::new("."), &|_| None);
        let account = Arc::new(config.unwrap().accounts.remove(0));
        let deps = Deps {
            store: Arc::new(Store::new()),
            metrics: Metrics::default(),
            clock: Clock::system(),
            confirms_at_once: false,
        };
        Arc::new(Access::new(account, deps, before))
    }

    /// What products share shows whether a transport goes on where another stopped.
    fn shared(access: &Access) -> Arc<SignedDuration> {
        let transport = access.transport().unwrap();
        transport.shared(|| SignedDuration::from_secs(7))
    }

    #[tokio::test]
    async fn the_way_before_is_let_go_once_the_new_one_is_open() {
        let mut now = access(None);
        let known = shared(&now);
        for _ in 0..3 {
            let next = access(Some(&now));
            let before: Weak<Access> = Arc::downgrade(&now);
            drop(std::mem::replace(&mut now, next));
            assert!(before.upgrade().is_some(), "its limits are still needed");
            assert!(Arc::ptr_eq(&known, &shared(&now)), "it goes on");
            assert!(before.upgrade().is_none());
        }
    }

    #[tokio::test]
    async fn ways_that_were_never_opened_are_not_kept() {
        let first = access(None);
        let known = shared(&first);
        let mut gone = vec![Arc::downgrade(&first)];
        let mut now = first;
        for _ in 0..3 {
            let next = access(Some(&now));
            gone.push(Arc::downgrade(&next));
            now = next;
        }
        // The last of them is in use.
        gone.pop();
        let kept = |gone: &[Weak<Access>]| gone.iter().filter(|a| a.upgrade().is_some()).count();
        assert_eq!(kept(&gone), 1, "only the one that was opened");
        assert!(Arc::ptr_eq(&known, &shared(&now)), "it goes on");
        assert_eq!(kept(&gone), 0);
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
        let opened = Access::new(account, access(None).deps.clone(), None).transport();
        assert!(opened.is_ok(), "{opened:?}");
        assert_eq!(hang.stuck(), 0);
    }
}
