//! Keys of a scenario's cluster that only this service has.

use spanned_yaml::Section;

use super::findings::{SimFinding, finding};
use crate::sim::Extensions;
use crate::sim::scenario::read::{flag, list, set};
use crate::sim::scenario::{Cluster, SimNode};

/// Values of these keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Started through the API, so that no workflow stands for it.
    pub(super) task_only: bool,
    /// Items that do not pass in a precheck that fails; where there is none, an item of every node fails.
    pub(super) findings: Vec<SimFinding>,
}

static DEFAULT: Keys = Keys {
    task_only: false,
    findings: Vec::new(),
};

impl Keys {
    /// Returns the values that a cluster has.
    pub(super) fn of(cluster: &Cluster) -> &Self {
        cluster.extensions.get().unwrap_or(&DEFAULT)
    }

    /// Reads the keys from a cluster's section into its extensions; `None` when a value is wrong.
    pub(super) fn read(
        section: &mut Section<'_>,
        nodes: &[SimNode],
        extensions: &mut Extensions,
    ) -> Option<()> {
        let mut task_only = false;
        set(section, "task_only", &mut task_only, flag);
        let findings = list(section, "findings", |entry| finding(entry, nodes))?;
        extensions.insert(Self {
            task_only,
            findings,
        });
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::simulated;
    use crate::clouds::CLOUDS;
    use crate::sim::scenario;

    #[test]
    fn every_key_is_read_and_has_a_default() {
        let text = "
clusters:
  - product: cce
    id: c-1
    versions: [v1.27]
    nodes: [{name: n1, role: node}, {name: n2, role: node}]
    task_only: true
    findings:
      - {scope: addon, target: coredns, item: AddonVersion, level: Warning, message: too old, codes: [CCE.01400017]}
      - {scope: node, target: n2, item: DiskCheck}
      - {scope: cluster, item: Quota}
  - {product: cce, id: c-2, versions: [v1.27]}
";
        let scenario = scenario::parse(&simulated(CLOUDS), text).unwrap();
        let keys = Keys::of(&scenario.clusters[0]);
        assert!(keys.task_only);
        let findings = keys.findings.iter();
        let findings = findings.map(|f| (f.scope.as_str(), &*f.target, &*f.item, f.level));
        assert_eq!(
            findings.collect::<Vec<_>>(),
            [
                ("addon", "coredns", "AddonVersion", "Warning"),
                ("node", "n2", "DiskCheck", "Fatal"),
                ("cluster", "", "Quota", "Fatal"),
            ]
        );
        assert_eq!(keys.findings[0].message, "too old");
        assert_eq!(keys.findings[0].codes, ["CCE.01400017"]);
        assert_eq!(Keys::of(&scenario.clusters[1]), &Keys::default());
    }
}
