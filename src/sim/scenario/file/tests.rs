//! Scenarios that are read, and what is told of those that are not.

use super::super::Place;
use super::*;
use crate::cloud;
use crate::cloud::simulated;
use crate::clouds::CLOUDS;
use spanned_yaml::either;

fn wrong(text: &str) -> Vec<String> {
    let problems = parse(&simulated(CLOUDS), text).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_scenario_of_almost_nothing_has_defaults() {
    let scenario = parse(
        &simulated(CLOUDS),
        "clusters: [{product: css, id: a, versions: ['7.10.2']}]",
    )
    .unwrap();
    let cluster = &scenario.clusters[0];
    assert_eq!(cluster.name, "a");
    assert_eq!(cluster.listed, ListedAs::Allowed);
    assert_eq!(cluster.batch, 1);
    assert_eq!(cluster.starts_after, None);
    assert_eq!(cluster.repetition, Repetition::default());
    assert!(scenario.faults.is_empty());
}

#[test]
fn every_key_is_read() {
    let scenario = parse(
        &simulated(CLOUDS),
        "
clock_ahead: 20m
clusters:
  - product: cce
    id: c-1
    name: one
    versions: [v1.27, v1.28.3-r0]
    nodes: [{name: n1, role: node}, {name: n2, role: node}]
    listed: not_upgradable
    starts_after: 0s
    repeats_after: 1m
    batch: 2
    before: [{name: PreCheck, takes: 10s}]
    steps: [{name: a, takes: 1s}, {name: b, takes: 2s}]
    after: [{name: PostCheck, takes: 3s}]
    hangs: {node: 2, step: 1, lasts: 1h}
    fails: {node: 1, step: 2, every: 4}
    retries_after: 2m
    endless_versions: true
faults:
  - {path: /clusters, cluster: c-1, from: 5s, lasts: 1m, answer: old_date}
  - {answer: close}
",
    )
    .unwrap();
    assert_eq!(scenario.clock_ahead, Duration::from_secs(1200));
    let cluster = &scenario.clusters[0];
    assert_eq!(cluster.versions, ["v1.27", "v1.28.3-r0"]);
    assert_eq!(cluster.nodes.len(), 2);
    assert_eq!(cluster.listed, ListedAs::NotUpgradable);
    assert_eq!(cluster.starts_after, Some(Duration::ZERO));
    assert_eq!(cluster.repeats_after, Some(Duration::from_secs(60)));
    assert_eq!(cluster.batch, 2);
    assert_eq!(cluster.before[0].name, "PreCheck");
    assert_eq!(cluster.steps[1].takes, Duration::from_secs(2));
    assert_eq!(cluster.after[0].name, "PostCheck");
    let hang = cluster.hangs.unwrap();
    assert_eq!(
        (hang.place, hang.lasts),
        (Place { node: 2, step: 1 }, Duration::from_secs(3600))
    );
    assert_eq!(cluster.fails, Some(Place { node: 1, step: 2 }));
    assert_eq!(
        cluster.repetition,
        Repetition {
            failure_period: 4,
            retries_after: Some(Duration::from_secs(120)),
            endless_versions: Some(VersionForm::DOTTED),
        }
    );
    assert_eq!(
        scenario.faults,
        [
            Fault {
                path: "/clusters".to_owned(),
                query: None,
                cluster: Some("c-1".to_owned()),
                from: Duration::from_secs(5),
                lasts: Some(Duration::from_secs(60)),
                answer: FaultAnswer::OldDate,
            },
            Fault {
                path: String::new(),
                query: None,
                cluster: None,
                from: Duration::ZERO,
                lasts: None,
                answer: FaultAnswer::Close,
            },
        ]
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let found = wrong(
        "clusters:
  - {product: kafka, id: a, versions: [x]}
  - {product: css, id: a, versions: [x], starts_after: 0s}
  - {product: css, id: b, versions: [x], batch: 0}
  - {product: css, id: b, versions: [x], nodes: [{name: n, role: ess}], steps: [{name: s, takes: 1s}], fails: {node: 2, step: 1}}
  - {product: css, id: c, versions: [x], fails: {node: 1, step: 1}, nodes: [{name: n, role: d}, {name: n, role: d}]}
  - {product: cce, id: d, versions: [x], fails: {before: 1}, nodes: [{name: n, role: node}], steps: [{name: s, takes: 1s}]}
  - {product: cce, id: e, versions: [x], findings: [{scope: pod, target: a, item: b}, {scope: node, target: a, item: b}, {scope: addon, level: Bad}]}
faults: [{answer: nothing}]
zebra: []
",
    );
    let names: Vec<&str> = cloud::products(CLOUDS).map(|p| p.info().name).collect();
    let names = either(&names);
    let clouds: Vec<&str> = CLOUDS.iter().map(|cloud| cloud.name()).collect();
    let clouds = clouds.join(", ");
    assert_eq!(
        found,
        [
            format!("2:15: product must be {names}, not \"kafka\"").as_str(),
            "3:27: versions must be two or more, because this cluster is upgraded",
            "4:49: batch must be a whole number from 1 to 1000, not \"0\"",
            "5:24: css cluster \"b\" exists a second time: it is at 4:24 already, change the id",
            "5:118: node must be a whole number from 1 to 1, not \"2\"",
            "6:65: this cluster has no step: add steps",
            "6:97: node \"n\" with role \"d\" exists a second time: rename one",
            "7:58: this cluster has no step before its nodes: add before",
            "8:61: scope must be cluster, addon or node, not \"pod\"",
            "8:109: this cluster has no node \"a\"",
            "8:122: a finding needs item: add it",
            "8:122: a finding needs target: add it",
            "8:144: level must be Fatal, Warning or Info, not \"Bad\"",
            "9:19: answer must be throttled, unauthorized, forbidden, server_error, refused, not_published, bad_request, denied, not_found, internal_error, html, login_page, garbage, empty, truncated, hang, close, lost, redirect, unknown_word or old_date, not \"nothing\"",
            &format!(
                "10:1: unknown key \"zebra\": the scenario takes {clouds}, clock_ahead, clusters, faults"
            ),
        ]
    );
}

#[test]
fn reads_the_example_of_the_docs() {
    let docs = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulator.md"));
    let blocks = docs.split("```yaml\n").skip(1);
    let mut blocks = blocks.map(|block| block.split("```").next().unwrap());
    let example = blocks.find(|block| block.contains("\nfaults:")).unwrap();
    let scenario = parse(&simulated(CLOUDS), example).unwrap();
    assert_eq!(scenario.clusters.len(), 3);
}

#[test]
fn versions_that_cannot_go_on_are_told() {
    let found = wrong(
        "clusters:
  - {product: cce, id: a, versions: [v1.27, v1.28], starts_after: 0s, endless_versions: true}
  - {product: css, id: b, versions: ['7.9.3', 7.10.2_24.3.0_0827], starts_after: 0s, retries_after: 1m, endless_versions: true}
  - {product: css, id: c, versions: [x], fails: {node: 1, step: 1, every: 0}, nodes: [{name: n, role: d}], steps: [{name: s, takes: 1s}]}
",
    );
    assert_eq!(
        found,
        [
            "2:27: nothing is known to follow \"v1.28\", and endless_versions needs it: the last version must be written as 2150, 3.9.0, v1.31.1-r0 or 7.10.2_24.3.0_0827",
            "3:86: retries_after needs repeats_after, without which there is no other upgrade: add it",
            "4:75: every must be a whole number from 1 to 1000, not \"0\"",
        ]
    );
}

#[test]
fn rejects_keys_of_another_product() {
    let found = wrong("clusters: [{product: ses, id: 1, versions: ['290'], task_only: true}]");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("1:53: unknown key \"task_only\": a cluster takes product, id,"));
    // Where the product is not known, neither are its keys.
    let found = wrong("clusters: [{product: x, id: 1, versions: ['290'], task_only: true}]");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("product must be"), "{found:?}");
}
