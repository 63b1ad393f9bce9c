//! An account's way to its vendor, opened when it is first needed: its CA file may come later.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Deps;
use crate::config::{Account, ProductConfig};
use crate::model::{Memory, Observation};
use crate::provider::http::Transport;
use crate::provider::{self, ApiError, Discovery, Provider};

/// One account's transport.
pub(super) struct Access {
    account: Arc<Account>,
    deps: Deps,
    /// What it takes the place of: its limits go on.
    before: Option<Arc<Self>>,
    transport: Mutex<Option<Arc<Transport>>>,
}

impl Access {
    pub(super) fn new(account: Arc<Account>, deps: Deps, before: Option<&Arc<Self>>) -> Self {
        // Of one that was never opened, what was before counts.
        let before = before.and_then(|access| {
            if access.opened().is_some() {
                Some(access.clone())
            } else {
                access.before.clone()
            }
        });
        Self {
            account,
            deps,
            before,
            transport: Mutex::default(),
        }
    }

    /// The transport; another attempt to open it is made each time until there is one.
    pub(super) fn transport(&self) -> Result<Arc<Transport>, ApiError> {
        let mut transport = self
            .transport
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(transport) = &*transport {
            return Ok(transport.clone());
        }
        let (metrics, clock) = (self.deps.metrics.clone(), self.deps.clock.clone());
        let mut new = Transport::new(&self.account, metrics, clock)?;
        if let Some((before, old)) = self.before.as_ref().and_then(|b| Some((b, b.opened()?))) {
            new = new.following(&old, before.account.cloud == self.account.cloud);
        }
        Ok(transport.insert(Arc::new(new)).clone())
    }

    fn opened(&self) -> Option<Arc<Transport>> {
        let transport = self
            .transport
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        transport.clone()
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

    fn open(&self) -> Result<Arc<dyn Provider>, ApiError> {
        let mut provider = self.provider.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = &*provider {
            return Ok(provider.clone());
        }
        let transport = self.access.transport()?;
        let new = provider::open_one(&self.access.account, &self.config, &transport)?;
        Ok(provider.insert(new).clone())
    }
}

impl Provider for Service {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ApiError>> {
        Box::pin(async move { self.open()?.discover().await })
    }

    fn observe<'a>(
        &'a self,
        cluster_id: &'a str,
        memory: &'a Memory,
        fresh: Duration,
    ) -> BoxFuture<'a, Result<Observation, ApiError>> {
        Box::pin(async move { self.open()?.observe(cluster_id, memory, fresh).await })
    }
}
