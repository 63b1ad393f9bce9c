//! Words for people: lengths of time, shares, states, and foreign text that is safe to print.

use jiff::Timestamp;
use rolling_upgrade_exporter::report::{ClusterReport, UpgradeReport};
use rolling_upgrade_exporter::text::escaped;

/// The cluster's name, or its id where it has none.
pub(super) fn name(cluster: &ClusterReport) -> String {
    if cluster.cluster_name.is_empty() {
        escaped(&cluster.cluster_id).into_owned()
    } else {
        escaped(&cluster.cluster_name).into_owned()
    }
}

/// Returns the vendor-neutral status with spaces, for people.
pub(super) fn status(upgrade: &UpgradeReport) -> String {
    escaped(&upgrade.status).replace('_', " ")
}

/// The state in one or two words.
pub(super) fn state(upgrade: &UpgradeReport) -> String {
    let word = status(upgrade);
    if upgrade.stalled {
        "stalled".to_owned()
    } else if upgrade.overdue {
        format!("{word}, overdue")
    } else {
        word
    }
}

/// Whether it is over: nothing of it moves any more.
pub(super) fn is_over(upgrade: &UpgradeReport) -> bool {
    let is_final = matches!(
        upgrade.status.as_str(),
        "succeeded" | "failed" | "partially_failed" | "cancelled"
    );
    upgrade.ended.is_some() || is_final && upgrade.nodes_in("upgrading") == 0
}

/// The versions, as far as they are known.
pub(super) fn versions(upgrade: &UpgradeReport) -> String {
    let shown = |version: &Option<String>| version.as_deref().map(|v| escaped(v).into_owned());
    match (shown(&upgrade.from_version), shown(&upgrade.to_version)) {
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("to {to}"),
        (None, None) => String::new(),
    }
}

/// Rounded down, so that 100% is only what has succeeded.
pub(super) fn percent(ratio: f64) -> String {
    format!("{:.0}%", (ratio * 100.0).clamp(0.0, 100.0).floor())
}

/// How long before `now`; nothing is in the future.
pub(super) fn since(at: Timestamp, now: Timestamp) -> String {
    length(now.duration_since(at).as_secs_f64())
}

/// A length of time in its two largest units, coarser as it grows.
pub(super) fn length(seconds: f64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is within the bounds"
    )]
    let seconds = seconds.clamp(0.0, 1e12) as u64;
    let two = |large, a, small, b| match seconds % large / small {
        0 => format!("{}{a}", seconds / large),
        rest => format!("{}{a}{rest}{b}", seconds / large),
    };
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => two(MINUTE, 'm', 1, 's'),
        HOUR..DAY => two(HOUR, 'h', MINUTE, 'm'),
        _ => two(DAY, 'd', HOUR, 'h'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short() {
        for (seconds, want) in [
            (-3.0, "0s"),
            (59.9, "59s"),
            (60.0, "1m"),
            (125.0, "2m5s"),
            (3600.0, "1h"),
            (11_520.0, "3h12m"),
            (86_400.0 * 2.0 + 3_700.0, "2d1h"),
            (f64::INFINITY, "11574074d1h"),
            (f64::NAN, "0s"),
        ] {
            assert_eq!(length(seconds), want, "{seconds}");
        }
    }

    #[test]
    fn only_the_whole_is_everything() {
        for (ratio, want) in [(0.0, "0%"), (0.999, "99%"), (1.0, "100%"), (7.0, "100%")] {
            assert_eq!(percent(ratio), want);
        }
    }
}
