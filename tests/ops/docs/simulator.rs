//! The examples of docs/simulator.md: the scenario, and the config of an exporter that polls it.

use std::path::Path;

use rolling_upgrade_exporter::cloud::{products, simulated};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config;
use rolling_upgrade_exporter::sim::{demo, scenario};

use super::blocks;
use crate::read;

/// Returns the only block of YAML in the document that holds this text.
fn block(part: &str) -> String {
    let docs = read("docs/simulator.md");
    let blocks = blocks(&docs).into_iter();
    let found: Vec<_> = blocks
        .filter(|(language, text)| *language == "yaml" && text.contains(part))
        .collect();
    let [(_, text)] = found.as_slice() else {
        panic!("{} blocks with {part}", found.len())
    };
    (*text).to_owned()
}

#[test]
fn the_config_has_the_keys_of_the_simulator_and_every_product() {
    let simulator = scenario::parse(&simulated(CLOUDS), &block("\nfaults:")).unwrap();
    let config = config::parse(CLOUDS, &block("accounts:"), Path::new("."), &|_| None).unwrap();
    let watched = config.accounts.iter().flat_map(|account| &account.products);
    let names: Vec<_> = watched.map(|watched| watched.product.info().name).collect();
    let all: Vec<_> = products(CLOUDS).map(|p| p.info().name).collect();
    assert_eq!(names, all);
    let demo = demo::config(&simulator, "127.0.0.1:1".parse().unwrap(), 1.0);
    let demo = config::parse(CLOUDS, &demo, Path::new("."), &|_| None).unwrap();
    let accounts = |config: config::Config| -> Vec<_> {
        let accounts = config.accounts.into_iter();
        accounts.map(|account| account.cloud).collect()
    };
    assert_eq!(accounts(config), accounts(demo));
}
