//! A new config in a running exporter: what goes on, what changes at once, and that a bad one changes
//! nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::harness::{
    Pair, Sample, client, eventually, free_port, get, samples, select, start_simulator_at,
};

/// Nothing moves for the length of a test.
const SCENARIO: &str = r#"
clusters:
  - product: cdss
    id: "3432149"
    name: events
    versions: ["2.4.1", "3.9.0"]
    starts_after: 1s
    nodes: [{name: z-1, role: zookeeper}, {name: b-1, role: broker}]
    steps: [{name: restart, takes: 600s}]
  - product: ses
    id: "3427188"
    name: search
    versions: ["270", "290"]
    starts_after: 0s
    nodes: [{name: d-1, role: D}, {name: d-2, role: D}]
    steps: [{name: Upgrade_OpenSearch, takes: 600s}]
  - product: css
    id: ea244205-d641-45d9-9dcb-ab2236bcd07e
    name: css-test
    versions: ["7.6.2", "7.10.2"]
    starts_after: 0s
    nodes: [{name: ess-1, role: ess}]
    steps: [{name: Data migration, takes: 600s}]
"#;

const POLLING: &str = "polling: {active_interval: 300ms, idle_interval: 500ms, discovery_interval: 1s, timeout: 5s, rate_limit: 100}\n";

const KR: &str = "
  - name: kr
    ncloud:
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: sim-ncloud-secret-key
      cdss: {endpoint: ENDPOINT}
";

const KR_SES: &str = "
  - name: kr-ses
    ncloud:
      access_key: SIMNCLOUDACCESSKEY00
      secret_key: sim-ncloud-secret-key
      ses: {endpoint: ENDPOINT}
";

const CN: &str = "
  - name: cn
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      access_key: SIMHUAWEIACCESSKEY00
      secret_key: sim-huawei-secret-key
      css: {endpoint: ENDPOINT}
";

const LIFECYCLE: &[&str] = &["--web.enable-lifecycle"];

const SUCCESSFUL: &str = "rolling_upgrade_exporter_config_last_reload_successful";
const SUCCESS_AT: &str = "rolling_upgrade_exporter_config_last_reload_success_timestamp_seconds";

fn config(accounts: &[&str]) -> String {
    format!("{POLLING}accounts:{}", accounts.concat())
}

/// Status and text of the answer to an order to reload.
async fn reload(pair: &Pair) -> (u16, String) {
    let url = format!("{}/-/reload", pair.url);
    let answer = client().post(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn reload_well(pair: &Pair) {
    let (status, text) = reload(pair).await;
    assert_eq!(
        (status, &*text),
        (200, "reloaded\n"),
        "{}",
        pair.exporter.output()
    );
}

/// Waits until the log, which a thread of its own writes, has a text so many times.
async fn logged(pair: &Pair, text: &str, times: usize) {
    eventually(Duration::from_secs(10), text, || async {
        let output = pair.exporter.output();
        match output.matches(text).count() {
            found if found == times => Ok(()),
            found => Err(format!("{found} times in\n{output}")),
        }
    })
    .await;
}

fn one(samples: &[Sample], name: &str) -> f64 {
    let found = select(samples, name, &[]);
    assert_eq!(found.len(), 1, "{name}");
    found[0].value
}

fn of_account<'a>(samples: &'a [Sample], account: &str) -> Vec<&'a Sample> {
    let own = samples.iter().filter(|s| s.label("account") == account);
    own.collect()
}

/// Names and labels of an account's series.
fn series(samples: &[Sample], account: &str) -> BTreeSet<String> {
    let own = of_account(samples, account).into_iter();
    own.map(|s| format!("{}{:?}", s.name, s.labels)).collect()
}

const REQUESTED: &str = "rolling_upgrade_requested_timestamp_seconds";

fn is_moving(samples: &[Sample], account: &str) -> bool {
    let running = [("account", account), ("status", "running")];
    let status = select(samples, "rolling_upgrade_status", &running);
    status.iter().any(|s| s.value > 0.5)
}

#[tokio::test]
async fn a_scrape_during_reloads_has_all_of_what_stays() {
    let pair = Pair::start_with(SCENARIO, &config(&[KR, KR_SES]), LIFECYCLE).await;
    let before = pair
        .until("an upgrade that only this process saw begin", |now| {
            is_moving(now, "kr") && is_moving(now, "kr-ses")
        })
        .await;
    let wanted = series(&before, "kr");
    assert!(wanted.len() > 40, "{wanted:?}");
    let requested = |now: &[Sample]| select(now, REQUESTED, &[("account", "kr")])[0].value;
    let counted = |now: &[Sample]| -> f64 {
        let polls = "rolling_upgrade_exporter_polls_total";
        select(now, polls, &[("account", "kr")])[0].value
    };
    let first_seen = requested(&before);

    let done = Arc::new(AtomicBool::new(false));
    let scraping = tokio::spawn({
        let (done, url) = (done.clone(), format!("{}/metrics", pair.url));
        let mut polls = counted(&before);
        async move {
            let mut scrapes = 0;
            while !done.load(Ordering::Relaxed) {
                let now = samples(&get(&url).await.unwrap());
                let missing: Vec<_> = wanted.difference(&series(&now, "kr")).cloned().collect();
                assert!(missing.is_empty(), "scrape {scrapes}: {missing:?}");
                assert!(
                    (requested(&now) - first_seen).abs() < 1e-9,
                    "it was seen anew"
                );
                assert!(counted(&now) >= polls, "a counter went back");
                polls = counted(&now);
                scrapes += 1;
            }
            scrapes
        }
    });
    let other_limit = KR_SES.replace("{endpoint", "{stalled_after: 1h, endpoint");
    let configs = [
        config(&[CN, KR, KR_SES]),
        config(&[KR]),
        config(&[&other_limit, KR]),
        config(&[KR, KR_SES, CN]).replace("timeout: 5s", "timeout: 4s"),
        config(&[KR, KR_SES]).replace("sim-ncloud-secret-key", "\"sim-ncloud-secret-key\""),
    ];
    for round in 0..4 {
        for config in &configs {
            pair.write_config(config);
            reload_well(&pair).await;
            let now = pair.samples().await;
            for (account, text) in [("cn", "name: cn"), ("kr-ses", "name: kr-ses")] {
                let is_there = !of_account(&now, account).is_empty();
                assert_eq!(is_there, config.contains(text), "{account}, round {round}");
            }
            if round % 2 == 1 {
                tokio::time::sleep(Duration::from_millis(400)).await;
            }
        }
        pair.exporter.signal("HUP").await;
    }
    done.store(true, Ordering::Relaxed);
    let scrapes = scraping.await.unwrap();
    assert!(scrapes > 20, "{scrapes} scrapes");
    assert_eq!(pair.refused().await, Vec::<String>::new());
    logged(&pair, "Reloaded.", 4 * (configs.len() + 1)).await;
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_says_why() {
    let pair = Pair::start_with(SCENARIO, &config(&[KR, KR_SES]), LIFECYCLE).await;
    let before = pair.samples().await;
    assert!((one(&before, SUCCESSFUL) - 1.0).abs() < 1e-9);
    let bad = config(&[KR, CN])
        .replace("  - name: cn", "  - name: kr")
        .replace("  css", "  ccs");
    pair.write_config(&bad);
    let (status, text) = reload(&pair).await;
    assert_eq!(status, 500);
    for (line, what) in [("9", "kr"), ("15", "ccs")] {
        let place = format!(
            "{}:{line}:",
            pair.config.file_name().unwrap().to_str().unwrap()
        );
        assert!(
            text.contains(&place) && text.contains(what),
            "{place}{what}:\n{text}"
        );
    }
    // This is what the alert RollingUpgradeConfigReloadFailed looks at.
    let now = pair.samples().await;
    assert!(one(&now, SUCCESSFUL).abs() < 1e-9);
    assert!((one(&now, SUCCESS_AT) - one(&before, SUCCESS_AT)).abs() < 1e-9);
    assert!(!of_account(&now, "kr-ses").is_empty() && of_account(&now, "cn").is_empty());
    logged(&pair, "unknown key", 1).await;

    // A CA file that is there, but cannot be used.
    std::fs::write(pair.folder.path().join("ca.pem"), "nothing").unwrap();
    pair.write_config(&config(&[KR]).replace("cdss:", "ca_file: ca.pem\n      cdss:"));
    assert_eq!(reload(&pair).await.0, 500);

    pair.write_config(&config(&[KR, CN]));
    reload_well(&pair).await;
    let now = pair.samples().await;
    assert!((one(&now, SUCCESSFUL) - 1.0).abs() < 1e-9);
    assert!(one(&now, SUCCESS_AT) > one(&before, SUCCESS_AT));
    assert!(of_account(&now, "kr-ses").is_empty() && !of_account(&now, "cn").is_empty());
    assert!(get(&format!("{}/-/ready", pair.url)).await.is_ok());
}

#[tokio::test]
async fn a_limit_is_in_force_without_a_poll_and_hup_needs_no_flag() {
    let slow = config(&[KR_SES]).replace("active_interval: 300ms", "active_interval: 3s");
    let mut pair = Pair::start(SCENARIO, &slow).await;
    let (status, text) = reload(&pair).await;
    assert_eq!(status, 403, "{text}");
    let stalled = "rolling_upgrade_stalled";
    let silent = |now: &[Sample]| -> f64 {
        let last = |name| select(now, name, &[]).first().map_or(0.0, |s| s.value);
        last("rolling_upgrade_last_success_timestamp_seconds")
            - last("rolling_upgrade_last_progress_timestamp_seconds")
    };
    let before = pair
        .until("some seconds of silence", |now| {
            is_moving(now, "kr-ses") && silent(now) > 2.5
        })
        .await;
    assert!(one(&before, stalled).abs() < 1e-9);
    let strict = slow.replace("ses: {", "ses: {stalled_after: 2s, ");
    pair.write_config(&strict);
    pair.exporter.signal("HUP").await;
    let polled = |now: &[Sample]| one(now, "rolling_upgrade_last_success_timestamp_seconds");
    let now = pair.until("stalled", |now| one(now, stalled) > 0.5).await;
    assert!((one(&now, "rolling_upgrade_stalled_after_seconds") - 2.0).abs() < 1e-9);
    assert!(
        polled(&now) - polled(&before) < 3.5,
        "at the latest with the next poll"
    );
    // SIGHUP and the end at once.
    for _ in 0..3 {
        pair.exporter.signal("HUP").await;
    }
    let (code, _) = pair.exporter.terminate().await;
    assert_eq!(code, Some(0), "{}", pair.exporter.output());
}

#[tokio::test]
async fn reloads_at_the_same_time_succeed_or_conflict() {
    let pair = Pair::start_with(SCENARIO, &config(&[KR]), LIFECYCLE).await;
    let reloads = (0..30).map(|_| reload(&pair));
    let mut done = 0;
    for (status, text) in futures_util::future::join_all(reloads).await {
        match status {
            200 => done += 1,
            409 => assert!(text.contains("another one waits"), "{text}"),
            _ => panic!("{status}: {text}"),
        }
    }
    assert!(done >= 2, "one in work and one that waited");
    logged(&pair, "Reloaded.", done).await;
}

#[tokio::test]
async fn the_sidecar_comes_and_goes_with_the_config() {
    let pair = Pair::start_with(SCENARIO, &config(&[KR]), LIFECYCLE).await;
    let sent = "rolling_upgrade_exporter_alerts_sent_total";
    assert!(select(&pair.samples().await, sent, &[]).is_empty());
    let url = format!("http://127.0.0.1:{}", free_port());
    let alerting = format!("alerting: {{alertmanagers: [{{url: '{url}'}}]}}\n");
    pair.write_config(&format!("{}{alerting}", config(&[KR])));
    reload_well(&pair).await;
    assert_eq!(
        select(&pair.samples().await, sent, &[("alertmanager", &url)]).len(),
        1
    );
    pair.until("nobody is there", |now| {
        let failing = "rolling_upgrade_exporter_notifications_failing_since_timestamp_seconds";
        !select(now, failing, &[]).is_empty()
    })
    .await;
    pair.write_config(&config(&[KR]));
    reload_well(&pair).await;
    let now = pair.samples().await;
    assert!(now.iter().all(|s| s.label("alertmanager").is_empty()));
}

#[tokio::test]
async fn a_rotated_key_is_used_without_a_reload() {
    let from_file = KR.replace(
        "secret_key: sim-ncloud-secret-key",
        "secret_key_file: secret",
    );
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "sim-ncloud-secret-key\n").unwrap();
    let from_file = from_file.replace(": secret\n", &format!(": {}\n", secret.display()));
    let mut pair = Pair::start(SCENARIO, &config(&[&from_file])).await;
    let is_up = |now: &[Sample]| select(now, "rolling_upgrade_up", &[])[0].value > 0.5;
    pair.until("the first key", is_up).await;

    // Somebody writes the file: it is empty for a moment, and then gone.
    std::fs::write(&secret, "").unwrap();
    let polls = |now: &[Sample]| one(now, "rolling_upgrade_exporter_polls_total");
    let begun = polls(&pair.samples().await);
    let now = pair
        .until("some polls", |now| polls(now) > begun + 9.5)
        .await;
    assert!(is_up(&now), "the old key serves");
    std::fs::remove_file(&secret).unwrap();
    let begun = polls(&now);
    let now = pair
        .until("some polls", |now| polls(now) > begun + 9.5)
        .await;
    assert!(is_up(&now), "the old key still serves");
    // Once for each trouble.
    logged(&pair, "the one from before stays in use", 2).await;

    // The vendor takes another key from now on.
    let port = pair.sim_url.rsplit_once(':').unwrap().1.parse().unwrap();
    let scenario = format!("ncloud: {{secret_key: another-key}}\n{SCENARIO}");
    pair.simulator.terminate().await;
    let simulator = start_simulator_at(pair.folder.path(), port, &scenario).await;
    pair.simulator = simulator.0;
    pair.until("the old key is refused", |now| {
        let reason = [("reason", "auth")];
        let failing = "rolling_upgrade_exporter_failing_since_timestamp_seconds";
        !select(now, failing, &reason).is_empty()
    })
    .await;
    let new = secret.with_extension("new");
    std::fs::write(&new, "another-key\n").unwrap();
    std::fs::rename(&new, &secret).unwrap();
    let begun = Instant::now();
    pair.until("the new key", is_up).await;
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "not after the rest of the old one, which takes a minute"
    );
    let output = pair.exporter.output();
    assert!(
        !output.contains("another-key") && !output.contains("sim-ncloud-secret"),
        "{output}"
    );
    eventually(Duration::from_secs(1), "it is all well", || async {
        get(&format!("{}/-/healthy", pair.url)).await
    })
    .await;
}

#[tokio::test]
async fn quotes_no_secret_under_a_file_key() {
    let good = config(&[KR]);
    let pair = Pair::start_with(SCENARIO, &good, LIFECYCLE).await;
    pair.write_config(&good.replace("secret_key: sim-ncloud", "secret_key_file: sim-ncloud"));
    let (status, text) = reload(&pair).await;
    assert_eq!(status, 500, "{text}");
    let why = "the file of secret_key_file: No such file";
    // The log is written apart from the answer.
    let log = eventually(Duration::from_secs(10), why, || async {
        let log = pair.exporter.output();
        if log.contains(why) { Ok(log) } else { Err(log) }
    })
    .await;
    for told in [text, log] {
        assert!(told.contains(why), "{told}");
        assert!(!told.contains("sim-ncloud-secret-key"), "{told}");
    }
}
