//! The examples of docs/simulator.md: the scenario, and the config of an exporter that polls it.

use std::path::Path;

use rolling_upgrade_exporter::cloud::{products, simulated};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config;
use rolling_upgrade_exporter::sim::scenario;

use super::{blocks, compare};
use crate::example::accounts_of_the_simulator;
use crate::read;

#[test]
fn its_scenario_is_one() {
    let docs = read("docs/simulator.md");
    let blocks = blocks(&docs).into_iter();
    let found: Vec<_> = blocks
        .filter(|(language, text)| *language == "yaml" && text.contains("\nfaults:"))
        .collect();
    let [(_, text)] = found.as_slice() else {
        panic!("{} scenarios", found.len())
    };
    scenario::parse(&simulated(CLOUDS), text).unwrap();
}

#[test]
fn the_config_has_the_keys_of_the_simulator_and_every_product() {
    let text = format!(
        "# simulated.yml\n\
         polling: {{active_interval: 1s, idle_interval: 2s, discovery_interval: 10s}}\n{}",
        accounts_of_the_simulator()
    );
    let config = config::parse(CLOUDS, &text, Path::new("."), &|_| None).unwrap();
    let watched = config.accounts.iter().flat_map(|account| &account.products);
    let names: Vec<_> = watched.map(|watched| watched.product.info().name).collect();
    let all: Vec<_> = products(CLOUDS).map(|p| p.info().name).collect();
    assert_eq!(names, all);
    compare("simulated", &format!("```yaml\n{text}```\n"));
}
