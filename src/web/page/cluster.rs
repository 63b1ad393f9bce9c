//! One cluster with one of its upgrades.

use jiff::Timestamp;
use maud::{Markup, html};
use sha2::{Digest, Sha256};

use super::steps::Tables;
use super::words::{self, fact, fitting_fact, wide_fact};
use super::{details, steps};
use crate::model::{Kind, NodeStatus};
use crate::report::format;
use crate::report::{Attention, ClusterReport, Filter, HistoryFilter, UpgradeReport};
use crate::text::escaped;

/// A row of [`crate::report::Report::by_attention`].
pub(super) type Row<'a> = (Attention, &'a ClusterReport, Option<&'a UpgradeReport>);

/// How much of its nodes and tasks is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// All, to be seen at once.
    Open,
    /// All, behind a click.
    Closed,
    /// The same, far down.
    Far,
    /// Nodes, tasks and the vendor's details on a page of their own, because this one has too many.
    Elsewhere,
}

/// Nodes that a card names beside their number, when they failed or are in work while nothing moves.
const NAMED: usize = 3;

/// The card of a cluster.
pub(super) fn card(row: &Row<'_>, now: Timestamp, show: Steps) -> Markup {
    let (attention, cluster, upgrade) = *row;
    let id = id(cluster, upgrade);
    html! {
        article.card.(attention.as_str()).far[matches!(show, Steps::Far | Steps::Elsewhere)] id=(id) aria-labelledby={ (id) "-name" } {
            div.head {
                h3 id={ (id) "-name" } { (words::name(cluster)) }
                p.badges {
                    span.badge.(attention.as_str()) {
                        span aria-hidden="true" { (words::sign(attention)) " " }
                        (escaped(&format::badge(attention, cluster, upgrade)))
                    }
                    @if upgrade.is_some_and(|u| u.overdue) {
                        span.badge.stalled { span aria-hidden="true" { "\u{26a0}\u{fe0e} " } "overdue" }
                    }
                    @if upgrade.is_some_and(|u| u.kind == Kind::AzMigration) {
                        span.badge.idle { "moves to another zone" }
                    }
                }
            }
            @if let Some(upgrade) = upgrade { (details::reason(upgrade.reason.as_deref(), cluster.language)) }
            p.where {
                (words::foreign(&cluster.account, cluster.language)) " · " (escaped(&cluster.product)) " · "
                (escaped(&cluster.cloud_region))
                @if cluster.cluster_id != format::name(cluster) {
                    " · " span.id { (words::foreign(&cluster.cluster_id, cluster.language)) }
                }
                " · " (history(cluster))
            }
            @if let Some(upgrade) = upgrade { (progress(&id, cluster, upgrade, attention)) }
            (facts(cluster, upgrade, now, show))
            (error(cluster, now))
            (degraded(cluster, now))
            @if let Some(upgrade) = upgrade {
                @for sentence in left_out(upgrade) { p.notice { (sentence) } }
            }
            @if let Some(upgrade) = upgrade { (tables(&id, cluster, upgrade, now, show)) }
        }
    }
}

/// Renders the link to the past upgrades of a cluster.
pub(super) fn history(cluster: &ClusterReport) -> Markup {
    let of = HistoryFilter::of(&cluster.account, &cluster.product, &cluster.cluster_id);
    html! {
        a href={ "./history?" (of.query()) } aria-label={ "History of " (escaped(format::name(cluster))) } { "History" }
    }
}

/// The same for the same upgrade of the same cluster, and an id whatever the vendor's is.
pub(super) fn id(cluster: &ClusterReport, upgrade: Option<&UpgradeReport>) -> String {
    let mut hash = Sha256::new();
    let kind = upgrade.map_or("", |u| u.kind.as_str());
    for part in [
        cluster.account.as_str(),
        &cluster.product,
        &cluster.cluster_id,
        kind,
    ] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let first = hash
        .finalize()
        .iter()
        .take(8)
        .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    format!("u-{first:016x}")
}

fn progress(
    id: &str,
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    attention: Attention,
) -> Markup {
    let of = |status| upgrade.nodes_in(status);
    let named = |status| {
        let mut those = upgrade.nodes.iter().filter(|node| node.status == status);
        let names: Vec<&str> = those
            .by_ref()
            .take(NAMED)
            .map(|node| node.node.as_str())
            .collect();
        html! {
            @for (place, name) in names.iter().enumerate() {
                @if place == 0 { ": " } @else { ", " }
                (words::foreign(name, cluster.language))
            }
            @if those.next().is_some() { ", …" }
        }
    };
    if upgrade.progress_ratio.is_none() && upgrade.nodes.is_empty() {
        return html! {};
    }
    html! {
        div.bar {
            @if let Some(ratio) = upgrade.progress_ratio {
                progress max="1" value=(format!("{ratio:.3}")) aria-label="Progress" aria-describedby={ (id) "-name" } {
                    (format::percent(ratio))
                }
                strong { (format::percent(ratio)) }
            }
            @if !upgrade.nodes.is_empty() {
                span {
                    (format::thousands(of(NodeStatus::Succeeded))) " of " (format::count(upgrade.all_nodes(), "node")) " done"
                    @if of(NodeStatus::Upgrading) > 0 { ", " (format::thousands(of(NodeStatus::Upgrading))) " in work"
                        @if attention == Attention::Stalled { (named(NodeStatus::Upgrading)) }
                    }
                    @if of(NodeStatus::Failed) > 0 { ", " (format::thousands(of(NodeStatus::Failed))) " failed" (named(NodeStatus::Failed)) }
                }
            }
        }
    }
}

fn facts(
    cluster: &ClusterReport,
    upgrade: Option<&UpgradeReport>,
    now: Timestamp,
    show: Steps,
) -> Markup {
    let whole = show != Steps::Elsewhere;
    html! {
        dl.facts {
            @if let Some(upgrade) = upgrade {
                (details::versions(cluster, upgrade))
                (times(upgrade, now))
                @if let Some(order) = upgrade.task_order {
                    @let task = format::current_task(upgrade).unwrap_or(order.to_string());
                    (fitting_fact("Task", task.chars().count(), &words::foreign(&task, cluster.language)))
                }
                (details::executions(upgrade.executions, upgrade.retries))
                @if whole { (details::facts(cluster, upgrade, now)) }
            } @else if !cluster.version.is_empty() {
                (details::running_version("Version", cluster))
            }
            @if whole && !cluster.available_versions.is_empty() {
                (fact("Available versions", &details::available(cluster)))
            }
            (fact("Data", &age(cluster, now)))
            @if !cluster.raw_status.is_empty() {
                (fact("Cluster state (vendor)", &words::foreign(&format::vendor_status(cluster), cluster.language)))
            }
            @if let Some(id) = upgrade.and_then(|u| u.upgrade_id.as_deref()) {
                (wide_fact("Upgrade", &words::foreign(id, cluster.language)))
            }
        }
    }
}

fn times(upgrade: &UpgradeReport, now: Timestamp) -> Markup {
    html! {
        @if let Some(at) = upgrade.requested { (fact("Requested", &words::ago(at, now))) }
        @if let Some(at) = upgrade.started_later() { (fact("Started", &words::ago(at, now))) }
        @if let Some(at) = upgrade.ended {
            (fact("Ended", &html! {
                (words::ago(at, now))
                @if let Some(took) = upgrade.duration_seconds { small { "took " (format::length(took)) } }
            }))
        } @else {
            @if let Some(at) = upgrade.estimated_end {
                @let left = format!("in {}", format::since(now, at));
                (fact("Estimated end", &words::stamp(at, &left)))
            } @else {
                (fact("Estimated end", &html! { "not known yet" }))
            }
            (fact("Last progress", &html! {
                (words::ago(upgrade.last_progress, now))
                @if let Some(limit) = upgrade.stalled_after_seconds {
                    small { "stalled after " (format::length(limit)) }
                }
            }))
        }
    }
}

/// How old what is shown is.
pub(super) fn age(cluster: &ClusterReport, now: Timestamp) -> Markup {
    let Some(at) = cluster.last_success else {
        return html! { "none yet" };
    };
    html! {
        (words::stamp(at, &format!("{} old", format::since(at, now))))
        @if format::is_out_of_date(cluster, at, now) { " " strong.old { "(out of date)" } }
    }
}

fn error(cluster: &ClusterReport, now: Timestamp) -> Markup {
    html! {
        @if let Some(error) = &cluster.last_error {
            p.error {
                strong { "Last poll failed" } " " (words::ago(error.at, now)) " (" (words::plain(error.reason.as_str())) "): "
                (words::sentence(&error.message, cluster.language))
            }
        }
    }
}

/// Renders a notice for each failing secondary call: what is missing, since when, why, and which
/// permission gives it.
pub(super) fn degraded(cluster: &ClusterReport, now: Timestamp) -> Markup {
    html! {
        @for call in &cluster.degraded {
            p.notice {
                @let length = format!("for {}", format::since(call.since, now));
                strong { "Degraded" } " " (words::stamp(call.since, &length)) ", missing: " (escaped(&call.missing)) ". "
                (escaped(&call.endpoint))
                @if call.permission.is_empty() { " fails. " } @else { " needs " (escaped(&call.permission)) ". " }
                "Last failure (" (words::plain(call.reason.as_str())) "): "
                (words::sentence(&call.message, cluster.language))
            }
        }
    }
}

fn left_out(upgrade: &UpgradeReport) -> Vec<String> {
    let mut sentences = format::nodes_left_out(upgrade);
    sentences.extend(
        upgrade
            .precheck
            .as_ref()
            .and_then(format::findings_left_out),
    );
    sentences
}

fn tables(
    id: &str,
    cluster: &ClusterReport,
    upgrade: &UpgradeReport,
    now: Timestamp,
    show: Steps,
) -> Markup {
    let mut what = steps::counts(upgrade);
    if let Some(check) = &upgrade.precheck
        && !check.findings.is_empty()
    {
        what.push(format::count(check.all_findings(), "precheck finding"));
    }
    if show == Steps::Elsewhere {
        let only = Filter {
            accounts: vec![cluster.account.clone()],
            products: vec![cluster.product.clone()],
            text: cluster.cluster_id.clone(),
            ..Filter::default()
        };
        what.insert(0, "details".to_owned());
        return html! { p { a href={ "?" (only.query()) } { (what.join(", ")) } } };
    }
    if what.is_empty() {
        return html! {};
    }
    let what = what.join(", ");
    html! {
        details id={ (id) "-steps" } open[show == Steps::Open] {
            summary { (what) span.unseen { " of " (escaped(format::name(cluster))) } }
            @if let Some(check) = &upgrade.precheck { (steps::findings(cluster, check)) }
            @let tables = Tables::of(cluster, upgrade, now);
            @if !upgrade.nodes.is_empty() { (tables.nodes()) }
            @if !upgrade.tasks.is_empty() { (tables.tasks()) }
        }
    }
}
