//! The page for people: every cluster with its upgrades, those in trouble first. It works without
//! its script, which only brings what is new into place.

mod cluster;
mod details;
mod filter;
mod steps;
mod watched;
mod words;

#[cfg(test)]
mod escaping;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::cloud::{Clouds, products};
use crate::report::{Attention, Filter, FilterError, Report, format};
use crate::text::{Foreign, escaped};
use cluster::{Row, Steps};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// The page's own style and script, the little picture for the tab, requests to where the page comes
/// from; nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
});

/// Cards whose nodes are to be seen at once.
const OPEN: usize = 20;

/// Cards with nodes and tasks; those of further ones are on a page of their own, so that the page of
/// a very large fleet stays readable for browsers.
const DETAILED: usize = 200;

/// More clusters without an upgrade than this stand behind a click.
const FEW: usize = 12;

/// A page and the policy that it needs.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) html: String,
    /// `Content-Security-Policy`.
    pub(super) policy: &'static str,
}

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
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { @if let Some(trouble) = &trouble { (trouble) " · " } "Rolling upgrades" }
                link rel="icon" href=(icon(&counts));
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#live" { "Skip to the clusters" }
                header {
                    h1 { "Rolling upgrades" }
                    (about)
                    // Relative, so that they hold behind a proxy that adds a prefix.
                    nav aria-label="More" {
                        a href={ "./api/v1/upgrades" (json) } { "JSON" }
                        a href={ "." (telemetry_path) } { "Metrics" }
                        a href="./-/healthy" { "Healthy" }
                        a href="./-/ready" { "Ready" }
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
                        footer { p {
                            "As of " (words::stamp(report.generated, &report.generated.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()))
                            ". rolling-upgrade-exporter " (escaped(&report.exporter_version))
                        } }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    Page {
        html: markup.into_string(),
        policy: &POLICY,
    }
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

/// The picture in the tab: a dot in the colour of the worst state.
fn icon(counts: &BTreeMap<Attention, usize>) -> String {
    let colour = match counts.keys().next() {
        Some(Attention::Failed) => "d1242f",
        Some(Attention::Stalled | Attention::Silent) => "d4a72c",
        Some(Attention::Running) => "218bff",
        _ => "2da44e",
    };
    format!(
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E\
         %3Ccircle cx='4' cy='4' r='4' fill='%23{colour}'/%3E%3C/svg%3E"
    )
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
                } } }
            } }))
        }
    }
}
