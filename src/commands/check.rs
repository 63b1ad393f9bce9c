//! `check`: tells whether the config can be used, and with `--live` whether the clouds agree.

mod table;

use std::path::Path;

use anyhow::anyhow;
use rolling_upgrade_exporter::check::{hints, live};
use rolling_upgrade_exporter::clock::Clock;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config::{self, Config};

use super::{Failure, say};
use crate::cli::Check;

pub(super) async fn run(flags: &Check) -> Result<(), Failure> {
    let file = &flags.config.file;
    let config = if flags.syntax_only {
        config::load_alone(CLOUDS, file)?
    } else {
        config::load(CLOUDS, file)?
    };
    say(&ok(file, &config, flags.syntax_only))?;
    for warning in &config.warnings {
        say(&format!("{}:{warning}", file.display()))?;
    }
    if let Some(path) = flags.web_config.file() {
        let web = exporter_web::config::load(path).map_err(Failure::Web)?;
        say(&format!("{}: ok, {}", path.display(), web.summary()))?;
    }
    // The variables are those of the machine that checks, not of the one that will run it.
    let env = |name: &str| {
        let is_own = !flags.syntax_only;
        is_own.then(|| std::env::var(name).ok()).flatten()
    };
    let hints = hints::hints(&config, &env);
    if !hints.is_empty() {
        let hints: Vec<_> = hints
            .iter()
            .map(|hint| ("warning", hint.as_str()))
            .collect();
        say(&format!("\n{}", table::notes(&hints)))?;
    }
    if flags.live {
        ask(&config).await?;
    }
    Ok(())
}

/// Asks the clouds; fails when one of the products fails.
async fn ask(config: &Config) -> Result<(), Failure> {
    let checked = live::run(config, &Clock::system()).await;
    say(&format!("\n{}", table::results(&checked)))?;
    let rows = || checked.iter().flat_map(|account| &account.products);
    let failed = rows().filter(|row| row.fails().is_some()).count();
    if failed == 0 {
        return Ok(());
    }
    let of = count(rows().count(), "product");
    Err(anyhow!("{failed} of {of} failed the live check").into())
}

/// Returns for instance `a.yml: ok, 1 account, 2 products, 1 Alertmanager`, and says what was not read.
fn ok(path: &Path, config: &Config, is_alone: bool) -> String {
    let products = config.accounts.iter().map(|a| a.products.len()).sum();
    let mut counts = vec![
        count(config.accounts.len(), "account"),
        count(products, "product"),
    ];
    if let Some(alerting) = &config.alerting {
        counts.push(count(alerting.alertmanagers.len(), "Alertmanager"));
    }
    let rest = if is_alone {
        "; secrets and CA files were not read"
    } else {
        ""
    };
    format!("{}: ok, {}{rest}", path.display(), counts.join(", "))
}

fn count(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_english() {
        assert_eq!(count(0, "account"), "0 accounts");
        assert_eq!(count(1, "account"), "1 account");
        assert_eq!(count(2, "product"), "2 products");
    }

    #[test]
    fn tells_where_alerts_go() {
        let account = "accounts: [{name: a, ncloud: {access_key: x, secret_key: x, ses: {}}}]\n";
        let alerting =
            "alerting: {alertmanagers: [{url: 'http://127.0.0.1:1'}, {url: 'http://[::1]:1'}]}\n";
        let line = |text: &str| {
            let config = config::parse(CLOUDS, text, Path::new(""), &|_| None).unwrap();
            ok(Path::new("a.yml"), &config, false)
        };
        assert_eq!(line(account), "a.yml: ok, 1 account, 1 product");
        assert_eq!(
            line(&format!("{account}{alerting}")),
            "a.yml: ok, 1 account, 1 product, 2 Alertmanagers"
        );
    }
}
