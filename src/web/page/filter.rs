//! The form that filters, and the counts that link to it.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::words;
use crate::report::{Attention, Filter, Report, StateFilter, format};
use crate::text::escaped;

/// Renders the form of the filter.
pub(super) fn form(report: &Report, filter: &Filter, products: &[&str]) -> Markup {
    let accounts = report
        .products
        .iter()
        .map(|product| product.account.as_str())
        .chain(report.clusters.iter().map(|c| c.account.as_str()));
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let finer: Vec<_> = StateFilter::all()
        .into_iter()
        .filter(|state| matches!(state, StateFilter::Status(_)))
        .map(StateFilter::as_str)
        .collect();
    search(
        !filter.is_empty(),
        &html! {
            (account(accounts, &filter.accounts))
            (product(products, &filter.products))
            (select("State", "state", &html! {
                @for part in Attention::ALL {
                    (option(part.as_str(), format::title(part), &states))
                }
                optgroup label="Finer" {
                    @for word in finer { (option(word, &words::plain(word), &states)) }
                }
            }))
            label.text { "Text"
                input type="search" name="q" value=(filter.text) placeholder="name, id, version, error"
                    autocomplete="off" spellcheck="false";
            }
        },
    )
}

/// Renders a form with these fields. It sends itself to its own address, so it works behind any prefix and
/// without script. On a narrow screen it is folded: the style hides it until the details before it are open,
/// which holds in browsers that cannot style the content of details.
pub(super) fn search(is_in_use: bool, fields: &Markup) -> Markup {
    html! {
        search {
            details.fold { summary { "Filter" @if is_in_use { " (in use)" } } }
            form method="get" aria-label="Filter" {
                (fields)
                button type="submit" { "Filter" }
            }
        }
    }
}

/// Renders the choice of an account: one of these, or of those that are chosen.
pub(super) fn account<'a>(names: impl Iterator<Item = &'a str>, chosen: &'a [String]) -> Markup {
    let names: BTreeSet<&str> = names.chain(chosen.iter().map(String::as_str)).collect();
    let options = html! { @for name in names { (option(name, name, chosen)) } };
    select("Account", "account", &options)
}

/// Renders the choice of a product.
pub(super) fn product(names: &[&str], chosen: &[String]) -> Markup {
    let options = html! { @for name in names { (option(name, name, chosen)) } };
    select("Product", "product", &options)
}

/// Renders a choice of one of these options, or of all.
pub(super) fn select(label: &str, name: &str, options: &Markup) -> Markup {
    html! {
        label { (label)
            select name=(name) {
                option value="" { "All" }
                (options)
            }
        }
    }
}

/// Renders an option.
pub(super) fn option<T: AsRef<str>>(value: &str, text: &str, chosen: &[T]) -> Markup {
    // The form has room for one of each.
    let selected = chosen.first().is_some_and(|first| first.as_ref() == value);
    html! { option value=(value) selected[selected] { (escaped(text)) } }
}

/// Renders the filter in words; nothing when it leaves all.
pub(super) fn told(filter: &Filter, left: usize) -> Markup {
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let kinds = [
        ("account", filter.accounts.join(" or ")),
        ("product", filter.products.join(" or ")),
        ("state", states.join(" or ")),
        ("text", filter.text.clone()),
    ];
    told_kinds(&kinds, (left == 0).then_some("No cluster"))
}

/// Renders kinds of a filter that are not empty; `none` names what there is none of.
pub(super) fn told_kinds(kinds: &[(&str, String)], none: Option<&str>) -> Markup {
    let kinds: Vec<_> = kinds
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    if kinds.is_empty() {
        return html! {};
    }
    html! {
        p.told {
            @if let Some(none) = none { strong { (none) " matches the filter: " } } @else { "Filter: " }
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
