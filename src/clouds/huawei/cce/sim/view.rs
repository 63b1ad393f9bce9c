//! The bodies of the simulated CCE's answers about one cluster.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::keys::Keys;
use super::points::{Point, Points, go, go_beijing, progress, zero};
use super::versions::parts;
use crate::sim::World;
use crate::sim::scenario::Cluster;
use crate::sim::timeline::{Moment, State};

/// Later versions that are offered where versions are endless.
const AHEAD: u64 = 2;

/// One cluster at one time: its current run, and the one before.
pub(super) struct View<'a> {
    pub(super) cluster: &'a Cluster,
    is_first: bool,
    origin: Timestamp,
    /// Versions that there are for the cluster.
    versions: Vec<String>,
    /// Oldest first, so that a client that takes the first of a list takes the wrong one.
    pub(super) runs: Vec<Moment>,
}

impl<'a> View<'a> {
    pub(super) fn new(world: &World, cluster: &'a Cluster) -> Self {
        let current = world.moment(cluster);
        let before = current.as_ref().filter(|run| run.run > 0).and_then(|run| {
            let last = run.requested - SignedDuration::from_nanos(1);
            world.moment_at(cluster, last)
        });
        Self {
            cluster,
            is_first: world
                .clusters("cce")
                .next()
                .is_some_and(|first| first.id == cluster.id),
            origin: world.origin,
            versions: world.versions(cluster, AHEAD),
            runs: before
                .filter(|run| run.state != State::Running)
                .into_iter()
                .chain(current)
                .collect(),
        }
    }

    fn current(&self) -> Option<&Moment> {
        self.runs.last()
    }

    pub(super) fn cluster(&self) -> Value {
        let run = self.current();
        let upgrading = run.is_some_and(|run| Points::of(run).cluster == State::Running);
        let version = self.cluster.version(run);
        json!({
            "kind": "Cluster", "apiVersion": "v3",
            "metadata": {
                "name": self.cluster.name,
                "uid": self.cluster.id,
                "creationTimestamp": go(self.origin - SignedDuration::from_hours(24 * 90)),
                "updateTimestamp": go(run.map_or(self.origin, |run| run.updated)),
            },
            "spec": {
                "type": "VirtualMachine", "flavor": "cce.s1.small", "version": version,
                "extendParam": {"upgradefrom": ""},
            },
            "status": {
                "phase": if upgrading { "Upgrading" } else { "Available" },
                "endpoints": [{"url": "https://192.168.0.61:5443", "type": "Internal"}],
            },
        })
    }

    pub(super) fn workflows(&self) -> Value {
        let mut items = self.all_workflows();
        let items = match (items.len(), self.is_first) {
            (0, _) => Value::Null,
            // As in the documents' example.
            (1, true) => items.remove(0),
            _ => Value::Array(items),
        };
        json!({"apiVersion": "v3", "kind": "List", "items": items})
    }

    fn all_workflows(&self) -> Vec<Value> {
        let runs = self.runs.iter().filter(|run| !self.is_task_only(run));
        runs.map(|run| self.workflow(run)).collect()
    }

    /// Returns the workflow with this id.
    pub(super) fn workflow_of(&self, uid: &str) -> Option<Value> {
        with_uid(self.all_workflows(), uid)
    }

    /// Started over the API, so that no workflow stands for it.
    fn is_task_only(&self, run: &Moment) -> bool {
        Keys::of(self.cluster).task_only || run.ordered
    }

    fn workflow(&self, run: &Moment) -> Value {
        let points = Points::of(run);
        let phase = match run.state {
            State::Waiting => "Init",
            State::Running => "Running",
            State::Succeeded => "Success",
            State::Failed => "Pending",
        };
        let lines: Vec<Value> = points
            .all
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] => Some(json!({
                    "startPoint": {"taskType": a.name},
                    "endPoint": {"taskType": b.name},
                    // Once the nodes are touched, the workflow is to be taken to its end.
                    "critical": (a.name == "Cluster" && a.state != State::Waiting).to_string(),
                })),
                _ => None,
            })
            .collect();
        let all = points.all.iter().enumerate();
        json!({
            "kind": "WorkFlowTask", "apiVersion": "v3",
            "metadata": {
                "uid": run.id(self.cluster),
                "creationTimestamp": go(run.requested),
                "updateTimestamp": go(run.updated),
            },
            "spec": {
                "clusterID": self.cluster.id,
                "clusterVersion": run.from,
                "targetVersion": run.to,
            },
            "status": {
                "phase": phase,
                "pointStatuses": all.map(|(at, point)| self.point(run, at, point)).collect::<Vec<_>>(),
                "lineStatuses": lines,
            },
        })
    }

    /// A point that has not begun has a type and nothing else, as in the documents' example.
    fn point(&self, run: &Moment, at: usize, point: &Point<'_>) -> Value {
        let mut out = json!({"taskType": point.name});
        if point.state != State::Waiting {
            out["taskID"] = json!(self.task_id(run, at));
            out["status"] = json!(match point.state {
                State::Waiting => "Init",
                State::Running => "Running",
                State::Succeeded => "Success",
                State::Failed => "Failed",
            });
            out["startTimeStamp"] = json!(point.begun.map(go));
            out["endTimeStamp"] = json!(point.ended.map_or_else(zero, go));
        }
        if let Some(until) = valid_until(point) {
            out["expireTimeStamp"] = json!(go(until));
        }
        out
    }

    pub(super) fn task_id(&self, run: &Moment, point: usize) -> String {
        run.id(self.cluster)
            .replacen("-4000-", &format!("-41{point:02x}-"), 1)
    }

    pub(super) fn tasks(&self) -> Value {
        json!({"apiVersion": "v3", "kind": "List", "metadata": {}, "items": self.all_tasks()})
    }

    fn all_tasks(&self) -> Vec<Value> {
        self.runs.iter().filter_map(|run| self.task(run)).collect()
    }

    /// Returns the upgrade task with this id.
    pub(super) fn task_of(&self, uid: &str) -> Option<Value> {
        with_uid(self.all_tasks(), uid)
    }

    /// The task that upgrades the cluster; none before it is the `Cluster` point's turn.
    fn task(&self, run: &Moment) -> Option<Value> {
        let points = Points::of(run);
        let (at, point) = points
            .all
            .iter()
            .enumerate()
            .find(|(_, point)| point.name == "Cluster")?;
        let begun = if self.is_task_only(run) {
            run.requested
        } else {
            point.begun?
        };
        let (phase, progress) = match (point.state, run.state) {
            (State::Failed, _) | (_, State::Failed) => ("Failed", progress(run)),
            (State::Succeeded, _) => ("Success", 1.0),
            (State::Waiting, _) => ("Queuing", 0.0),
            (State::Running, _) => ("Running", progress(run)),
        };
        let updated = point.ended.unwrap_or(run.updated).max(begun);
        Some(json!({
            "kind": "UpgradeTask", "apiVersion": "v3",
            "metadata": {
                "uid": self.task_id(run, at),
                "creationTimestamp": go_beijing(begun),
                "updateTimestamp": go_beijing(updated),
            },
            "spec": {"version": run.from, "targetVersion": run.to, "items": {}},
            "status": {
                "phase": phase,
                "progress": format!("{progress:.2}"),
                // Filled on unfinished tasks too.
                "completionTime": go_beijing(updated),
            },
        }))
    }

    /// The id of the last upgrade's task.
    pub(super) fn last_task(&self) -> String {
        let id = |run: &Moment| Some(self.task(run)?["metadata"]["uid"].as_str()?.to_owned());
        self.current().and_then(id).unwrap_or_default()
    }

    pub(super) fn info(&self) -> Value {
        let last = self.runs.iter().rev().find_map(|run| self.task(run));
        let status = last.map_or_else(|| json!({}), |task| task["status"].clone());
        let version = self.cluster.version(self.current());
        let (release, patch) = version.split_once('-').unwrap_or((version, ""));
        let (suggested, targets) = self.offered(version, release);
        json!({
            "kind": "UpgradeInfo", "apiVersion": "v3", "metadata": {},
            "spec": {
                "lastUpgradeInfo": status,
                "versionInfo": {
                    "release": release, "patch": patch,
                    "suggestPatch": suggested, "targetVersions": targets,
                },
                "upgradeFeatureGates": {"supportUpgradePageV4": true},
            },
            "status": status,
        })
    }

    /// Returns the later patch of this release, and the later versions: of those that there are.
    fn offered<'v>(&'v self, version: &str, release: &str) -> (&'v str, Vec<&'v str>) {
        let later = self.versions.iter().map(String::as_str);
        let later = later.filter(|to| parts(to) > parts(version));
        let patch = |to: &'v str| to.strip_prefix(release)?.strip_prefix('-');
        let mut suggested = "";
        let mut targets = Vec::new();
        for to in later {
            match patch(to) {
                Some(patch) => suggested = patch,
                None if !targets.contains(&to) => targets.push(to),
                None => {}
            }
        }
        (suggested, targets)
    }

    pub(super) fn nodes(&self) -> Vec<Value> {
        let names = self.cluster.nodes.iter().map(|node| node.name.as_str());
        names
            .enumerate()
            .map(|(at, name)| {
                let state = self.current().and_then(|run| run.nodes.get(at));
                let phase = match state.map(|node| node.state) {
                    Some(State::Running) => "Upgrading",
                    Some(State::Failed) => "Error",
                    _ => "Active",
                };
                json!({
                    "kind": "Node", "apiVersion": "v3",
                    "metadata": {"name": name, "uid": self.node_uid(at)},
                    "spec": {"flavor": "c7.large.2", "az": "cn-north-4a"},
                    "status": {"phase": phase},
                })
            })
            .collect()
    }

    pub(super) fn node_uid(&self, at: usize) -> String {
        format!("{}-node-{at}", self.cluster.id)
    }
}

/// Returns the time until which a precheck is good: a day after it passed.
pub(super) fn valid_until(point: &Point<'_>) -> Option<Timestamp> {
    let has_passed = point.name == "PreCheck" && point.state == State::Succeeded;
    let day = SignedDuration::from_hours(24);
    point.ended.filter(|_| has_passed).map(|ended| ended + day)
}

fn with_uid(items: Vec<Value>, uid: &str) -> Option<Value> {
    let mut items = items.into_iter();
    items.find(|item| item["metadata"]["uid"] == uid)
}
