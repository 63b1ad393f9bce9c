//! When to ask: one task a product of an account discovers, one worker a cluster polls.
//!
//! Accounts share nothing, so that a failing one never slows another.

mod product;
pub mod schedule;
pub mod select;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::{Account, Config, ProductConfig};
use crate::model::DiscoveryState;
use crate::provider::{self, Product, Provider, Reason};
use crate::store::Store;
use crate::telemetry::once::Once;
use crate::telemetry::{DISCOVERY, Metrics};
use crate::web::ready::Latch;

/// An account that cannot even be opened (its CA file is gone) is tried again after this.
const REOPEN: Duration = Duration::from_secs(60);

/// What polling needs besides the config.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Where states go.
    pub store: Arc<Store>,
    /// Where the exporter counts.
    pub metrics: Arc<Metrics>,
    /// The wall clock.
    pub clock: Clock,
}

/// One product of one account, as its tasks share it.
struct Watch {
    account: Arc<Account>,
    product: &'static Product,
    config: ProductConfig,
    provider: Arc<dyn Provider>,
    /// Status words that are not known, told once.
    words: Once<String>,
}

/// Polls everything that the config names, for as long as it is let. `first` is dropped once the
/// first round of every account has ended, well or badly.
pub async fn run(config: Config, deps: Deps, first: Latch) {
    let mut accounts = JoinSet::new();
    for account in config.accounts {
        for product in &account.products {
            deps.metrics.announce(&account, product.product);
            deps.store
                .put_discovery(not_looked(&account, product.product));
        }
        accounts.spawn(run_account(Arc::new(account), deps.clone(), first.clone()));
    }
    drop(first);
    // Accounts never end by themselves; without any there is nothing to do.
    while let Some(ended) = accounts.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "Polling an account ended: this is a bug, please report it.");
        }
    }
    std::future::pending::<()>().await;
}

/// Nothing is known yet of a product's clusters.
fn not_looked(account: &Account, product: &Product) -> DiscoveryState {
    DiscoveryState {
        account: account.name.clone(),
        product: product.name,
        cloud: product.cloud,
        cloud_region: account.region().clone(),
        last_success: None,
        last_error: None,
        watched: 0,
        inaccessible: 0,
    }
}

async fn run_account(account: Arc<Account>, deps: Deps, first: Latch) {
    let mut first = Some(first);
    let opened = loop {
        match provider::open(&account, &deps.metrics, &deps.clock) {
            Ok(opened) => break opened,
            Err(error) => {
                tracing::error!(account = %account.name, %error, "The account cannot be polled.");
                for product in &account.products {
                    let now = deps.clock.now();
                    deps.metrics.poll(
                        (&account.name, product.product.name, DISCOVERY),
                        Duration::ZERO,
                        Err(Reason::Network),
                        now,
                    );
                    deps.store.put_discovery(DiscoveryState {
                        last_error: Some(error.told(now)),
                        ..not_looked(&account, product.product)
                    });
                }
                drop(first.take());
                tokio::time::sleep(REOPEN).await;
            }
        }
    };
    let mut products = JoinSet::new();
    for ((product, provider), config) in opened.into_iter().zip(&account.products) {
        let watch = Arc::new(Watch {
            account: account.clone(),
            product,
            config: config.clone(),
            provider,
            words: Once::default(),
        });
        let latch = first.clone().unwrap_or_else(Latch::spent);
        products.spawn(supervise(watch, deps.clone(), latch));
    }
    drop(first);
    while products.join_next().await.is_some() {}
}

/// Watches a product, and starts anew if that panics: a bug must not end the watch.
async fn supervise(watch: Arc<Watch>, deps: Deps, first: Latch) {
    let mut first = Some(first);
    loop {
        let latch = first.take().unwrap_or_else(Latch::spent);
        // A set of one: its task is aborted when this future is dropped.
        let mut task = JoinSet::new();
        task.spawn(product::run(watch.clone(), deps.clone(), latch));
        if let Some(Err(error)) = task.join_next().await {
            tracing::error!(
                account = %watch.account.name, product = watch.product.name, %error,
                "Watching a product ended: this is a bug, please report it. It starts again in {} s.",
                REOPEN.as_secs()
            );
        }
        tokio::time::sleep(REOPEN).await;
    }
}

#[cfg(test)]
mod tests;
