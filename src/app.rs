//! The running exporter: every part under one supervisor, from its start to its graceful end.

mod reload;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};

use crate::alert;
use crate::clock::Clock;
use crate::config::{Account, Alertmanager, Config, Selection};
use crate::expose::Exposition;
use crate::poll::{self, Polling};
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::web::access::Access;
use crate::web::prefix::{ExternalUrl, RoutePrefix};
use crate::web::{self, App, Limits, ready::Ready, reload::Reload};
use reload::Reloader;

const WEB: &str = "web server";
const EXPOSITION: &str = "exposition";
const POLLING: &str = "polling";
const ALERTING: &str = "alerting";

/// What has work to finish when the program ends.
const GRACEFUL: [&str; 2] = [WEB, ALERTING];

/// What is not in the config file.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where people reach the exporter, if that is known.
    pub external_url: Option<ExternalUrl>,
    /// The path below which everything is served.
    pub prefix: RoutePrefix,
    /// The path of the metrics, for instance `/metrics`.
    pub telemetry_path: String,
    /// The config, which is read anew from here; none when it is not from a file.
    pub config_file: Option<PathBuf>,
    /// Whether it is also read anew when somebody asks for it over HTTP.
    pub lifecycle: bool,
    /// Who may come in, and how: what `--web.config.file` says.
    pub access: Arc<Access>,
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
    mut config: Config,
    listeners: Vec<TcpListener>,
    options: Options,
) -> Result<(), AppError> {
    let mut signals = Signals::new()?;
    // Without a file there is nothing to read: a terminal that is closed then ends the program.
    let hangup = match options.config_file {
        Some(_) => Some(signal(SignalKind::hangup())?),
        None => None,
    };
    announce(&config, &listeners, &options);

    let clock = Clock::system();
    let store = Arc::new(Store::new());
    let metrics = Arc::new(Metrics::new());
    metrics.config_loaded(Some(clock.now()));
    let exposition = Arc::new(Exposition::new(metrics.clone(), clock.clone()));
    let (ready, first_round) = Ready::new();
    let (reload, orders) = if options.lifecycle {
        Reload::on()
    } else {
        // Nobody can order anything.
        (Reload::Off, mpsc::channel(1).1)
    };
    let app = Arc::new(App {
        store: store.clone(),
        exposition: exposition.clone(),
        ready,
        reload,
        prefix: options.prefix,
        access: options.access,
        telemetry_path: options.telemetry_path,
        clock: clock.clone(),
    });
    let deps = poll::Deps {
        store: store.clone(),
        metrics: metrics.clone(),
        clock: clock.clone(),
    };

    let (stop, stopped) = watch::channel(());
    let mut parts = Parts::default();
    let serving = web::serve(listeners, app, Limits::default(), gone(stopped.clone()));
    parts.spawn(WEB, serving);
    let alerting = config.alerting.take();
    let (sidecar, to_sidecar) = mpsc::channel(1);
    let world = alert::World {
        store: store.clone(),
        metrics: metrics.clone(),
        clock: clock.clone(),
        page: options.external_url,
    };
    parts.spawn(
        ALERTING,
        alert::run(alerting.clone(), to_sidecar, world, gone(stopped.clone())),
    );
    parts.spawn(EXPOSITION, exposition.clone().run(store.clone()));
    let reloader = Reloader {
        file: options.config_file,
        polling: Polling::start(config.accounts, deps, first_round).await,
        alerting,
        sidecar,
        store,
        exposition,
        metrics,
        clock,
    };
    parts.spawn(POLLING, reloader.run(orders, hangup, gone(stopped)));
    supervise(parts, stop, async || signals.next().await).await
}

/// Completes when the sender is gone.
async fn gone(mut stopped: watch::Receiver<()>) {
    // Nothing is ever sent: an error is the message.
    while stopped.changed().await.is_ok() {}
}

/// Waits for a signal, then for the graceful parts to finish what they have begun.
async fn supervise(
    mut parts: Parts,
    stop: watch::Sender<()>,
    mut signal: impl AsyncFnMut() -> &'static str,
) -> Result<(), AppError> {
    tokio::select! {
        name = signal() => tracing::info!(signal = name, "Ending."),
        name = parts.next() => return Err(AppError::Ended(name)),
    }
    drop(stop);
    tokio::select! {
        () = parts.until_graceful() => Ok(()),
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
        let place = self.names.iter().position(|(known, _)| *known == id);
        place.map_or("unknown part", |place| self.names.swap_remove(place).1)
    }

    /// Waits until no graceful part runs any more.
    async fn until_graceful(&mut self) {
        while self.names.iter().any(|(_, name)| GRACEFUL.contains(name)) {
            self.next().await;
        }
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
        let scheme = options.access.scheme();
        tracing::info!(
            "Listening on {scheme}://{address}{}{}",
            options.prefix.as_str(),
            options.telemetry_path
        );
    }
    if let Some((path, says)) = options.access.summary() {
        tracing::info!(path = %path.display(), %says, "Following the web config.");
    }
    for hint in options.access.hints() {
        tracing::warn!("Web config: {hint}.");
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
    if let Some(alerting) = &config.alerting {
        let names: Vec<&str> = alerting
            .alertmanagers
            .iter()
            .map(Alertmanager::label)
            .collect();
        tracing::info!(
            alertmanagers = %names.join(", "),
            resend = %humantime::format_duration(alerting.resend_interval),
            explicit_resolve = alerting.explicit_resolve,
            "Sending alerts."
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
    fn parts() -> (Parts, watch::Sender<()>) {
        let (stop, stopped) = watch::channel(());
        let mut parts = Parts::default();
        parts.spawn(WEB, gone(stopped));
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

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_every_graceful_part() {
        let (mut parts, stop) = parts();
        let stopped = stop.subscribe();
        let drained = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let told = drained.clone();
        parts.spawn(ALERTING, async move {
            gone(stopped).await;
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            told.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let mut signals = vec!["SIGTERM"];
        let signal = async || match signals.pop() {
            Some(name) => name,
            None => pending().await,
        };
        assert!(supervise(parts, stop, signal).await.is_ok());
        assert!(drained.load(std::sync::atomic::Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_second_signal_does_not_wait() {
        let mut parts = Parts::default();
        parts.spawn(WEB, pending());
        let (stop, _stopped) = watch::channel(());
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
        let (stop, _stopped) = watch::channel(());
        let ended = supervise(parts, stop, async || pending().await).await;
        assert!(matches!(ended, Err(AppError::Ended(WEB))), "{ended:?}");
    }
}
