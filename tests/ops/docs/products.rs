//! The tables of products, permissions, calls and alerts.

use std::collections::BTreeSet;
use std::time::Duration;

use rolling_upgrade_exporter::alert;
use rolling_upgrade_exporter::cloud::{Call, Product, products};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::fields::id::IdForm;

use super::{compare, quoted, rows_below, table};
use crate::read;

/// Returns a length of time in whole hours or minutes.
fn length(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes % 60 {
        0 => format!("`{}h`", minutes / 60),
        _ => format!("`{minutes}m`"),
    }
}

#[test]
fn the_table_of_products_is_the_program_s() {
    let rows: Vec<[String; 5]> = products(CLOUDS)
        .map(|product| {
            let product = product.info();
            let own: Vec<_> = product.settings.iter().map(|k| format!("`{k}`")).collect();
            let ids = if product.ids == IdForm::Number {
                "whole number"
            } else {
                "text"
            };
            [
                format!("`{}`", product.name),
                format!("`{}`", product.cloud),
                ids.to_owned(),
                length(product.stalled_after),
                own.join(", "),
            ]
        })
        .collect();
    let head = [
        "product",
        "in an account of",
        "cluster id",
        "`stalled_after`",
        "keys of its own",
    ];
    compare("products", &table(head, &rows));
}

#[test]
fn the_readme_names_every_product() {
    let readme = read("README.md");
    let rows = rows_below(&readme, "call the API by hand to know.\n");
    let listed: Vec<_> = rows
        .iter()
        .map(|row| quoted(row[1]).next().unwrap())
        .collect();
    let names: Vec<_> = products(CLOUDS).map(|p| p.info().name).collect();
    assert_eq!(listed, names);
}

#[test]
fn the_table_of_permissions_is_the_program_s() {
    let rows: Vec<[String; 2]> = products(CLOUDS)
        .map(Product::info)
        .map(|product| [format!("`{}`", product.name), named(product.permission)])
        .collect();
    compare("permissions", &table(["product", "needs"], &rows));
}

/// Puts the vendor's names of permissions and policies in backquotes.
fn named(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let plain = word.trim_end_matches(',');
        let rest = word.strip_prefix(plain).unwrap();
        if plain.contains([':', '_']) {
            format!("`{plain}`{rest}")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn call_row(of: &str, call: &Call) -> [String; 4] {
    let secondary = call.secondary.as_ref();
    [
        of.to_owned(),
        format!("`{}`", call.name),
        format!("`{} {}`", call.method.as_str(), call.path),
        secondary.map_or("primary".to_owned(), |call| call.tells.to_owned()),
    ]
}

#[test]
fn the_table_of_calls_is_the_allowlist() {
    let mut rows = Vec::new();
    for cloud in CLOUDS {
        let sign_in = format!("`{}` with `token`", cloud.name());
        rows.extend(cloud.calls().iter().map(|call| call_row(&sign_in, call)));
        for product in cloud.products() {
            let product = product.info();
            let of = format!("`{}`", product.name);
            rows.extend(product.calls.iter().map(|call| call_row(&of, call)));
        }
    }
    assert!(rows.len() >= 15, "{rows:?}");
    let head = ["of", "call", "request", "primary, or missing without it"];
    compare("calls", &table(head, &rows));
}

#[test]
fn the_table_of_alerts_is_that_of_the_rules() {
    let docs = read("docs/alerts.md");
    let mut documented = BTreeSet::new();
    for row in rows_below(&docs, "rule_files: [rolling-upgrade.rules.yml]\n") {
        for name in row[0].split(", ") {
            let severities = ["critical", "warning", "info", "none"];
            let named = severities.into_iter().filter(|word| row[2].contains(word));
            documented.extend(named.map(|severity| (name.to_owned(), severity.to_owned())));
        }
    }
    let rules =
        alert::rules().map(|rule| (rule.alert.to_owned(), rule.severity.as_str().to_owned()));
    assert_eq!(documented, rules.collect());
}
