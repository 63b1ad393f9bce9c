//! What a scenario says: accounts, clusters with their upgrades, faults.

mod fault;
mod file;
pub(crate) mod read;

use std::fmt;
use std::time::Duration;

pub use fault::{Fault, FaultAnswer};
pub use file::parse;

use super::{Extensions, SimulatedCloud, VersionForm};

/// A scenario, checked.
#[derive(Clone)]
pub struct Scenario {
    /// The clouds.
    pub clouds: Vec<SimulatedCloud>,
    /// Accounts that the clouds' gateways let in, each of the type that its gateway reads.
    pub accounts: Extensions,
    /// How much the clouds' clock is ahead of this machine's.
    pub clock_ahead: Duration,
    /// The clusters.
    pub clusters: Vec<Cluster>,
    /// Faults, first match first.
    pub faults: Vec<Fault>,
}

impl Scenario {
    /// Returns the JSON keys whose texts tell states in answers of any service.
    pub(super) fn state_keys(&self) -> Vec<&'static str> {
        let products = self.clouds.iter().flat_map(|cloud| &cloud.products);
        let keys = products.flat_map(|product| product.service.state_keys());
        keys.copied().collect()
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("clusters", &self.clusters)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
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
    /// From the scenario's start to the first request; none: it is never upgraded.
    pub starts_after: Option<Duration>,
    /// From a request to the first step of its upgrade.
    pub queued: Duration,
    /// From the end of an upgrade to the next request; none: there is no next one.
    pub repeats_after: Option<Duration>,
    /// Differences of the later runs from the first.
    pub repetition: Repetition,
    /// Nodes in work at the same time.
    pub batch: usize,
    /// Steps of the cluster before its nodes.
    pub before: Vec<Step>,
    /// Steps of each node.
    pub steps: Vec<Step>,
    /// Steps of the cluster after its nodes.
    pub after: Vec<Step>,
    /// Where it hangs before it goes on.
    pub hangs: Option<Hang>,
    /// Where it fails for good.
    pub fails: Option<Place>,
    /// Values of the keys that only its product has, of the type that the product's service reads.
    pub extensions: Extensions,
}

/// Differences of a cluster's later runs from its first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repetition {
    /// Number of runs of which the first fails, where the cluster fails at all; 1: every run.
    pub failure_period: u32,
    /// Pause from a failure to the next request; `None`: as long as after a success.
    pub retries_after: Option<Duration>,
    /// Form in which newer versions follow the last one of the list; `None`: the first one follows it.
    pub endless_versions: Option<VersionForm>,
}

impl Default for Repetition {
    fn default() -> Self {
        Self {
            failure_period: 1,
            retries_after: None,
            endless_versions: None,
        }
    }
}

/// How a cluster stands in the vendor's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedAs {
    /// As any other.
    Allowed,
    /// Visible, and not readable by this account.
    Disallowed,
    /// Deleted; some vendors list it still.
    Returned,
    /// Version of an engine that cannot be upgraded.
    NotUpgradable,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimNode {
    /// Host name.
    pub name: String,
    /// The vendor's role code.
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
