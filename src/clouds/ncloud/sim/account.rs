//! The account that the simulated cloud lets in.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use spanned_yaml::{Field, Section};

use crate::sim::scenario::read::{list, secret, set, text};
use crate::sim::{Extensions, World};

const REGIONS: &[(&str, &str)] = &[
    ("KR", "KR"),
    ("SGN", "SGN"),
    ("JPN", "JPN"),
    ("FKR", "FKR"),
    ("KRS", "KRS"),
];

/// Credentials that the simulated NAVER Cloud accepts.
#[derive(Debug, Clone)]
pub(in crate::clouds::ncloud) struct SimulatedAccount {
    /// Access key id.
    pub(in crate::clouds::ncloud) access_key: String,
    /// Secret key.
    pub(in crate::clouds::ncloud) secret_key: SecretString,
    /// `KR`, `SGN`, `JPN`, `FKR`, `KRS`: decides the path prefix.
    pub(in crate::clouds::ncloud) region: String,
    /// Kafka config groups, which an upgrade of CDSS is started with.
    pub(in crate::clouds::ncloud) config_groups: Vec<ConfigGroup>,
}

/// A Kafka config group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::clouds::ncloud) struct ConfigGroup {
    /// Number.
    pub(in crate::clouds::ncloud) number: u64,
    /// The Kafka version that it was made for.
    pub(in crate::clouds::ncloud) version: String,
}

impl Default for SimulatedAccount {
    fn default() -> Self {
        Self {
            access_key: "SIMNCLOUDACCESSKEY00".to_owned(),
            secret_key: "sim-ncloud-secret-key".into(),
            region: "KR".to_owned(),
            config_groups: Vec::new(),
        }
    }
}

impl SimulatedAccount {
    /// Returns the account of a simulated world.
    pub(in crate::clouds::ncloud) fn of(world: &World) -> Arc<Self> {
        Self::among(&world.scenario.accounts)
    }

    /// Returns the account among those of a scenario.
    pub(super) fn among(accounts: &Extensions) -> Arc<Self> {
        accounts.get::<Arc<Self>>().cloned().unwrap_or_default()
    }

    /// Reads the account from its section of a scenario.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut account = Self::default();
        set(section, "access_key", &mut account.access_key, text);
        set(section, "secret_key", &mut account.secret_key, secret);
        set(section, "region", &mut account.region, |field| {
            field.one_of(REGIONS).map(str::to_owned)
        });
        account.config_groups = list(section, "config_groups", config_group).unwrap_or_default();
        account
    }

    /// Returns its keys in a config of the exporter.
    pub(super) fn config(&self) -> Vec<(&'static str, String)> {
        vec![
            ("region", self.region.clone()),
            ("access_key", self.access_key.clone()),
            ("secret_key", self.secret_key.expose_secret().to_owned()),
        ]
    }
}

fn config_group(entry: &Field<'_>) -> Option<ConfigGroup> {
    let mut section = Section::new(entry.node, "a config group", entry.at, entry.problems);
    let number = section.need("number");
    let number = number.and_then(|field| field.integer(1..=0x7fff_ffff));
    let version = section.need("version").and_then(|field| text(&field));
    section.finish();
    Some(ConfigGroup {
        number: number?,
        version: version?,
    })
}

#[cfg(test)]
impl SimulatedAccount {
    /// Changes the account of a scenario.
    pub(in crate::clouds::ncloud) fn change(
        scenario: &mut crate::sim::scenario::Scenario,
        change: impl FnOnce(&mut Self),
    ) {
        let mut account = Self::among(&scenario.accounts);
        change(Arc::make_mut(&mut account));
        scenario.accounts.insert(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::simulated;
    use crate::clouds::CLOUDS;
    use crate::sim::scenario;

    fn read(text: &str) -> Arc<SimulatedAccount> {
        let scenario = scenario::parse(&simulated(CLOUDS), text).unwrap();
        SimulatedAccount::among(&scenario.accounts)
    }

    #[test]
    fn a_scenario_without_an_account_has_defaults() {
        let account = read("clusters: []");
        assert_eq!(account.access_key, "SIMNCLOUDACCESSKEY00");
        assert_eq!(account.region, "KR");
    }

    #[test]
    fn every_key_is_read() {
        let account = read(
            "
ncloud: {access_key: AK, secret_key: SK, region: SGN, config_groups: [{number: 170, version: 3.7.1}]}
clusters: []
",
        );
        assert_eq!(account.access_key, "AK");
        assert_eq!(account.secret_key.expose_secret(), "SK");
        assert_eq!(account.region, "SGN");
        assert_eq!(
            account.config_groups,
            [ConfigGroup {
                number: 170,
                version: "3.7.1".to_owned()
            }]
        );
    }
}
