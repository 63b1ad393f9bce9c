//! Reading the config anew: one request after the other, and all of it or nothing.

mod reading;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot, watch};

use super::announce;
use crate::alert;
use crate::clock::Clock;
use crate::cloud::Clouds;
use crate::config::{self, Alerting, Config};
use crate::expose::Exposition;
use crate::poll::{Changes, Polling, Prepared};
use crate::store::Store;
use exporter_web::ReloadQueue;
pub(super) use reading::Reader;
use reading::Reading;
use spanned_yaml::Problem;

/// Everything that a new config reaches.
pub(super) struct Reloader {
    pub(super) clouds: Clouds,
    /// The config; none when it is not from a file.
    pub(super) file: Option<PathBuf>,
    pub(super) polling: Polling,
    /// What the sidecar does now, and the way to tell it otherwise.
    pub(super) alerting: Option<Alerting>,
    pub(super) sidecar: mpsc::Sender<alert::Order>,
    /// For how long the history keeps ended upgrades.
    pub(super) retention: watch::Sender<Duration>,
    pub(super) store: Arc<Store>,
    pub(super) exposition: Arc<Exposition>,
    pub(super) clock: Clock,
    pub(super) reader: Reader,
}

/// Contents of a config file, ready to be taken over: accounts, sidecar, and retention of the history.
type Read = ((Prepared, Option<Alerting>), Duration);

impl Reloader {
    /// Polls until aborted, and reloads at each request and each SIGHUP until `stop` completes. Later
    /// requests are refused.
    pub(super) async fn run(
        mut self,
        mut requests: ReloadQueue,
        mut hangup: Option<Signal>,
        stop: impl Future<Output = ()>,
    ) {
        tokio::pin!(stop);
        loop {
            let request = tokio::select! {
                biased;
                () = &mut stop => break,
                request = requests.next() => Some(request),
                () = signalled(&mut hangup) => None,
            };
            if let Some(request) = request {
                let outcome = self.reload("HTTP").await;
                request.finish(outcome);
            } else {
                let _work = requests.begin();
                // The log has told the problems.
                drop(self.reload("SIGHUP").await);
            }
        }
        drop(requests);
        std::future::pending::<()>().await;
    }

    /// Reads the config and takes it over. The error is what is wrong, a line for each problem.
    async fn reload(&mut self, by: &'static str) -> Result<(), String> {
        let read = match self.read().await {
            Ok(read) => read,
            Err(why) => {
                self.store.put_config_load(None);
                // A line of the log for each.
                for problem in why.lines() {
                    tracing::error!(by, problem, "The config was not reloaded, nothing changed.");
                }
                return Err(why);
            }
        };
        let ((read, retention), warnings) = read;
        self.retention.send_replace(retention);
        let (changes, alerting) = self.apply(read).await;
        // A scrape that begins after the answer shows all of it.
        self.exposition.caught_up(&self.store).await;
        self.store.put_config_load(Some(self.clock.now()));
        let Changes { accounts, clusters } = changes;
        tracing::info!(
            by, %accounts, %clusters,
            alerting = if alerting { "changed" } else { "as it was" },
            "Reloaded."
        );
        announce::warnings(self.file.as_deref(), &warnings);
        Ok(())
    }

    /// Reads the config with the warnings about it, if it can be used as a whole.
    async fn read(&self) -> Result<(Read, Vec<Problem>), String> {
        let Some(file) = self.file.clone() else {
            return Err("there is no config file: this is a demo".to_owned());
        };
        let read = async |reading: &Reading| {
            let clouds = self.clouds;
            let config = reading.blocking(move || load(clouds, &file)).await?;
            let prepared = self.polling.prepare(config.accounts);
            let prepared = reading.blocking(move || prepared.open()).await?;
            let read = ((prepared, config.alerting), config.retention);
            Ok((read, config.warnings))
        };
        self.reader.read(read).await
    }

    /// Takes it over, and tells what changed, and whether the sidecar did.
    async fn apply(&mut self, read: (Prepared, Option<Alerting>)) -> (Changes, bool) {
        let (prepared, alerting) = read;
        let changes = self.polling.apply(prepared).await;
        if alerting == self.alerting {
            return (changes, false);
        }
        self.alerting.clone_from(&alerting);
        let (done, told) = oneshot::channel();
        // Without a sidecar the program is about to end.
        if self.sidecar.send((alerting, done)).await.is_ok() {
            drop(told.await);
        }
        (changes, true)
    }
}

fn load(clouds: Clouds, file: &Path) -> Result<Config, String> {
    config::load(clouds, file).map_err(|problems| problems.to_string())
}

/// Completes at the next SIGHUP, if anybody listens for it.
async fn signalled(hangup: &mut Option<Signal>) {
    if let Some(hangup) = hangup
        && hangup.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}
