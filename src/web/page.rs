//! The page for people: every cluster with its upgrades, those in trouble first. It works without
//! its script, which only brings what is new into place. The page of the history has no script.

mod cluster;
mod details;
mod filter;
mod frame;
mod history;
mod steps;
mod watched;
mod words;

#[cfg(test)]
mod escaping;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};

use crate::cloud::{Clouds, products};
use crate::report::{Attention, Filter, FilterError, Report, format};
use crate::text::{Foreign, escaped};
use cluster::{Row, Steps};

pub(super) use frame::Page;
pub(super) use history::{PATH as HISTORY, page as history};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// Cards whose nodes are to be seen at once.
const OPEN: usize = 20;

/// Cards with nodes and tasks; those of further ones are on a page of their own, so that the page of
/// a very large fleet stays readable for browsers.
const DETAILED: usize = 200;

/// More clusters without an upgrade than this stand behind a click.
const FEW: usize = 12;

/// Renders the page of a report for the query of its address. What the query says wrong is told on
/// the page; parameters of others, which travel with links, are nobody's fault.
pub(super) fn page(report: Report, query: &str, telemetry_path: &str, clouds: Clouds) -> Page {
    let report = report.with_languages(clouds);
    let names: Vec<&str> = products(clouds)
        .map(|product| product.info().name)
        .collect();
    let (filter, mut wrong) = Filter::parse(query, &names);
    wrong.retain(|error| !matches!(error, FilterError::Parameter { .. }));
    let form = filter::form(&report, &filter, &names);
    let about = watched::about(&report);
    let clocks = watched::clocks(&report);
    let nothing = watched::nothing(&report);
    let below = watched::table(&report);
    let discoveries = report.products.clone();
    let times = report.times();
    let anything = !report.clusters.is_empty();
    let mut report = report;
    let whatever_state = Filter {
        states: Vec::new(),
        ..filter.clone()
    };
    whatever_state.apply(&mut report);
    let mut counts = BTreeMap::new();
    for (attention, ..) in report.by_attention() {
        *counts.entry(attention).or_insert(0) += 1;
    }
    filter.apply(&mut report);
    let rows = report.by_attention();
    let trouble = format::tab_title(&counts);
    let json = match filter.query() {
        query if query.is_empty() => String::new(),
        query => format!("?{query}"),
    };
    let title = html! { @if let Some(trouble) = &trouble { (trouble) " · " } "Rolling upgrades" };
    frame::page(
        &title,
        &icon(&counts),
        &html! {
            a.skip href="#live" { "Skip to the clusters" }
            header {
                h1 { "Rolling upgrades" }
                (about)
                // Relative, so that they hold behind a proxy that adds a prefix.
                nav aria-label="More" {
                    a href="./history" { "History" }
                    a href={ "./api/v1/upgrades" (json) } { "JSON" }
                    a href={ "." (telemetry_path) } { "Metrics" }
                    a.probe href="./-/healthy" { "Healthy" }
                    a.probe href="./-/ready" { "Ready" }
                    button #pause type="button" hidden { "Pause refresh" }
                }
            }
            (form)
            main {
                p #note role="status" {}
                noscript { p { "Reload the page to see what is new." } }
                div #live tabindex="-1" data-refresh=(refresh(&report)) data-trouble=[trouble.as_deref()]
                    data-version=(escaped(&report.exporter_version)) {
                    @if anything { (filter::counts(&counts, &filter)) }
                    @for error in &wrong { p.notice { "The address asks for " (Foreign(error).to_string()) "." } }
                    @if !report.ready {
                        p.notice { "The first poll round has not ended yet: clusters may be missing." }
                    }
                    (clocks)
                    (nothing)
                    @if anything { (filter::told(&filter, rows.len())) }
                    (parts(&rows, &report, &filter, &watched::troubles(&discoveries, &rows, &times)))
                    (below)
                    (frame::footer(report.generated, &report.exporter_version))
                }
            }
            script { (PreEscaped(SCRIPT)) }
        },
    )
}

/// Seconds between two looks: half of the shortest interval between polls.
fn refresh(report: &Report) -> u64 {
    let shortest = report
        .clusters
        .iter()
        .map(|cluster| cluster.poll_interval_seconds)
        .fold(30.0, f64::min);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 2 and 15"
    )]
    let seconds = (shortest / 2.0).clamp(2.0, 15.0) as u64;
    seconds
}

/// Returns the picture in the tab: a dot in the colour of the worst state.
fn icon(counts: &BTreeMap<Attention, usize>) -> String {
    frame::icon(match counts.keys().next() {
        Some(Attention::Failed) => "d1242f",
        Some(Attention::Stalled | Attention::Silent) => "d4a72c",
        Some(Attention::Running) => "218bff",
        _ => frame::CALM,
    })
}

/// Renders the parts of the page. What is wrong with looking for clusters stands below the upgrades that
/// failed or stalled.
fn parts(rows: &[Row<'_>], report: &Report, filter: &Filter, troubles: &Markup) -> Markup {
    let times = report.times();
    let mut cards = 0;
    let mut steps = |attention| {
        cards += 1;
        match attention {
            _ if cards > DETAILED => Steps::Elsewhere,
            _ if cards > OPEN => Steps::Far,
            Attention::Ended if filter.text.is_empty() => Steps::Closed,
            _ => Steps::Open,
        }
    };
    html! {
        @for part in Attention::ALL {
            @if part == Attention::Silent { (troubles) }
            @let those: Vec<&Row<'_>> = rows.iter().filter(|(attention, ..)| *attention == part).collect();
            @if !those.is_empty() {
                section id={ "part-" (part.as_str()) } aria-labelledby={ (part.as_str()) "-title" } {
                    h2 id={ (part.as_str()) "-title" } {
                        span.(part.as_str()) aria-hidden="true" { (words::sign(part)) } " "
                        (format::title(part)) " " span.number { (those.len()) }
                    }
                    @if part == Attention::Idle {
                        (idle(&those, report, filter))
                    } @else {
                        @for row in those { (cluster::card(row, times.of(&row.1.account), steps(part))) }
                    }
                }
            }
        }
    }
}

/// The clusters without an upgrade: a line each.
fn idle(rows: &[&Row<'_>], report: &Report, filter: &Filter) -> Markup {
    let times = report.times();
    let open = rows.len() <= FEW || !filter.states.is_empty() || !filter.text.is_empty();
    let offered = rows
        .iter()
        .any(|(_, cluster, _)| !cluster.available_versions.is_empty());
    html! {
        details #idle-clusters open[open] {
            summary { (format::count(rows.len() as u64, "cluster")) " without an upgrade" }
            (steps::scrolls("Clusters without an upgrade", &html! { table {
                caption.unseen { "Clusters without an upgrade" }
                thead { tr {
                    th scope="col" { "Cluster" }
                    th scope="col" { "Account" }
                    th scope="col" { "Product" }
                    th scope="col" { "Version" }
                    @if offered { th scope="col" { "Available versions" } }
                    th scope="col" { "Cluster state (vendor)" }
                    th scope="col" { "Data" }
                    th scope="col" { "Past upgrades" }
                } }
                tbody { @for (_, cluster, _) in rows { tr {
                    th scope="row" {
                        (words::name(cluster))
                        @if cluster.cluster_id != format::name(cluster) {
                            small { (words::foreign(&cluster.cluster_id, cluster.language)) }
                        }
                        (cluster::degraded(cluster, times.of(&cluster.account)))
                    }
                    td { (words::foreign(&cluster.account, cluster.language)) }
                    td { (escaped(&cluster.product)) }
                    td { @if !cluster.version.is_empty() {
                        (words::foreign(&format::running_version(cluster), cluster.language))
                    } }
                    @if offered { td data-is="Available" { (details::available(cluster)) } }
                    td data-is="State" { @if !cluster.raw_status.is_empty() {
                        (words::foreign(&format::vendor_status(cluster), cluster.language))
                    } }
                    td data-is="Data" { (cluster::age(cluster, times.of(&cluster.account))) }
                    td { (cluster::history(cluster)) }
                } } }
            } }))
        }
    }
}
