//! For tests: a strict reader of text 0.0.4, and clusters by chance.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    AvailableVersion, ClusterState, Degraded, Key, Kind, Node, NodeStatus, Reason, Span, Task,
    TaskStatus, Thresholds, Upgrade, UpgradeStatus, UpgradeView,
};

/// Labels by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A family as it stands in a text.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) samples: BTreeMap<(String, Labels), f64>,
}

/// Reads a text; panics unless families are contiguous, each name stands once, HELP, TYPE and then
/// at least one sample, no series twice, numbers finite.
pub(crate) fn parse(text: &str) -> Vec<Parsed> {
    assert!(text.is_empty() || text.ends_with('\n'));
    assert!(
        !text.contains(|c: char| c != '\n' && crate::text::is_unprintable(c)),
        "{text}"
    );
    let mut families: Vec<Parsed> = Vec::new();
    let mut names = BTreeSet::new();
    let mut help = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = Some(rest.split_once(' ').unwrap().0.to_owned());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(help.take().as_deref(), Some(name), "HELP before TYPE");
            assert!(names.insert(name.to_owned()), "{name} twice");
            families.push(Parsed {
                name: name.to_owned(),
                kind: kind.to_owned(),
                samples: BTreeMap::new(),
            });
        } else {
            let family = families.last_mut().unwrap();
            let (name, labels, value) = line_of(line);
            let suffix = name.strip_prefix(&family.name).unwrap_or_else(|| {
                panic!("{line} stands in {}", family.name);
            });
            assert!(
                suffix.is_empty() || family.kind == "histogram",
                "{line} stands in {}",
                family.name
            );
            assert!(value.is_finite(), "{line}");
            let old = family.samples.insert((name, labels), value);
            assert!(old.is_none(), "twice: {line}");
        }
    }
    assert!(families.iter().all(|f| !f.samples.is_empty()), "{text}");
    families
}

fn line_of(line: &str) -> (String, Labels, f64) {
    let mut chars = line.chars().peekable();
    let mut name = String::new();
    while let Some(c) = chars.next_if(|c| !matches!(c, '{' | ' ')) {
        name.push(c);
    }
    let mut labels = Labels::new();
    if chars.next_if_eq(&'{').is_some() {
        while chars.next_if_eq(&'}').is_none() {
            let mut label = String::new();
            while let Some(c) = chars.next_if(|c| *c != '=') {
                label.push(c);
            }
            assert_eq!(
                (chars.next(), chars.next()),
                (Some('='), Some('"')),
                "{line}"
            );
            let mut value = String::new();
            loop {
                match chars.next().unwrap() {
                    '"' => break,
                    '\\' => value.push(match chars.next().unwrap() {
                        'n' => '\n',
                        c @ ('\\' | '"') => c,
                        c => panic!("\\{c} in {line}"),
                    }),
                    c => value.push(c),
                }
            }
            assert!(labels.insert(label, value).is_none(), "{line}");
            if chars.next_if_eq(&',').is_none() {
                assert_eq!(chars.peek(), Some(&'}'), "{line}");
            }
        }
    }
    assert_eq!(chars.next(), Some(' '), "{line}");
    let value: String = chars.collect();
    assert!(!value.contains('e'), "{line}");
    (name, labels, value.parse().expect(line))
}

/// The value of the sample with these labels among its labels; none unless there is exactly one.
pub(crate) fn sample(families: &[Parsed], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut found = families
        .iter()
        .flat_map(|f| &f.samples)
        .filter(|((n, l), _)| {
            n == name
                && labels
                    .iter()
                    .all(|(k, v)| l.get(*k).is_some_and(|x| x == v))
        });
    let (_, value) = found.next()?;
    found.next().is_none().then_some(*value)
}

/// Seconds after a fixed instant.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + seconds).unwrap()
}

/// A cluster that runs no upgrade.
pub(crate) fn cluster(id: &str) -> ClusterState {
    ClusterState {
        key: Key {
            account: "kr".into(),
            product: "ses",
            id: id.into(),
        },
        cloud: "ncloud",
        cloud_region: "KR".into(),
        name: format!("name-{id}").into(),
        version: "2.11".into(),
        version_name: None,
        raw_status: "running".into(),
        status_meaning: None,
        available: Vec::new(),
        up: true,
        answered: true,
        last_success: at(0),
        last_error: None,
        poll_interval: Duration::from_secs(30),
        thresholds: Thresholds {
            stalled_after: Duration::from_secs(1800),
            overdue_after: Duration::from_secs(21600),
            retain_ended: Duration::from_secs(3600),
        },
        upgrades: Vec::new(),
        degraded: Vec::new(),
    }
}

/// A view of an upgrade of which nothing more is known.
pub(crate) fn view(upgrade: Upgrade) -> UpgradeView {
    UpgradeView {
        status_since: at(-60),
        started: None,
        ended: None,
        last_progress: at(-30),
        stalled: false,
        ratio: None,
        estimated_end: None,
        task_order: None,
        node_work: vec![None; upgrade.nodes.len()].into(),
        upgrade: upgrade.into(),
    }
}

/// A cluster in any state, by chance; names are as bad as names can be.
pub(crate) fn chance(rng: &mut fastrand::Rng, id: &str, now: Timestamp) -> ClusterState {
    fn some<T>(rng: &mut fastrand::Rng, make: impl FnOnce(&mut fastrand::Rng) -> T) -> Option<T> {
        rng.bool().then(|| make(rng))
    }
    fn text(rng: &mut fastrand::Rng) -> String {
        let bad = [
            "", "a", "\"", "\\", "\n", "\r", "}", "{", ",", "=", " # ", "\u{1b}", "한",
        ];
        (0..rng.usize(0..4))
            .map(|_| bad[rng.usize(0..bad.len())])
            .collect()
    }
    let mut state = cluster(id);
    state.name = text(rng).into();
    state.up = rng.bool();
    state.answered = rng.u8(0..8) > 0;
    state.last_success = now;
    let time = |rng: &mut fastrand::Rng| {
        now.checked_add(Duration::from_millis(rng.u64(0..4_000_000)))
            .and_then(|t| t.checked_sub(Duration::from_secs(3800)))
            .unwrap()
    };
    for endpoint in ["ListNodes", "ListTasks"] {
        if rng.u8(0..16) == 0 {
            state.degraded.push(Degraded {
                endpoint,
                reason: [Reason::Permission, Reason::Server][rng.usize(0..2)],
                message: text(rng),
                missing: "states of nodes",
                permission: "cce:node:list",
                since: time(rng),
                reason_since: time(rng),
            });
        }
    }
    for _ in 0..rng.usize(0..3) {
        state.available.push(AvailableVersion {
            version: text(rng),
            is_recommended: rng.bool(),
        });
    }
    for kind in Kind::ALL {
        if rng.bool() {
            continue;
        }
        let status = UpgradeStatus::ALL[rng.usize(1..UpgradeStatus::ALL.len())];
        let mut upgrade = Upgrade::new(*kind, status);
        upgrade.id = some(rng, text);
        upgrade.to_version = some(rng, text);
        upgrade.requested = some(rng, time);
        upgrade.executions = some(rng, |rng| rng.u64(0..3));
        upgrade.waits_for_person = rng.bool();
        for _ in 0..rng.usize(0..4) {
            let status = NodeStatus::ALL[rng.usize(0..NodeStatus::ALL.len())];
            let mut node = Node::new(&text(rng), &text(rng), status, &text(rng));
            node.updated = some(rng, time);
            upgrade.nodes.push(node);
        }
        for order in 0..rng.u32(0..3) {
            upgrade.tasks.push(Task {
                order: order / 2,
                name: text(rng),
                status: TaskStatus::ALL[rng.usize(0..TaskStatus::ALL.len())],
                start: some(rng, time),
                end: some(rng, time),
                description: None,
            });
        }
        let mut view = view(upgrade);
        view.ended = if status.is_final() {
            some(rng, time)
        } else {
            None
        };
        view.started = some(rng, time);
        view.ratio = some(rng, |rng| if rng.bool() { rng.f64() } else { f64::NAN });
        view.estimated_end = some(rng, time);
        for work in Arc::make_mut(&mut view.node_work) {
            *work = some(rng, |rng| Span {
                start: time(rng),
                end: some(rng, time),
            });
        }
        state.upgrades.push(view);
    }
    state
}

/// Returns a later state of a cluster, by chance: that of a poll that found nothing new, but for one fact in some.
pub(crate) fn polled_again(
    rng: &mut fastrand::Rng,
    state: &ClusterState,
    now: Timestamp,
) -> ClusterState {
    let mut state = state.clone();
    state.last_success = now;
    match rng.u8(0..20) {
        0 => state.up = !state.up,
        1 => state.poll_interval *= 2,
        2 => state.name = format!("{}x", state.name).into(),
        3 => state.version = "2.12".into(),
        4 => state.raw_status = "upgrading".into(),
        5 => state.available.clear(),
        6 => state.answered = !state.answered,
        7 => state.thresholds.stalled_after *= 2,
        8 => state.thresholds.retain_ended /= 2,
        9 => state.upgrades.truncate(1),
        10 => {
            if let Some(view) = state.upgrades.first_mut() {
                view.stalled = !view.stalled;
            }
        }
        11 => state.cloud_region = "eu".into(),
        12 => state.version_name = Some("1.30".into()),
        13 => state.degraded.clear(),
        14 => state.cloud = "huawei",
        _ => {}
    }
    state
}
