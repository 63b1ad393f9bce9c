//! What a config may say and seldom means. Each hint is a whole sentence; none fails anything.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use url::Url;

use crate::config::{Account, Config};
use crate::secret::Secret;

/// Variables by which other programs are told of a proxy.
const PROXY_VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "HTTP_PROXY",
    "http_proxy",
];

/// The hints for a config; `env` gives the values of environment variables.
pub fn hints(config: &Config, env: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut hints = Vec::new();
    for account in &config.accounts {
        let name = &account.name;
        let secrets = account.cloud.secrets();
        hints.extend(readable(&format!("Account {name}"), &secrets));
        let is_plain = |url: &Url| url.scheme() == "http";
        let plain: Vec<&str> = account
            .products
            .iter()
            .filter(|product| product.endpoint.as_ref().is_some_and(is_plain))
            .map(|product| product.product.info().name)
            .collect();
        if !plain.is_empty() {
            hints.push(format!(
                "Account {name}: no TLS on the way to {}, which is right for a simulator only.",
                plain.join(" and ")
            ));
        }
        let in_the_clear =
            |url: &&Url| url.scheme() == "http" && url.password().is_some_and(|p| !p.is_empty());
        if account
            .proxy_url
            .as_ref()
            .is_some_and(|url| in_the_clear(&url))
        {
            hints.push(format!(
                "Account {name}: the password in proxy_url is sent to the proxy without TLS; write https, if the proxy takes it."
            ));
        }
    }
    let alertmanagers = config.alerting.iter().flat_map(|a| &a.alertmanagers);
    for alertmanager in alertmanagers {
        let secret: Vec<_> = alertmanager.auth.secret().into_iter().collect();
        let name = format!("Alertmanager {}", alertmanager.label());
        hints.extend(readable(&name, &secret));
    }
    hints.extend(unused_proxy(config, env));
    hints
}

/// A proxy that the environment names and nobody asks.
fn unused_proxy(config: &Config, env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let direct = |account: &&Account| account.proxy_url.is_none() && !account.is_plain_http();
    let account = config.accounts.iter().find(direct)?;
    let is_set = |name: &&&str| env(name).is_some_and(|value| !value.is_empty());
    let variable = PROXY_VARIABLES.iter().find(is_set)?;
    Some(format!(
        "{variable} is set and not used, since credentials go only where the config says: set proxy_url in account {}, if the cloud is reached through a proxy.",
        account.name
    ))
}

/// A hint for each secret's file that everybody may read.
fn readable(whose: &str, secrets: &[&Secret]) -> Vec<String> {
    let files = secrets.iter().filter_map(|secret| match secret {
        Secret::File(file) => Some(file.path()),
        Secret::Value(_) => None,
    });
    files
        .filter(|path| is_open(path))
        .map(|path| {
            format!(
                "{whose}: every user of this machine may read the secret in {}; take that away with chmod o-r.",
                path.display()
            )
        })
        .collect()
}

fn is_open(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o004 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::clouds::CLOUDS;

    fn of(folder: &Path, text: &str, env: &[(&str, &str)]) -> Vec<String> {
        let config = crate::config::parse(CLOUDS, text, folder, &|_| None).unwrap();
        hints(&config, &|name| {
            let found = env.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn files_that_everybody_may_read_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("open", 0o644), ("closed", 0o640)] {
            let path = folder.path().join(name);
            std::fs::write(&path, "hunter2").unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        }
        let text = "accounts:
  - {name: a, ncloud: {access_key_file: closed, secret_key_file: open, ses: {}}}
  - {name: b, huawei: {region: r, project_id: p, token: {domain: d, user: u, password_file: open}, css: {}}}
alerting: {alertmanagers: [{url: 'https://am.example.com', bearer_token_file: open}]}
";
        let hints = of(folder.path(), text, &[]);
        let begin: Vec<&str> = hints
            .iter()
            .filter_map(|h| h.split(": every").next())
            .collect();
        assert_eq!(
            begin,
            [
                "Account a",
                "Account b",
                "Alertmanager https://am.example.com"
            ]
        );
        assert!(hints[0].contains("open; take"), "{hints:?}");
        assert!(!hints.concat().contains("hunter2"), "{hints:?}");
    }

    #[test]
    fn ways_without_tls_and_proxies_that_are_not_used_are_told() {
        let account = |keys: &str| {
            format!("accounts: [{{name: a, ncloud: {{access_key: x, secret_key: x, {keys}}}}}]")
        };
        let here = Path::new("");
        let proxy = [("https_proxy", "http://proxy.example.com")];
        let simulated = account("ses: {endpoint: 'http://127.0.0.1:1'}");
        let told = of(here, &simulated, &proxy);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("no TLS on the way to ses"), "{told:?}");
        let real = account("ses: {}");
        assert!(of(here, &real, &[("https_proxy", "")]).is_empty());
        let told = of(here, &real, &proxy);
        assert!(
            told[0].starts_with("https_proxy is set and not used"),
            "{told:?}"
        );
        let by_proxy = account("ses: {}, proxy_url: 'http://u:hunter2@proxy.example.com'");
        let told = of(here, &by_proxy, &proxy);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("the password in proxy_url") && !told[0].contains("hunter2"),
            "{told:?}"
        );
    }
}
