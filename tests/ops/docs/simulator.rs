//! The examples of docs/simulator.md: the scenario, and the config of an exporter that polls it.

use std::path::Path;

use rolling_upgrade_exporter::cloud::simulated;
use rolling_upgrade_exporter::cloud::{huawei, ncloud, products};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config;
use rolling_upgrade_exporter::secret::Secret;
use rolling_upgrade_exporter::sim::scenario;

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
    for account in config.accounts {
        let cloud = account.cloud;
        if let Some(cloud) = cloud.downcast::<ncloud::account::Account>() {
            assert_eq!(&*cloud.region, simulator.ncloud.region);
            assert_eq!(cloud.access_key, text(&simulator.ncloud.access_key));
            let secret = simulator.ncloud.secret_key.clone();
            assert_eq!(cloud.secret_key, Secret::Value(secret));
        } else if let Some(cloud) = cloud.downcast::<huawei::account::Account>() {
            assert_eq!(&*cloud.project_id, simulator.huawei.project_id);
            let auth = huawei::account::Auth::Keys {
                access_key: text(&simulator.huawei.access_key),
                secret_key: Secret::Value(simulator.huawei.secret_key.clone()),
                security_token: None,
            };
            assert_eq!(cloud.auth, auth);
        } else {
            panic!("{cloud:?}");
        }
    }
}

fn text(value: &str) -> Secret {
    Secret::Value(value.into())
}
