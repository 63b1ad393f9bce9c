//! What the exit code says at the end.

use anyhow::anyhow;
use rolling_upgrade_exporter::model::UpgradeStatus;
use rolling_upgrade_exporter::report::{Attention, Report};
use rolling_upgrade_exporter::text::escaped;

use super::text::whose;
use super::watch::Scope;
use crate::commands::Failure;

/// What read the output is gone while upgrades run: as a shell tells of SIGPIPE, so that no script
/// goes on as if they had ended.
const UNREAD: i32 = 141;

/// Fails when the asked clusters are not there, although all were listed.
pub(super) fn missing(report: &Report, scope: &Scope) -> Result<(), Failure> {
    let all_listed = report.ready && report.products.iter().all(|p| p.last_error.is_none());
    if report.clusters.is_empty() && !scope.narrow.clusters.is_empty() && all_listed {
        let patterns = scope.narrow.clusters.join(" or ");
        return Err(anyhow!(
            "no cluster is called {patterns}: `status --summary` lists those that are watched"
        )
        .into());
    }
    Ok(())
}

/// How the clusters are. `lost` are those whose upgrade is not shown any more.
pub(super) fn of_all(report: &Report, lost: &[&str]) -> Result<(), Failure> {
    wrong(report)?;
    if !lost.is_empty() {
        return Err(nobody_knows(&lost.join(", ")));
    }
    let is_dark = !report.ready
        || report.clusters.iter().any(|cluster| !cluster.up)
        || report.products.iter().any(|p| p.last_error.is_some());
    if is_dark {
        return Err(Failure::Told(1));
    }
    Ok(())
}

/// How the upgrade that was followed ended; well only if it was seen to have succeeded.
pub(super) fn of_followed(report: &Report, lost: &[&str]) -> Result<(), Failure> {
    wrong(report)?;
    let upgrades = || {
        let of = |cluster| move |upgrade| (cluster, upgrade);
        let clusters = report.clusters.iter();
        clusters.flat_map(move |cluster| cluster.upgrades.iter().map(of(cluster)))
    };
    if !lost.is_empty() || upgrades().next().is_none() {
        let known: Vec<String> = report.clusters.iter().map(whose).collect();
        let lost = if lost.is_empty() {
            known.join(", ")
        } else {
            lost.join(", ")
        };
        return Err(nobody_knows(&lost));
    }
    match upgrades().find(|(_, upgrade)| upgrade.status != UpgradeStatus::Succeeded) {
        None => Ok(()),
        Some((cluster, upgrade)) => {
            let (whose, status) = (whose(cluster), escaped(upgrade.status.as_str()));
            Err(anyhow!("the upgrade of {whose} did not succeed: it is {status}").into())
        }
    }
}

/// What an exit says while the watch goes on, and nobody reads it any more.
pub(super) fn unread(report: &Report) -> Failure {
    of_all(report, &[]).err().unwrap_or(Failure::Told(UNREAD))
}

/// That nobody reads what is said takes nothing from how it ended.
pub(super) fn after(
    said: Result<(), Failure>,
    outcome: Result<(), Failure>,
) -> Result<(), Failure> {
    match said {
        Err(failure) if !failure.is_broken_pipe() => Err(failure),
        _ => outcome,
    }
}

fn wrong(report: &Report) -> Result<(), Failure> {
    let is_wrong = |attention| matches!(attention, Attention::Failed | Attention::Stalled);
    let mut rows = report.by_attention().into_iter();
    if rows.any(|(attention, ..)| is_wrong(attention)) {
        return Err(Failure::Told(3));
    }
    Ok(())
}

fn nobody_knows(whose: &str) -> Failure {
    anyhow!(
        "the upgrade of {whose} is not shown any more, and nobody knows how it ended: look into the \
         vendor's console"
    )
    .into()
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    /// One cluster with one upgrade in this state.
    fn report(status: UpgradeStatus) -> Report {
        let fleet = include_str!("../../../tests/data/status/fleet.json");
        let mut report: Report = serde_json::from_str(fleet).unwrap();
        report.products.clear();
        report.clusters.truncate(1);
        report.clusters[0].upgrades.truncate(1);
        let upgrade = &mut report.clusters[0].upgrades[0];
        upgrade.status = status.into();
        upgrade.nodes.clear();
        report
    }

    fn code(outcome: &Result<(), Failure>) -> i32 {
        outcome.as_ref().err().map_or(0, Failure::exit_code)
    }

    #[test]
    fn only_what_was_seen_to_succeed_ended_well() {
        for (status, followed, all) in [
            (UpgradeStatus::Succeeded, 0, 0),
            (UpgradeStatus::Failed, 3, 3),
            (UpgradeStatus::PartiallyFailed, 3, 3),
            (UpgradeStatus::Cancelled, 1, 0),
            (UpgradeStatus::Unknown, 1, 0),
        ] {
            let report = report(status);
            assert_eq!(code(&of_followed(&report, &[])), followed, "{status:?}");
            assert_eq!(code(&of_all(&report, &[])), all, "{status:?}");
        }
        let mut stalled = report(UpgradeStatus::Running);
        stalled.clusters[0].upgrades[0].stalled = true;
        assert_eq!(code(&of_followed(&stalled, &[])), 3);
        // One of two.
        let mut two = report(UpgradeStatus::Succeeded);
        let mut other = two.clusters[0].upgrades[0].clone();
        other.status = UpgradeStatus::Cancelled.into();
        two.clusters[0].upgrades.push(other);
        let told = of_followed(&two, &[]).unwrap_err();
        assert_eq!(
            told.to_string(),
            "the upgrade of cn-prod cce 商店-前端 did not succeed: it is cancelled"
        );
    }

    #[test]
    fn what_vanished_did_not_end_well() {
        let mut none = report(UpgradeStatus::Running);
        none.clusters[0].upgrades.clear();
        let lost = of_followed(&none, &[]).unwrap_err();
        assert_eq!(
            lost.to_string(),
            "the upgrade of cn-prod cce 商店-前端 is not shown any more, and nobody knows how it ended: look into the vendor's console"
        );
        assert_eq!(lost.exit_code(), 1);
        assert_eq!(code(&of_all(&none, &[])), 0, "none ran");
        let watched = of_all(&none, &["kr ses a", "kr ses b"]).unwrap_err();
        assert!(watched.to_string().contains("kr ses a, kr ses b is not"));
        assert_eq!(watched.exit_code(), 1);
        let failed = report(UpgradeStatus::Failed);
        assert_eq!(code(&of_all(&failed, &["kr ses a"])), 3, "worse");
    }

    #[test]
    fn a_reader_that_is_gone_changes_no_outcome() {
        let gone = || Err(Error::from(ErrorKind::BrokenPipe).into());
        assert_eq!(code(&after(gone(), Err(Failure::Told(3)))), 3);
        assert_eq!(code(&after(gone(), Ok(()))), 0);
        let full = Err(Error::from(ErrorKind::StorageFull).into());
        assert_eq!(code(&after(full, Ok(()))), 1);
        assert_eq!(unread(&report(UpgradeStatus::Failed)).exit_code(), 3);
        assert_eq!(unread(&report(UpgradeStatus::Running)).exit_code(), 141);
    }
}
