//! `check`: tells whether the config can be used, without calling anybody.

use rolling_upgrade_exporter::config;

use super::{Failure, say};
use crate::cli::Check;

pub(super) fn run(flags: &Check) -> Result<(), Failure> {
    let config = config::load(&flags.config.file)?;
    let products = config.accounts.iter().map(|a| a.products.len()).sum();
    say(&format!(
        "{}: ok, {}, {}",
        flags.config.file.display(),
        count(config.accounts.len(), "account"),
        count(products, "product"),
    ))
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
}
