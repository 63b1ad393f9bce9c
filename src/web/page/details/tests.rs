//! Details that the page shows of an upgrade or a cluster.

use super::*;
use crate::model::{FindingScope, Kind, UpgradeStatus};
use crate::report::{AvailableVersionReport, FindingReport, ZonePlanReport};
use crate::web::page::tests::{in_order, render, report};

fn golden(change: impl FnOnce(&mut ClusterReport)) -> String {
    let mut report = report();
    change(&mut report.clusters[0]);
    render(report, "")
}

/// Returns the text of a fact, without tags.
fn text_of(html: &str, name: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!("<dt>{name}</dt><dd>"))?;
    let (value, _) = rest.split_once("</dd>")?;
    let mut text = String::new();
    for part in value.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    Some(text)
}

#[test]
fn reason_is_the_first_line_below_the_head() {
    let html = golden(|c| {
        c.upgrades[0].status = UpgradeStatus::Failed.into();
        c.upgrades[0].reason = Some("Node replacement: no quota <left>".into());
    });
    let (_, card) = html.split_once("<article").unwrap();
    let (_, below) = card
        .split_once("<div class=\"head\">")
        .and_then(|(_, rest)| rest.split_once("</div>"))
        .unwrap();
    let first = "<p class=\"why\"><strong>Vendor’s reason:</strong> \
                 <bdi>Node replacement: no quota &lt;left&gt;</bdi></p>";
    assert!(below.starts_with(first), "{below}");
    assert!(!golden(|_| {}).contains("Vendor’s reason"));
}

#[test]
fn versions_have_names_with_the_codes_below() {
    let html = golden(|c| {
        let upgrade = &mut c.upgrades[0];
        (c.version, c.version_name) = ("OpenSearch 2.9.0".into(), None);
        upgrade.from_version = Some("290".into());
        upgrade.to_version = Some("2140".into());
        upgrade.from_version_name = Some("OpenSearch 2.9.0".into());
        upgrade.to_version_name = Some("OpenSearch 2.14.0".into());
    });
    let version = text_of(&html, "Version").unwrap();
    assert_eq!(version, "OpenSearch 2.9.0 →to 2.14.0290 →to 2140");
    assert!(html.contains("<small><bdi>290</bdi>"), "{html}");
    assert_eq!(text_of(&html, "Runs"), None);

    let version = text_of(&golden(|_| {}), "Version");
    let no_codes = "Elasticsearch 7.6.2 →to 7.10.2";
    assert_eq!(version.as_deref(), Some(no_codes), "the names hold them");

    let renamed = golden(|c| {
        let upgrade = &mut c.upgrades[0];
        upgrade.from_version_name = Some("Elasticsearch 7.10.2".into());
        upgrade.to_version_name = Some("OpenSearch 1.3.6".into());
        c.version = "7.9".into();
    });
    let version = text_of(&renamed, "Version").unwrap();
    assert!(version.starts_with("Elasticsearch 7.10.2 →to OpenSearch 1.3.6"));
    let runs = text_of(&renamed, "Runs");
    assert_eq!(runs.as_deref(), Some("Elasticsearch 7.6.2 (7.9)"));
}

#[test]
fn versions_without_names_are_codes_alone() {
    let html = golden(|c| {
        c.version_name = None;
        (
            c.upgrades[0].from_version_name,
            c.upgrades[0].to_version_name,
        ) = (None, None);
    });
    let version = text_of(&html, "Version");
    assert_eq!(version.as_deref(), Some("7.6.2 →to 7.10.2"));
    assert!(!html.contains("<small><bdi>7.6.2"), "{html}");
    let idle = golden(|c| c.upgrades.clear());
    assert!(idle.contains("<bdi>Elasticsearch 7.6.2</bdi>"));
    let idle = golden(|c| {
        c.upgrades.clear();
        c.version = "762".into();
    });
    assert!(idle.contains("<bdi>Elasticsearch 7.6.2 (762)</bdi>"));
}

#[test]
fn a_zone_move_tells_where_from_and_where_to() {
    let html = golden(|_| {});
    let zones = text_of(&html, "Zones");
    assert_eq!(
        zones.as_deref(),
        Some("cn-north-4a →to cn-north-4cinstances: ess")
    );
    let plan = text_of(&html, "Nodes after the move");
    assert_eq!(plan.as_deref(), Some("cn-north-4c: n-1, n-2"));
    let html = golden(|c| {
        c.upgrades[0].kind = Kind::AzMigration.into();
        let zones = c.upgrades[0].zone_move.as_mut().unwrap();
        zones.plan[0].nodes = (0..23).map(|n| format!("n{n}")).collect();
        let empty = ZonePlanReport {
            zone: "cn-north-4d".into(),
            nodes: vec![],
        };
        zones.plan.push(empty);
    });
    let plan = text_of(&html, "Nodes after the move").unwrap();
    assert!(plan.ends_with("n18, n19 and 3 morecn-north-4d: "), "{plan}");
    assert_eq!(text_of(&html, "Zone"), None, "the zones are told once");
    let runs = text_of(&html, "Version");
    assert_eq!(runs.as_deref(), Some("Elasticsearch 7.6.2"));
    let html = golden(|c| {
        c.version.clear();
        let upgrade = &mut c.upgrades[0];
        (upgrade.kind, upgrade.zone_move) = (Kind::AzMigration.into(), None);
        (upgrade.from_version, upgrade.to_version) = (Some("4a".into()), Some("4c".into()));
        (upgrade.from_version_name, upgrade.to_version_name) = (None, None);
    });
    assert_eq!(text_of(&html, "Zone").as_deref(), Some("4a →to 4c"));
}

#[test]
fn tells_agency_and_whether_it_can_be_cancelled() {
    let html = golden(|_| {});
    assert_eq!(text_of(&html, "Agency").as_deref(), Some("css_agency"));
    let cancel = |can| {
        let html = golden(|c| c.upgrades[0].can_be_cancelled = can);
        text_of(&html, "Can be cancelled")
    };
    assert_eq!(cancel(Some(true)).as_deref(), Some("yes"));
    assert_eq!(cancel(Some(false)).as_deref(), Some("not now"));
    assert_eq!(cancel(None), None);
}

#[test]
fn tells_until_when_a_passed_precheck_is_good() {
    let good = |until: &str| {
        let html = golden(|c| {
            let check = c.upgrades[0].precheck.as_mut().unwrap();
            check.valid_until = until.parse().ok();
        });
        text_of(&html, "Precheck good until")
    };
    let told = good("2027-01-15T09:00:00Z");
    assert_eq!(told.as_deref(), Some("09:00:00 UTCin 58m20s"));
    let told = good("2027-01-15T08:00:00Z");
    assert_eq!(told.as_deref(), Some("08:00:00 UTCran out 1m40s ago"));
    assert_eq!(good(""), None);
}

#[test]
fn every_finding_of_a_precheck_is_told() {
    let html = golden(|c| {
        let check = c.upgrades[0].precheck.as_mut().unwrap();
        check.findings.push(FindingReport {
            scope: FindingScope::Cluster.into(),
            target: String::new(),
            item: "quota-check".into(),
            message: "no quota".into(),
            codes: vec!["CCE.01".into(), "CCE.02".into()],
        });
        check.findings_left_out = 3;
    });
    in_order(
        &html,
        &[
            "2 of 5 precheck findings are shown.",
            "2 nodes, 1 task, 5 precheck findings",
            "Precheck findings</caption>",
            "<bdi>addon-limit-check</bdi>",
            "addon <bdi>coredns</bdi>",
            "<bdi>the add-on is too old</bdi>",
            "<bdi>CCE.01400001</bdi>",
            "<bdi>quota-check</bdi>",
            "cluster",
            "<bdi>no quota</bdi>",
            "<bdi>CCE.01</bdi>, <bdi>CCE.02</bdi>",
        ],
    );
    let alone = golden(|c| {
        (c.upgrades[0].nodes, c.upgrades[0].tasks) = (vec![], vec![]);
    });
    assert!(alone.contains("1 precheck finding<"), "{alone}");
}

#[test]
fn available_versions_are_told_of_idle_clusters_too() {
    let offers = |c: &mut ClusterReport| {
        c.available_versions.push(AvailableVersionReport {
            version: "7.11".into(),
            recommended: false,
        });
    };
    let card = golden(offers);
    let told = text_of(&card, "Available versions");
    assert_eq!(told.as_deref(), Some("7.10.2 (recommended), 7.11"));
    let idle = golden(|c| {
        offers(c);
        c.upgrades.clear();
    });
    in_order(
        &idle,
        &[
            "Available versions</th>",
            "<bdi>7.10.2</bdi> (recommended), <bdi>7.11</bdi></td>",
        ],
    );
    let none = golden(|c| {
        c.available_versions.clear();
        c.upgrades.clear();
    });
    assert!(!none.contains("Available versions"));
}

#[test]
fn the_clusters_state_is_labelled_as_the_vendors() {
    let html = golden(|_| {});
    let told = text_of(&html, "Cluster state (vendor)");
    assert_eq!(told.as_deref(), Some("200 available"));
    let idle = golden(|c| c.upgrades.clear());
    in_order(
        &idle,
        &[
            "Cluster state (vendor)</th>",
            "<bdi>200 available</bdi></td>",
        ],
    );
}

#[test]
fn a_task_is_told_by_its_place_and_described() {
    let html = golden(|c| {
        let first = c.upgrades[0].tasks[0].clone();
        let mut second = first.clone();
        (second.order, second.task) = (5, "Node replacement".into());
        second.description = Some("The node is replaced.".into());
        c.upgrades[0].tasks.push(second);
        c.upgrades[0].task_order = Some(5);
        c.upgrades[0].nodes[1].task_order = Some(5);
    });
    let told = text_of(&html, "Task");
    assert_eq!(told.as_deref(), Some("Node replacement (2 of 2)"));
    in_order(
        &html,
        &[
            "<bdi>n-2</bdi>",
            "<bdi>Node replacement</bdi>",
            "Tasks, in order",
            "<bdi>restart</bdi>",
            "<small><bdi>The node is restarted.</bdi></small>",
            "<bdi>Node replacement</bdi>",
            "<small><bdi>The node is replaced.</bdi></small>",
        ],
    );
    let unlisted = golden(|c| c.upgrades[0].task_order = Some(9));
    assert_eq!(text_of(&unlisted, "Task").as_deref(), Some("9"));
}
