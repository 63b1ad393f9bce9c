//! Lengths of upgrades that ended.

use super::length;
use crate::model::UpgradeStatus;
use crate::report::PastUpgradeReport;

/// Share of the usual length within which a length is the usual one.
const ABOUT: f64 = 0.1;

/// Writes the usual length of the cluster's earlier upgrades: `usually 1h20m`; `None` where none is known.
pub fn usual(upgrade: &PastUpgradeReport) -> Option<String> {
    let median = upgrade.earlier_median_seconds?;
    Some(format!("usually {}", length(median)))
}

/// Writes how much longer or shorter an upgrade took than is usual: `25m longer`; `None` where it is about the
/// usual length, where none is known, and for an upgrade that did not succeed.
pub fn against_usual(upgrade: &PastUpgradeReport) -> Option<String> {
    let median = upgrade.earlier_median_seconds?;
    let more = upgrade.duration_seconds - median;
    if upgrade.outcome != UpgradeStatus::Succeeded || more.abs() <= median * ABOUT {
        return None;
    }
    let word = if more > 0.0 { "longer" } else { "shorter" };
    Some(format!("{} {word}", length(more.abs())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::HistoryReport;

    #[test]
    fn a_length_is_compared_with_the_usual_one() {
        let document = include_str!("../../../tests/data/api/history.json");
        let mut report: HistoryReport = serde_json::from_str(document).unwrap();
        let mut upgrade = report.upgrades.remove(0);
        assert_eq!((usual(&upgrade), against_usual(&upgrade)), (None, None));
        upgrade.earlier_median_seconds = Some(1_000.0);
        assert_eq!(usual(&upgrade).unwrap(), "usually 16m40s");
        for (seconds, text) in [
            (2_500.0, Some("25m longer")),
            (1_100.0, None),
            (900.0, None),
            (100.0, Some("15m shorter")),
        ] {
            upgrade.duration_seconds = seconds;
            assert_eq!(against_usual(&upgrade).as_deref(), text, "{seconds}");
        }
        upgrade.outcome = UpgradeStatus::Failed.into();
        assert_eq!(against_usual(&upgrade), None, "it ended before its end");
    }
}
