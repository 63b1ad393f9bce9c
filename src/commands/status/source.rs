//! Where the report comes from: own polls, without a server.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::config::Config;
use rolling_upgrade_exporter::poll;
use rolling_upgrade_exporter::report::Report;
use rolling_upgrade_exporter::store::Store;
use rolling_upgrade_exporter::telemetry::Metrics;
use rolling_upgrade_exporter::web::ready::Ready;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::commands::Failure;

/// How often readiness is looked at; it does not tell by itself.
const GLANCE: Duration = Duration::from_millis(20);

/// Where reports come from.
pub(super) enum Source {
    /// This process polls.
    Own(Own),
}

/// The exporter's pollers, without the rest of it.
pub(super) struct Own {
    store: Arc<Store>,
    changed: watch::Receiver<()>,
    ready: Ready,
    clock: Clock,
    /// Ended with this.
    _polling: JoinSet<()>,
}

impl Source {
    /// Polls what the config names.
    pub(super) fn own(config: Config) -> Self {
        let store = Arc::new(Store::new());
        let clock = Clock::system();
        let (ready, first_round) = Ready::new();
        let deps = poll::Deps {
            store: store.clone(),
            metrics: Arc::new(Metrics::new()),
            clock: clock.clone(),
        };
        let mut polling = JoinSet::new();
        polling.spawn(poll::run(config, deps, first_round));
        Self::Own(Own {
            changed: store.subscribe(),
            store,
            ready,
            clock,
            _polling: polling,
        })
    }

    /// Waits until there is something to read: the first poll round has ended, well or badly.
    pub(super) async fn ready(&self) {
        let Self::Own(own) = self;
        while !own.ready.is_ready() {
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// What is known now.
    #[expect(clippy::unused_async, reason = "another source asks over the network")]
    pub(super) async fn read(&mut self) -> Result<Report, Failure> {
        let Self::Own(own) = self;
        own.changed.mark_unchanged();
        Ok(Report::new(&own.store, own.ready.is_ready(), own.now()))
    }

    /// Waits until there may be news.
    pub(super) async fn news(&mut self) {
        let Self::Own(own) = self;
        // The store is held here, so that it cannot be gone.
        drop(own.changed.changed().await);
    }
}

impl Own {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
