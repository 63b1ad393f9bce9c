//! The running exporter: every part under one supervisor, from its start to its graceful end.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::{Id, JoinSet};

use crate::clock::Clock;
use crate::config::{Account, Config, Selection};
use crate::expose::Exposition;
use crate::poll;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::web::{self, App, Limits, ready::Ready};

const WEB: &str = "web server";
const EXPOSITION: &str = "exposition";
const POLLING: &str = "polling";

/// What is not in the config file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The path of the metrics, for instance `/metrics`.
    pub telemetry_path: String,
}

/// Why the exporter ended otherwise than by a signal.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The system does not let it see signals.
    #[error("cannot wait for signals")]
    Signals(#[from] io::Error),
    /// A part that runs for ever ended or panicked.
    #[error("the {0} ended by itself: this is a bug, please report it with the log")]
    Ended(&'static str),
}

/// Polls and serves until SIGTERM or SIGINT, then ends within 5 s; a second signal ends it at once.
pub async fn run(
    config: Config,
    listeners: Vec<TcpListener>,
    options: Options,
) -> Result<(), AppError> {
    let mut signals = Signals::new()?;
    announce(&config, &listeners, &options);

    let clock = Clock::system();
    let store = Arc::new(Store::new());
    let metrics = Arc::new(Metrics::new());
    metrics.config_loaded(Some(clock.now()));
    let exposition = Arc::new(Exposition::new(metrics.clone(), clock.clone()));
    let (ready, first_round) = Ready::new();
    let app = Arc::new(App {
        store: store.clone(),
        exposition: exposition.clone(),
        ready,
        telemetry_path: options.telemetry_path,
        clock: clock.clone(),
    });
    let deps = poll::Deps {
        store: store.clone(),
        metrics,
        clock,
    };

    let (stop, stopped) = oneshot::channel::<()>();
    let mut parts = Parts::default();
    parts.spawn(
        WEB,
        web::serve(listeners, app, Limits::default(), async {
            // The sender says nothing: that it is gone is the message.
            drop(stopped.await);
        }),
    );
    parts.spawn(EXPOSITION, exposition.run(store));
    parts.spawn(POLLING, poll::run(config, deps, first_round));
    supervise(parts, stop, async || signals.next().await).await
}

/// Waits for a signal, then for the web server to finish what it has begun.
async fn supervise(
    mut parts: Parts,
    stop: oneshot::Sender<()>,
    mut signal: impl AsyncFnMut() -> &'static str,
) -> Result<(), AppError> {
    tokio::select! {
        name = signal() => tracing::info!(signal = name, "Ending."),
        name = parts.next() => return Err(AppError::Ended(name)),
    }
    drop(stop);
    tokio::select! {
        () = parts.until(WEB) => Ok(()),
        name = signal() => {
            tracing::warn!(signal = name, "Ending at once.");
            Ok(())
        }
    }
}

/// Tasks with names; all are aborted when this is dropped.
#[derive(Debug, Default)]
struct Parts {
    tasks: JoinSet<()>,
    names: Vec<(Id, &'static str)>,
}

impl Parts {
    fn spawn(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(part);
        self.names.push((handle.id(), name));
    }

    /// The name of the next part that ends, well or by a panic; pending when there is none.
    async fn next(&mut self) -> &'static str {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                tracing::error!(%error, "A part of the program failed.");
                error.id()
            }
            None => std::future::pending().await,
        };
        let name = self.names.iter().find(|(known, _)| *known == id);
        name.map_or("unknown part", |(_, name)| name)
    }

    async fn until(&mut self, name: &'static str) {
        while self.next().await != name {}
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Tells in a few lines what runs, where it listens and what it watches.
fn announce(config: &Config, listeners: &[TcpListener], options: &Options) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        commit = crate::BUILD_REVISION,
        rustc = crate::BUILD_RUSTC,
        "Starting rolling-upgrade-exporter."
    );
    for address in listeners.iter().filter_map(|l| l.local_addr().ok()) {
        tracing::info!("Listening on http://{address}{}", options.telemetry_path);
    }
    for account in &config.accounts {
        let polling = account.polling;
        tracing::info!(
            account = %account.name,
            region = %account.region(),
            products = %products(account),
            active = %humantime::format_duration(polling.active_interval),
            idle = %humantime::format_duration(polling.idle_interval),
            discovery = %humantime::format_duration(polling.discovery_interval),
            "Watching."
        );
    }
}

/// For instance `ses (all), cdss (2 listed)`.
fn products(account: &Account) -> String {
    let words = account.products.iter().map(|config| {
        let name = config.product.name;
        match &config.clusters {
            Selection::All => format!("{name} (all)"),
            Selection::Listed(listed) => format!("{name} ({} listed)", listed.len()),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    /// A web server that ends when told, and a part that never does.
    fn parts() -> (Parts, oneshot::Sender<()>) {
        let (stop, stopped) = oneshot::channel();
        let mut parts = Parts::default();
        parts.spawn(WEB, async { drop(stopped.await) });
        parts.spawn(POLLING, pending());
        (parts, stop)
    }

    #[tokio::test]
    async fn a_signal_ends_it_well_once_the_web_server_has_finished() {
        let (parts, stop) = parts();
        let mut signals = vec!["SIGTERM"];
        let signal = async || match signals.pop() {
            Some(name) => name,
            None => pending().await,
        };
        assert!(supervise(parts, stop, signal).await.is_ok());
    }

    #[tokio::test]
    async fn a_second_signal_does_not_wait() {
        let mut parts = Parts::default();
        parts.spawn(WEB, pending());
        let (stop, _stopped) = oneshot::channel();
        let ended = supervise(parts, stop, async || "SIGINT").await;
        assert!(ended.is_ok(), "{ended:?}");
    }

    #[tokio::test]
    async fn a_part_that_ends_or_panics_ends_the_program() {
        let (mut parts, stop) = parts();
        parts.spawn(EXPOSITION, async { panic!("on purpose") });
        let ended = supervise(parts, stop, async || pending().await).await;
        assert!(
            matches!(ended, Err(AppError::Ended(EXPOSITION))),
            "{ended:?}"
        );

        let mut parts = Parts::default();
        parts.spawn(WEB, async {});
        let (stop, _stopped) = oneshot::channel();
        let ended = supervise(parts, stop, async || pending().await).await;
        assert!(matches!(ended, Err(AppError::Ended(WEB))), "{ended:?}");
    }
}
