//! How looking for clusters goes, and what to do when there are none.

use std::collections::BTreeSet;

use jiff::Timestamp;
use maud::{Markup, html};

use super::cluster::Row;
use super::{steps, words};
use crate::clock::Times;
use crate::model::Reason;
use crate::report::{ErrorReport, ProductReport, Report, format};
use crate::text::escaped;

/// Renders how much is watched and the time of the newest data, for the header.
pub(super) fn about(report: &Report) -> Markup {
    let accounts: BTreeSet<&str> = report
        .products
        .iter()
        .map(|product| product.account.as_str())
        .chain(report.clusters.iter().map(|c| c.account.as_str()))
        .collect();
    let number = |length: usize, noun| format::count(length as u64, noun);
    let newest = report.clusters.iter().filter_map(|c| c.last_success).max();
    html! {
        p #about {
            (number(report.clusters.len(), "cluster")) " in " (number(accounts.len(), "account"))
            " · "
            @match newest {
                Some(at) => { "data of " (words::clock(at, report.generated)) " UTC" }
                None => { "no data yet" }
            }
        }
    }
}

/// Renders what is wrong with looking for clusters. An error that the card of a cluster tells is not
/// repeated.
pub(super) fn troubles(products: &[ProductReport], rows: &[Row<'_>], times: &Times) -> Markup {
    html! {
        @for product in products {
            @if let Some(error) = &product.last_error {
                @let is_told = rows.iter().any(|row| tells(row, product, error));
                (trouble(product, error, is_told, times.of(&product.account)))
            }
        }
        @for product in products.iter().filter(|p| p.left_out > 0) {
            p.notice {
                (format::thousands(product.watched)) " of " (format::thousands(product.watched.saturating_add(product.left_out)))
                " " (product.product) " clusters of " (words::foreign(&product.account, product.language))
                " are watched. Choose with " code { "include" } ", " code { "exclude" } " or a list in the config."
            }
        }
    }
}

fn trouble(product: &ProductReport, error: &ErrorReport, is_told: bool, now: Timestamp) -> Markup {
    html! {
        div.error {
            strong {
                "Cannot list the " (escaped(&product.product)) " clusters of "
                (words::foreign(&product.account, product.language))
            } ", " (words::ago(error.at, now)) " (" (words::plain(error.reason.as_str())) ")"
            @if is_told { ": its clusters tell why." }
            @else { ": " (words::sentence(&error.message, product.language)) }
        }
    }
}

/// Returns whether the card of a cluster tells this error of its product. Refused credentials are one
/// error, whichever call met them; of others the texts agree but for numbers, such as a countdown.
fn tells(row: &Row<'_>, product: &ProductReport, error: &ErrorReport) -> bool {
    let (_, cluster, _) = row;
    let words = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    let is_of_product =
        (&cluster.account, &cluster.product) == (&product.account, &product.product);
    let own = cluster.last_error.as_ref().filter(|_| is_of_product);
    own.is_some_and(|own| {
        own.reason == error.reason
            && (own.reason == Reason::Auth || words(&own.message) == words(&error.message))
    })
}

/// Renders a notice for each account whose vendor's clock and the host's differ by more than a minute.
pub(super) fn clocks(report: &Report) -> Markup {
    html! {
        @for clock in report.skewed_clocks() {
            p.notice { "Account " (words::foreign(clock.account, clock.language)) ": " (clock.notice()) }
        }
    }
}

/// Nothing is watched, though everybody was asked.
pub(super) fn nothing(report: &Report) -> Markup {
    html! {
        @if report.ready && report.clusters.is_empty() {
            div.notice {
                p { strong { "No cluster is watched." } }
                p { "Ask the clouds with " code { "rolling-upgrade-exporter check --live" }
                    ": it tells for each account and product how many clusters there are, and what is wrong. "
                    "Then see " code { "include" } ", " code { "exclude" } " and " code { "clusters" } " in the config." }
            }
        }
    }
}

/// Every product of every account.
pub(super) fn table(report: &Report) -> Markup {
    let times = report.times();
    html! {
        @if !report.products.is_empty() {
            section aria-labelledby="watched" {
                h2 id="watched" { "What is watched" }
                (steps::scrolls("Accounts and products", &html! { table {
                    caption.unseen { "Accounts and products" }
                    thead { tr {
                        th scope="col" { "Account" }
                        th scope="col" { "Product" }
                        th scope="col" { "Region" }
                        th scope="col" { "Watched" }
                        th scope="col" { "Not readable" }
                        th scope="col" { "Listed" }
                    } }
                    tbody { @for product in &report.products { tr {
                        th scope="row" { (words::foreign(&product.account, product.language)) }
                        td { (escaped(&product.product)) }
                        td { (escaped(&product.cloud_region)) }
                        td data-is="Watched" { (format::thousands(product.watched)) }
                        td data-is="Not readable" { (format::thousands(product.inaccessible)) }
                        td data-is="Listed" {
                            @match product.last_success { Some(at) => (words::ago(at, times.of(&product.account))), None => "never" }
                            @if product.last_error.is_some() { " " strong.old { "(fails now)" } }
                        }
                    } } }
                } }))
            }
        }
    }
}
