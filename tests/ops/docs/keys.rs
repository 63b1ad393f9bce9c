//! The tables of the config's keys: every key, its default and its range are those of the parser.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rolling_upgrade_exporter::cloud;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config::{self, Config};

use super::{quoted, rows_below};
use crate::example::known;
use crate::read;

const DOCS: &str = "docs/configuration.md";
const MARK: &str = "<!-- keys ";

/// Returns the sections that a table of keys is for, with its rows.
fn tables(docs: &str) -> Vec<(Vec<&str>, Vec<Vec<&str>>)> {
    let marks = docs.lines().filter(|line| line.starts_with(MARK));
    let tables = marks.map(|line| {
        let names = line.strip_prefix(MARK).unwrap().strip_suffix(" -->");
        let names = names.unwrap().split(", ").collect();
        (names, rows_below(docs, line))
    });
    tables.collect()
}

/// Section of the keys that every product takes.
const PRODUCT: &str = "a product";

/// Returns the keys of each section, a secret in its first form only, without the names of clouds and
/// products. A product's section has the keys of its own.
fn accepted() -> BTreeMap<String, BTreeSet<String>> {
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (section, keys) in known() {
        let is_form = |key: &&String| {
            let secret = key.strip_suffix("_file").or(key.strip_suffix("_env"));
            let has = |form: &str| keys.contains(&format!("{}{form}", secret.unwrap_or(key)));
            secret.is_some() && has("") && has("_file") && has("_env")
        };
        let keys: Vec<_> = keys.iter().filter(|key| !is_form(key)).cloned().collect();
        let Some(product) = cloud::product(CLOUDS, &section) else {
            let is_listed_elsewhere = |key: &String| {
                cloud::product(CLOUDS, key).is_some() || CLOUDS.iter().any(|c| c.name() == *key)
            };
            let keys = keys.into_iter().filter(|key| !is_listed_elsewhere(key));
            sections.entry(section).or_default().extend(keys);
            continue;
        };
        let own = |key: &String| product.info().settings.contains(&key.as_str());
        let (own, shared): (Vec<_>, Vec<_>) = keys.into_iter().partition(own);
        sections
            .entry(PRODUCT.to_owned())
            .or_default()
            .extend(shared);
        if !own.is_empty() {
            sections.entry(section).or_default().extend(own);
        }
    }
    sections
}

#[test]
fn every_key_of_the_config_is_in_its_table() {
    // A run that writes the tables judges what it writes.
    super::products::compare_keys();
    let docs = read(DOCS);
    let mut accepted = accepted();
    for (sections, rows) in tables(&docs) {
        let taken = sections.iter().map(|section| {
            accepted
                .remove(*section)
                .unwrap_or_else(|| panic!("the parser knows no {section}"))
        });
        let taken: BTreeSet<String> = taken.flatten().collect();
        let keys = rows.iter().flat_map(|row| quoted(row[0]));
        let keys = keys.map(|key| key.rsplit('.').next().unwrap().to_owned());
        assert_eq!(keys.collect::<BTreeSet<_>>(), taken, "{sections:?}");
    }
    assert!(accepted.is_empty(), "{accepted:?} are not in {DOCS}");
}

/// Returns the problems of a config in which a key, with its sections before it, has a value; without a
/// key those of the smallest config.
fn parse(key: &str, value: &str) -> Result<Config, Vec<String>> {
    let at_top = |section: &str| match key.strip_prefix(&format!("{section}.")) {
        Some(key) => format!("{section}: {{{key}: {value}}}\n"),
        None => String::new(),
    };
    let own = |cloud: &str| match key.strip_prefix(&format!("{cloud}.")) {
        Some(key) => format!("{key}: {value}, "),
        None => String::new(),
    };
    let alerting = match key.strip_prefix("alerting.") {
        Some(key) => format!("{key}: {value}, "),
        None => String::new(),
    };
    let text = format!(
        "{}{}accounts:\n  - {{name: a, ncloud: {{{}access_key: a, secret_key: s, ses: {{}}, cdss: {{}}}}}}\n  \
         - {{name: b, huawei: {{{}region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, \
         access_key: a, secret_key: s, css: {{}}, cce: {{}}}}}}\n\
         alerting: {{{alerting}alertmanagers: [{{url: 'http://127.0.0.1:9093'}}]}}\n",
        at_top("polling"),
        at_top("upgrades"),
        own("ncloud"),
        own("huawei"),
    );
    config::parse(CLOUDS, &text, Path::new("."), &|_| None)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// Returns the key of a row as [`parse`] takes it, where the table's values can be compared.
fn place(sections: &[&str], key: &str) -> Option<String> {
    match sections {
        ["polling", "upgrades"] => Some(key.to_owned()),
        [cloud @ ("ncloud" | "huawei" | "alerting")] => Some(format!("{cloud}.{key}")),
        _ => None,
    }
}

#[test]
fn every_default_is_the_parser_s() {
    let docs = read(DOCS);
    let smallest = parse("", "").unwrap();
    let mut compared = 0;
    for (sections, rows) in tables(&docs) {
        for row in rows {
            let key = quoted(row[0]).next();
            let place = key.and_then(|key| place(&sections, key));
            let (Some(place), Some(default)) = (place, quoted(row[1]).next()) else {
                continue;
            };
            let mut given = parse(&place, default).unwrap();
            // Another default of a product stands after a semicolon.
            if let Some((_, own)) = row[1].split_once("; ")
                && let Some(product) = own.split(' ').next()
                && sections.contains(&"upgrades")
            {
                let own = parse(&place, quoted(own).next().unwrap()).unwrap();
                for (account, other) in given.accounts.iter_mut().zip(own.accounts) {
                    for (config, other) in account.products.iter_mut().zip(other.products) {
                        if config.product.info().name == product {
                            *config = other;
                        }
                    }
                }
            }
            assert_eq!(given, smallest, "{place}: {}", row[1]);
            compared += 1;
        }
    }
    assert!(compared >= 14, "{compared}");
}

/// Returns a value that lies just outside of a bound.
fn outside(bound: &str, above: bool) -> String {
    if let Ok(number) = bound.parse::<f64>() {
        return if above {
            format!("{}", number + 1.0)
        } else {
            format!("{}", number * 0.9)
        };
    }
    if above {
        format!("{bound} 1s")
    } else {
        let seconds: u64 = bound.strip_suffix('s').unwrap().parse().unwrap();
        format!("{}ms", seconds * 1000 - 1)
    }
}

#[test]
fn every_range_is_the_parser_s() {
    let docs = read(DOCS);
    let mut compared = 0;
    for (sections, rows) in tables(&docs) {
        for row in rows {
            let key = quoted(row[0]).next();
            let place = key.and_then(|key| place(&sections, key));
            let Some(place) = place.filter(|_| row.len() == 4) else {
                continue;
            };
            let bounds: Vec<&str> = quoted(row[2]).collect();
            let (least, most) = match bounds.as_slice() {
                [most] => (None, *most),
                [least, most] => (Some(*least), *most),
                _ => continue,
            };
            parse(&place, most).unwrap();
            parse(&place, &outside(most, true)).expect_err(&place);
            match least {
                Some(least) => {
                    parse(&place, least).unwrap();
                    parse(&place, &outside(least, false)).expect_err(&place);
                }
                None => drop(parse(&place, "0s").expect_err(&place)),
            }
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared}");
}
