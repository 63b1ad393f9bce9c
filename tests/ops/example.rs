//! The example config has every key that a config may have.

use std::collections::BTreeSet;
use std::path::Path;

use rolling_upgrade_exporter::cloud::ncloud::account::Account;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config;
use rolling_upgrade_exporter::secret::Secret;

use crate::read;

/// Every mapping of a config, each with a key that nobody knows.
const EVERYWHERE: &str = "
no-such-key-at-all: 1
polling: {no-such-key-at-all: 1}
upgrades: {no-such-key-at-all: 1}
accounts:
  - name: a
    no-such-key-at-all: 1
    ncloud:
      no-such-key-at-all: 1
      access_key: a
      secret_key: s
      ses: {no-such-key-at-all: 1}
      cdss:
        no-such-key-at-all: 1
        clusters:
          - {id: 1, no-such-key-at-all: 1}
  - name: b
    huawei:
      no-such-key-at-all: 1
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: a
      secret_key: s
      css: {no-such-key-at-all: 1}
      cce: {no-such-key-at-all: 1}
  - name: c
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      token: {domain: d, user: u, password: p, no-such-key-at-all: 1}
      css: {}
alerting:
  no-such-key-at-all: 1
  alertmanagers:
    - url: https://127.0.0.1
      no-such-key-at-all: 1
      basic_auth: {username: u, password: p, no-such-key-at-all: 1}
";

/// The keys that each mapping takes, as its problem with an unknown one tells them.
pub(crate) fn known() -> Vec<(String, Vec<String>)> {
    let problems = config::parse(CLOUDS, EVERYWHERE, Path::new("."), &|_| None).unwrap_err();
    let told: Vec<_> = problems
        .iter()
        .map(|problem| {
            let text = problem.to_string();
            let (head, keys) = text.split_once(" takes ").expect(&text);
            let what = head.rsplit(": ").next().unwrap().to_owned();
            (what, keys.split(", ").map(str::to_owned).collect())
        })
        .collect();
    let places = EVERYWHERE.matches("no-such-key-at-all").count();
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
    for (what, keys) in known() {
        for key in &keys {
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
