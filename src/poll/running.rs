//! Running task of one product, and the way from one generation to the next.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::compare::Tally;
use super::generation::Generation;
use super::product::ProductPoller;
use crate::cloud::Product;

/// Pause before a product's task or discovery that panicked, which is a bug, starts again.
pub(super) const AFTER_PANIC: Duration = Duration::from_secs(60);

/// Task that polls one generation of a product; it ends when this is dropped.
pub(super) struct RunningProduct {
    pub(super) generation: Arc<Generation>,
    stop: oneshot::Sender<()>,
    task: JoinSet<ProductPoller>,
}

impl RunningProduct {
    pub(super) fn start(poller: ProductPoller) -> Self {
        let generation = poller.generation().clone();
        let (stop, stopped) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(run(poller, stopped));
        Self {
            generation,
            stop,
            task,
        }
    }

    pub(super) fn product(&self) -> &'static dyn Product {
        self.generation.config.product
    }

    /// Stops the task and returns what it knows; `None` when the runtime ended the task. Calls under way
    /// are dropped: they are still due.
    async fn stop(mut self) -> Option<ProductPoller> {
        drop(self.stop);
        self.task.join_next().await?.ok()
    }

    /// Stops the task, and starts one of the next generation with all that is known. Returns what
    /// becomes of the clusters.
    pub(super) async fn replace(self, next: Generation) -> Option<(Self, Tally)> {
        let mut poller = self.stop().await?;
        let tally = poller.adopt(next);
        Some((Self::start(poller), tally))
    }

    /// Stops the task, and removes the product from the store. Returns how many clusters it had.
    pub(super) async fn remove(self) -> usize {
        let poller = self.stop().await;
        poller.map_or(0, ProductPoller::remove)
    }
}

/// Polls until `stopped`, then returns what is known, which outlives a panic.
async fn run(mut poller: ProductPoller, stopped: oneshot::Receiver<()>) -> ProductPoller {
    tokio::select! {
        biased;
        _ = stopped => {}
        () = restart(&mut poller) => {}
    }
    poller
}

async fn restart(poller: &mut ProductPoller) {
    loop {
        if AssertUnwindSafe(poller.run()).catch_unwind().await.is_err() {
            poller.end_by_panic();
        }
        tokio::time::sleep(AFTER_PANIC).await;
    }
}
