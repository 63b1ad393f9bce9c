//! The file as a whole: read, checked, and either a [`Config`] or every problem in it.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::account;
use super::limits::Limits;
use super::{Account, Config, Polling};
use super::{alerting, storage};
use crate::cloud::{self, Clouds};
use crate::fields::Context;
use crate::text::quote;
use spanned_yaml::{At, ConfigError, Problem, Problems, Section};
use watched_file::FileKind;

/// Reads a config file and the files that it names, with this process's environment for secrets.
/// Blocks the calling thread for at most [`watched_file::LIMIT`].
pub fn load(clouds: Clouds, path: &Path) -> Result<Config, ConfigError> {
    load_within(clouds, path, watched_file::LIMIT, false)
}

/// Reads a config file alone, without the secrets and CA files that it names. Every secret of the config
/// is empty and no CA file is in it, so it tells what would be watched and can make no call. Blocks the
/// calling thread for at most [`watched_file::LIMIT`].
pub fn load_alone(clouds: Clouds, path: &Path) -> Result<Config, ConfigError> {
    load_within(clouds, path, watched_file::LIMIT, true)
}

fn load_within(
    clouds: Clouds,
    path: &Path,
    limit: Duration,
    is_alone: bool,
) -> Result<Config, ConfigError> {
    let deadline = Instant::now() + limit;
    let read_file = watched_file::read_blocking(path, FileKind::CONFIG, deadline);
    let context = Context {
        folder: path.parent().unwrap_or(Path::new("")),
        env: &|name| std::env::var(name).ok(),
        deadline,
        is_alone,
    };
    spanned_yaml::parse_file(path, "--config.file", read_file, |content| {
        read(clouds, spanned_yaml::text(&content.bytes)?, &context)
    })
}

/// Reads a config from its text. Relative paths are relative to `folder`; `env` gives the values of
/// environment variables.
pub fn parse(
    clouds: Clouds,
    text: &str,
    folder: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Vec<Problem>> {
    let deadline = Instant::now() + watched_file::LIMIT;
    let context = Context {
        folder,
        env,
        deadline,
        is_alone: false,
    };
    read(clouds, text, &context)
}

/// Reads a config from its text alone, as [`load_alone`] does.
pub fn parse_alone(clouds: Clouds, text: &str) -> Result<Config, Vec<Problem>> {
    let context = Context {
        folder: Path::new(""),
        env: &|_| None,
        deadline: Instant::now(),
        is_alone: true,
    };
    read(clouds, text, &context)
}

fn read(clouds: Clouds, text: &str, context: &Context<'_>) -> Result<Config, Vec<Problem>> {
    let problems = Problems::default();
    let config = spanned_yaml::parse(text, &problems).and_then(|root| {
        let mut section = Section::new(&root, "the file", At::START, &problems);
        let polling = Polling::section(&mut section, Polling::DEFAULT);
        let limits = Limits::section(&mut section, Limits::default());
        let accounts = accounts(&mut section, clouds, context, polling, limits);
        let alerting = match section.take("alerting") {
            Some(field) => alerting::read(&field, context).map(Some),
            None => Some(None),
        };
        let retention = storage::retention(&mut section);
        refuse_misplaced(&mut section, clouds);
        section.finish();
        Some(Config {
            accounts: accounts?,
            alerting: alerting?,
            retention: retention?,
            warnings: Vec::new(),
        })
    });
    let (config, warnings) = problems.settle_with_warnings(config)?;
    Ok(Config { warnings, ..config })
}

/// Tells clouds and products that stand at the top of the file instead of in an account.
fn refuse_misplaced(section: &mut Section<'_>, clouds: Clouds) {
    for product in cloud::products(clouds) {
        let (name, cloud) = (product.info().name, product.info().cloud);
        let why = format!("{name} belongs into an account, under its {cloud}: move it there");
        section.refuse(name, why);
    }
    for cloud in clouds {
        let cloud = cloud.name();
        let why = format!("{cloud} belongs into an account: move it there, beside its name");
        section.refuse(cloud, why);
    }
}

fn accounts(
    section: &mut Section<'_>,
    clouds: Clouds,
    context: &Context<'_>,
    polling: Polling,
    limits: Limits,
) -> Option<Vec<Account>> {
    let field = section.need("accounts")?;
    if let spanned_yaml::Value::Map(entries) = &field.node.value {
        field.wrong(no_list(entries, clouds));
        return None;
    }
    let entries = field.items()?;
    if entries.is_empty() {
        field.wrong("accounts is empty, so that nothing is watched: add an account");
    }
    let mut seen: HashMap<&str, At> = HashMap::new();
    for entry in &entries {
        let Some((at, name)) = name(entry.node) else {
            continue;
        };
        match seen.get(name) {
            Some(first) => field.problems.add(
                at,
                format!(
                    "account {} exists a second time: it is at {first} already, rename one",
                    quote(name)
                ),
            ),
            None => {
                seen.insert(name, at);
            }
        }
    }
    let found: Vec<Option<Vec<Account>>> = entries
        .iter()
        .map(|entry| account::read(entry, clouds, context, polling, limits))
        .collect();
    let found: Option<Vec<_>> = found.into_iter().collect();
    Some(found?.into_iter().flatten().collect())
}

/// Says how to write accounts that stand as a mapping: one account without its dash, or names as keys.
fn no_list(entries: &[(spanned_yaml::Key, spanned_yaml::Node)], clouds: Clouds) -> String {
    let name = entries.first().map(|(key, _)| key.text.as_str());
    let is_account = |name: &str| entries.iter().any(|(key, _)| key.text == name);
    let names = clouds.iter().map(|cloud| cloud.name());
    let is_one = names.chain(["name"]).any(is_account);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let remedy = match name.filter(|name| !is_one && name.chars().all(is_plain)) {
        Some(name) => format!("write \"- name: {name}\" in place of \"{name}:\""),
        None => "begin each account with a dash, as in \"- name: kr-prod\"".to_owned(),
    };
    format!("accounts must be a list, not a mapping: {remedy}")
}

/// An account's name and its place, even if the rest of the account is wrong.
fn name(account: &spanned_yaml::Node) -> Option<(At, &str)> {
    let spanned_yaml::Value::Map(entries) = &account.value else {
        return None;
    };
    let (_, node) = entries.iter().find(|(key, _)| key.text == "name")?;
    match &node.value {
        spanned_yaml::Value::Scalar { text, .. } if !node.is_null() => Some((node.at, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clouds::CLOUDS;
    use watched_file::hang::hang;

    #[test]
    fn an_unreadable_file_is_named_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.yml");
        let text = load(CLOUDS, &path).unwrap_err().to_string();
        assert!(
            text.starts_with(&format!("cannot read {}", path.display())),
            "{text}"
        );
        assert!(
            text.ends_with(": name an existing file with --config.file"),
            "{text}"
        );
        let text = load(CLOUDS, folder.path()).unwrap_err().to_string();
        let remedy = ": it is not a regular file: name a regular file with --config.file";
        assert!(text.ends_with(remedy), "{text}");
    }

    #[test]
    fn each_problem_has_a_line_of_its_own_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.yml");
        std::fs::write(&path, "accounts: x\npoling: {}\n").unwrap();
        let text = load(CLOUDS, &path).unwrap_err().to_string();
        let path = path.display();
        assert_eq!(
            text,
            format!(
                "{path}:1:11: accounts must be a list, not text\n\
                 {path}:2:1: unknown key \"poling\": did you mean polling?"
            )
        );
    }

    #[test]
    fn a_file_without_end_is_not_read_to_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.yml");
        std::fs::write(&path, "가".repeat(spanned_yaml::LONGEST / 3 + 100)).unwrap();
        assert!(
            load(CLOUDS, &path)
                .unwrap_err()
                .to_string()
                .contains("1 MiB")
        );
    }

    #[test]
    fn every_file_on_a_disk_that_hangs_is_named_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = "accounts:\n- name: a\n  ncloud:\n    access_key_file: one\n    \
                    secret_key_file: two\n    ca_file: ca.pem\n    ses: {}\n";
        std::fs::write(path("config.yml"), text).unwrap();
        for name in ["one", "two", "ca.pem"] {
            std::fs::write(path(name), "a").unwrap();
        }
        let begun = Instant::now();
        let load = || {
            let limit = Duration::from_millis(300);
            let loaded = load_within(CLOUDS, &path("config.yml"), limit, false);
            loaded.unwrap_err().to_string()
        };
        let hangs = ["one", "two", "ca.pem"].map(|name| hang(&path(name)));
        let error = load();
        let named = |name: &str, why: &str| {
            let line = error.lines().find(|line| line.contains(name));
            assert!(
                line.is_some_and(|line| line.contains(why)),
                "{name}: {error}"
            );
        };
        named(
            ":4:22: cannot use the file of access_key_file",
            "its disk does not answer",
        );
        named("secret_key_file", "took all of the time");
        named("ca_file", "took all of the time");
        drop(hangs);
        let _hang = hang(&path("config.yml"));
        let error = load();
        assert!(error.contains("config.yml: its disk does not"), "{error}");
        assert!(begun.elapsed() < watched_file::LIMIT);
    }
}
