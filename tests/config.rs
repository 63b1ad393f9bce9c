//! Config files, good and bad: `tests/data/config/bad-*.yml` each with the exact text of its
//! problems, `good-*.yml` each with what it means.
//!
//! `UPDATE=1 cargo test --test config` writes the expected texts anew; read the difference.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may stop it as the test itself may"
)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use rolling_upgrade_exporter::cloud::simulated;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::clouds::{huawei, ncloud};
use rolling_upgrade_exporter::config::{self, Account, Alerting, Alertmanager, Config, Selection};
use rolling_upgrade_exporter::http::Login;
use rolling_upgrade_exporter::model::Thresholds;
use rolling_upgrade_exporter::secret::Secret;
use rolling_upgrade_exporter::sim::scenario;
use spanned_yaml::Problem;

const EXAMPLE: &str = include_str!("../rolling-upgrade-exporter.example.yml");
const ALERTING: &str = include_str!("data/config/good-alerting.yml");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/config")
}

/// The environment of these tests.
fn env(name: &str) -> Option<String> {
    match name {
        "NCLOUD_ACCESS_KEY"
        | "NCLOUD_SECRET_KEY"
        | "HUAWEICLOUD_SDK_AK"
        | "HUAWEICLOUD_SDK_SK"
        | "ALERTMANAGER_PASSWORD" => Some("hunter2".to_owned()),
        "EMPTY_VARIABLE" => Some(String::new()),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    config::parse(CLOUDS, text, &folder(), &env)
}

/// Goes through the pairs of files, and compares what comes of the first with the second.
fn pairs(prefix: &str, ending: &str, made: impl Fn(&str) -> String) -> usize {
    let folder = folder();
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(stem) = name
            .strip_suffix(".yml")
            .or_else(|| name.strip_suffix(ending))
            && stem.starts_with(prefix)
        {
            names.insert(stem.to_owned());
        }
    }
    let mut failures = String::new();
    for name in &names {
        let text = std::fs::read_to_string(folder.join(format!("{name}.yml")))
            .unwrap_or_else(|_| panic!("{name}{ending} has no {name}.yml"));
        let made = made(&text);
        let path = folder.join(format!("{name}{ending}"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let expected = std::fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("{name}.yml has no {name}{ending}"));
        if made != expected {
            writeln!(
                failures,
                "{name}\n--- expected\n{expected}--- found\n{made}"
            )
            .unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
    names.len()
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut out, problem| {
        writeln!(out, "{problem}").unwrap();
        out
    })
}

#[test]
fn bad_files_tell_all_their_problems() {
    let count = pairs("bad-", ".err", |text| match parse(text) {
        Ok(_) => "this file is good\n".to_owned(),
        Err(problems) => {
            let text = lines(&problems);
            for secret in ["hunter2", "secret-of-mine"] {
                assert!(!text.contains(secret), "{text}");
            }
            text
        }
    });
    assert!(count >= 20, "only {count} pairs of bad-*.yml and bad-*.err");
}

#[test]
fn odd_values_are_warnings_with_their_place() {
    let count = pairs("warned-", ".warn", |text| {
        let config = parse(text).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
        lines(&config.warnings)
    });
    assert!(count >= 2, "only {count} pairs of warned-*.yml and .warn");
    let nothing = std::fs::read_to_string(folder().join("warned-nothing.warn")).unwrap();
    assert_eq!(nothing, "");
}

#[test]
fn good_files_mean_what_they_say() {
    let count = pairs("good-", ".txt", |text| match parse(text) {
        Ok(config) => summary(&config),
        Err(problems) => lines(&problems),
    });
    assert!(
        count >= 3,
        "only {count} pairs of good-*.yml and good-*.txt"
    );
}

#[test]
fn the_example_is_clean() {
    let config = parse(EXAMPLE).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    let names: Vec<&str> = config.accounts.iter().map(|a| &*a.name).collect();
    assert_eq!(names, ["kr-prod", "cn-prod"]);
    assert!(config.alerting.is_none(), "a copy must not post anywhere");
    assert_eq!(config.warnings, []);
}

#[test]
fn a_config_read_alone_needs_no_secrets_and_no_files() {
    let text = "accounts:
  - name: a
    ncloud: {access_key_env: NOT_SET, secret_key_file: /none, ca_file: /none.pem, ses: {}}
  - name: b
    huawei:
      region: cn-north-4
      project_id: 6204a5bd270343b5885144cf9c8c158d
      token: {domain: d, user: u, password: '${PASSWORD}'}
      css: {}
alerting:
  alertmanagers:
    - {url: 'https://am.example.com', bearer_token_file: /none, ca_file: /none.pem}
";
    let config =
        config::parse_alone(CLOUDS, text).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    assert_eq!(config.accounts.len(), 2);
    assert_eq!(
        parse(text).unwrap_err().len(),
        6,
        "{}",
        lines(&parse(text).unwrap_err())
    );
    for (old, new, why) in [
        (
            "secret_key_file: /none",
            "secret_key_file: ''",
            "3:56: secret_key_file is empty",
        ),
        (
            "secret_key_file: /none",
            "secret_kye_file: /none",
            "unknown key",
        ),
        (
            "ca_file: /none.pem, ses",
            "ca_file: [], ses",
            "ca_file must be text",
        ),
        (
            "access_key_env: NOT_SET",
            "access_key_env: A, access_key: B",
            "keep one of them",
        ),
    ] {
        let problems = config::parse_alone(CLOUDS, &text.replace(old, new)).unwrap_err();
        assert!(lines(&problems).contains(why), "{}", lines(&problems));
    }
}

#[test]
fn the_alerting_of_the_example_is_clean_once_it_is_no_comment() {
    let (before, section) = EXAMPLE.split_once("\n# alerting:\n").unwrap();
    let section: Vec<&str> = section
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap())
        .collect();
    let section = section.join("\n");
    let config = parse(&format!("{before}\nalerting:\n{section}\n"))
        .unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    let alerting = config.alerting.unwrap();
    let labels: Vec<&str> = alerting
        .alertmanagers
        .iter()
        .map(Alertmanager::label)
        .collect();
    assert_eq!(
        labels,
        [
            "http://127.0.0.1:9093",
            "https://alertmanager.example.com/team-a"
        ]
    );
    // Its values are said to be the defaults.
    let smallest = std::fs::read_to_string(folder().join("good-alerting-smallest.yml")).unwrap();
    let default = parse(&smallest).unwrap().alerting.unwrap();
    assert_eq!(alerting.external_labels, default.external_labels);
    assert_eq!(alerting.resend_interval, default.resend_interval);
    assert_eq!(alerting.explicit_resolve, default.explicit_resolve);
}

#[test]
fn no_secret_is_in_debug() {
    let texts = [
        std::fs::read_to_string(folder().join("good-defaults.yml")).unwrap(),
        std::fs::read_to_string(folder().join("good-levels.yml")).unwrap(),
        ALERTING.to_owned(),
    ];
    for text in texts {
        let debug = format!("{:?}", parse(&text).unwrap());
        assert!(!debug.contains("hunter2"), "{debug}");
    }
}

/// What a config means, in words that do not hang on how it is kept.
fn summary(config: &Config) -> String {
    let mut out = String::new();
    for account in &config.accounts {
        summarise(account, &mut out).unwrap();
    }
    if let Some(alerting) = &config.alerting {
        summarise_alerting(alerting, &mut out).unwrap();
    }
    out
}

fn summarise_alerting(alerting: &Alerting, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "alerting every {} explicit resolve {}",
        length(alerting.resend_interval),
        alerting.explicit_resolve
    )?;
    for (name, value) in &alerting.external_labels {
        writeln!(out, "  {name}={value:?}")?;
    }
    for alertmanager in &alerting.alertmanagers {
        write!(out, "  {}", alertmanager.label())?;
        match &alertmanager.auth {
            Login::None => {}
            Login::Basic { username, password } => {
                write!(out, " user {username} password {}", source(password))?;
            }
            Login::Bearer(token) => write!(out, " token {}", source(token))?,
        }
        if let Some(path) = &alertmanager.ca_file {
            write!(out, " ca {}", path.file_name().unwrap().display())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn summarise(account: &Account, out: &mut String) -> std::fmt::Result {
    writeln!(out, "account {}", account.name)?;
    if let Some(cloud) = account.cloud.downcast::<ncloud::account::Account>() {
        writeln!(
            out,
            "  ncloud {} {} access_key {} secret_key {} dates {}",
            cloud.zone.as_str(),
            cloud.region,
            source(&cloud.access_key),
            source(&cloud.secret_key),
            cloud.time_zone
        )?;
    } else if let Some(cloud) = account.cloud.downcast::<huawei::account::Account>() {
        let domain = cloud.domain.as_deref().unwrap_or("-");
        writeln!(
            out,
            "  huawei {} {} domain {domain} dates {}",
            cloud.region, cloud.project_id, cloud.time_zone
        )?;
        match &cloud.auth {
            huawei::account::Auth::Keys {
                access_key,
                secret_key,
                security_token,
            } => writeln!(
                out,
                "  access_key {} secret_key {} security_token {}",
                source(access_key),
                source(secret_key),
                security_token.as_ref().map_or("-".to_owned(), source)
            )?,
            huawei::account::Auth::Token {
                iam_endpoint,
                domain,
                user,
                password,
            } => writeln!(
                out,
                "  token {} {domain} {user} password {}",
                iam_endpoint.as_ref().map_or("-", |url| url.as_str()),
                source(password)
            )?,
        }
    }
    let polling = account.polling;
    writeln!(
        out,
        "  polling {} {} {} timeout {} rate {} concurrency {}",
        length(polling.active_interval),
        length(polling.idle_interval),
        length(polling.discovery_interval),
        length(polling.timeout),
        polling.rate_limit,
        polling.max_concurrency
    )?;
    if let Some(proxy) = &account.proxy_url {
        writeln!(out, "  proxy {}", proxy.host_str().unwrap())?;
    }
    for product in &account.products {
        let endpoint = product.endpoint.as_ref().map_or("-", |url| url.as_str());
        writeln!(
            out,
            "  {} {} endpoint {endpoint} include {:?} exclude {:?} settings {:?}",
            product.product.info().name,
            limits(product.thresholds),
            product.include,
            product.exclude,
            product.settings
        )?;
        match &product.clusters {
            Selection::All => writeln!(out, "    all")?,
            Selection::Listed(clusters) => {
                for cluster in clusters {
                    let name = cluster.name.as_deref().unwrap_or("-");
                    let limits = limits(cluster.thresholds);
                    writeln!(out, "    {} {name} {limits}", cluster.id)?;
                }
            }
        }
    }
    Ok(())
}

fn limits(limits: Thresholds) -> String {
    format!(
        "stalled {} overdue {} retain {}",
        length(limits.stalled_after),
        length(limits.overdue_after),
        length(limits.retain_ended)
    )
}

fn length(length: Duration) -> String {
    humantime::format_duration(length).to_string()
}

fn source(secret: &Secret) -> String {
    match secret {
        Secret::Value(_) => "here".to_owned(),
        Secret::File(file) => file
            .path()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned(),
    }
}

/// A text that has lost, gained or repeated a piece.
fn mutated(text: String) -> impl Strategy<Value = String> {
    let length = text.chars().count();
    let pieces = prop_oneof![
        "\\PC{0,4}",
        "[\\[\\]{}:,&*!|>'\"%@`#?<\\-\t\n ]{1,6}",
        Just(String::new()),
        Just("\n---\n".to_owned()),
        Just("&a ".to_owned()),
        Just("*a".to_owned()),
        Just("\n<<: *a\n".to_owned()),
    ];
    let edit = (0..=length, 0..40usize, pieces);
    proptest::collection::vec(edit, 1..5).prop_map(move |edits| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, cut, piece) in edits {
            let at = at.min(chars.len());
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, piece.chars());
        }
        chars.into_iter().collect()
    })
}

/// Whatever is read, each problem has a place in the text and one line.
fn check(text: &str) {
    if let Err(problems) = parse(text) {
        assert!(!problems.is_empty());
        let lines = text.matches(['\n', '\r']).count() + 2;
        for problem in &problems {
            assert!((1..=lines).contains(&problem.line), "{problem}");
            assert!(problem.column >= 1, "{problem}");
            assert!(!problem.message.contains('\n'), "{problem}");
            assert!(!problem.message.is_empty());
        }
        assert!(problems.is_sorted());
    }
    if let Err(problems) = scenario::parse(&simulated(CLOUDS), text) {
        assert!(!problems.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_read_without_panic(text in "(?s).{0,200}") {
        check(&text);
    }

    #[test]
    fn any_yaml_like_text_is_read_without_panic(
        text in "([a-c~]|accounts|name|ses|: |- |\n|\n  |[\\[\\]{},&*!|>'\"%@`#?]){0,60}"
    ) {
        check(&text);
    }

    #[test]
    fn a_damaged_example_is_read_without_panic(text in mutated(EXAMPLE.to_owned())) {
        check(&text);
    }

    #[test]
    fn damaged_alerting_is_read_without_panic(text in mutated(ALERTING.to_owned())) {
        check(&text);
    }
}
