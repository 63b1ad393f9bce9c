//! The products of an account, and which of their clusters are watched.

mod misfit;

use std::collections::HashMap;
use std::sync::Arc;

use super::limits::Limits;
use super::{Listed, ProductConfig, Selection};
use crate::cloud::{self, Cloud, Clouds, Product};
use crate::fields::address;
use crate::text::quote;
use spanned_yaml::{At, Field, Section, Value};

/// Takes the products of a cloud from the account's section, in the order of its list.
pub(super) fn take(
    section: &mut Section<'_>,
    cloud: &dyn Cloud,
    clouds: Clouds,
    limits: Limits,
) -> Vec<ProductConfig> {
    let mut found = Vec::new();
    let mut is_empty = true;
    for product in cloud::products(clouds) {
        let info = product.info();
        if info.cloud == cloud.name() {
            if let Some(field) = section.take(info.name) {
                is_empty = false;
                found.extend(one(product, &field, limits));
            }
        } else {
            let why = format!(
                "{} is a product of {}: move it into an account there",
                info.name, info.cloud
            );
            section.refuse(info.name, why);
        }
    }
    if is_empty {
        let products = cloud.products().iter();
        let names: Vec<&str> = products.map(|product| product.info().name).collect();
        let example = names.first().copied().unwrap_or_default();
        section.lacks(&format!(
            "a product to watch ({}): add one, as in {example}: {{}}",
            names.join(", ")
        ));
    }
    found
}

fn one(product: &'static dyn Product, field: &Field<'_>, around: Limits) -> Option<ProductConfig> {
    if let Some(why) = misfit::product(field) {
        field.wrong(why);
        return None;
    }
    if field.node.is_null() {
        let name = product.info().name;
        field.odd(format!(
            "{name} is empty, and all its clusters are watched: write {name}: {{}} to say so, or remove it to watch none"
        ));
    }
    let mut section = field.section();
    let limits = Limits::take(&mut section, around);
    let clusters = match section.take("clusters") {
        Some(field) => selection(&field, product, limits),
        None => Some(Selection::All),
    };
    if matches!(clusters, Some(Selection::Listed(_))) {
        for key in ["include", "exclude"] {
            let why =
                format!("{key} chooses among all clusters: remove it, or write clusters: all");
            section.refuse(key, why);
        }
    }
    let include = section.take("include");
    let include = match &include {
        Some(field) => patterns(field).inspect(|patterns| {
            if patterns.is_empty() {
                field.wrong("include is empty, so that no cluster is watched: remove it");
            }
        }),
        None => Some(Vec::new()),
    };
    let exclude = match section.take("exclude") {
        Some(field) => patterns(&field),
        None => Some(Vec::new()),
    };
    let endpoint = match section.take("endpoint") {
        Some(field) => address::endpoint(&field).map(Some),
        None => Some(None),
    };
    let mut settings = Vec::new();
    for key in product.info().settings {
        if let Some(text) = section.take(key).and_then(|field| field.text()) {
            settings.push((*key, text.to_owned()));
        }
    }
    section.finish();
    Some(ProductConfig {
        product,
        clusters: clusters?,
        include: include?,
        exclude: exclude?,
        only: Vec::new(),
        endpoint: endpoint?,
        settings,
        thresholds: limits.thresholds(product),
    })
}

/// `all`, or a list of clusters.
fn selection(field: &Field<'_>, product: &dyn Product, limits: Limits) -> Option<Selection> {
    if let Value::Scalar { .. } = field.node.value {
        let text = field.text()?;
        if text != "all" {
            field.wrong(misfit::clusters(text, product));
            return None;
        }
        return Some(Selection::All);
    }
    let items = field.items()?;
    if items.is_empty() {
        field.wrong("clusters is empty, so that no cluster is watched: write all, or list them");
        return None;
    }
    let mut seen = HashMap::new();
    let mut clusters = Vec::with_capacity(items.len());
    for item in &items {
        let Some((at, cluster)) = listed(item, product, limits) else {
            continue;
        };
        if let Some(first) = seen.insert(cluster.id.clone(), at) {
            let id = quote(&cluster.id);
            field.problems.add(
                at,
                format!("cluster {id} is listed a second time: it is at {first} already, keep one"),
            );
            seen.insert(cluster.id.clone(), first);
        }
        clusters.push(cluster);
    }
    Some(Selection::Listed(clusters))
}

/// A cluster by its id alone, or with more about it.
fn listed(item: &Field<'_>, product: &dyn Product, limits: Limits) -> Option<(At, Listed)> {
    if let Value::Scalar { .. } = item.node.value {
        let listed = Listed {
            id: id(product, item)?,
            name: None,
            thresholds: limits.thresholds(product),
        };
        return Some((item.at, listed));
    }
    let mut section = item.section();
    let id_field = section.need("id");
    let id = id_field.as_ref().and_then(|field| id(product, field));
    let name = section.take("name");
    let name = match &name {
        Some(field) => field.text().map(Some),
        None => Some(None),
    };
    let limits = Limits::take(&mut section, limits);
    section.finish();
    let listed = Listed {
        id: id?,
        name: name?.map(str::to_owned),
        thresholds: limits.thresholds(product),
    };
    Some((id_field?.node.at, listed))
}

/// Reads a cluster's id in the form that the product has.
fn id(product: &dyn Product, field: &Field<'_>) -> Option<Arc<str>> {
    product.info().ids.read(product.info().name, field)
}

/// A list of ids or name patterns; none when one of them is no text.
fn patterns(field: &Field<'_>) -> Option<Vec<String>> {
    let items: Vec<Option<&str>> = field.items()?.iter().map(Field::text).collect();
    let texts = items.into_iter().map(|text| text.map(str::to_owned));
    texts.collect()
}
