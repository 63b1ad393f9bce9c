//! What the log says when the program starts, when everything was asked once, and when it ends.

mod round;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Options;
use crate::check::hints;
use crate::clock::Clock;
use crate::cloud::Clouds;
use crate::config::{Account, Alerting, Alertmanager, Config, Selection};
use crate::ready::Ready;
use crate::report::Report;
use crate::store::Store;
use crate::text::exact_length;
use round::Round;
use spanned_yaml::Problem;

/// Tells in a few lines what runs, where it listens, what it watches and what looks wrong.
pub(super) fn start(
    config: &Config,
    addresses: &[SocketAddr],
    options: &Options,
    env: &dyn Fn(&str) -> Option<String>,
) {
    let file = options.config_file.as_ref();
    tracing::info!(
        config = file.map(|file| tracing::field::display(file.display())),
        version = env!("CARGO_PKG_VERSION"),
        commit = crate::BUILD_REVISION,
        rustc = crate::BUILD_RUSTC,
        "Starting rolling-upgrade-exporter."
    );
    for root in roots(addresses, options.access.scheme(), options.prefix.as_str()) {
        let metrics = options.telemetry_path.as_str();
        tracing::info!("Listening: page at {root}/ and metrics at {root}{metrics}");
    }
    if let Some(url) = &options.external_url {
        tracing::info!("People find the page at {url}");
    }
    if let Some((path, says)) = options.access.summary() {
        tracing::info!(path = %path.display(), %says, "Following the web config.");
    }
    for hint in options.access.hints() {
        tracing::warn!("Web config: {hint}.");
    }
    for account in &config.accounts {
        let polling = account.polling;
        tracing::info!(
            account = %account.name,
            region = account.cloud.location(),
            products = products(account),
            active = %exact_length(polling.active_interval),
            idle = %exact_length(polling.idle_interval),
            discovery = %exact_length(polling.discovery_interval),
            "Watching."
        );
    }
    if let Some(alerting) = &config.alerting {
        tracing::info!(
            alertmanagers = alertmanagers(alerting),
            resend = %exact_length(alerting.resend_interval),
            explicit_resolve = alerting.explicit_resolve,
            "Sending alerts."
        );
    }
    warnings(options.config_file.as_deref(), &config.warnings);
    for hint in hints::hints(config, env) {
        // Without a file the config is the program's own: that of the demo.
        if file.is_some() {
            tracing::warn!("{hint}");
        }
    }
}

/// Tells what is likely wrong in the config, each with its place.
pub(super) fn warnings(file: Option<&Path>, warnings: &[Problem]) {
    let file = file.map(|file| file.display().to_string());
    for warning in warnings {
        let at = file
            .as_ref()
            .map(|file| format!("{file}:{}", warning.place()));
        tracing::warn!(at, "Config: {}.", warning.message);
    }
}

/// Waits until everything was asked once, and tells what was learnt, a line for each product.
pub(super) async fn first_round(clouds: Clouds, store: Arc<Store>, mut ready: Ready, clock: Clock) {
    ready.reached().await;
    let report = Report::new(&store, true, clock.now());
    for round in round::rounds(&report, clouds) {
        let Round {
            account, product, ..
        } = &round;
        tracing::info!(account, product, "First round: {}.", round.found());
        for trouble in round.troubles() {
            tracing::warn!(account, product, "{trouble}");
        }
    }
}

/// Tells that it ends, and how it ends sooner.
pub(super) fn ending(signal: &str) {
    tracing::info!(
        signal,
        "Ending: open requests and alerts are finished first, within 5s; a second signal ends it at once."
    );
}

/// Tells that it has ended well.
pub(super) fn ended(took: Duration, uptime: Duration) {
    tracing::info!(took = short(took), uptime = short(uptime), "Ended.");
}

/// Tells that it did not wait for what was to be finished.
pub(super) fn ended_at_once(signal: &str, uptime: Duration) {
    tracing::warn!(
        signal,
        uptime = short(uptime),
        "Ended at once: alerts that waited are not sent, and open requests have no answer."
    );
}

/// Where a person finds what is served, without a slash at the end: `localhost` where it is every
/// address of the machine, each place once.
fn roots(addresses: &[SocketAddr], scheme: &str, prefix: &str) -> Vec<String> {
    let mut known = BTreeSet::new();
    addresses
        .iter()
        .map(|address| {
            let host = if address.ip().is_unspecified() {
                format!("localhost:{}", address.port())
            } else {
                address.to_string()
            };
            format!("{scheme}://{host}{prefix}")
        })
        .filter(|root| known.insert(root.clone()))
        .collect()
}

/// Lists the watched products with their selections: `a (all, without test-*), b (2 listed)`.
fn products(account: &Account) -> String {
    let words = account.products.iter().map(|config| {
        let name = config.product.info().name;
        let mut choice = match &config.clusters {
            Selection::All => "all".to_owned(),
            Selection::Listed(listed) => format!("{} listed", listed.len()),
        };
        if !config.include.is_empty() {
            choice = format!("those included by {}", config.include.join(" or "));
        }
        if !config.exclude.is_empty() {
            choice = format!("{choice}, without {}", config.exclude.join(" and "));
        }
        format!("{name} ({choice})")
    });
    words.collect::<Vec<_>>().join(", ")
}

fn alertmanagers(alerting: &Alerting) -> String {
    let labels: Vec<&str> = alerting
        .alertmanagers
        .iter()
        .map(Alertmanager::label)
        .collect();
    labels.join(", ")
}

/// A length for people: milliseconds below a second, else whole seconds.
fn short(length: Duration) -> String {
    let whole = match length.as_secs() {
        0 => Duration::from_millis(u64::from(length.subsec_millis())),
        seconds => Duration::from_secs(seconds),
    };
    exact_length(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clouds::CLOUDS;

    #[test]
    fn every_address_is_shown_as_one_that_opens_the_page() {
        let addresses = |all: &[&str]| -> Vec<SocketAddr> {
            all.iter().map(|text| text.parse().unwrap()).collect()
        };
        let wildcards = addresses(&["[::]:10850", "0.0.0.0:10850"]);
        assert_eq!(roots(&wildcards, "http", ""), ["http://localhost:10850"]);
        let two = addresses(&["[::1]:1", "10.0.0.1:2"]);
        assert_eq!(
            roots(&two, "https", "/upgrades"),
            ["https://[::1]:1/upgrades", "https://10.0.0.1:2/upgrades"]
        );
    }

    #[test]
    fn the_choice_of_clusters_is_told() {
        let text = "accounts: [{name: a, ncloud: {access_key: hunter2, secret_key: hunter2,
            ses: {exclude: ['test-*', '1'], include: ['prod-*']}, cdss: {clusters: [1, 2]}}}]";
        let config = crate::config::parse(CLOUDS, text, Path::new(""), &|_| None).unwrap();
        assert_eq!(
            products(&config.accounts[0]),
            "ses (those included by prod-*, without test-* and 1), cdss (2 listed)"
        );
    }

    #[test]
    fn lengths_are_short() {
        for (length, text) in [
            (Duration::from_micros(12_345), "12ms"),
            (Duration::from_millis(2_345), "2s"),
            (Duration::from_millis(3_600_900), "1h"),
        ] {
            assert_eq!(short(length), text);
        }
    }
}
