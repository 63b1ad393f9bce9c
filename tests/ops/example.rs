//! The example config has every key that a config may have.

use std::collections::BTreeSet;
use std::path::Path;

use rolling_upgrade_exporter::cloud::{self, simulated};
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::clouds::ncloud::account::Account;
use rolling_upgrade_exporter::config;
use rolling_upgrade_exporter::secret::Secret;
use rolling_upgrade_exporter::sim::demo;

use crate::read;

/// Mappings of a config besides those of the simulator's accounts, each with a key that is not known.
const MAPPINGS: &str = "
no-such-key-at-all: 1
polling: {no-such-key-at-all: 1}
upgrades: {no-such-key-at-all: 1}
storage: {no-such-key-at-all: 1}
alerting:
  no-such-key-at-all: 1
  alertmanagers:
    - url: https://127.0.0.1
      no-such-key-at-all: 1
      basic_auth: {username: u, password: p, no-such-key-at-all: 1}
";

/// Accounts with the mappings that those of the simulator do not have.
const ACCOUNTS: &str = "
  - name: listed
    ncloud:
      access_key: a
      secret_key: s
      cdss:
        clusters:
          - {id: 1, no-such-key-at-all: 1}
  - name: token
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      token: {domain: d, user: u, password: p, no-such-key-at-all: 1}
      css: {}
";

/// Writes the accounts of the simulator, with every cloud and product.
pub(crate) fn accounts_of_the_simulator() -> String {
    let scenario = demo::scenario(&simulated(CLOUDS)).unwrap();
    let config = demo::config(&scenario, ([127, 0, 0, 1], 10851).into(), 1.0);
    let (_, accounts) = config.split_once("\naccounts:\n").unwrap();
    format!("accounts:\n{accounts}")
}

/// Writes a config with every mapping, each with a key that is not known.
fn everywhere() -> String {
    let unknown = "no-such-key-at-all: 1";
    let mut text = MAPPINGS.to_owned();
    for line in accounts_of_the_simulator().lines() {
        let key = line.trim_start().split(':').next().unwrap();
        if cloud::product(CLOUDS, key).is_some() {
            text.extend(["      ", key, ": {", unknown, "}\n"]);
            continue;
        }
        text.extend([line, "\n"]);
        if line.starts_with("  - name:") {
            text.extend(["    ", unknown, "\n"]);
        } else if CLOUDS.iter().any(|cloud| cloud.name() == key) {
            text.extend(["      ", unknown, "\n"]);
        }
    }
    text + ACCOUNTS.trim_start_matches('\n')
}

/// The keys that each mapping takes, as its problem with an unknown one tells them.
pub(crate) fn known() -> Vec<(String, Vec<String>)> {
    let everywhere = everywhere();
    let problems = config::parse(CLOUDS, &everywhere, Path::new("."), &|_| None).unwrap_err();
    let told: Vec<_> = problems
        .iter()
        .map(|problem| {
            let text = problem.to_string();
            let (head, keys) = text.split_once(" takes ").expect(&text);
            let what = head.rsplit(": ").next().unwrap().to_owned();
            (what, keys.split(", ").map(str::to_owned).collect())
        })
        .collect();
    let places = everywhere.matches("no-such-key-at-all").count();
    assert_eq!(told.len(), places, "{told:?}");
    told
}

/// The words before a colon, in comments too.
fn written(example: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    example
        .split(|c: char| !is_part(c) && c != ':')
        .filter_map(|word| word.strip_suffix(':'))
        .collect()
}

#[test]
fn the_example_has_every_key() {
    let example = read("rolling-upgrade-exporter.example.yml");
    let written = written(&example);
    let is_name = |key: &str| {
        cloud::product(CLOUDS, key).is_some() || CLOUDS.iter().any(|cloud| cloud.name() == key)
    };
    // It shows some clouds and products, and all their keys.
    for (what, keys) in known() {
        if is_name(&what) && !written.contains(what.as_str()) {
            continue;
        }
        for key in keys.iter().filter(|key| !is_name(key)) {
            // Of the three forms of a secret one is enough: the head of the file tells the others.
            let secret = key.trim_end_matches("_file").trim_end_matches("_env");
            let forms = [String::new(), "_file".to_owned(), "_env".to_owned()]
                .map(|form| format!("{secret}{form}"));
            let is_secret = forms.iter().all(|form| keys.contains(form));
            let found = written.contains(key.as_str())
                || is_secret && forms.iter().any(|form| written.contains(form.as_str()));
            assert!(found, "{key}, a key of {what}, is not in the example");
        }
    }
}

#[test]
fn its_lengths_and_rates_are_the_defaults() {
    let smallest = "accounts: [{name: a, ncloud: {access_key: a, secret_key: s, ses: {}}}]";
    let env = |_: &str| Some("of-a-test".to_owned());
    let parse = |text: &str| config::parse(CLOUDS, text, Path::new("."), &env).unwrap();
    let example = parse(&read("rolling-upgrade-exporter.example.yml"));
    let default = parse(smallest);
    let (example, default) = (&example.accounts[0], &default.accounts[0]);
    assert_eq!(example.polling, default.polling);
    assert_eq!(
        example.products[0].thresholds,
        default.products[0].thresholds
    );
    let mut cloud = default.cloud.downcast::<Account>().unwrap().clone();
    cloud.access_key = Secret::Value("of-a-test".into());
    cloud.secret_key = Secret::Value("of-a-test".into());
    assert_eq!(*example.cloud.downcast::<Account>().unwrap(), cloud);
}
