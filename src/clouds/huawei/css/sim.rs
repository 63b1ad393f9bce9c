//! The simulator's half: the cluster list and the upgrades, with history, as CSS tells them.

pub(in crate::clouds::huawei) mod keys;
mod versions;
mod words;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use spanned_yaml::Section;

use self::keys::Keys;
use crate::model::Kind;
use crate::sim::scenario::{Cluster, ListedAs, SimNode};
use crate::sim::timeline::{self, Moment, NodeMoment, State, StepMoment};
use crate::sim::{Answer, Extensions, Request, Service, VersionForm, World};

/// Runs that the list keeps, the current one included.
const HISTORY: usize = 30;

/// The simulated service.
pub(super) struct Simulator;

impl Service for Simulator {
    fn answer(&self, world: &World, request: &Request<'_>) -> Option<Answer> {
        let path = request.path.strip_prefix("/v1.0/")?;
        let segments: Vec<&str> = path.split('/').collect();
        match (request.method, segments.as_slice()) {
            ("GET", [_, "clusters"]) => Some(list(world, request)),
            ("GET", [_, "clusters", id, "upgrade", "detail"]) => Some(detail(world, request, id)),
            _ => None,
        }
    }

    fn demo(&self) -> &'static str {
        include_str!("demo.yml")
    }

    fn read_cluster(
        &self,
        section: &mut Section<'_>,
        _nodes: &[SimNode],
        extensions: &mut Extensions,
    ) -> Option<()> {
        Keys::read(section, extensions);
        Some(())
    }

    fn version_forms(&self) -> &'static [VersionForm] {
        versions::FORMS
    }

    fn state_keys(&self) -> &'static [&'static str] {
        &["status"]
    }
}

fn list(world: &World, request: &Request<'_>) -> Answer {
    let page = match page(request) {
        Ok(page) => page,
        Err(refusal) => return refusal,
    };
    let engine = request.param("datastoreType").unwrap_or_default();
    if !(engine.is_empty() || words::ENGINES.contains(&engine.as_str())) {
        return bad_parameter("datastoreType");
    }
    let listed = world.clusters("css").filter(|cluster| {
        let is_wanted =
            || engine.is_empty() || engine == words::engine(cluster, &version(world, cluster));
        cluster.listed != ListedAs::Returned && is_wanted()
    });
    let all: Vec<&Cluster> = listed.collect();
    // Newest first.
    let clusters: Vec<Value> = all
        .iter()
        .rev()
        .skip(page.start - 1)
        .take(page.limit)
        .map(|cluster| described(world, cluster))
        .collect();
    Answer::json(200, &json!({"totalSize": all.len(), "clusters": clusters}))
}

/// Returns the scenario's version that a cluster runs.
fn version(world: &World, cluster: &Cluster) -> String {
    match world.moment(cluster) {
        Some(moment) if Keys::of(cluster).kind == Kind::Version => moment.version().to_owned(),
        _ => cluster.versions.first().cloned().unwrap_or_default(),
    }
}

fn described(world: &World, cluster: &Cluster) -> Value {
    let version = version(world, cluster);
    let (engine_version, image) = words::image(&version);
    let moment = world.moment(cluster);
    let moved = moment
        .as_ref()
        .filter(|_| Keys::of(cluster).kind == Kind::AzMigration);
    let zone = |index: usize| {
        let (from, to) = words::zones(cluster, moved.map_or(0, |moment| moment.run));
        let node = moved.and_then(|moment| moment.nodes.get(index));
        match node.map(|node| node.state) {
            Some(State::Succeeded) => to,
            _ => from,
        }
    };
    let instances: Vec<Value> = cluster
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            json!({
                "status": "200",
                "type": node.role,
                "id": format!("{:08x}-{}", index, cluster.id),
                "name": node.name,
                "specCode": "ess.spec-4u8g",
                "azCode": zone(index),
                "ip": format!("192.168.0.{}", index % 250 + 1),
            })
        })
        .collect();
    json!({
        "datastore": {
            "type": words::engine(cluster, &version),
            "version": engine_version,
            "subVersion": image,
            "supportSecuritymode": false,
        },
        "instances": instances,
        "updated": naive(Some(world.origin)),
        "created": naive(Some(world.origin)),
        "name": cluster.name,
        "id": cluster.id,
        "status": "200",
        "endpoint": Value::Null,
        "actionProgress": {},
        "actions": [],
        "tags": [],
    })
}

fn detail(world: &World, request: &Request<'_>, id: &str) -> Answer {
    let page = match page(request) {
        Ok(page) => page,
        Err(refusal) => return refusal,
    };
    let kind = match request.param("action_mode").as_deref() {
        None | Some("UPGRADING") => Kind::Version,
        Some("AZ_MIGRATION") => Kind::AzMigration,
        Some(_) => return bad_parameter("action_mode"),
    };
    let cluster = world.cluster("css", id);
    let Some(cluster) = cluster.filter(|cluster| cluster.listed != ListedAs::Returned) else {
        return error(
            403,
            "CSS.0015",
            "No resources are found or the access is denied.",
        );
    };
    let mut runs = if Keys::of(cluster).kind == kind {
        history(world, cluster)
    } else {
        Vec::new()
    };
    // The vendor promises no order, so this one helps nobody.
    runs.sort_by_key(|moment| moment.id(cluster));
    let details: Vec<Value> = runs
        .iter()
        .skip(page.start - 1)
        .take(page.limit)
        .map(|moment| run(cluster, moment))
        .collect();
    Answer::json(
        200,
        &json!({"totalSize": runs.len(), "detailList": details}),
    )
}

/// The current run, and the runs before it as they ended.
fn history(world: &World, cluster: &Cluster) -> Vec<Moment> {
    let mut runs: Vec<Moment> = world.moment(cluster).into_iter().collect();
    while let Some(last) = runs.last().filter(|last| last.run > 0)
        && runs.len() < HISTORY
    {
        let before = last.requested - std::time::Duration::from_nanos(1);
        let Some(earlier) = timeline::at(cluster, world.origin, world.speed, before) else {
            break;
        };
        if earlier.run >= last.run {
            break;
        }
        runs.push(earlier);
    }
    runs
}

fn run(cluster: &Cluster, moment: &Moment) -> Value {
    let names = |wanted: &dyn Fn(&NodeMoment) -> bool| -> String {
        let names: Vec<&str> = moment
            .nodes
            .iter()
            .filter(|node| wanted(node))
            .map(|node| node.name.as_str())
            .collect();
        names.join(",")
    };
    let in_work = |node: &NodeMoment| matches!(node.state, State::Running | State::Failed);
    // One node is described: the first in work, else the last that was.
    let current = moment.nodes.iter().find(|node| in_work(node));
    let described = current.or_else(|| {
        moment
            .nodes
            .iter()
            .rfind(|node| node.state == State::Succeeded)
    });
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("id", json!(moment.id(cluster)));
    put("startTime", json!(naive(Some(moment.requested))));
    put("endTime", json!(naive(moment.ended)));
    // The vendor has no word for an upgrade that is queued.
    let state = match moment.state {
        State::Waiting => State::Running,
        state => state,
    };
    put("status", json!(word(state)));
    put("agencyName", json!("css_test_agency"));
    put("totalNodes", json!(names(&|_| true)));
    put(
        "completedNodes",
        json!(names(&|node| node.state == State::Succeeded)),
    );
    put(
        "currentNodeName",
        json!(current.map_or("", |node| node.name.as_str())),
    );
    put(
        "executeTimes",
        json!(Keys::of(cluster).executions.to_string()),
    );
    put(
        "currentNodeDetail",
        described.map_or_else(
            || json!([]),
            |node| node.steps.iter().enumerate().map(step).collect(),
        ),
    );
    if cluster.batch > 1 {
        put("batchSize", json!(cluster.batch));
        put("currentBatchNodes", json!(names(&in_work)));
    }
    match Keys::of(cluster).kind {
        Kind::Version => {
            let (version, name) = words::image(&moment.to);
            put(
                "imageInfo",
                json!({
                    "id": "439b5d30-5968-45df-b088-d030a858522d",
                    "displayName": name,
                    "imageDesc": "A simulated image.",
                    "datastoreType": words::engine(cluster, version),
                    "datastoreVersion": version,
                    "priority": 16,
                }),
            )
        }
        Kind::AzMigration => {
            let (from, to) = words::zones(cluster, moment.run);
            let target = json!({to: names(&|_| true)});
            put("finalAzInfoMap", json!(target.to_string()));
            let param = json!({
                "instType": instance_type(cluster),
                "migrateType": "az_migrate",
                "sourceAz": from,
                "targetAz": to,
            });
            put("migrateParam", json!(param.to_string()))
        }
    };
    Value::Object(out)
}

/// Returns the type of the instances that move: that of all nodes, or `all` where they differ.
fn instance_type(cluster: &Cluster) -> &str {
    let types: BTreeSet<&str> = cluster
        .nodes
        .iter()
        .map(|node| node.role.as_str())
        .collect();
    match (types.first(), types.len()) {
        (Some(one), 1) => one,
        _ => "all",
    }
}

fn step((order, step): (usize, &StepMoment)) -> Value {
    json!({
        "order": order,
        "name": step.name,
        "status": word(step.state),
        "desc": words::description(&step.name),
        "beginTime": naive(step.begun),
        "endTime": naive(step.ended),
    })
}

fn word(state: State) -> &'static str {
    match state {
        State::Waiting => "WAITING",
        State::Running => "RUNNING",
        State::Succeeded => "SUCCESS",
        State::Failed => "FAILED",
    }
}

/// UTC to the second, without a zone; empty for "not yet".
fn naive(at: Option<Timestamp>) -> String {
    at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string())
        .unwrap_or_default()
}

/// Which part of a list is asked for.
struct Part {
    /// From 1.
    start: usize,
    limit: usize,
}

fn page(request: &Request<'_>) -> Result<Part, Answer> {
    let number = |name: &str, default: usize| match request.param(name) {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(number) if (1..=1000).contains(&number) => Ok(number),
            _ => Err(bad_parameter(name)),
        },
    };
    let start = number("start", 1)?;
    Ok(Part {
        start: number("offset", start)?,
        limit: number("limit", 10)?,
    })
}

fn bad_parameter(name: &str) -> Answer {
    error(400, "CSS.0001", "Incorrect parameters.")
        .refusing(format!("the value of {name} is not allowed"))
}

fn error(status: u16, code: &str, text: &str) -> Answer {
    let body = json!({"errCode": code, "externalMessage": format!("{code} : {text}")});
    Answer::json(status, &body)
}

#[cfg(test)]
mod demo {
    use crate::sim::demo::testing::{FirstCycle, first_cycle};

    #[test]
    fn every_cluster_of_the_demo_has_its_part() {
        let want = FirstCycle {
            succeeded: ["css-orders", "css-audit"].map(str::to_owned).to_vec(),
            failed: ["css-billing"].map(str::to_owned).to_vec(),
            once: ["css-audit"].map(str::to_owned).to_vec(),
            ..FirstCycle::default()
        };
        assert_eq!(first_cycle("css"), want);
    }
}
