//! When to ask: one task a product of an account discovers, one worker a cluster polls.
//!
//! Accounts share nothing, so that a failing one never slows another. What a task knows stands behind
//! a lock of its own that is never held across an await: so a new config is taken over at any moment,
//! even during a call, and what is known outlives a panic.

mod access;
mod asked;
mod compare;
mod metrics;
mod oddities;
mod product;
pub mod schedule;
pub mod select;
mod worker;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use crate::clock::{Clock, VendorClock};
use crate::cloud::{Product, Provider};
use crate::config::{Account, Config, ProductConfig};
use crate::model::DiscoveryState;
use crate::ready::Latch;
use crate::store::Store;
use access::{Access, Service};
use compare::{is_same_place, is_same_service, is_same_way};
use metrics::ProductMetrics;
use oddities::Oddities;
use product::Fleet;

pub use compare::{Changes, Tally};
pub use metrics::Metrics;

/// A product's task that panicked is a bug; it starts again after this.
const AFTER_PANIC: Duration = Duration::from_secs(60);

/// What polling needs besides the config.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Where states go.
    pub store: Arc<Store>,
    /// Counters of the polls.
    pub metrics: Metrics,
    /// The local clock.
    pub clock: Clock,
    /// A first poll that asks to be repeated soon is repeated at once, and the first round lasts until
    /// then: for a command that polls once.
    pub confirms_at_once: bool,
}

/// Polls everything that the config names, for as long as it is let. `first` as for
/// [`Polling::start`].
pub async fn run(config: Config, deps: Deps, first: Latch) {
    let _polling = Polling::start(config.accounts, deps, first).await;
    std::future::pending::<()>().await;
}

/// One product of one account, as its tasks share it. A new config makes a new one.
struct Watch {
    account: Arc<Account>,
    product: &'static dyn Product,
    config: ProductConfig,
    provider: Arc<dyn Provider>,
    /// Clock of the account's vendor.
    clock: VendorClock,
    /// Oddities that were logged.
    oddities: Arc<Oddities>,
    metrics: Arc<ProductMetrics>,
}

/// Polls everything that the config names, until it is dropped.
pub struct Polling {
    deps: Deps,
    accounts: Vec<Running>,
}

struct Running {
    account: Arc<Account>,
    access: Arc<Access>,
    products: Vec<RunningProduct>,
}

struct RunningProduct {
    watch: Arc<Watch>,
    fleet: Arc<Fleet>,
    task: JoinSet<()>,
}

/// A config that can be taken over.
pub struct Prepared(Vec<Ready>);

struct Ready {
    account: Arc<Account>,
    access: Arc<Access>,
    /// There was one of this name, and it was not as this one is.
    is_news: bool,
}

impl Polling {
    /// Begins. `first` is dropped once the first round of every account has ended, well or badly.
    pub async fn start(accounts: Vec<Account>, deps: Deps, first: Latch) -> Self {
        let mut polling = Self {
            deps,
            accounts: Vec::new(),
        };
        let prepared = polling.prepare(accounts);
        polling.take_over(prepared, &first).await;
        polling
    }

    /// Compares new accounts with those that are polled. Nothing changes yet.
    pub fn prepare(&self, accounts: Vec<Account>) -> Prepared {
        let ready = accounts.into_iter().map(|account| {
            let account = Arc::new(account);
            let before = self
                .accounts
                .iter()
                .find(|b| b.account.name == account.name);
            let access = match before {
                Some(before) if is_same_way(&before.account, &account) => before.access.clone(),
                before => {
                    let before = before.filter(|b| is_same_place(&b.account, &account));
                    let before = before.map(|before| &before.access);
                    Arc::new(Access::new(account.clone(), self.deps.clone(), before))
                }
            };
            Ready {
                is_news: before.is_none_or(|before| *before.account != *account),
                account,
                access,
            }
        });
        Prepared(ready.collect())
    }

    /// Takes the config over. Clusters that are as they were notice nothing, and those that are not
    /// named any more are gone when this ends.
    pub async fn apply(&mut self, prepared: Prepared) -> Changes {
        self.take_over(prepared, &Latch::spent()).await
    }

    async fn take_over(&mut self, prepared: Prepared, first: &Latch) -> Changes {
        let mut changes = Changes::default();
        let mut gone = Gone::default();
        let mut before = std::mem::take(&mut self.accounts);
        for ready in prepared.0 {
            let place = before
                .iter()
                .position(|running| running.account.name == ready.account.name);
            let old = place.map(|place| before.swap_remove(place));
            match &old {
                None => changes.accounts.added += 1,
                Some(_) if ready.is_news => changes.accounts.changed += 1,
                Some(_) => {}
            }
            // What is known of clusters in another place is not true here.
            let (old, elsewhere) = match old {
                Some(old) if is_same_place(&old.account, &ready.account) => (old.products, None),
                Some(old) => (Vec::new(), Some(old)),
                None => (Vec::new(), None),
            };
            if let Some(elsewhere) = elsewhere {
                changes.clusters.removed += gone.add(elsewhere.products);
            }
            let (name, clock) = (&ready.account.name, &ready.access.clock);
            self.deps.store.put_clock(name, clock);
            let products = self.products(&ready, old, first, &mut changes, &mut gone);
            self.accounts.push(Running {
                account: ready.account,
                access: ready.access,
                products,
            });
        }
        changes.accounts.removed = before.len();
        for running in before {
            changes.clusters.removed += gone.add(running.products);
            // Last: the times of its clusters are measured by it while they are shown.
            self.deps.store.remove_clock(&running.account.name);
        }
        gone.finish().await;
        changes
    }

    /// The products of an account: those that go on, and new ones.
    fn products(
        &self,
        ready: &Ready,
        mut before: Vec<RunningProduct>,
        first: &Latch,
        changes: &mut Changes,
        gone: &mut Gone,
    ) -> Vec<RunningProduct> {
        let Ready {
            account, access, ..
        } = ready;
        let mut products = Vec::new();
        for config in &account.products {
            let place = before
                .iter()
                .position(|running| running.watch.product == config.product);
            let old = place.map(|place| before.swap_remove(place));
            let Some(mut running) = old else {
                let service = Service::new(access.clone(), config.clone());
                let product = config.product;
                let metrics = gone.metrics(&account.name, product);
                let new = || {
                    Arc::new(
                        self.deps
                            .metrics
                            .product(&account.name, product.info().name),
                    )
                };
                let watch = Arc::new(Watch {
                    account: account.clone(),
                    product,
                    config: config.clone(),
                    provider: Arc::new(service),
                    clock: access.clock.clone(),
                    oddities: Arc::default(),
                    metrics: metrics.unwrap_or_else(new),
                });
                products.push(RunningProduct::start(watch, &self.deps, first.clone()));
                continue;
            };
            if ready.is_news {
                let old = &running.watch;
                let is_same =
                    is_same_way(&old.account, account) && is_same_service(&old.config, config);
                let watch = Arc::new(Watch {
                    account: account.clone(),
                    product: config.product,
                    config: config.clone(),
                    provider: if is_same {
                        old.provider.clone()
                    } else {
                        Arc::new(Service::new(access.clone(), config.clone()))
                    },
                    clock: access.clock.clone(),
                    oddities: old.oddities.clone(),
                    metrics: old.metrics.clone(),
                });
                running.watch = watch.clone();
                changes.clusters.add(running.fleet.replace(watch));
            }
            products.push(running);
        }
        changes.clusters.removed += gone.add(before);
        products
    }
}

impl RunningProduct {
    fn start(watch: Arc<Watch>, deps: &Deps, first: Latch) -> Self {
        let fleet = Arc::new(Fleet::new(&watch, deps.clone(), first));
        let mut task = JoinSet::new();
        let name = (watch.account.name.clone(), watch.product.info().name);
        task.spawn(keep(name, fleet.clone()));
        Self { watch, fleet, task }
    }
}

/// Products that are not polled any more.
#[derive(Default)]
struct Gone {
    products: Vec<Arc<Watch>>,
    tasks: Vec<JoinSet<()>>,
}

impl Gone {
    /// Ends them, and tells how many clusters they had.
    fn add(&mut self, products: Vec<RunningProduct>) -> usize {
        let mut clusters = 0;
        for mut product in products {
            let workers = product.fleet.end();
            clusters += workers.len();
            self.tasks.extend(workers);
            product.task.abort_all();
            self.tasks.push(product.task);
            self.products.push(product.watch);
        }
        clusters
    }

    /// Returns the counters of a product that goes on in another place.
    fn metrics(&self, account: &str, product: &'static dyn Product) -> Option<Arc<ProductMetrics>> {
        let mut products = self.products.iter();
        let same = products.find(|old| *old.account.name == *account && old.product == product);
        same.map(|old| old.metrics.clone())
    }

    /// Waits for the end of their tasks. Then their series end, where no other product counts on.
    async fn finish(mut self) {
        for tasks in &mut self.tasks {
            tasks.shutdown().await;
        }
    }
}

impl Prepared {
    /// Opens the ways of accounts that are not as they were, so that one that cannot be opened is
    /// known before anything changes. It reads files: not for an async thread.
    pub fn open(self) -> Result<Self, String> {
        let mut problems = Vec::new();
        for ready in self.0.iter().filter(|ready| ready.is_news) {
            let opened = ready.access.transport().and_then(|transport| {
                let mut products = ready.account.products.iter();
                products.try_for_each(|config| ready.account.open(config, &transport).map(drop))
            });
            if let Err(error) = opened {
                problems.push(format!("account {}: {error}", ready.account.name));
            }
        }
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(problems.join("\n"))
        }
    }
}

/// Nothing is known yet of a product's clusters.
fn not_looked(account: &Account, product: &dyn Product) -> DiscoveryState {
    DiscoveryState {
        account: account.name.clone(),
        product: product.info().name,
        cloud: product.info().cloud,
        cloud_region: account.cloud.region().clone(),
        last_success: None,
        last_error: None,
        watched: 0,
        inaccessible: 0,
        left_out: 0,
    }
}

/// Watches a product, and starts anew if that panics. It knows the names alone: it outlives configs.
async fn keep((account, product): (Arc<str>, &'static str), fleet: Arc<Fleet>) {
    let run = || fleet.clone().run();
    restarting(AFTER_PANIC, run, || {
        tracing::error!(
            %account, product,
            "Watching a product ended: this is a bug, please report it. It starts again in {}.",
            crate::text::exact_length(AFTER_PANIC)
        );
    })
    .await;
}

/// Runs it for ever: a bug must not end the watch. After a panic it starts anew, after a pause.
async fn restarting<F: Future<Output = ()>>(
    pause: Duration,
    mut run: impl FnMut() -> F,
    told: impl Fn(),
) {
    loop {
        // Not a task of its own: that could still count something after this one was ended. What a
        // panic leaves behind stands behind locks that are only held between whole steps.
        if AssertUnwindSafe(run()).catch_unwind().await.is_err() {
            told();
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests;
