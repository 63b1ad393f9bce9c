//! An account: its name, its cloud, and what is watched there.

use super::credential::Context;
use super::limits::Limits;
use super::{Account, Cloud, HuaweiAuth, Polling, address, ca_file, huawei, ncloud, product};
use crate::cloud;
use crate::http::CaFile;
use crate::secret::Secret;
use spanned_yaml::{Field, Section, either};

/// Takes a cloud's own keys from the account's section of it.
type Take = fn(&mut Section<'_>, &Context<'_>) -> Option<Cloud>;

/// Every cloud by its key.
const CLOUDS: &[(&str, Take)] = &[
    (cloud::ncloud::CLOUD.name, ncloud::take),
    (cloud::huawei::CLOUD.name, huawei::take),
];

/// Reads an entry of `accounts`.
pub(super) fn read(
    entry: &Field<'_>,
    context: &Context<'_>,
    polling: Polling,
    limits: Limits,
) -> Option<Account> {
    let mut section = Section::new(entry.node, "an account", entry.at, entry.problems);
    let name = section.need("name").and_then(|field| field.text());
    let polling = Polling::section(&mut section, polling);
    let limits = Limits::section(&mut section, limits);
    let mut given = Vec::new();
    for (cloud, take) in CLOUDS {
        if let Some(field) = section.take(cloud) {
            given.push((*cloud, *take, field));
        }
    }
    given.sort_by_key(|(_, _, field)| field.at);
    if given.is_empty() {
        let clouds: Vec<&str> = CLOUDS.iter().map(|(name, _)| *name).collect();
        section.lacks(&format!("its cloud: add {}", either(&clouds)));
    }
    let first = given.first().map(|(name, _, _)| *name).unwrap_or_default();
    let mut found = None;
    for (index, (cloud, take, field)) in given.iter().enumerate() {
        if index > 0 {
            entry.problems.add(
                field.at,
                format!("an account has one cloud, and this one has {first}: move {cloud} into an account of its own"),
            );
        }
        let inside = inside(cloud, *take, field, context, limits);
        found = found.or(inside);
    }
    for product in cloud::PRODUCTS {
        let (name, cloud) = (product.name, product.cloud);
        section.refuse(
            name,
            format!("{name} belongs under {cloud}: indent it there"),
        );
    }
    section.finish();
    let inside = found?;
    Some(Account {
        name: name?.into(),
        cloud: inside.0,
        polling,
        ca_file: inside.1,
        proxy_url: inside.2,
        products: inside.3,
    })
}

impl Account {
    /// Returns the secrets that it signs in with.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        match &self.cloud {
            Cloud::Ncloud(ncloud) => vec![&ncloud.access_key, &ncloud.secret_key],
            Cloud::Huawei(huawei) => match &huawei.auth {
                HuaweiAuth::Keys {
                    access_key,
                    secret_key,
                    security_token,
                } => [access_key, secret_key]
                    .into_iter()
                    .chain(security_token)
                    .collect(),
                HuaweiAuth::Token { password, .. } => vec![password],
            },
        }
    }
}

/// What an account's section of a cloud holds.
type Inside = (
    Cloud,
    Option<CaFile>,
    Option<url::Url>,
    Vec<super::ProductConfig>,
);

fn inside(
    cloud: &str,
    take: Take,
    field: &Field<'_>,
    context: &Context<'_>,
    limits: Limits,
) -> Option<Inside> {
    let mut section = field.section();
    let own = take(&mut section, context);
    let ca_file = match section.take("ca_file") {
        Some(field) if context.is_alone => field.text().map(|_| None),
        Some(field) => ca_file::read(&field, context).map(Some),
        None => Some(None),
    };
    let proxy = match section.take("proxy_url") {
        Some(field) => address::proxy(&field).map(Some),
        None => Some(None),
    };
    let products = product::take(&mut section, cloud, limits);
    section.finish();
    Some((own?, ca_file?, proxy?, products))
}
