//! The account that the simulated cloud lets in.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use spanned_yaml::{Bounds, Section};

use crate::sim::scenario::read::{flag, secret, set, text};
use crate::sim::{Extensions, World};

/// Region of the account in a config of the exporter: the simulator answers for any.
const REGION: &str = "cn-north-4";

/// Credentials that the simulated Huawei Cloud accepts.
#[derive(Debug, Clone)]
pub(in crate::clouds::huawei) struct SimulatedAccount {
    /// AK.
    pub(in crate::clouds::huawei) access_key: String,
    /// SK.
    pub(in crate::clouds::huawei) secret_key: SecretString,
    /// Required with the AK when set.
    pub(in crate::clouds::huawei) security_token: Option<SecretString>,
    /// The one project.
    pub(in crate::clouds::huawei) project_id: String,
    /// IAM account name, for tokens.
    pub(in crate::clouds::huawei) domain: String,
    /// IAM user, for tokens.
    pub(in crate::clouds::huawei) user: String,
    /// Password of the user.
    pub(in crate::clouds::huawei) password: SecretString,
    /// Lifetime of a token (not divided by the speed).
    pub(in crate::clouds::huawei) token_lasts: Duration,
    /// Set where CCE's upgrade calls are published; elsewhere they answer 404 `APIGW.0101`.
    pub(in crate::clouds::huawei) cce_upgrades_published: bool,
}

impl Default for SimulatedAccount {
    fn default() -> Self {
        Self {
            access_key: "SIMHUAWEIACCESSKEY00".to_owned(),
            secret_key: "sim-huawei-secret-key".into(),
            security_token: None,
            project_id: "6204a5bd270343b5885144cf9c8c158d".to_owned(),
            domain: "sim-domain".to_owned(),
            user: "sim-user".to_owned(),
            password: "sim-password".into(),
            token_lasts: Duration::from_secs(86_400),
            cce_upgrades_published: true,
        }
    }
}

impl SimulatedAccount {
    /// Returns the account of a simulated world.
    pub(in crate::clouds::huawei) fn of(world: &World) -> Arc<Self> {
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
        account.security_token = section.take("security_token").and_then(|f| secret(&f));
        set(section, "project_id", &mut account.project_id, text);
        set(section, "domain", &mut account.domain, text);
        set(section, "user", &mut account.user, text);
        set(section, "password", &mut account.password, secret);
        set(section, "token_lasts", &mut account.token_lasts, |f| {
            f.duration(Bounds::LONG)
        });
        let published = &mut account.cce_upgrades_published;
        set(section, "cce_upgrades_published", published, flag);
        account
    }

    /// Returns its keys in a config of the exporter.
    pub(super) fn config(&self) -> Vec<(&'static str, String)> {
        vec![
            ("region", REGION.to_owned()),
            ("project_id", self.project_id.clone()),
            ("access_key", self.access_key.clone()),
            ("secret_key", self.secret_key.expose_secret().to_owned()),
        ]
    }
}

#[cfg(test)]
impl SimulatedAccount {
    /// Changes the account of a scenario.
    pub(in crate::clouds::huawei) fn change(
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
        assert_eq!(account.secret_key.expose_secret(), "sim-huawei-secret-key");
        assert_eq!(account.token_lasts, Duration::from_secs(86_400));
        assert!(account.cce_upgrades_published);
    }

    #[test]
    fn every_key_is_read() {
        let account = read(
            "
huawei:
  access_key: HAK
  secret_key: HSK
  security_token: TOKEN
  project_id: p
  domain: d
  user: u
  password: pw
  token_lasts: 1h
  cce_upgrades_published: false
clusters: []
",
        );
        let names = [
            &account.access_key,
            &account.project_id,
            &account.domain,
            &account.user,
        ];
        assert_eq!(names, ["HAK", "p", "d", "u"]);
        let secrets = [
            &account.secret_key,
            account.security_token.as_ref().unwrap(),
            &account.password,
        ];
        let secrets = secrets.map(SecretString::expose_secret);
        assert_eq!(secrets, ["HSK", "TOKEN", "pw"]);
        assert_eq!(account.token_lasts, Duration::from_secs(3600));
        assert!(!account.cce_upgrades_published);
    }
}
