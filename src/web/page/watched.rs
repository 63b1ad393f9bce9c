//! How looking for clusters goes, and what to do when there are none.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{steps, words};
use crate::report::{ProductReport, Report, thousands};
use crate::text::escaped;

/// What stands above the clusters when something is wrong with looking for them.
pub(super) fn troubles(report: &Report) -> Markup {
    let now = report.generated;
    html! {
        @if !report.ready {
            p.notice { "The first poll round has not ended yet: clusters may be missing." }
        }
        @for product in report.products.iter().filter(|p| p.last_error.is_some()) {
            (trouble(product, now))
        }
        @for product in report.products.iter().filter(|p| p.left_out > 0) {
            p.notice {
                (thousands(product.watched)) " of " (thousands(product.watched.saturating_add(product.left_out)))
                " " (product.product) " clusters of " (words::foreign(&product.account, &product.cloud))
                " are watched. Choose with " code { "include" } ", " code { "exclude" } " or a list in the config."
            }
        }
    }
}

fn trouble(product: &ProductReport, now: Timestamp) -> Markup {
    html! {
        @if let Some(error) = &product.last_error {
            div.error {
                strong {
                    "Cannot list the " (escaped(&product.product)) " clusters of "
                    (words::foreign(&product.account, &product.cloud))
                } ", " (words::ago(error.at, now)) " (" (words::plain(&error.reason)) "): "
                (words::sentence(&error.message, &product.cloud))
            }
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
    let now = report.generated;
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
                        th scope="row" { (words::foreign(&product.account, &product.cloud)) }
                        td { (escaped(&product.product)) }
                        td { (escaped(&product.cloud_region)) }
                        td { (product.watched) }
                        td { (product.inaccessible) }
                        td {
                            @match product.last_success { Some(at) => (words::ago(at, now)), None => "never" }
                            @if product.last_error.is_some() { " " strong.old { "(fails now)" } }
                        }
                    } } }
                } }))
            }
        }
    }
}
