//! Keys of a scenario's cluster that only this service has.

use spanned_yaml::Section;

use crate::model::Kind;
use crate::sim::Extensions;
use crate::sim::scenario::Cluster;
use crate::sim::scenario::read::set;

const KINDS: &[(&str, Kind)] = &[
    (Kind::Version.as_str(), Kind::Version),
    (Kind::AzMigration.as_str(), Kind::AzMigration),
];

/// Values of these keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::clouds::huawei) struct Keys {
    /// Object of the upgrade.
    pub(in crate::clouds::huawei) kind: Kind,
    /// Executions that the vendor reports.
    pub(in crate::clouds::huawei) executions: u32,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            kind: Kind::Version,
            executions: 1,
        }
    }
}

impl Keys {
    /// Returns the values that a cluster has.
    pub(super) fn of(cluster: &Cluster) -> Self {
        cluster.extensions.get().copied().unwrap_or_default()
    }

    /// Reads the keys from a cluster's section into its extensions.
    pub(super) fn read(section: &mut Section<'_>, extensions: &mut Extensions) {
        let mut keys = Self::default();
        set(section, "kind", &mut keys.kind, |f| f.one_of(KINDS));
        set(section, "executions", &mut keys.executions, |field| {
            u32::try_from(field.integer(1..=1000)?).ok()
        });
        extensions.insert(keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::simulated;
    use crate::clouds::CLOUDS;
    use crate::sim::scenario;

    fn read(keys: &str) -> Result<Keys, Vec<String>> {
        let text = format!("clusters: [{{product: css, id: a, versions: ['7.10.2']{keys}}}]");
        let scenario = scenario::parse(&simulated(CLOUDS), &text);
        let scenario = scenario.map_err(|all| all.iter().map(ToString::to_string).collect());
        scenario.map(|scenario: scenario::Scenario| Keys::of(&scenario.clusters[0]))
    }

    #[test]
    fn every_key_is_read_and_has_a_default() {
        assert_eq!(read(""), Ok(Keys::default()));
        let want = Keys {
            kind: Kind::AzMigration,
            executions: 3,
        };
        assert_eq!(read(", kind: az_migration, executions: 3"), Ok(want));
    }

    #[test]
    fn one_cluster_of_the_demo_moves_to_another_zone() {
        let demo = crate::sim::demo::scenario(&simulated(CLOUDS)).unwrap();
        let moves = |cluster: &&Cluster| Keys::of(cluster).kind == Kind::AzMigration;
        let moving = demo.clusters.iter().filter(moves);
        let names: Vec<_> = moving.map(|cluster| cluster.name.as_str()).collect();
        assert_eq!(names, ["css-audit"]);
    }

    #[test]
    fn wrong_values_are_rejected() {
        assert_eq!(
            read(", kind: move, executions: 0").unwrap_err(),
            [
                "1:62: kind must be version or az_migration, not \"move\"",
                "1:80: executions must be a whole number from 1 to 1000, not \"0\"",
            ]
        );
    }
}
