//! The story that every product passes through its own simulator: one test a chapter, one run of it a
//! product.
//!
//! The whole way is real: HTTP, signatures, mapping, tracking, rendering. A chapter names no product. What
//! it needs of one, the product says itself: its calls and what its vendor does not tell
//! ([`ProductInfo`](rolling_upgrade_exporter::cloud::ProductInfo)), and a cluster of the demo.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

#[path = "products/exposition.rs"]
mod exposition;
#[path = "products/stage.rs"]
mod stage;

use std::time::Duration;

use exposition::Exposition;
use rolling_upgrade_exporter::cloud::{Call, Omission, Product};
use rolling_upgrade_exporter::sim::scenario::{Cluster, Fault, FaultAnswer, Place, Repetition};
use stage::{
    HANG, MINUTE, RETAIN_ENDED, SECOND_NODE, STALLED_AFTER, Stage, cluster, every_product, name,
};

/// More clusters than a page of any vendor.
const MANY: u32 = 250;

#[test]
fn discovery_reads_every_page() {
    every_product(async |product| {
        let last = MANY - 1;
        let clusters: Vec<Cluster> = (0..MANY)
            .map(|number| Cluster {
                starts_after: None,
                ..cluster(product, number)
            })
            .collect();
        let (first, end) = (clusters[0].clone(), clusters[last as usize].clone());
        let include = vec![name(0), name(last)];
        let mut stage = Stage::open_some(product, clusters, Vec::new(), include).await;
        let shown = stage.until("discovered", |shown| shown.has(&first)).await;
        assert!(shown.has(&end), "{shown}");
        stage.close();
    });
}

/// Returns the states of an upgrade of which each node does its work, in their order.
fn states_of_success(product: &dyn Product) -> Vec<&'static str> {
    let all = ["none", "pending", "running", "succeeded"];
    let is_told = |state: &&str| *state != "pending" || tells(product, Omission::Queued);
    all.into_iter().filter(is_told).collect()
}

/// Returns the number of a cluster's nodes.
fn count(cluster: &Cluster) -> f64 {
    u32::try_from(cluster.nodes.len()).unwrap().into()
}

fn tells(product: &dyn Product, fact: Omission) -> bool {
    !product.info().omissions.contains(&fact)
}

/// The states of an upgrade, each once in a row.
#[derive(Default)]
struct States(Vec<String>);

impl States {
    fn note(&mut self, shown: &Exposition, cluster: &Cluster) {
        let status = shown.status(cluster).unwrap_or("absent");
        if self.0.last().is_none_or(|last| last != status) {
            self.0.push(status.to_owned());
        }
    }
}

#[test]
fn an_upgrade_is_pending_runs_and_succeeds() {
    every_product(async |product| {
        let cluster = cluster(product, 1);
        let nodes = count(&cluster);
        let mut stage = Stage::open(product, vec![cluster.clone()], Vec::new()).await;
        let version = stage.exposition().version(&cluster);
        let (mut states, mut done, mut ratio) = (States::default(), Vec::new(), 0.0);
        let look = |shown: &Exposition| {
            states.note(shown, &cluster);
            assert!(shown.is_up(&cluster), "{shown}");
            assert!(!shown.is_stalled(&cluster), "{shown}");
            if let Some(now) = shown.ratio(&cluster) {
                assert!(now >= ratio, "{ratio} before:\n{shown}");
                ratio = now;
            }
            if shown.status(&cluster) == Some("running") {
                assert_eq!(shown.all_nodes(&cluster), Some(nodes), "{shown}");
                let now = shown.nodes(&cluster, "succeeded").unwrap();
                if done.last() != Some(&now) {
                    done.push(now);
                }
            }
        };
        // A list that a poll shares with others may be older than the end: the version follows with the next.
        let is_over = |shown: &Exposition| {
            shown.status(&cluster) == Some("succeeded") && shown.version(&cluster) != version
        };
        let shown = stage.watch("succeeded", look, is_over).await;
        assert_eq!(states.0, states_of_success(product));
        assert!(
            done.is_sorted() && done.len() >= cluster.nodes.len(),
            "{done:?}"
        );
        assert_eq!(shown.nodes(&cluster, "succeeded"), Some(nodes), "{shown}");
        assert_eq!(shown.ratio(&cluster), Some(1.0), "{shown}");
        assert!(shown.unknown_words() < 0.5, "{shown}");
        stage.close();
    });
}

#[test]
fn an_upgrade_that_hangs_is_stalled_until_it_goes_on() {
    every_product(async |product| {
        let mut cluster = cluster(product, 1);
        cluster.hangs = Some(HANG);
        let mut stage = Stage::open(product, vec![cluster.clone()], Vec::new()).await;
        let running = stage.until_status(&cluster, "running").await;
        assert!(!running.is_stalled(&cluster));
        let works = |shown: &Exposition| shown.nodes(&cluster, "succeeded") >= Some(1.0);
        stage.until("at its second node", works).await;
        let since = stage.now();
        let is_stalled = |shown: &Exposition| shown.is_stalled(&cluster);
        let shown = stage.until("stalled", is_stalled).await;
        assert_eq!(shown.status(&cluster), Some("running"));
        let after = stage.now().duration_since(since).unsigned_abs();
        let slack = 2 * MINUTE;
        let is_due = after + slack > STALLED_AFTER && after < STALLED_AFTER + slack;
        assert!(is_due, "stalled after {after:?}");
        let goes_on = |shown: &Exposition| !shown.is_stalled(&cluster);
        let shown = stage.until("going on", goes_on).await;
        assert_eq!(shown.status(&cluster), Some("running"), "{shown}");
        stage.until_status(&cluster, "succeeded").await;
        stage.close();
    });
}

#[test]
fn an_upgrade_that_failed_recovers_with_the_next_one() {
    every_product(async |product| {
        let mut cluster = cluster(product, 1);
        cluster.fails = Some(SECOND_NODE);
        cluster.repeats_after = Some(30 * MINUTE);
        cluster.repetition = Repetition {
            failure_period: 2,
            ..Repetition::default()
        };
        let mut stage = Stage::open(product, vec![cluster.clone()], Vec::new()).await;
        let mut states = States::default();
        let has_failed = |shown: &Exposition| shown.status(&cluster) == Some("failed");
        let shown = stage
            .watch("failed", |shown| states.note(shown, &cluster), has_failed)
            .await;
        assert_eq!(shown.nodes(&cluster, "failed"), Some(1.0), "{shown}");
        assert!(shown.is_up(&cluster), "{shown}");
        let is_over = |shown: &Exposition| shown.status(&cluster) == Some("succeeded");
        let shown = stage
            .watch("mended", |shown| states.note(shown, &cluster), is_over)
            .await;
        assert_eq!(shown.nodes(&cluster, "failed"), Some(0.0), "{shown}");
        // Some vendors do not tell a retry that is queued from the upgrade that failed.
        let begin = states
            .0
            .iter()
            .take_while(|state| *state != "failed")
            .count();
        let (begin, rest) = states.0.split_at(begin);
        let rest: Vec<_> = rest.iter().filter(|state| *state != "pending").collect();
        let usual = states_of_success(product);
        assert_eq!(begin, &usual[..usual.len() - 1]);
        assert_eq!(rest, ["failed", "running", "succeeded"]);
        stage.close();
    });
}

/// Returns what a fault's path must hold for it to meet every request of a call.
fn path_of(call: &Call) -> String {
    let (before, last) = call.path.rsplit_once("{}").unwrap_or(("", call.path));
    match last {
        "" => before.rsplit("{}").next().unwrap().to_owned(),
        last => format!("{last}$"),
    }
}

/// Builds a fault that begins after an hour, when nodes are in work, and lasts.
fn fault(path: &str, answer: FaultAnswer, lasts: Option<Duration>) -> Fault {
    Fault {
        from: 60 * MINUTE,
        lasts,
        ..Fault::new(path, answer)
    }
}

#[test]
fn an_unknown_word_is_counted_and_ends_nothing() {
    every_product(async |product| {
        let cluster = cluster(product, 1);
        let calls = product.info().calls.iter();
        let faults = calls
            .map(|call| fault(&path_of(call), FaultAnswer::UnknownWord, Some(10 * MINUTE)))
            .collect();
        let mut stage = Stage::open(product, vec![cluster.clone()], faults).await;
        stage.until_status(&cluster, "running").await;
        let look = |shown: &Exposition| {
            let status = shown.status(&cluster);
            let is_open = matches!(status, Some("running" | "unknown"));
            assert!(is_open && shown.is_up(&cluster), "{shown}");
        };
        let is_counted = |shown: &Exposition| shown.unknown_words() > 0.0;
        stage.watch("counted", look, is_counted).await;
        let end = stage.world.origin + 71 * MINUTE;
        while stage.now() < end {
            look(&stage.exposition());
            stage.pause(MINUTE).await;
        }
        assert_eq!(stage.exposition().status(&cluster), Some("running"));
        stage.until_status(&cluster, "succeeded").await;
        stage.close();
    });
}

/// Refuses every call about a cluster for 10 minutes, and expects this reason.
async fn refused(product: &'static dyn Product, answer: FaultAnswer, reason: &str) {
    let (well, ill) = (cluster(product, 1), cluster(product, 2));
    let fault = Fault {
        cluster: Some(ill.id.clone()),
        ..fault("", answer, Some(10 * MINUTE))
    };
    let clusters = vec![well.clone(), ill.clone()];
    let mut stage = Stage::open(product, clusters, vec![fault]).await;
    stage.until_status(&ill, "running").await;
    let shown = stage.until("refused", |shown| !shown.is_up(&ill)).await;
    assert!(shown.failures(reason) > 0.0, "not {reason}:\n{shown}");
    assert_eq!(shown.status(&ill), Some("running"), "{shown}");
    assert!(shown.is_up(&well), "{shown}");
    let shown = stage.until("let in", |shown| shown.is_up(&ill)).await;
    let status = shown.status(&ill);
    assert!(matches!(status, Some("running" | "succeeded")), "{shown}");
    stage.until_status(&ill, "succeeded").await;
    stage.close();
}

#[test]
fn a_throttled_cluster_keeps_its_upgrade() {
    every_product(async |product| {
        refused(product, FaultAnswer::Throttled, "throttled").await;
    });
}

#[test]
fn a_refused_permission_is_named_and_forgotten() {
    every_product(async |product| {
        refused(product, FaultAnswer::Forbidden, "permission").await;
    });
}

#[test]
fn a_failing_vendor_keeps_the_upgrade() {
    every_product(async |product| {
        refused(product, FaultAnswer::ServerError, "server").await;
    });
}

#[test]
fn a_refused_secondary_call_takes_only_what_it_adds() {
    every_product(async |product| {
        let calls = product.info().calls.iter();
        for call in calls.filter(|call| call.secondary.is_some()) {
            let (cluster, mut fails) = (cluster(product, 1), cluster(product, 2));
            fails.fails = Some(Place {
                node: usize::from(fails.before.is_empty()),
                step: 1,
            });
            let fault = Fault::new(&path_of(call), FaultAnswer::Forbidden);
            let clusters = vec![cluster.clone(), fails.clone()];
            let mut stage = Stage::open(product, clusters, vec![fault]).await;
            let (mut states, mut is_degraded) = (States::default(), false);
            let mut has_failed = false;
            let look = |shown: &Exposition| {
                states.note(shown, &cluster);
                let is_up = shown.is_up(&cluster) && shown.is_up(&fails);
                assert!(is_up, "{}:\n{shown}", call.name);
                has_failed |= shown.status(&fails) == Some("failed");
                is_degraded |= shown.is_degraded(call.name, "permission");
            };
            let is_over = |shown: &Exposition| shown.status(&cluster) == Some("succeeded");
            stage.watch("succeeded", look, is_over).await;
            assert_eq!(states.0, states_of_success(product), "{}", call.name);
            assert!(has_failed, "{}", call.name);
            let path = path_of(call);
            let calls = stage.world.calls();
            let is_of = |made: &String| match path.strip_suffix('$') {
                Some(end) => made.ends_with(end),
                None => made.contains(&path),
            };
            // Some are only made where something is not known.
            let is_made = calls.keys().any(is_of);
            assert_eq!(is_degraded, is_made, "{} in {calls:?}", call.name);
            stage.close();
        }
    });
}

#[test]
fn a_vanished_cluster_is_gone_after_two_discoveries() {
    every_product(async |product| {
        let (stays, goes) = (cluster(product, 1), cluster(product, 2));
        let clusters = vec![stays.clone(), goes.clone()];
        let mut stage = Stage::open(product, clusters, Vec::new()).await;
        stage.until_status(&goes, "running").await;
        stage.world.delete(product.info().name, &goes.id);
        let looked = |stage: &Stage| {
            let discoveries = stage.store.discoveries();
            discoveries.values().find_map(|state| state.last_success)
        };
        let mut times = vec![looked(&stage)];
        while stage.exposition().has(&goes) {
            if times.last() != Some(&looked(&stage)) {
                times.push(looked(&stage));
            }
            assert!(times.len() < 4, "still there after {times:?}");
            stage.pause(Duration::from_secs(1)).await;
        }
        assert!(times.len() >= 2, "gone at once");
        assert!(stage.exposition().is_up(&stays));
    });
}

#[test]
fn an_exporter_that_starts_again_goes_on() {
    every_product(async |product| {
        let cluster = cluster(product, 1);
        let nodes = count(&cluster);
        let mut stage = Stage::open(product, vec![cluster.clone()], Vec::new()).await;
        let works = |shown: &Exposition| shown.nodes(&cluster, "succeeded") >= Some(1.0);
        stage.until("at its second node", works).await;
        stage.restart().await;
        let shown = stage.exposition();
        assert_eq!(shown.status(&cluster), Some("running"), "{shown}");
        assert_eq!(shown.all_nodes(&cluster), Some(nodes), "{shown}");
        assert_eq!(shown.nodes(&cluster, "upgrading"), Some(1.0), "{shown}");
        stage.until_status(&cluster, "succeeded").await;
        stage.restart().await;
        let shown = stage.exposition();
        let want = if tells(product, Omission::Ended) {
            "succeeded"
        } else {
            "none"
        };
        assert_eq!(shown.status(&cluster), Some(want), "{shown}");
        stage.close();
    });
}

#[test]
fn an_ended_upgrade_is_gone_after_its_time() {
    every_product(async |product| {
        let cluster = cluster(product, 1);
        let mut stage = Stage::open(product, vec![cluster.clone()], Vec::new()).await;
        stage.until_status(&cluster, "succeeded").await;
        let ended = stage.now();
        let shown = stage.until_status(&cluster, "none").await;
        let after = stage.now().duration_since(ended).unsigned_abs();
        let slack = 2 * MINUTE;
        let is_due = after + slack > RETAIN_ENDED && after < RETAIN_ENDED + slack;
        assert!(is_due, "gone after {after:?}");
        assert!(shown.is_up(&cluster), "{shown}");
        assert_eq!(shown.all_nodes(&cluster), None, "{shown}");
        stage.close();
    });
}

#[test]
fn a_path_of_a_call_is_what_a_fault_must_hold() {
    let path = |path| {
        use rolling_upgrade_exporter::cloud::Method;
        path_of(&Call::read("x", Method::Get, path))
    };
    assert_eq!(path("/a/b"), "/a/b$");
    assert_eq!(path("/a/{}/b"), "/b$");
    assert_eq!(path("/a/{}/b/{}"), "/b/");
    assert_eq!(path("/a/{}"), "/a/");
}
