//! Kills at any moment of any sequence of polls: what comes back is what was committed, and goes on as a worker
//! does that was never stored.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::record::ClusterRecord;
use super::record::tests::{CALLS, LIMITS, observation, poll};
use super::*;
use crate::expose::check::cluster;
use crate::model::{ClusterState, Memory, Observation, track};
use jiff::SignedDuration;

/// Workers of clusters by id, and how many upgrades have ended by outcome.
#[derive(Debug, Clone, Default, PartialEq)]
struct Workers {
    clusters: BTreeMap<String, (ClusterState, Memory)>,
    ended: BTreeMap<String, u64>,
}

impl Workers {
    /// Takes an answer in, as the worker of the cluster does. Returns the outcomes of upgrades that ended.
    fn poll(&mut self, id: &str, seen: &Observation, now: i64) -> Vec<String> {
        let known = self.clusters.entry(id.to_owned());
        let (state, memory) = known.or_insert_with(|| (new(id), Memory::default()));
        let before = memory.clone();
        poll(state, memory, seen, now);
        let ended = track::ended_since(&before, &state.upgrades).into_iter();
        let ended: Vec<_> = ended
            .map(|view| view.upgrade.status.as_str().to_owned())
            .collect();
        for outcome in &ended {
            *self.ended.entry(outcome.clone()).or_default() += 1;
        }
        ended
    }

    /// Restores the workers from what was stored.
    fn restore(contents: Contents) -> Self {
        let polls = contents.polls;
        let clusters = contents.clusters.into_iter().map(|(key, record)| {
            let mut state = new(&key.id);
            let polled = polls.get(&key).copied();
            let record = ClusterRecord::read(&record, polled).unwrap();
            let memory = record.restore(&mut state, &CALLS);
            (key.id, (state, memory))
        });
        let ended = contents.ended.into_iter();
        Self {
            clusters: clusters.collect(),
            ended: ended
                .map(|((.., outcome), total)| (outcome, total))
                .collect(),
        }
    }
}

/// Builds the state of a cluster that was not polled yet.
fn new(id: &str) -> ClusterState {
    let mut state = cluster(id);
    (state.thresholds, state.answered) = (LIMITS, false);
    state.upgrades.clear();
    state
}

fn key(id: &str) -> StoredKey {
    StoredKey {
        account: "kr".to_owned(),
        product: "ses".to_owned(),
        location: String::new(),
        id: id.to_owned(),
    }
}

fn log(folder: &Path) -> std::path::PathBuf {
    folder.join("state.db-wal")
}

fn length(folder: &Path) -> u64 {
    fs::metadata(log(folder)).map_or(0, |log| log.len())
}

/// An exporter's workers with their storage, beside workers that are never stored.
struct Exporter {
    folder: TempDir,
    disk: Disk,
    workers: Workers,
    never_stored: Workers,
    committed: Workers,
}

impl Exporter {
    /// Starts on what a folder holds.
    fn start(runtime: &Runtime, folder: TempDir, expected: Workers) -> Self {
        let (disk, contents) =
            runtime.block_on(Disk::open(folder.path().to_owned(), History::default()));
        assert!(*disk.0.is_up.borrow());
        let workers = Workers::restore(contents);
        Self {
            folder,
            disk,
            workers,
            never_stored: expected.clone(),
            committed: expected,
        }
    }

    fn poll(&mut self, id: &str, seen: &Observation, now: i64) {
        self.never_stored.poll(id, seen, now);
        let held = self.disk.hold();
        for outcome in self.workers.poll(id, seen, now) {
            let total = self.workers.ended[&outcome];
            self.disk.put_ended("kr", "ses", &outcome, total);
        }
        let (state, memory) = self.workers.clusters[id].clone();
        let (state, memory) = (Arc::new(state), Arc::new(memory));
        self.disk.put(
            key(id),
            Known {
                state,
                memory,
                clock_step: SignedDuration::ZERO,
                is_named: false,
            },
        );
        drop(held);
    }

    fn remove(&mut self, id: &str) {
        self.workers.clusters.remove(id);
        self.never_stored.clusters.remove(id);
        self.disk.remove(key(id));
    }

    /// Commits what is pending, on a disk that works or that fails.
    fn commit(&mut self, works: bool) {
        if works {
            assert!(self.disk.commit());
            self.committed = self.workers.clone();
        } else {
            let path = self.folder.path().to_owned();
            let failing = |_: &_, database: &mut Option<_>, _| {
                // As after a write that failed: the database is opened anew.
                *database = None;
                Err(DiskError::Locked { path })
            };
            assert!(!self.disk.commit_with(failing));
        }
    }

    /// Kills the exporter, between two commits or in one, and starts it again.
    fn kill(mut self, runtime: &Runtime, rng: &mut fastrand::Rng) -> Self {
        let before = length(self.folder.path());
        let mut expected = self.committed.clone();
        let mut cut = before;
        if rng.bool() {
            self.commit(true);
            // The log only grows: so much of it was written by then.
            let whole = length(self.folder.path());
            cut = rng.u64(before..=whole);
            if cut == whole {
                expected = self.committed.clone();
            }
        }
        let killed = tempfile::tempdir().unwrap();
        for file in ["state.db", "state.db-wal"] {
            let from = self.folder.path().join(file);
            if from.exists() {
                fs::copy(from, killed.path().join(file)).unwrap();
            }
        }
        if log(killed.path()).exists() {
            let log = File::options().write(true).open(log(killed.path()));
            log.unwrap().set_len(cut).unwrap();
        }
        Self::start(runtime, killed, expected)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_kill_at_any_point_brings_back_what_was_committed(seed: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut rng = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let mut exporter = Exporter::start(&runtime, folder, Workers::default());
        let mut now = 0;
        for _ in 0..20 {
            now += rng.i64(1..400);
            let id = rng.u8(1..4).to_string();
            match rng.u8(0..12) {
                0..7 => {
                    let seen = observation(&mut rng, now);
                    exporter.poll(&id, &seen, now);
                }
                7 => exporter.remove(&id),
                8 => exporter.commit(false),
                9..11 => exporter.commit(true),
                _ => exporter = exporter.kill(&runtime, &mut rng),
            }
            prop_assert_eq!(&exporter.workers, &exporter.never_stored);
        }
    }
}
