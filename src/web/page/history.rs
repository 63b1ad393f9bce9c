//! The page of the history: upgrades that ended, the latest first. It has no script.

mod upgrade;

use std::collections::BTreeSet;

use jiff::Timestamp;
use maud::{Markup, html};
use url::form_urlencoded;

use super::{Page, filter, frame, words};
use crate::cloud::{Clouds, products};
use crate::model::UpgradeStatus;
use crate::report::{FilterError, HistoryFilter, HistoryReport, OUTCOMES, format};
use crate::store::history::PastUpgrades;
use crate::text::Foreign;

/// Path of the page.
pub(in crate::web) const PATH: &str = "/history";

/// Most upgrades on a page.
const PER_PAGE: usize = 200;

/// Parts of which the page is made.
struct View<'a> {
    report: HistoryReport,
    filter: HistoryFilter,
    wrong: Vec<FilterError>,
    accounts: BTreeSet<&'a str>,
    products: Vec<&'static str>,
    has_storage: bool,
}

/// Renders the page of the history for the query of its address. It names what the query gets wrong;
/// parameters of others, which travel with links, are nothing wrong.
pub(in crate::web) fn page(
    past: &PastUpgrades,
    has_storage: bool,
    query: &str,
    clouds: Clouds,
    now: Timestamp,
) -> Page {
    let products: Vec<&str> = products(clouds)
        .map(|product| product.info().name)
        .collect();
    let (mut filter, mut wrong) = HistoryFilter::parse(query, &products);
    wrong.retain(|error| !matches!(error, FilterError::Parameter { .. }));
    filter.limit = Some(PER_PAGE);
    filter.skip = number(query).saturating_mul(PER_PAGE);
    let report = HistoryReport::new(past, &filter, now).with_languages(clouds);
    let accounts = past.upgrades.iter();
    render(&View {
        report,
        filter,
        wrong,
        accounts: accounts
            .map(|past| past.key.cluster.account.as_str())
            .collect(),
        products,
        has_storage,
    })
}

/// Returns the number of pages before the one that a query asks for.
fn number(query: &str) -> usize {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let page = pairs.find(|(key, _)| key == "page");
    let page = page.and_then(|(_, value)| value.parse::<usize>().ok());
    page.map_or(0, |page| page.saturating_sub(1))
}

fn render(view: &View<'_>) -> Page {
    let View { report, filter, .. } = view;
    let api = match all_of(filter).query() {
        query if query.is_empty() => String::new(),
        query => format!("?{query}"),
    };
    let mut rows = upgrade::Rows::default();
    frame::page(
        &html! { "History · Rolling upgrades" },
        &frame::icon(frame::CALM),
        &html! {
            a.skip href="#past" { "Skip to the upgrades" }
            header {
                h1 { "Past upgrades" }
                (about(view))
                nav aria-label="More" {
                    a href="./" { "Current upgrades" }
                    a href={ "./api/v1/history" (api) } { "JSON" }
                }
            }
            (form(view))
            main #past tabindex="-1" {
                @for error in &view.wrong { p.notice { "The address asks for " (Foreign(error).to_string()) "." } }
                (told(view))
                (empty(view))
                @for (place, upgrade) in report.upgrades.iter().enumerate() {
                    (upgrade::card(place, upgrade, report.generated, &mut rows))
                }
                (pages(view))
                (older(view))
                (frame::footer(report.generated, &report.exporter_version))
            }
        },
    )
}

/// Returns a filter without the part of a page.
fn all_of(filter: &HistoryFilter) -> HistoryFilter {
    HistoryFilter {
        limit: None,
        skip: 0,
        ..filter.clone()
    }
}

/// Returns the number of upgrades that match, on any page.
fn total(view: &View<'_>) -> u64 {
    let before = view.filter.skip.saturating_add(view.report.upgrades.len());
    let before = u64::try_from(before).unwrap_or(u64::MAX);
    before.saturating_add(view.report.more)
}

/// Renders the number of upgrades, and which of them are on this page.
fn about(view: &View<'_>) -> Markup {
    let (skip, here) = (view.filter.skip, view.report.upgrades.len());
    html! {
        p #about {
            @if here == 0 { "no upgrade" }
            @else if here as u64 == total(view) { (format::count(total(view), "upgrade")) }
            @else {
                (format::thousands(skip as u64 + 1)) " to " (format::thousands((skip + here) as u64))
                " of " (format::count(total(view), "upgrade"))
            }
            ", the latest first"
        }
    }
}

fn form(view: &View<'_>) -> Markup {
    let filter = &view.filter;
    let outcomes: Vec<&str> = filter
        .outcomes
        .iter()
        .map(|outcome| outcome.as_str())
        .collect();
    filter::search(
        !filter.is_empty(),
        &html! {
            (filter::account(view.accounts.iter().copied(), &filter.accounts))
            (filter::product(&view.products, &filter.products))
            (filter::select("Outcome", "outcome", &html! {
                @for word in OUTCOMES.map(UpgradeStatus::as_str) {
                    (filter::option(word, &words::plain(word), &outcomes))
                }
            }))
            label.text { "Cluster"
                input type="search" name="cluster" value=(filter.clusters.first().map_or("", String::as_str))
                    placeholder="id or name, * for any text" autocomplete="off" spellcheck="false";
            }
        },
    )
}

/// Renders the filter in words; nothing when it leaves all.
fn told(view: &View<'_>) -> Markup {
    let filter = &view.filter;
    let outcomes = filter
        .outcomes
        .iter()
        .map(|outcome| format::plain(outcome.as_str()));
    let kinds = [
        ("account", filter.accounts.join(" or ")),
        ("product", filter.products.join(" or ")),
        ("cluster", filter.clusters.join(" or ")),
        ("outcome", outcomes.collect::<Vec<_>>().join(" or ")),
    ];
    let is_none = view.report.upgrades.is_empty() && filter.skip == 0;
    filter::told_kinds(&kinds, is_none.then_some("No upgrade"))
}

/// Renders why the page has no upgrade; nothing when it has some, or the filter says it.
fn empty(view: &View<'_>) -> Markup {
    html! {
        @if view.report.upgrades.is_empty() {
            @if view.filter.skip > 0 {
                p.notice { "There is no such page. " a href={ "?" (all_of(&view.filter).query()) } { "Show the latest upgrades" } }
            } @else if view.filter.is_empty() && view.has_storage {
                p.notice { "No upgrade has ended since the exporter began to watch." }
            } @else if view.filter.is_empty() {
                p.notice {
                    "No upgrade has ended since the exporter started. It runs without "
                    code { "--storage.path" } ", so it knows nothing from before its start."
                }
            }
        }
    }
}

/// Renders links to the pages before and after.
fn pages(view: &View<'_>) -> Markup {
    let filter = all_of(&view.filter).query();
    let address = |page: usize| match (page, filter.as_str()) {
        (0, filter) => format!("?{filter}"),
        (page, "") => format!("?page={}", page + 1),
        (page, filter) => format!("?{filter}&page={}", page + 1),
    };
    let page = view.filter.skip / PER_PAGE;
    let (is_first, is_last) = (page == 0, view.report.more == 0);
    let is_only = is_first && is_last || view.report.upgrades.is_empty();
    html! {
        @if !is_only {
            nav.pages aria-label="Pages" {
                @if !is_first { a rel="prev" href=(address(page - 1)) { "Later upgrades" } }
                @if !is_last { a rel="next" href=(address(page + 1)) { "Earlier upgrades" } }
            }
        }
    }
}

/// Renders where older upgrades are; nothing when there are none that the page leaves out.
fn older(view: &View<'_>) -> Markup {
    let (number, is_empty) = (view.report.left_out, view.report.upgrades.is_empty());
    html! {
        @if number > 0 && view.has_storage {
            p.notice {
                (format::count(number, "older upgrade")) " are too many for the exporter's memory and on its disk only. "
                "To read them, stop the exporter and run " code { "rolling-upgrade-exporter history --storage.path DIR" } "."
            }
        } @else if number > 0 {
            p.notice { (format::count(number, "older upgrade")) " left the exporter's memory." }
        }
        @if !view.has_storage && !is_empty {
            p.dim { "The history begins with the start of the exporter, which runs without " code { "--storage.path" } "." }
        }
    }
}

#[cfg(test)]
mod tests;
