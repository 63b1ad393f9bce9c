//! Facts of one upgrade, each with a word before it.

use jiff::Timestamp;
use rolling_upgrade_exporter::model::UpgradeStatus;
use rolling_upgrade_exporter::report::format::{self, are_versions_zones, length, since};
use rolling_upgrade_exporter::report::{
    ClusterReport, PrecheckReport, UpgradeReport, ZonePlanReport,
};
use rolling_upgrade_exporter::text::escaped;

use super::super::super::text;
use super::super::super::text::{
    current_task, finding, named_versions, offered, reason, vendor_status, zones,
};

/// Most nodes of a zone that are named.
const MAX_NODES: usize = 10;

/// Facts in the order in which they are shown.
#[derive(Default)]
struct Facts(Vec<(&'static str, String)>);

impl Facts {
    fn add(&mut self, key: &'static str, fact: impl Into<Option<String>>) {
        if let Some(fact) = fact.into().filter(|fact| !fact.is_empty()) {
            self.0.push((key, fact));
        }
    }
}

/// Returns what there is to say of an upgrade in this state: the state with the vendor's reason first.
pub(super) fn facts(
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    state: &str,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let ago = |at| format::ago(at, now);
    let mut facts = Facts::default();
    let reason = reason(upgrade).map_or(String::new(), |reason| format!(": {reason}"));
    facts.add("state", format!("{state}{reason}"));
    facts.add(
        "cluster",
        format!(
            "{} of {}, id {}",
            escaped(&cluster.product),
            escaped(&cluster.account),
            escaped(&cluster.cluster_id)
        ),
    );
    let words = Some(vendor_status(cluster)).filter(|words| !words.is_empty());
    let words = words.map(|words| format!("{words}, in the vendor's words"));
    facts.add("cluster is", words);
    let versions = Some(named_versions(upgrade)).filter(|_| !are_versions_zones(upgrade));
    facts.add("version", versions);
    facts.add("offered", offered(cluster));
    facts.add("zones", zones(upgrade));
    let plan = upgrade.zone_move.iter().flat_map(|zones| &zones.plan);
    for zone in plan {
        facts.add("planned", planned(zone));
    }
    let own = |text: &Option<String>| text.as_deref().map(|text| escaped(text).into_owned());
    facts.add("upgrade id", own(&upgrade.upgrade_id));
    facts.add("agency", own(&upgrade.agency));
    // Of one that went well it is the last of all.
    let task = current_task(upgrade).filter(|_| upgrade.status != UpgradeStatus::Succeeded);
    facts.add("task", task);
    times(&mut facts, upgrade, now);
    facts.add(
        "retries",
        upgrade.retries.filter(|n| *n > 0).map(|n| n.to_string()),
    );
    let waits = "for a person: nothing goes on until somebody acts in the console".to_owned();
    facts.add("waits", upgrade.waits_for_person.then_some(waits));
    if let Some(precheck) = &upgrade.precheck {
        self::precheck(&mut facts, precheck, upgrade.is_over(), now);
    }
    let can = upgrade.can_be_cancelled.filter(|_| !upgrade.is_over());
    facts.add(
        "cancelling",
        can.map(|can| {
            if can {
                "is possible"
            } else {
                "is not possible now"
            }
            .to_owned()
        }),
    );
    let data = cluster.last_success.map_or("never came".to_owned(), ago);
    facts.add("data", data);
    let error = cluster.last_error.as_ref();
    facts.add(
        "error",
        error.map(|e| format!("{}, {}", ago(e.at), text::error(e))),
    );
    for call in &cluster.degraded {
        let length = since(call.since, now);
        facts.add(
            "degraded",
            format!("for {length}, {}", text::degraded(call)),
        );
    }
    facts.0
}

fn times(facts: &mut Facts, upgrade: &UpgradeReport, now: Timestamp) {
    let ago = |at| format::ago(at, now);
    facts.add("requested", upgrade.requested.map(ago));
    facts.add("started", upgrade.started_later().map(ago));
    let took = upgrade.duration_seconds.filter(|_| upgrade.ended.is_some());
    let took = took.map_or(String::new(), |s| format!(", after {}", length(s)));
    facts.add(
        "ended",
        upgrade.ended.map(|at| format!("{}{took}", ago(at))),
    );
    let end = upgrade.estimated_end;
    facts.add("estimate", end.map(|at| format!("in {}", since(now, at))));
    let stalled = match upgrade.stalled_after_seconds {
        Some(limit) if upgrade.stalled => {
            format!("; stalled, since the limit is {}", length(limit))
        }
        _ => String::new(),
    };
    facts.add(
        "last moved",
        format!("{}{stalled}", ago(upgrade.last_progress)),
    );
    facts.add("overdue", format::overdue(upgrade));
}

/// Adds until when a passed check is good while that matters, and each item that did not pass.
fn precheck(facts: &mut Facts, precheck: &PrecheckReport, is_over: bool, now: Timestamp) {
    let until = precheck.valid_until.filter(|_| !is_over);
    let until = until.map(|until| {
        let time = until.strftime("%Y-%m-%d %H:%M UTC");
        if until > now {
            format!("{}, until {time}", format::passed(until, now))
        } else {
            format!("passed, and good until {time}, {}", format::ago(until, now))
        }
    });
    facts.add("precheck", until);
    for item in &precheck.findings {
        facts.add("precheck", format!("failed: {}", finding(item)));
    }
    let more = format::more_findings(precheck.findings_left_out);
    facts.add("precheck", more);
}

/// Describes the nodes of a zone after a move.
fn planned(zone: &ZonePlanReport) -> String {
    let names = zone.nodes.iter().take(MAX_NODES).map(|node| escaped(node));
    let names = names.collect::<Vec<_>>().join(", ");
    let more = match zone.nodes.len().saturating_sub(MAX_NODES) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}: {names}{more}", escaped(&zone.zone))
}
