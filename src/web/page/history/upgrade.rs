//! One upgrade of the history.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::model::{Kind, NodeStatus, UpgradeStatus};
use crate::report::format::{self, Versions};
use crate::report::{
    Attention, HistoryFilter, NodeReport, NodesLeftOut, PastUpgradeReport, Steps, Word,
};
use crate::text::escaped;
use crate::web::page::details;
use crate::web::page::steps::{self, Tables};
use crate::web::page::words::{self, fact, wide_fact};

/// Most nodes or tasks of an upgrade in its tables.
const MOST_STEPS: usize = 200;

/// Most nodes and tasks on a page.
const MOST_ROWS: usize = 5_000;

/// Nodes and tasks that a page has so far.
#[derive(Debug, Default)]
pub(super) struct Rows(usize);

impl Rows {
    /// Takes this many more; false when that is too many for the page.
    fn take(&mut self, number: usize) -> bool {
        let is_room = self.0 + number <= MOST_ROWS;
        if is_room {
            self.0 += number;
        }
        is_room
    }
}

/// Renders the card of an upgrade at this place of the page.
pub(super) fn card(
    place: usize,
    upgrade: &PastUpgradeReport,
    now: Timestamp,
    rows: &mut Rows,
) -> Markup {
    let language = upgrade.language;
    let name = format::name_or_id(&upgrade.cluster_name, &upgrade.cluster_id);
    let part = part(&upgrade.outcome);
    html! {
        article.card.(part.as_str()).far[place >= 20] aria-labelledby={ "past-" (place) } {
            div.head {
                h2.name id={ "past-" (place) } { (words::foreign(name, language)) }
                p.badges {
                    span.badge.(part.as_str()) {
                        span aria-hidden="true" { (words::sign(part)) " " }
                        (words::plain(upgrade.outcome.as_str()))
                    }
                    @if upgrade.kind == Kind::AzMigration {
                        span.badge.idle { "moved to another zone" }
                    }
                }
            }
            (details::reason(upgrade.reason.as_deref(), language))
            p.where {
                (words::foreign(&upgrade.account, language)) " · " (escaped(&upgrade.product)) " · "
                (escaped(&upgrade.cloud_region))
                @if upgrade.cluster_id != name {
                    " · " span.id { (words::foreign(&upgrade.cluster_id, language)) }
                }
            }
            (facts(upgrade, now))
            (tables(place, upgrade, rows))
        }
    }
}

/// Returns the part of the page of current upgrades whose sign and colour an outcome has.
fn part(outcome: &Word<UpgradeStatus>) -> Attention {
    match outcome.known() {
        Some(UpgradeStatus::Succeeded) => Attention::Ended,
        Some(UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed) => Attention::Failed,
        Some(UpgradeStatus::Cancelled) => Attention::Idle,
        _ => Attention::Silent,
    }
}

fn facts(upgrade: &PastUpgradeReport, now: Timestamp) -> Markup {
    let is_move = upgrade.kind == Kind::AzMigration;
    let label = if is_move { "Zone" } else { "Version" };
    let at = |at: Timestamp| words::stamp(at, &at.strftime("%Y-%m-%d %H:%M").to_string());
    html! {
        dl.facts {
            @if let Some(versions) = Versions::of_past(upgrade) {
                (details::from_to_fact(label, &versions, upgrade.language))
            }
            (fact("Ended (UTC)", &html! {
                (at(upgrade.ended)) small { (format::ago(upgrade.ended, now)) }
            }))
            (fact("Took", &took(upgrade)))
            @match upgrade.requested {
                Some(requested) => { (fact("Requested (UTC)", &at(requested))) }
                None => { (fact("First seen (UTC)", &at(upgrade.first_seen))) }
            }
            @if let Some(done) = nodes_done(upgrade) { (fact("Nodes", &html! { (done) })) }
            (details::executions(upgrade.executions, upgrade.retries))
            @if let Some(id) = &upgrade.upgrade_id {
                (wide_fact("Upgrade", &words::foreign(id, upgrade.language)))
            }
            (slowest(upgrade))
        }
    }
}

/// Renders how long an upgrade took, and how long is usual for its cluster.
fn took(upgrade: &PastUpgradeReport) -> Markup {
    html! {
        (format::length(upgrade.duration_seconds))
        @if let Some(usual) = format::usual(upgrade) {
            small { (usual) @if let Some(more) = format::against_usual(upgrade) { ", " (more) } }
        }
    }
}

fn nodes_done(upgrade: &PastUpgradeReport) -> Option<String> {
    let (done, all) = (upgrade.nodes_in(NodeStatus::Succeeded), upgrade.all_nodes());
    let failed = match upgrade.nodes_in(NodeStatus::Failed) {
        0 => String::new(),
        failed => format!(", {} failed", format::thousands(failed)),
    };
    let (done, number) = (format::thousands(done), format::thousands(all));
    (all > 0).then(|| format!("{done} of {number} done{failed}"))
}

/// Renders the nodes that were in work for the longest time, of several.
fn slowest(upgrade: &PastUpgradeReport) -> Markup {
    let slowest = upgrade.slowest_nodes();
    let values: Vec<Markup> = slowest
        .into_iter()
        .map(|node| {
            html! {
                (words::foreign(&node.node, upgrade.language))
                @if let Some(length) = node.duration_seconds { " " (format::length(length)) }
            }
        })
        .collect();
    html! { @if values.len() > 1 { (words::row_fact("Slowest nodes", &values)) } }
}

/// Renders nodes and tasks, as far as there is room, with a link to the document that has all.
fn tables(place: usize, upgrade: &PastUpgradeReport, rows: &mut Rows) -> Markup {
    let what = steps::counts(upgrade);
    if what.is_empty() {
        return html! {};
    }
    let what = what.join(", ");
    let name = format::name_or_id(&upgrade.cluster_name, &upgrade.cluster_id);
    let query = HistoryFilter::of(&upgrade.account, &upgrade.product, &upgrade.cluster_id).query();
    let json = html! {
        a href={ "./api/v1/history?" (query) } { "JSON" span.unseen { " of " (escaped(name)) } }
    };
    let (nodes, nodes_left_out) = first_nodes(upgrade);
    let (tasks, further) = upgrade.tasks.split_at(upgrade.tasks.len().min(MOST_STEPS));
    let is_whole = nodes.len() == upgrade.nodes.len() && further.is_empty();
    if !rows.take(nodes.len() + tasks.len()) {
        return html! { p { (what) ": see the " (json) } };
    }
    let steps = Steps {
        nodes: &nodes,
        tasks,
        nodes_left_out,
        tasks_left_out: upgrade.tasks_left_out.saturating_add(further.len() as u64),
    };
    let tables = Tables::of_past(upgrade, steps);
    html! {
        details id={ "past-" (place) "-steps" } {
            summary { (what) span.unseen { " of " (escaped(name)) } }
            @for sentence in format::nodes_left_out(steps) { p.notice { (sentence) } }
            @if !is_whole { p { "The " (json) " has more." } }
            @if !nodes.is_empty() { (tables.nodes()) }
            @if !tasks.is_empty() { (tables.tasks()) }
        }
    }
}

/// Returns the nodes to list, and the number of the others by state. Of too many those that did not succeed come
/// first.
fn first_nodes(upgrade: &PastUpgradeReport) -> (Vec<NodeReport>, NodesLeftOut) {
    let (mut nodes, mut left_out) = (upgrade.nodes.clone(), upgrade.nodes_left_out);
    if nodes.len() > MOST_STEPS {
        nodes.sort_by_key(|node| node.status == NodeStatus::Succeeded);
    }
    for node in nodes.drain(nodes.len().min(MOST_STEPS)..) {
        left_out.add(node.status.known());
    }
    (nodes, left_out)
}
