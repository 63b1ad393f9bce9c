//! The tables of products, permissions, calls and alerts.

use std::collections::BTreeSet;
use std::time::Duration;

use rolling_upgrade_exporter::alert;
use rolling_upgrade_exporter::cloud::{Call, Cloud, Product, ProductInfo, products};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::fields::id::IdForm;

use super::{compare, rows_below, table};
use crate::{read, root};

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
fn the_readme_lists_every_product() {
    let row = |cloud: &dyn Cloud, product: &ProductInfo| {
        [
            cloud.title().to_owned(),
            format!("`{}`: {}", product.name, product.title),
            product.upgraded.to_owned(),
        ]
    };
    let rows_of = |cloud: &&'static dyn Cloud| {
        let cloud = *cloud;
        let products = cloud.products().iter();
        products.map(move |product| row(cloud, product.info()))
    };
    let rows: Vec<[String; 3]> = CLOUDS.iter().flat_map(rows_of).collect();
    compare("supported", &table(["cloud", "product", "upgraded"], &rows));
}

/// The primary call is the last of a product's that is not secondary.
#[test]
fn the_table_of_primary_calls_is_the_program_s() {
    let row = |product: &'static dyn Product| {
        let ProductInfo {
            name, cloud, calls, ..
        } = product.info();
        let primary = calls.iter().rfind(|call| call.secondary.is_none());
        let map = format!("src/clouds/{cloud}/{name}/map.rs");
        assert!(root().join(&map).is_file(), "{map}");
        [
            format!("`{name}`"),
            primary.unwrap().name.to_owned(),
            format!("`clouds/{cloud}/{name}/map.rs`"),
        ]
    };
    let rows: Vec<[String; 3]> = products(CLOUDS).map(row).collect();
    let head = ["product", "primary call", "where it is decided"];
    compare("primary", &table(head, &rows));
}

/// Returns a file of a cloud's folder.
fn of_cloud(cloud: &dyn Cloud, file: &str) -> String {
    read(&format!("src/clouds/{}/{file}", cloud.name()))
}

#[test]
fn the_keys_of_clouds_and_products_are_those_of_their_folders() {
    compare_keys();
}

/// Compares the tables of keys with those of the folders.
pub(super) fn compare_keys() {
    let clouds = CLOUDS.iter().map(|cloud| of_cloud(*cloud, "keys.md"));
    compare("clouds", &clouds.collect::<Vec<_>>().join("\n"));
    let own = products(CLOUDS).map(Product::info);
    let own = own.filter(|product| !product.settings.is_empty());
    let own = own.map(|product| {
        let ProductInfo { name, cloud, .. } = product;
        read(&format!("src/clouds/{cloud}/{name}/keys.md"))
    });
    compare("product-keys", &own.collect::<Vec<_>>().join("\n"));
}

/// A line `ACTIONS` of a cloud's text stands for the actions that its products need, as a list of JSON.
#[test]
fn the_ways_to_credentials_are_those_of_the_clouds_folders() {
    let section = |cloud: &&'static dyn Cloud| {
        let words = cloud.products().iter().flat_map(|product| {
            let words = product.info().permission.split([' ', ',']);
            words.filter(|word| word.contains(':'))
        });
        let actions: Vec<_> = words.map(|word| format!("        \"{word}\"")).collect();
        let text = of_cloud(*cloud, "credentials.md");
        let head = format!("## {}\n", cloud.title());
        assert!(text.starts_with(&head), "{text}");
        text.replace("\nACTIONS\n", &format!("\n{}\n", actions.join(",\n")))
    };
    let sections: Vec<String> = CLOUDS.iter().map(section).collect();
    compare("credentials", &sections.join("\n"));
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
