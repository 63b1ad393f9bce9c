//! Which clusters are asked for and shown.

use rolling_upgrade_exporter::config::Config;
use rolling_upgrade_exporter::poll::select;
use rolling_upgrade_exporter::report::Report;

use super::Failure;
use crate::cli::Narrow;

impl Narrow {
    /// Whether anything is left out.
    pub(super) fn is_all(&self) -> bool {
        self.accounts.is_empty() && self.products.is_empty() && self.clusters.is_empty()
    }

    /// Leaves in the config what is wanted, so that nothing else is asked. Fails when it has no such
    /// account or product.
    pub(super) fn config(&self, config: &mut Config) -> Result<(), Failure> {
        for account in &self.accounts {
            let is_it = |known: &&str| select::glob(account, known);
            let mut known = config.accounts.iter().map(|a| &*a.name);
            if !known.any(|name| is_it(&name)) {
                let names: Vec<&str> = config.accounts.iter().map(|a| &*a.name).collect();
                return Err(Failure::Usage(format!(
                    "the config has no account {account:?}: it has {}",
                    names.join(", ")
                )));
            }
        }
        config
            .accounts
            .retain(|account| is_one_of(&self.accounts, &account.name));
        for account in &mut config.accounts {
            let products = &mut account.products;
            products.retain(|product| is_one_of(&self.products, product.product.info().name));
            for product in products {
                product.only.clone_from(&self.clusters);
            }
        }
        config
            .accounts
            .retain(|account| !account.products.is_empty());
        if config.accounts.is_empty() && !self.is_all() {
            return Err(Failure::Usage(format!(
                "none of these accounts watches {}: add it to the config, or ask for another product",
                self.products.join(" or ")
            )));
        }
        Ok(())
    }

    /// Leaves in the report what is wanted.
    pub(super) fn report(&self, report: &mut Report) {
        report
            .products
            .retain(|product| self.is_of(&product.account, &product.product));
        report.clusters.retain(|cluster| {
            let (id, name) = (&cluster.cluster_id, &cluster.cluster_name);
            self.is_cluster(&cluster.account, &cluster.product, id, name)
        });
    }

    /// Returns whether a cluster of this account and product, with this id and name, is wanted.
    pub(super) fn is_cluster(&self, account: &str, product: &str, id: &str, name: &str) -> bool {
        self.is_of(account, product) && select::is_among(&self.clusters, id, name)
    }

    fn is_of(&self, account: &str, product: &str) -> bool {
        is_one_of(&self.accounts, account) && is_one_of(&self.products, product)
    }
}

fn is_one_of(patterns: &[String], word: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| select::glob(pattern, word))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rolling_upgrade_exporter::clouds::CLOUDS;
    use rolling_upgrade_exporter::config;

    use super::*;

    const CONFIG: &str = "
accounts:
  - {name: kr, ncloud: {access_key: x, secret_key: x, ses: {clusters: [1, {id: 2, name: shop}]}, cdss: {}}}
  - {name: cn, huawei: {region: cn-north-4, project_id: 6204a5bd270343b5885144cf9c8c158d, access_key: x, secret_key: x, css: {}}}
";

    fn narrow(accounts: &[&str], products: &[&str], clusters: &[&str]) -> Narrow {
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Narrow {
            accounts: own(accounts),
            products: own(products),
            clusters: own(clusters),
        }
    }

    /// The accounts and products that are left, or the message.
    fn left(narrow: &Narrow) -> String {
        let mut config = config::parse(CLOUDS, CONFIG, Path::new(""), &|_| None).unwrap();
        if let Err(failure) = narrow.config(&mut config) {
            assert_eq!(failure.exit_code(), 2);
            return failure.to_string();
        }
        let products = config.accounts.iter().flat_map(|account| {
            let name = move |p: &config::ProductConfig| {
                assert_eq!(p.only, narrow.clusters);
                format!("{}/{}", account.name, p.product.info().name)
            };
            account.products.iter().map(name)
        });
        products.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nothing_else_is_asked() {
        assert_eq!(left(&narrow(&[], &[], &[])), "kr/ses kr/cdss cn/css");
        assert_eq!(left(&narrow(&["kr"], &[], &["shop"])), "kr/ses kr/cdss");
        assert_eq!(left(&narrow(&[], &["css", "ses"], &[])), "kr/ses cn/css");
        assert_eq!(left(&narrow(&["*"], &["cdss"], &[])), "kr/cdss");
    }

    #[test]
    fn what_the_config_does_not_have_is_told() {
        let told = left(&narrow(&["jp"], &[], &[]));
        assert!(told.contains("no account \"jp\": it has kr, cn"), "{told}");
        let told = left(&narrow(&["cn"], &["ses", "cce"], &[]));
        assert!(told.contains("watches ses or cce"), "{told}");
    }
}
