//! The running exporter: every part under one supervisor, from its start to its graceful end.

mod announce;
mod exposed;
mod reload;
mod signals;

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use exporter_web::{Access, ExternalUrl, Limits, Reload, RoutePrefix, Settings, TrustedProxies};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout};

use crate::alert;
use crate::clock::Clock;
use crate::cloud::Clouds;
use crate::config::Config;
use crate::expose::Exposition;
use crate::poll::{self, Polling, Storage};
use crate::ready::Ready;
use crate::store::disk::{self, Disk};
use crate::store::history;
use crate::store::{self, Store};
use crate::telemetry::{self, Metrics};
use crate::web::App;
use reload::{Reader, Reloader};

pub use signals::Signals;

const WEB: &str = "web server";
const EXPOSITION: &str = "exposition";
const POLLING: &str = "polling";
const ALERTING: &str = "alerting";
const ANNOUNCING: &str = "announcement";
const STORAGE: &str = "storage";
const HISTORY: &str = "end of the history";
const STORAGE_HEALTH: &str = "health of the storage";

/// Longest wait of the alerting for the first poll round, where states were stored: less than the time for
/// which an alert of the process before stands.
const LONGEST_ROUND: Duration = Duration::from_secs(60);

/// What has work to finish when the program ends.
const GRACEFUL: [&str; 3] = [WEB, ALERTING, STORAGE];

/// What is not in the config file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The clouds that there are.
    pub clouds: Clouds,
    /// Where people reach the exporter, if that is known.
    pub external_url: Option<ExternalUrl>,
    /// The path below which everything is served.
    pub prefix: RoutePrefix,
    /// The path of the metrics, for instance `/metrics`.
    pub telemetry_path: String,
    /// The config, which is read anew from here; none when it is not from a file.
    pub config_file: Option<PathBuf>,
    /// Folder in which the state is kept over restarts; `None` to keep it in memory.
    pub storage_path: Option<PathBuf>,
    /// Whether it is also read anew when somebody asks for it over HTTP.
    pub lifecycle: bool,
    /// Who may come in, and how: what `--web.config.file` says.
    pub access: Arc<Access>,
    /// Connections that may be open at the same time, as far as the descriptors allow.
    pub max_connections: usize,
    /// Reverse proxies that tell the addresses of their clients.
    pub trusted_proxies: TrustedProxies,
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
    let started = Instant::now();
    let mut signals = Signals::new()?;
    // Without a file there is nothing to read: a terminal that is closed then ends the program.
    let hangup = match options.config_file {
        Some(_) => Some(signal(SignalKind::hangup())?),
        None => None,
    };
    let addresses: Vec<_> = listeners
        .iter()
        .filter_map(|l| l.local_addr().ok())
        .collect();
    let env = |name: &str| std::env::var(name).ok();
    announce::start(&config, &addresses, &options, &env);

    let clock = Clock::system();
    let store = Arc::new(Store::new());
    store.put_config_load(Some(clock.now()));
    let mut metrics = Metrics::new();
    store::register(&store, metrics.own());
    let poll_metrics = poll::Metrics::new(metrics.own());
    let alert_metrics = alert::Metrics::new(metrics.own());
    let stored = storage(options.storage_path, &store, &mut metrics).await;
    let web_metrics = exporter_web::Metrics::register(metrics.registry(), telemetry::PREFIX);
    let exposition = Arc::new(Exposition::new(Arc::new(metrics), clock.clone()));
    let (polled, first_round) = Ready::new();
    let (ready, unexposed) = Ready::new();
    let (reload, reload_requests) = Reload::on();
    let reload = if options.lifecycle {
        reload
    } else {
        Reload::Off
    };
    let app = App {
        clouds: options.clouds,
        store: store.clone(),
        exposition: exposition.clone(),
        ready: ready.clone(),
        reload,
        prefix: options.prefix,
        external_url: options.external_url.clone(),
        telemetry_path: options.telemetry_path,
        clock: clock.clone(),
    };
    let deps = poll::Deps {
        store: store.clone(),
        metrics: poll_metrics,
        clock: clock.clone(),
        confirms_at_once: false,
        storage: stored.polls,
    };

    let (stop, stopped) = watch::channel(());
    let mut parts = Parts::default();
    let settings = Settings {
        access: options.access,
        trusted_proxies: options.trusted_proxies,
        limits: Limits {
            connections: exporter_web::connections(options.max_connections),
            ..Limits::default()
        },
        metrics: web_metrics,
    };
    if let Some(disk) = &stored.disk {
        let (known, is_up) = (store.clone(), disk.is_up());
        // At once, so that the first scrape shows it.
        store.put_storage(*is_up.borrow());
        parts.spawn(
            STORAGE_HEALTH,
            async move { known.follow_storage(is_up).await },
        );
    }
    let (retention, kept) = watch::channel(config.retention);
    let keeping = history::keep(store.clone(), stored.disk.clone(), clock.clone(), kept);
    parts.spawn(HISTORY, keeping);
    let alerting = config.alerting.take();
    let (sidecar, to_sidecar) = mpsc::channel(1);
    let world = alert::World {
        store: store.clone(),
        metrics: alert_metrics,
        clock: clock.clone(),
        page: options.external_url,
        storage: stored.sights,
    };
    // The storage ends after the alerting, whose last look it stores.
    let (alerting_ends, alerting_ended) = watch::channel(());
    let mut round = polled.clone();
    let settled = async move {
        if stored.has_clusters {
            // An error is a round that takes too long.
            timeout(LONGEST_ROUND, round.reached()).await.ok();
        }
    };
    let alerts = alert::run_after(
        settled,
        alerting.clone(),
        to_sidecar,
        world,
        gone(stopped.clone()),
    );
    parts.spawn(ALERTING, async move {
        alerts.await;
        drop(alerting_ends);
    });
    if let Some(disk) = stored.disk {
        parts.spawn(STORAGE, disk.run(gone(alerting_ended)));
    }
    parts.spawn(EXPOSITION, exposition.clone().run(store.clone()));
    let announcing = announce::first_round(options.clouds, store.clone(), ready, clock.clone());
    let (exposed, known) = (exposition.clone(), store.clone());
    let first_round_shown = async move {
        let release = exposed::release(unexposed, polled, &exposed, &known);
        tokio::join!(release, announcing);
        pending::<()>().await;
    };
    parts.spawn(ANNOUNCING, first_round_shown);
    let polling = Polling::start(config.accounts, deps, first_round).await;
    // Last, so that the first scrape shows what was stored; clients wait at the port meanwhile.
    exposition.caught_up(&store).await;
    let serving = exporter_web::serve(listeners, settings, app, gone(stopped.clone()));
    parts.spawn(WEB, serving);
    let reloader = Reloader {
        clouds: options.clouds,
        file: options.config_file,
        polling,
        alerting,
        sidecar,
        retention,
        store,
        exposition,
        clock,
        reader: Reader::default(),
    };
    parts.spawn(
        POLLING,
        reloader.run(reload_requests, hangup, gone(stopped)),
    );
    supervise(parts, stop, started, async || signals.next().await).await
}

/// Storage in the hands of those that use it.
#[derive(Default)]
struct Stored {
    disk: Option<Disk>,
    polls: Storage,
    sights: alert::Storage,
    /// Clusters were stored, whose states are as old as the program was stopped for.
    has_clusters: bool,
}

/// Opens the storage. A disk that fails does not keep the exporter from its start.
async fn storage(folder: Option<PathBuf>, store: &Store, metrics: &mut Metrics) -> Stored {
    let Some(folder) = folder else {
        return Stored::default();
    };
    let history = store.history();
    let (disk, mut contents) = Disk::open(folder, history.clone()).await;
    disk::load_history(history, &mut contents);
    disk::register(&disk, metrics.own());
    let alerts = std::mem::take(&mut contents.alerts);
    Stored {
        has_clusters: !contents.clusters.is_empty(),
        sights: alert::Storage::new(disk.clone(), &alerts),
        polls: Storage::new(disk.clone(), contents),
        disk: Some(disk),
    }
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
    started: Instant,
    mut signal: impl AsyncFnMut() -> &'static str,
) -> Result<(), AppError> {
    tokio::select! {
        name = signal() => announce::ending(name),
        name = parts.next() => return Err(AppError::Ended(name)),
    }
    let told = Instant::now();
    drop(stop);
    tokio::select! {
        () = parts.until_graceful() => announce::ended(told.elapsed(), started.elapsed()),
        name = signal() => announce::ended_at_once(name, started.elapsed()),
    }
    Ok(())
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

#[cfg(test)]
mod tests {
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
        assert!(supervise(parts, stop, Instant::now(), signal).await.is_ok());
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
        assert!(supervise(parts, stop, Instant::now(), signal).await.is_ok());
        assert!(drained.load(std::sync::atomic::Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_second_signal_does_not_wait() {
        let mut parts = Parts::default();
        parts.spawn(WEB, pending());
        let (stop, _stopped) = watch::channel(());
        let ended = supervise(parts, stop, Instant::now(), async || "SIGINT").await;
        assert!(ended.is_ok(), "{ended:?}");
    }

    #[tokio::test]
    async fn a_part_that_ends_or_panics_ends_the_program() {
        let (mut parts, stop) = parts();
        parts.spawn(EXPOSITION, async { panic!("on purpose") });
        let ended = supervise(parts, stop, Instant::now(), async || pending().await).await;
        assert!(
            matches!(ended, Err(AppError::Ended(EXPOSITION))),
            "{ended:?}"
        );

        let mut parts = Parts::default();
        parts.spawn(WEB, async {});
        let (stop, _stopped) = watch::channel(());
        let ended = supervise(parts, stop, Instant::now(), async || pending().await).await;
        assert!(matches!(ended, Err(AppError::Ended(WEB))), "{ended:?}");
    }
}
