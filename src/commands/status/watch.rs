//! Follows upgrades until they have ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rolling_upgrade_exporter::report::{Report, UpgradeReport};

use super::course::{Course, Stand};
use super::ending;
use super::screen::Screen;
use super::source::Source;
use super::stop::Stop;
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

/// Shows what changes until no upgrade runs any more, and gives the last report. Ctrl-C ends it.
pub(super) async fn until_over(
    source: &mut Source,
    scope: &Scope,
    screen: &mut Screen,
    stop: &mut Stop,
    course: &mut Course,
) -> Result<Report, Failure> {
    let mut before: Option<Report> = None;
    let mut trouble = String::new();
    let mut stand = Stand::Runs;
    loop {
        let read = tokio::select! {
            read = scope.read(source) => read,
            ended = stop.asked() => {
                screen.leave();
                return Err(ended);
            }
        };
        match read {
            Ok(now) => {
                trouble.clear();
                stand = course.look(&now);
                let is_over = now.ready && stand == Stand::Over;
                match screen.show(before.as_ref(), &now) {
                    Err(failure) if !failure.is_broken_pipe() => return Err(failure),
                    Err(_) if !is_over => return Err(ending::unread(&now)),
                    _ => {}
                }
                if is_over {
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
                    screen.trouble(&why);
                    trouble = why;
                }
            }
        }
        // Where time tells, no news are news.
        let is_live = screen.is_live() || stand == Stand::Waits;
        tokio::select! {
            () = source.news(is_live) => tokio::time::sleep(TOGETHER).await,
            ended = stop.asked() => {
                screen.leave();
                return Err(ended);
            }
        }
    }
}

/// Waits until an upgrade is there, and gives the report with it; none when it does not come in time.
pub(super) async fn until_there(
    source: &mut Source,
    scope: &Scope,
    wait: Duration,
    stop: &mut Stop,
) -> Result<Option<Report>, Failure> {
    let end = tokio::time::Instant::now() + wait;
    loop {
        let report = scope.read(source).await?;
        if report
            .clusters
            .iter()
            .any(|cluster| !cluster.upgrades.is_empty())
        {
            return Ok(Some(report));
        }
        tokio::select! {
            () = source.news(false) => {}
            () = tokio::time::sleep_until(end) => return Ok(None),
            ended = stop.asked() => return Err(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    /// One that was requested and ended then.
    fn upgrade(requested: Option<i64>, ended: Option<i64>) -> UpgradeReport {
        let fleet = include_str!("../../../tests/data/status/fleet.json");
        let fleet: Report = serde_json::from_str(fleet).unwrap();
        UpgradeReport {
            requested: requested.map(at),
            ended: ended.map(at),
            status_since: at(0),
            ..fleet.clusters[0].upgrades[0].clone()
        }
    }

    #[test]
    fn what_was_there_before_the_request_is_not_what_was_requested() {
        for (requested, ended, want) in [
            (Some(100), None, true),
            (Some(130), Some(160), true),
            // The vendor's clock is behind.
            (Some(90), None, true),
            (Some(90), Some(110), true),
            (Some(90), Some(95), false),
            (Some(80), None, false),
            (Some(80), Some(110), false),
            // First seen long ago.
            (None, None, false),
        ] {
            let is = is_since(&upgrade(requested, ended), at(100));
            assert_eq!(is, want, "{requested:?} {ended:?}");
        }
    }
}
