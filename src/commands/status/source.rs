//! Where the report comes from: own polls, without a server, or a running exporter.

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::config::Config;
use rolling_upgrade_exporter::poll;
use rolling_upgrade_exporter::ready::Ready;
use rolling_upgrade_exporter::report::Report;
use rolling_upgrade_exporter::report::remote::Remote;
use rolling_upgrade_exporter::store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cli;
use crate::commands::Failure;
use crate::commands::remote::remote;

/// How often readiness is looked at; it does not tell by itself.
const GLANCE: Duration = Duration::from_millis(20);

/// Whoever waits for longer wants to know for what.
const PATIENCE: Duration = Duration::from_millis(700);

/// Where people look on, ages grow this often.
const AGES: Duration = Duration::from_secs(1);

/// A running exporter is read as often as it polls, within these bounds.
const READS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// Where reports come from.
pub(super) enum Source {
    /// This process polls.
    Own(Own),
    /// An exporter that runs.
    Running(Running),
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

pub(super) struct Running {
    remote: Remote,
    /// Between two reads; none: as it polls.
    interval: Option<Duration>,
    polls: Duration,
}

impl Source {
    /// Polls what the config names.
    pub(super) fn own(config: Config) -> Self {
        let store = Arc::new(Store::new());
        let clock = Clock::system();
        let (ready, first_round) = Ready::new();
        let deps = poll::Deps {
            store: store.clone(),
            metrics: poll::Metrics::default(),
            clock: clock.clone(),
            storage: poll::Storage::default(),
            confirms_at_once: true,
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

    /// Reads the exporter at `url`.
    pub(super) fn running(
        url: &str,
        flags: &cli::Remote,
        interval: Option<Duration>,
    ) -> Result<Self, Failure> {
        Ok(Self::Running(Running {
            remote: remote(url, flags)?,
            interval,
            polls: READS.0,
        }))
    }

    /// Waits until there is something to read: the first poll round has ended, well or badly.
    pub(super) async fn ready(&self) {
        let Self::Own(own) = self else { return };
        let begun = Instant::now();
        // On standard error, and only if that is a terminal.
        let sign = ProgressBar::new_spinner();
        while !own.ready.is_ready() {
            tokio::time::sleep(GLANCE).await;
            if begun.elapsed() > PATIENCE {
                sign.set_message(own.waiting());
            }
        }
        sign.finish_and_clear();
    }

    /// What is known now.
    pub(super) async fn read(&mut self) -> Result<Report, Failure> {
        match self {
            Self::Own(own) => {
                own.changed.mark_unchanged();
                let now = own.clock.now();
                Ok(Report::new(&own.store, own.ready.is_ready(), now))
            }
            Self::Running(running) => {
                let report = running.remote.read().await?;
                let polls = report.clusters.iter().map(|c| c.poll_interval_seconds);
                let polls = Duration::try_from_secs_f64(polls.fold(f64::INFINITY, f64::min));
                running.polls = polls.unwrap_or(READS.1).clamp(READS.0, READS.1);
                Ok(report)
            }
        }
    }

    /// Waits until there may be news; where it `is_live`, until ages have grown.
    pub(super) async fn news(&mut self, is_live: bool) {
        match self {
            Self::Own(own) => {
                // The store is held here, so that it cannot be gone.
                let changed = async { drop(own.changed.changed().await) };
                if is_live {
                    drop(tokio::time::timeout(AGES, changed).await);
                } else {
                    changed.await;
                }
            }
            Self::Running(running) => {
                tokio::time::sleep(running.interval.unwrap_or(running.polls)).await;
            }
        }
    }
}

impl Own {
    /// What the first round waits for.
    fn waiting(&self) -> String {
        let snapshot = self.store.snapshot();
        let has_answered = |state: &&Arc<_>| {
            let state: &rolling_upgrade_exporter::model::ClusterState = state;
            state.answered || state.last_error.is_some()
        };
        let answered = snapshot.values().filter(has_answered).count();
        format!(
            "Asking the clouds: {answered} of {} clusters so far",
            snapshot.len()
        )
    }
}
