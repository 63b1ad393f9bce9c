//! The form that filters, and the counts that link to it.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::words;
use crate::report::{Attention, Filter, Report, StateFilter, format};
use crate::text::escaped;

/// Renders the form. It sends itself to its own address, so it works behind any prefix and without script. On a
/// narrow screen it is folded: the style hides it until the details before it are open, which holds in
/// browsers that cannot style the content of details.
pub(super) fn form(report: &Report, filter: &Filter, products: &[&str]) -> Markup {
    let accounts: BTreeSet<&str> = report
        .products
        .iter()
        .map(|product| product.account.as_str())
        .chain(report.clusters.iter().map(|c| c.account.as_str()))
        .chain(filter.accounts.iter().map(String::as_str))
        .collect();
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let finer: Vec<_> = StateFilter::all()
        .into_iter()
        .filter(|state| matches!(state, StateFilter::Status(_)))
        .map(StateFilter::as_str)
        .collect();
    html! {
        search {
            details.fold { summary { "Filter" @if !filter.is_empty() { " (in use)" } } }
            form method="get" aria-label="Filter" {
            label { "Account"
                select name="account" {
                    option value="" { "All" }
                    @for account in accounts { (option(account, account, &filter.accounts)) }
                }
            }
            label { "Product"
                select name="product" {
                    option value="" { "All" }
                    @for product in products { (option(product, product, &filter.products)) }
                }
            }
            label { "State"
                select name="state" {
                    option value="" { "All" }
                    @for part in Attention::ALL {
                        (option(part.as_str(), format::title(part), &states))
                    }
                    optgroup label="Finer" {
                        @for word in finer { (option(word, &words::plain(word), &states)) }
                    }
                }
            }
            label.text { "Text"
                input type="search" name="q" value=(filter.text) placeholder="name, id, version, error"
                    autocomplete="off" spellcheck="false";
            }
            button type="submit" { "Filter" }
            }
        }
    }
}

fn option<T: AsRef<str>>(value: &str, text: &str, chosen: &[T]) -> Markup {
    // The form has room for one of each.
    let selected = chosen.first().is_some_and(|first| first.as_ref() == value);
    html! { option value=(value) selected[selected] { (escaped(text)) } }
}

/// What the filter leaves, in words; nothing when it leaves all.
pub(super) fn told(filter: &Filter, left: usize) -> Markup {
    if filter.is_empty() {
        return html! {};
    }
    let mut kinds = Vec::new();
    for (kind, values) in [("account", &filter.accounts), ("product", &filter.products)] {
        if !values.is_empty() {
            kinds.push((kind, values.join(" or ")));
        }
    }
    if !filter.states.is_empty() {
        let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
        kinds.push(("state", states.join(" or ")));
    }
    if !filter.text.is_empty() {
        kinds.push(("text", filter.text.clone()));
    }
    html! {
        p.told {
            @if left == 0 { strong { "No cluster matches the filter: " } } @else { "Filter: " }
            @for (place, (kind, value)) in kinds.iter().enumerate() {
                @if place > 0 { ", " }
                (kind) " " strong { bdi { (escaped(value)) } }
            }
            ". " a href="?" { "Show all" }
        }
    }
}

/// How many there are of each part, with links to them alone.
pub(super) fn counts(counts: &BTreeMap<Attention, usize>, filter: &Filter) -> Markup {
    html! {
        nav aria-label="Counts" { ul.counts {
            @for part in Attention::ALL {
                @let number = counts.get(&part).copied().unwrap_or_default();
                @let here = filter.states.contains(&StateFilter::Attention(part));
                @let only = Filter { states: vec![StateFilter::Attention(part)], ..filter.clone() };
                li { a.(part.as_str()).none[number == 0] href={ "?" (only.query()) }
                    aria-current=[here.then_some("true")] {
                    span aria-hidden="true" { (words::sign(part)) }
                    " " strong { (number) } " " (format::short_title(part))
                } }
            }
        } }
    }
}
