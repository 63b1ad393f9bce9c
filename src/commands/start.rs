//! `start`: sends the one request that starts an upgrade, after showing what it will do.

mod ask;
mod outcome;
mod plan;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::cloud::start::{Failed, Order};
use rolling_upgrade_exporter::cloud::transport::{RequestMetrics, Transport};
use rolling_upgrade_exporter::cloud::{OpenContext, ProductInfo};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config::{self, Account, Config, Listed, Selection};
use rolling_upgrade_exporter::http::ApiError;
use rolling_upgrade_exporter::model::{Memory, Reason};

use super::status::{self, Stop};
use super::{Failure, say};
use crate::cli::{How, Narrow, Start};
use plan::{Found, Plan};

/// How long `--watch` waits for the upgrade to show. A vendor takes its time between the answer and
/// the first node.
const APPEARS: Duration = Duration::from_secs(10 * 60);

pub(super) async fn run(flags: Start) -> Result<(), Failure> {
    let request = flags.request();
    let request = request.map_err(|wrong| Failure::Usage(wrong.join("\n")))?;
    let stage = Stage::set(&flags.how, flags.info, &request.cluster())?;
    let order = stage.order(|context| request.order(context))?;
    let mut plan = Plan::new(stage.account(), flags.info, request.cluster());
    plan.target = request.target();
    plan.cautions = request.cautions();
    stage.go(flags.how, plan, order).await
}

/// Leaves the account of this name, which has to be in one region.
fn only<'a>(config: &'a mut Config, name: &str) -> Result<&'a mut Account, Failure> {
    let mut names: Vec<&str> = config.accounts.iter().map(|a| &*a.name).collect();
    names.dedup();
    let known = names.join(", ");
    config.accounts.retain(|account| *account.name == *name);
    match config.accounts.as_mut_slice() {
        [] => Err(Failure::Usage(format!(
            "the config has no account {name:?}: it has {known}"
        ))),
        [account] => Ok(account),
        accounts => {
            let regions = accounts.iter().map(|account| &**account.cloud.region());
            let regions: Vec<&str> = regions.collect();
            Err(Failure::Usage(format!(
                "account {name:?} is in several regions ({}): write an account of its own for the region of the cluster",
                regions.join(", ")
            )))
        }
    }
}

/// One account with one product and one cluster, and the way to its vendor.
struct Stage {
    config: Config,
    transport: Arc<Transport>,
}

impl Stage {
    /// Leaves of the config what this start needs. The cluster need not be one that is watched.
    fn set(how: &How, info: &ProductInfo, cluster: &str) -> Result<Self, Failure> {
        let mut config = config::load(CLOUDS, &how.config.file)?;
        let account = only(&mut config, &how.account)?;
        let ProductInfo {
            name: product,
            cloud,
            ..
        } = info;
        account
            .products
            .retain(|config| config.product.info().name == *product);
        let Some(watched) = account.products.first_mut() else {
            return Err(Failure::Usage(format!(
                "account {:?} has no {product}: add `{product}: {{}}` to it, if it is an account of {cloud}",
                how.account
            )));
        };
        let listed = match &watched.clusters {
            Selection::Listed(all) => all.iter().find(|one| *one.id == *cluster).cloned(),
            Selection::All => None,
        };
        watched.clusters = Selection::Listed(vec![listed.unwrap_or(Listed {
            id: cluster.into(),
            name: None,
            thresholds: watched.thresholds,
        })]);
        let transport = Transport::new(
            &account.connection(),
            RequestMetrics::default(),
            Clock::system(),
        );
        let transport = transport.map_err(|error| not_sent(&error.to_string()))?;
        Ok(Self {
            config,
            transport: Arc::new(transport),
        })
    }

    fn account(&self) -> &Account {
        self.config.accounts.first().expect("one was left")
    }

    fn order(
        &self,
        make: impl FnOnce(OpenContext<'_>) -> Result<Order, ApiError>,
    ) -> Result<Order, Failure> {
        let account = self.account();
        let product = account.products.first().expect("one was left");
        make(account.context(product, self.transport.clone()))
            .map_err(|error| not_sent(&error.to_string()))
    }

    /// Shows, asks, sends, tells, and follows: as far as it was asked for.
    async fn go(self, how: How, mut plan: Plan, order: Order) -> Result<(), Failure> {
        if how.dry_run {
            say(&order.to_string())?;
            return tell("\nThis is what would be sent. Nothing was sent.");
        }
        if !how.yes && !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "there is no terminal to ask on whether to send it: look at it with --dry-run, then add --yes".to_owned(),
            ));
        }
        let found = self.look(&plan.cluster).await?;
        plan.found = found;
        if let Some(why) = plan.in_the_way() {
            return Err(not_sent(&format!(
                "{why}; follow it with\n  {}",
                outcome::follow(&how, &plan)
            )));
        }
        // Not as it is: a reader that has closed its end would make a success of it.
        let unseen = |failure: Failure| not_sent(&format!("nobody can be asked: {failure}"));
        tell(&plan.to_string()).map_err(unseen)?;
        if !how.yes && !ask::agreed(&plan).await.map_err(unseen)? {
            return Err(anyhow!("nothing was sent").into());
        }
        let clock = Clock::system();
        let since = clock.now();
        let (needs, console) = (order.needs(), order.console());
        let ways = outcome::Ways { needs, console };
        let told = |failed: &Failed| outcome::failed(failed, since, &how, &plan, &ways);
        // Whoever loses patience is told that it may have arrived.
        let mut stop = Stop::new()?;
        let connection = self.account().connection();
        let sent = tokio::select! {
            sent = order.send(&connection, &clock) => sent,
            ended = stop.asked() => {
                let why = ApiError::new(Reason::Timeout, "ended by a signal before the answer came");
                // The exit code tells the same.
                drop(tell(&told(&Failed::Unknown(why))));
                return Err(ended);
            }
        };
        let accepted = sent.map_err(|failed| anyhow!(told(&failed)))?;
        let said = say(&outcome::accepted(&accepted, &how, &plan));
        if !how.watch {
            return said;
        }
        let narrow = Narrow {
            accounts: vec![how.account],
            products: vec![plan.product.to_owned()],
            clusters: vec![plan.cluster],
        };
        status::follow(self.config, &narrow, since, APPEARS).await
    }

    /// Asks how the cluster is. A key that may start upgrades and read nothing is a good key.
    async fn look(&self, cluster: &str) -> Result<Found, Failure> {
        let account = self.account();
        let product = account.products.first().expect("one was left");
        let provider = account
            .open(product, &self.transport)
            .map_err(|error| not_sent(&error.to_string()))?;
        let memory = Memory::default();
        match provider
            .observe(cluster, &memory, Duration::ZERO)
            .await
            .map_err(|failure| *failure.error)
        {
            Ok(observation) => Ok(Found::Seen(Box::new(observation))),
            Err(error) if matches!(error.reason, Reason::Permission | Reason::Refused) => {
                Ok(Found::Hidden(error.to_string()))
            }
            Err(error) => Err(not_sent(&error.to_string())),
        }
    }
}

fn not_sent(why: &str) -> Failure {
    anyhow!("nothing was sent: {why}").into()
}

/// Says something to the person, whose output may go elsewhere.
fn tell(text: &str) -> Result<(), Failure> {
    let mut out = io::stderr().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn account(region: &str) -> String {
        format!(
            "{{name: a, ncloud: {{region: {region}, access_key: x, secret_key: x, ses: {{}}}}}}"
        )
    }

    fn config(text: &str) -> Config {
        let text = format!(
            "accounts: [{text}, {}]",
            account("KR").replace("name: a", "name: b")
        );
        config::parse(CLOUDS, &text, Path::new("."), &|_| None).unwrap()
    }

    #[test]
    fn an_account_in_several_regions_is_refused_with_a_remedy() {
        let mut one = config(&account("KR"));
        let mut two = one.clone();
        two.accounts
            .insert(1, config(&account("SGN")).accounts.remove(0));
        assert_eq!(&*only(&mut one, "a").unwrap().name, "a");
        let error = |config: &mut Config, name: &str| match only(config, name) {
            Err(Failure::Usage(text)) => text,
            other => panic!("{:?}", other.map(|account| account.name.clone()).ok()),
        };
        let text = error(&mut two.clone(), "a");
        assert!(
            text.starts_with("account \"a\" is in several regions (KR, SGN): "),
            "{text}"
        );
        assert_eq!(
            error(&mut two, "c"),
            "the config has no account \"c\": it has a, b"
        );
    }
}
