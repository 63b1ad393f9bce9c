//! `check`: tells whether the config can be used, without calling anybody.

use std::path::Path;

use rolling_upgrade_exporter::config::{self, Config};

use super::{Failure, say};
use crate::cli::Check;

pub(super) fn run(flags: &Check) -> Result<(), Failure> {
    let config = config::load(&flags.config.file)?;
    say(&ok(&flags.config.file, &config))
}

/// For instance `a.yml: ok, 1 account, 2 products, 1 Alertmanager`.
fn ok(path: &Path, config: &Config) -> String {
    let products = config.accounts.iter().map(|a| a.products.len()).sum();
    let mut counts = vec![
        count(config.accounts.len(), "account"),
        count(products, "product"),
    ];
    if let Some(alerting) = &config.alerting {
        counts.push(count(alerting.alertmanagers.len(), "Alertmanager"));
    }
    format!("{}: ok, {}", path.display(), counts.join(", "))
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
            let config = config::parse(text, Path::new(""), &|_| None).unwrap();
            ok(Path::new("a.yml"), &config)
        };
        assert_eq!(line(account), "a.yml: ok, 1 account, 1 product");
        assert_eq!(
            line(&format!("{account}{alerting}")),
            "a.yml: ok, 1 account, 1 product, 2 Alertmanagers"
        );
    }
}
