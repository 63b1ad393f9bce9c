//! An account: its name, its cloud, and what is watched there.

use std::sync::Arc;

use spanned_yaml::{Field, Section, either};

use super::limits::Limits;
use super::{Account, Polling, ProductConfig, product};
use crate::cloud::transport::{Connection, Transport};
use crate::cloud::{self, Cloud, CloudAccount, Clouds, OpenContext, Provider};
use crate::fields::{Context, address, ca_file};
use crate::http::{ApiError, CaFile};

/// Reads an entry of `accounts`: one account for each of its regions.
pub(super) fn read(
    entry: &Field<'_>,
    clouds: Clouds,
    context: &Context<'_>,
    polling: Polling,
    limits: Limits,
) -> Option<Vec<Account>> {
    let mut section = Section::new(entry.node, "an account", entry.at, entry.problems);
    let name = section.need("name").and_then(|field| field.text());
    let polling = Polling::section(&mut section, polling);
    let limits = Limits::section(&mut section, limits);
    let mut given = Vec::new();
    for cloud in clouds {
        if let Some(field) = section.take(cloud.name()) {
            given.push((*cloud, field));
        }
    }
    given.sort_by_key(|(_, field)| field.at);
    if given.is_empty() {
        let names: Vec<&str> = clouds.iter().map(|cloud| cloud.name()).collect();
        section.lacks(&format!("its cloud: add {}", either(&names)));
    }
    let first = given.first().map(|(cloud, _)| cloud.name());
    let first = first.unwrap_or_default();
    let mut found = None;
    for (index, (cloud, field)) in given.iter().enumerate() {
        if index > 0 {
            let cloud = cloud.name();
            entry.problems.add(
                field.at,
                format!("an account has one cloud, and this one has {first}: move {cloud} into an account of its own"),
            );
        }
        let inside = inside(*cloud, clouds, field, context, limits);
        found = found.or(inside);
    }
    for product in cloud::products(clouds) {
        let (name, cloud) = (product.info().name, product.info().cloud);
        section.refuse(
            name,
            format!("{name} belongs under {cloud}: indent it there"),
        );
    }
    section.finish();
    let inside = found?;
    let name: Arc<str> = name?.into();
    let account = |cloud| Account {
        name: name.clone(),
        cloud,
        polling,
        ca_file: inside.ca_file.clone(),
        proxy_url: inside.proxy_url.clone(),
        products: inside.products.clone(),
    };
    Some(inside.clouds.into_iter().map(account).collect())
}

impl Account {
    /// Returns true when every address that the config names for it is plain http, as of a simulator.
    pub fn is_plain_http(&self) -> bool {
        let products = self
            .products
            .iter()
            .map(|product| product.endpoint.as_ref());
        products
            .chain(self.cloud.endpoints())
            .all(|url| url.is_some_and(|url| url.scheme() == "http"))
    }

    /// Returns what its calls go through.
    pub fn connection(&self) -> Connection {
        Connection {
            account: self.name.clone(),
            timeout: self.polling.timeout,
            rate_limit: self.polling.rate_limit,
            max_concurrency: self.polling.max_concurrency,
            ca_file: self.ca_file.clone(),
            proxy_url: self.proxy_url.clone(),
            is_plain_http: self.is_plain_http(),
        }
    }

    /// Returns what one of its products is opened with, over the account's transport.
    pub fn context<'a>(
        &'a self,
        product: &'a ProductConfig,
        transport: Arc<Transport>,
    ) -> OpenContext<'a> {
        OpenContext {
            account: &*self.cloud,
            account_name: &self.name,
            info: product.product.info(),
            endpoint: product.endpoint.as_ref(),
            settings: &product.settings,
            transport,
        }
    }

    /// Opens one of its products over the account's transport.
    ///
    /// # Errors
    /// Fails when the product's address cannot be made of the config.
    pub fn open(
        &self,
        product: &ProductConfig,
        transport: &Arc<Transport>,
    ) -> Result<Arc<dyn Provider>, ApiError> {
        product
            .product
            .open(self.context(product, transport.clone()))
    }
}

/// What an account's section of a cloud holds.
struct Inside {
    /// One for each region.
    clouds: Vec<Arc<dyn CloudAccount>>,
    ca_file: Option<CaFile>,
    proxy_url: Option<url::Url>,
    products: Vec<ProductConfig>,
}

fn inside(
    cloud: &dyn Cloud,
    clouds: Clouds,
    field: &Field<'_>,
    context: &Context<'_>,
    limits: Limits,
) -> Option<Inside> {
    let mut section = field.section();
    let accounts = cloud.accounts(&mut section, context);
    let ca_file = match section.take("ca_file") {
        Some(field) if context.is_alone => field.text().map(|_| None),
        Some(field) => ca_file::read(&field, context).map(Some),
        None => Some(None),
    };
    let proxy_url = match section.take("proxy_url") {
        Some(field) => address::proxy(&field).map(Some),
        None => Some(None),
    };
    let products = product::take(&mut section, cloud, clouds, limits);
    section.finish();
    Some(Inside {
        clouds: accounts?,
        ca_file: ca_file?,
        proxy_url: proxy_url?,
        products,
    })
}
