//! What is about to happen, in words.

use std::fmt;

use rolling_upgrade_exporter::cloud::ProductInfo;
use rolling_upgrade_exporter::config::Account;
use rolling_upgrade_exporter::model::{NodeStatus, Observation, Upgrade, UpgradeStatus};
use rolling_upgrade_exporter::text::clean;

/// What will be asked for, and of which cluster.
pub(super) struct Plan {
    pub(super) account: String,
    pub(super) product: &'static str,
    pub(super) cluster: String,
    pub(super) target: String,
    /// Whole sentences.
    pub(super) cautions: Vec<String>,
    pub(super) found: Found,
}

/// How the cluster is now.
pub(super) enum Found {
    /// Not asked yet.
    Unasked,
    /// As the vendor told it.
    Seen(Box<Observation>),
    /// The vendor did not tell, for this reason.
    Hidden(String),
}

impl Plan {
    pub(super) fn new(account: &Account, info: &ProductInfo, cluster: String) -> Self {
        let (product, cloud) = (info.name, info.cloud);
        Self {
            account: format!("{} ({cloud}, {})", account.name, account.cloud.location()),
            product,
            cluster,
            target: String::new(),
            cautions: Vec::new(),
            found: Found::Unasked,
        }
    }

    /// The cluster's name, fit for one line; empty when it is not known.
    pub(super) fn name(&self) -> String {
        match &self.found {
            Found::Seen(seen) => clean(&seen.name),
            _ => String::new(),
        }
    }

    /// The cluster as a sentence names it.
    pub(super) fn what(&self) -> String {
        match self.name() {
            name if name.is_empty() || name == self.cluster => {
                format!("{} {}", self.product, self.cluster)
            }
            name => format!("{name} ({} {})", self.product, self.cluster),
        }
    }

    /// Why nothing may be started now, if something runs. Between this look and the request another
    /// one can come: then the vendor refuses.
    pub(super) fn in_the_way(&self) -> Option<String> {
        let Found::Seen(seen) = &self.found else {
            return None;
        };
        let runs = |upgrade: &&Upgrade| {
            let is_open = matches!(
                upgrade.status,
                UpgradeStatus::Pending | UpgradeStatus::Running | UpgradeStatus::Paused
            );
            is_open && !upgrade.waits_for_person
        };
        if let Some(upgrade) = seen.upgrades.iter().find(runs) {
            let version = |version: &Option<String>| {
                let version = version.as_deref().map(clean).unwrap_or_default();
                if version.is_empty() {
                    "?".to_owned()
                } else {
                    version
                }
            };
            let nodes = upgrade.node_counts();
            return Some(format!(
                "an upgrade of {} is {} already, from {} to {}, {} of {} nodes done",
                self.what(),
                upgrade.status.as_str(),
                version(&upgrade.from_version),
                version(&upgrade.to_version),
                nodes.of(NodeStatus::Succeeded),
                nodes.total(),
            ));
        }
        seen.changing.then(|| {
            let status = clean(&seen.raw_status);
            format!("{} is changing already (it says {status})", self.what())
        })
    }

    /// What the vendor tells of the cluster as it is.
    fn now(&self) -> Vec<(&'static str, String)> {
        match &self.found {
            Found::Unasked => Vec::new(),
            Found::Hidden(why) => vec![("Now", format!("not known: {why}"))],
            Found::Seen(seen) => {
                let mut now = vec![match (clean(&seen.version), clean(&seen.raw_status)) {
                    (version, status) if status.is_empty() => version,
                    (version, status) => format!("version {version}, {status}"),
                }];
                for upgrade in &seen.upgrades {
                    let status = upgrade.status.as_str();
                    now.push(if upgrade.waits_for_person {
                        "an upgrade workflow is open and waits for a person".to_owned()
                    } else {
                        format!("the last upgrade: {status}")
                    });
                }
                let mut lines = vec![("Now", now.join("; "))];
                if let Some(upgrade) = seen.upgrades.first().filter(|u| !u.nodes.is_empty()) {
                    lines.push(("Nodes", upgrade.node_counts().total().to_string()));
                }
                lines
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cluster = match self.name() {
            name if name.is_empty() => self.cluster.clone(),
            name => format!("{name} ({})", self.cluster),
        };
        writeln!(
            f,
            "This starts a rolling upgrade of a {} cluster:\n",
            self.product
        )?;
        let mut lines = vec![("Account", self.account.clone()), ("Cluster", cluster)];
        lines.extend(self.now());
        lines.push(("Goes to", self.target.clone()));
        for (name, value) in lines {
            writeln!(f, "  {name:<8} {value}")?;
        }
        writeln!(f)?;
        for caution in &self.cautions {
            writeln!(f, "- {caution}")?;
        }
        write!(
            f,
            "- It cannot be called off with this program once it was sent."
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rolling_upgrade_exporter::model::Kind;

    use super::*;

    pub(in super::super) fn plan(seen: Observation) -> Plan {
        Plan {
            account: "kr (ncloud, public/KR)".to_owned(),
            product: "cdss",
            cluster: "3432149".to_owned(),
            target: "Kafka version code 3713006, config group 170".to_owned(),
            cautions: vec!["Data may be lost.".to_owned()],
            found: Found::Seen(Box::new(seen)),
        }
    }

    pub(in super::super) fn seen(name: &str) -> Observation {
        Observation {
            name: name.to_owned(),
            version: "2.8.2".to_owned(),
            raw_status: "running".to_owned(),
            changing: false,
            upgrades: Vec::new(),
            unknown_words: Vec::new(),
            refused: None,
            ..Observation::default()
        }
    }

    #[test]
    fn it_says_what_will_happen() {
        assert_eq!(
            plan(seen("events\u{1b}[31m\u{202e}")).to_string(),
            "This starts a rolling upgrade of a cdss cluster:

  Account  kr (ncloud, public/KR)
  Cluster  events [31m (3432149)
  Now      version 2.8.2, running
  Goes to  Kafka version code 3713006, config group 170

- Data may be lost.
- It cannot be called off with this program once it was sent."
        );
    }

    #[test]
    fn what_runs_is_in_the_way() {
        assert_eq!(plan(seen("events")).in_the_way(), None);
        let with = |status| {
            let mut seen = seen("events");
            let mut upgrade = Upgrade::new(Kind::Version, status);
            upgrade.from_version = Some("2.8.2".to_owned());
            seen.upgrades.push(upgrade);
            plan(seen)
        };
        for &status in UpgradeStatus::ALL {
            let wanted = matches!(
                status,
                UpgradeStatus::Pending | UpgradeStatus::Running | UpgradeStatus::Paused
            );
            assert_eq!(with(status).in_the_way().is_some(), wanted, "{status:?}");
        }
        assert_eq!(
            with(UpgradeStatus::Running).in_the_way().unwrap(),
            "an upgrade of events (cdss 3432149) is running already, from 2.8.2 to ?, 0 of 0 nodes done"
        );
        let mut waits = with(UpgradeStatus::Running);
        if let Found::Seen(seen) = &mut waits.found {
            seen.upgrades[0].waits_for_person = true;
        }
        assert_eq!(waits.in_the_way(), None);
        let mut changing = seen("events");
        changing.changing = true;
        assert!(plan(changing).in_the_way().is_some());
    }
}
