//! States in words, and how many upgrades are in each.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{length, plain, since};
use crate::report::{Attention, ClusterReport, Report, UpgradeReport};

/// State of an upgrade in which nothing runs until a person acts.
pub const WAITS_FOR_PERSON: &str = "waits for a person";

/// Returns the title of the clusters that are to be looked at for this.
pub fn title(attention: Attention) -> &'static str {
    match attention {
        Attention::Failed => "Failed",
        Attention::Stalled => "Stalled",
        Attention::Silent => "No answer from the cloud",
        Attention::Running => "In progress",
        Attention::Ended => "Recently ended",
        Attention::Idle => "No upgrade",
    }
}

/// Returns the title in lower case, where there is room for two words.
pub fn short_title(attention: Attention) -> String {
    match attention {
        Attention::Silent => "no answer".to_owned(),
        other => title(other).to_lowercase(),
    }
}

/// Writes how many clusters are in trouble, for a tab; `None` when no cluster is.
pub fn tab_title(counts: &BTreeMap<Attention, usize>) -> Option<String> {
    let parts: Vec<String> = [
        (Attention::Failed, "failed"),
        (Attention::Stalled, "stalled"),
        (Attention::Silent, "without an answer"),
    ]
    .into_iter()
    .filter_map(|(attention, word)| Some(format!("{} {word}", counts.get(&attention)?)))
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Writes the state of a cluster with this one of its upgrades, beside a sign for what else it is.
pub fn badge(
    attention: Attention,
    cluster: &ClusterReport,
    upgrade: Option<&UpgradeReport>,
) -> String {
    let Some(upgrade) = upgrade else {
        return match attention {
            Attention::Silent if cluster.last_success.is_none() => "not known yet",
            Attention::Silent => "no answer",
            _ => "no upgrade",
        }
        .to_owned();
    };
    let status = plain(upgrade.status.as_str());
    match attention {
        Attention::Failed if upgrade.has_failed() => status,
        Attention::Failed => format!("{status}, a node failed"),
        Attention::Stalled => format!("{status}, stalled"),
        Attention::Silent => format!("no answer, was {status}"),
        _ if upgrade.waits_for_person => WAITS_FOR_PERSON.to_owned(),
        _ => status,
    }
}

/// Writes the state of an upgrade in a few words.
pub fn state(upgrade: &UpgradeReport) -> String {
    let status = plain(upgrade.status.as_str());
    if upgrade.stalled {
        stalled_or_status(upgrade)
    } else if upgrade.has_failed_node() {
        format!("{status}, a node failed")
    } else if upgrade.overdue {
        format!("{status}, overdue")
    } else {
        status
    }
}

/// Writes the state of a row: that the cloud is silent is more urgent than what it said last.
pub fn row_state(attention: Attention, upgrade: Option<&UpgradeReport>) -> String {
    match (attention, upgrade) {
        (Attention::Silent, None) => "no answer".to_owned(),
        (Attention::Silent, Some(upgrade)) => format!("{}, no answer", state(upgrade)),
        (_, None) => "none".to_owned(),
        (_, Some(upgrade)) => state(upgrade),
    }
}

/// Writes the state of an upgrade in one word, where there is room for no more.
pub fn short_state(attention: Attention, upgrade: &UpgradeReport) -> String {
    match attention {
        Attention::Silent => "no answer".to_owned(),
        _ => stalled_or_status(upgrade),
    }
}

/// Writes for how long nothing of an upgrade moved.
pub fn silence(upgrade: &UpgradeReport, now: Timestamp) -> String {
    format!("nothing moved for {}", since(upgrade.last_progress, now))
}

/// Writes how long an overdue upgrade should take at most; `None` while it is not overdue.
pub fn overdue(upgrade: &UpgradeReport) -> Option<String> {
    let limit = upgrade.overdue_after_seconds.filter(|_| upgrade.overdue)?;
    Some(format!("running for longer than {}", length(limit)))
}

/// Writes how many upgrades are in each state: `2 succeeded, 1 failed`.
pub fn counts(report: &Report) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for (_, _, upgrade) in report.by_attention() {
        let Some(upgrade) = upgrade else { continue };
        let word = stalled_or_status(upgrade);
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let counts = counts.into_iter();
    let counts: Vec<String> = counts
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    counts.join(", ")
}

fn stalled_or_status(upgrade: &UpgradeReport) -> String {
    if upgrade.stalled {
        "stalled".to_owned()
    } else {
        plain(upgrade.status.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NodeStatus, UpgradeStatus};
    use crate::report::format::testing::upgrade;

    #[test]
    fn a_failed_node_is_told_while_the_upgrade_goes_on() {
        let one = upgrade(|one| {
            (one.overdue, one.stalled) = (false, false);
            one.nodes[0].status = NodeStatus::Failed.into();
        });
        assert_eq!(state(&one), "running, a node failed");
        let over = upgrade(|one| {
            one.overdue = true;
            one.nodes[0].status = NodeStatus::Failed.into();
            one.status = UpgradeStatus::PartiallyFailed.into();
            one.nodes[1].status = NodeStatus::Succeeded.into();
        });
        assert_eq!(state(&over), "partially failed, overdue");
    }

    #[test]
    fn a_silent_cloud_comes_before_its_last_word() {
        let one = upgrade(|one| (one.overdue, one.stalled) = (false, false));
        let row = |attention| row_state(attention, Some(&one));
        assert_eq!(row(Attention::Silent), "running, no answer");
        assert_eq!(row(Attention::Running), "running");
        assert_eq!(row_state(Attention::Silent, None), "no answer");
        assert_eq!(short_state(Attention::Silent, &one), "no answer");
    }
}
