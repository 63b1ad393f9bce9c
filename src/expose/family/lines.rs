//! The lines of those families whose rule takes more than a line of the table.

use std::collections::BTreeSet;

use super::super::row::{Rows, Value, push_more_label};
use super::super::series::Labels;
use super::super::subject::Subject;
use crate::model::{Kind, NodeStatus, UpgradeStatus};

/// A cluster always has a version set once it answered; another kind only when it is shown.
pub(super) fn status(c: &Subject<'_>, rows: &mut Rows<'_>) {
    if c.state.answered && !c.shows(Kind::Version) {
        let mut kind = String::new();
        push_more_label(&mut kind, "kind", Kind::Version.as_str());
        one_status(rows, c.labels, &kind, UpgradeStatus::None);
    }
    for u in &c.upgrades {
        one_status(rows, u.labels, "", u.view.upgrade.status);
    }
}

fn one_status(rows: &mut Rows<'_>, labels: Labels, more: &str, status: UpgradeStatus) {
    let all = UpgradeStatus::ALL.iter();
    rows.one_hot(labels, more, all.map(|s| (s.as_str(), *s == status)));
}

pub(super) fn info(c: &Subject<'_>, rows: &mut Rows<'_>) {
    for u in &c.upgrades {
        let mut more = String::new();
        for (name, value) in [
            ("upgrade_id", &u.view.upgrade.id),
            ("from_version", &u.view.upgrade.from_version),
            ("to_version", &u.view.upgrade.to_version),
        ] {
            if let Some(value) = value {
                push_more_label(&mut more, name, value);
            }
        }
        rows.row(u.labels, &[&more], Value::Flag(true));
    }
}

pub(super) fn nodes(c: &Subject<'_>, rows: &mut Rows<'_>) {
    for u in c.upgrades.iter().filter(|u| !u.nodes.is_empty()) {
        for status in NodeStatus::ALL {
            let shown = u.nodes.iter().filter(|n| n.node.status == *status).count() as u64;
            let left_out = u.view.upgrade.left_out.nodes.of(*status);
            rows.row(
                u.labels,
                &[",status=\"", status.as_str(), "\""],
                Value::Count(shown + left_out),
            );
        }
    }
}

pub(super) fn node_info(c: &Subject<'_>, rows: &mut Rows<'_>) {
    for node in c.upgrades.iter().flat_map(|u| &u.nodes) {
        let mut more = String::new();
        push_more_label(&mut more, "raw_status", &node.node.raw_status);
        rows.row(node.labels, &[&more], Value::Flag(true));
    }
}

pub(super) fn node_duration(c: &Subject<'_>, rows: &mut Rows<'_>) {
    for u in &c.upgrades {
        for node in &u.nodes {
            let value = node.work.map(|work| match work.end {
                Some(end) => Value::Between(work.start, end),
                None => Value::Since(work.start),
            });
            rows.some(node.labels, value);
        }
    }
}

pub(super) fn available_info(c: &Subject<'_>, rows: &mut Rows<'_>) {
    // Two lines with the same labels would cost the whole scrape.
    let mut seen = BTreeSet::new();
    for version in &c.state.available {
        let mut more = String::new();
        push_more_label(&mut more, "to_version", &version.version);
        let recommended = if version.is_recommended {
            "true"
        } else {
            "false"
        };
        push_more_label(&mut more, "recommended", recommended);
        if seen.insert(more.clone()) {
            rows.row(c.labels, &[&more], Value::Flag(true));
        }
    }
}

pub(super) fn cluster_info(c: &Subject<'_>, rows: &mut Rows<'_>) {
    let mut more = String::new();
    push_more_label(&mut more, "cloud", c.state.cloud);
    push_more_label(&mut more, "cloud_region", &c.state.cloud_region);
    push_more_label(&mut more, "version", &c.state.version);
    push_more_label(&mut more, "raw_status", &c.state.raw_status);
    rows.row(c.labels, &[&more], Value::Flag(true));
}

#[cfg(test)]
mod tests {
    use super::super::super::check::{at, cluster, parse, sample};
    use super::super::super::render;
    use super::*;
    use crate::model::AvailableVersion;

    #[test]
    fn offered_versions_are_told_beside_no_upgrade() {
        let offer = |version: &str, is_recommended| AvailableVersion {
            version: version.to_owned(),
            is_recommended,
        };
        let mut state = cluster("c1");
        state.available = vec![
            offer("v1.28.3-r4", true),
            offer("v1.29", false),
            offer("v1.29", false),
        ];
        let families = parse(&render(&[state], at(0)));
        let names = families.iter().map(|family| family.name.as_str());
        let place = names
            .clone()
            .position(|n| n == "rolling_upgrade_available_info");
        let next = names
            .clone()
            .position(|n| n == "rolling_upgrade_cluster_info");
        assert_eq!(place.unwrap() + 1, next.unwrap());
        let samples = &families[place.unwrap()].samples;
        let labels = samples.iter().map(|((_, labels), value)| {
            assert_eq!((*value, labels.contains_key("kind")), (1.0, false));
            assert_eq!(labels["cluster_id"], "c1");
            (
                labels["to_version"].as_str(),
                labels["recommended"].as_str(),
            )
        });
        let want = [("v1.28.3-r4", "true"), ("v1.29", "false")];
        assert_eq!(labels.collect::<BTreeSet<_>>(), want.into());
        let none = [("kind", "version"), ("status", "none")];
        assert_eq!(
            sample(&families, "rolling_upgrade_status", &none),
            Some(1.0)
        );
    }
}
