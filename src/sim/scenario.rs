//! What a scenario says: accounts, clusters with their upgrades, faults.

mod fault;
mod file;

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

pub use fault::{Fault, FaultAnswer};
pub use file::parse;

use super::SimulatedCloud;

/// A scenario, checked.
#[derive(Clone)]
pub struct Scenario {
    /// The clouds.
    pub clouds: Vec<SimulatedCloud>,
    /// The account at NAVER Cloud.
    pub ncloud: NcloudAccount,
    /// The account at Huawei Cloud.
    pub huawei: HuaweiAccount,
    /// How much the clouds' clock is ahead of this machine's.
    pub clock_ahead: Duration,
    /// The clusters.
    pub clusters: Vec<Cluster>,
    /// Faults, first match first.
    pub faults: Vec<Fault>,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("clusters", &self.clusters)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// Credentials that the simulated NAVER Cloud accepts.
#[derive(Debug, Clone)]
pub struct NcloudAccount {
    /// Access key id.
    pub access_key: String,
    /// Secret key.
    pub secret_key: SecretString,
    /// `KR`, `SGN`, `JPN`, `FKR`, `KRS`: decides the path prefix.
    pub region: String,
    /// Kafka config groups, which an upgrade of CDSS is started with.
    pub config_groups: Vec<ConfigGroup>,
}

/// A Kafka config group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigGroup {
    /// Its number.
    pub number: u64,
    /// The Kafka version that it was made for.
    pub version: String,
}

/// Credentials that the simulated Huawei Cloud accepts.
#[derive(Debug, Clone)]
pub struct HuaweiAccount {
    /// AK.
    pub access_key: String,
    /// SK.
    pub secret_key: SecretString,
    /// Required with the AK when set.
    pub security_token: Option<SecretString>,
    /// The one project.
    pub project_id: String,
    /// IAM account name, for tokens.
    pub domain: String,
    /// IAM user, for tokens.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// How long a token lasts (not divided by the speed).
    pub token_lasts: Duration,
    /// Whether CCE's upgrade calls are published; elsewhere they answer 404 `APIGW.0101`.
    pub cce_upgrades_published: bool,
}

/// A cluster and the upgrades that it goes through.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The product's name.
    pub product: String,
    /// The vendor's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Versions as the vendor writes them; each run goes to the next, around the list or, where they are
    /// endless, beyond it.
    pub versions: Vec<String>,
    /// Its nodes, in the order in which they are upgraded.
    pub nodes: Vec<SimNode>,
    /// How it is listed.
    pub listed: ListedAs,
    /// What the upgrade changes (CSS only): `version` or `az_migration`.
    pub kind: crate::model::Kind,
    /// From the scenario's start to the first request; none: it is never upgraded.
    pub starts_after: Option<Duration>,
    /// From the end of an upgrade to the next request; none: there is no next one.
    pub repeats_after: Option<Duration>,
    /// Differences of the later runs from the first.
    pub repetition: Repetition,
    /// Nodes in work at the same time.
    pub batch: usize,
    /// Steps of the cluster before its nodes (CCE: the points before `Cluster`).
    pub before: Vec<Step>,
    /// Steps of each node.
    pub steps: Vec<Step>,
    /// Steps of the cluster after its nodes.
    pub after: Vec<Step>,
    /// Where it hangs before it goes on.
    pub hangs: Option<Hang>,
    /// Where it fails for good.
    pub fails: Option<Place>,
    /// Executions that the vendor reports (CSS).
    pub executions: u32,
    /// CCE: started through the API, so that no workflow stands for it.
    pub task_only: bool,
    /// CCE: what does not pass in a precheck that fails; where there is none, an item of every node.
    pub findings: Vec<SimFinding>,
}

/// Item of a precheck that does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimFinding {
    /// Object that is checked.
    pub scope: crate::model::FindingScope,
    /// Name of the node or add-on; empty for the cluster.
    pub target: String,
    /// Vendor's name of the item.
    pub item: String,
    /// `Info`, `Warning` or `Fatal`.
    pub level: &'static str,
    /// Vendor's message; empty for none.
    pub message: String,
    /// Vendor's error codes.
    pub codes: Vec<String>,
}

/// Differences of a cluster's later runs from its first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repetition {
    /// Number of runs of which the first fails, where the cluster fails at all; 1: every run.
    pub failure_period: u32,
    /// Pause from a failure to the next request; `None`: as long as after a success.
    pub retries_after: Option<Duration>,
    /// Newer versions follow the last one of the list, instead of the first one of it.
    pub endless_versions: bool,
}

impl Default for Repetition {
    fn default() -> Self {
        Self {
            failure_period: 1,
            retries_after: None,
            endless_versions: false,
        }
    }
}

/// How a cluster stands in the vendor's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedAs {
    /// As any other.
    Allowed,
    /// Visible, not readable (NAVER Cloud `disallowedClusters`).
    Disallowed,
    /// Deleted, and still listed (NAVER Cloud status `return`).
    Returned,
    /// Not an engine that can be upgraded (SES: Elasticsearch).
    NotUpgradable,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimNode {
    /// Host name.
    pub name: String,
    /// The vendor's role code (`M`, `D`, `broker`, `zookeeper`, `ess`, `ess-master`, `node`).
    pub role: String,
}

/// A step and its length at speed 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The vendor's name of it.
    pub name: String,
    /// Its length.
    pub takes: Duration,
}

/// A step of a node, both counted from 1; node 0 stands for the steps before the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which node.
    pub node: usize,
    /// Which of its steps.
    pub step: usize,
}

/// A step that takes longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hang {
    /// Where.
    pub place: Place,
    /// How much longer than planned.
    pub lasts: Duration,
}
