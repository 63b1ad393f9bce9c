//! Follows upgrades until they have ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rolling_upgrade_exporter::report::{Report, UpgradeReport};

use super::screen::Screen;
use super::source::Source;
use super::stop::Stop;
use super::text::is_over;
use crate::cli::Narrow;
use crate::commands::Failure;

/// How far the vendor's clock may be off: more than that and it refuses the calls.
const CLOCKS: SignedDuration = SignedDuration::from_mins(15);

/// News that come together are shown together.
const TOGETHER: Duration = Duration::from_millis(50);

/// Which part of a report is meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) narrow: Narrow,
    /// Only upgrades that were requested then or later.
    pub(super) since: Option<Timestamp>,
}

impl Scope {
    pub(super) async fn read(&self, source: &mut Source) -> Result<Report, Failure> {
        let mut report = source.read().await?;
        self.narrow.report(&mut report);
        if let Some(since) = self.since {
            for cluster in &mut report.clusters {
                cluster.upgrades.retain(|upgrade| is_since(upgrade, since));
            }
        }
        Ok(report)
    }
}

/// Whether it was requested at `since` or later. The vendor's clock may be behind ours: one that was
/// requested shortly before, and had not ended by then, is it too, since no two run at a time.
fn is_since(upgrade: &UpgradeReport, since: Timestamp) -> bool {
    let requested = upgrade.requested.unwrap_or(upgrade.status_since);
    let almost = since.saturating_sub(CLOCKS).unwrap_or(Timestamp::MIN);
    requested >= since || requested >= almost && upgrade.ended.is_none_or(|ended| ended >= since)
}

/// Whether any upgrade is not over.
pub(super) fn is_running(report: &Report) -> bool {
    let mut upgrades = report.clusters.iter().flat_map(|cluster| &cluster.upgrades);
    upgrades.any(|upgrade| !is_over(upgrade))
}

/// Shows what changes until no upgrade runs any more, and gives the last report. Ctrl-C ends it.
pub(super) async fn until_over(
    source: &mut Source,
    scope: &Scope,
    screen: &mut Screen,
    stop: &mut Stop,
) -> Result<Report, Failure> {
    let mut before: Option<Report> = None;
    let mut trouble = String::new();
    loop {
        match scope.read(source).await {
            Ok(now) => {
                trouble.clear();
                screen.show(before.as_ref(), &now)?;
                if now.ready && !is_running(&now) {
                    screen.clear();
                    return Ok(now);
                }
                before = Some(now);
            }
            // The first answer must come; after it a failure passes, or a person ends it.
            Err(failure) if before.is_none() => return Err(failure),
            Err(failure) => {
                let why = failure.to_string();
                if why != trouble {
                    screen.trouble(&why)?;
                    trouble = why;
                }
            }
        }
        let is_live = screen.is_live();
        tokio::select! {
            () = source.news(is_live) => tokio::time::sleep(TOGETHER).await,
            ended = stop.asked() => {
                screen.leave();
                return Err(ended);
            }
        }
    }
}

/// Waits until an upgrade is there; false when it does not come in time.
pub(super) async fn until_there(
    source: &mut Source,
    scope: &Scope,
    wait: Duration,
    stop: &mut Stop,
) -> Result<bool, Failure> {
    let end = tokio::time::Instant::now() + wait;
    loop {
        let report = scope.read(source).await?;
        if report
            .clusters
            .iter()
            .any(|cluster| !cluster.upgrades.is_empty())
        {
            return Ok(true);
        }
        tokio::select! {
            () = source.news(false) => {}
            () = tokio::time::sleep_until(end) => return Ok(false),
            ended = stop.asked() => return Err(ended),
        }
    }
}
