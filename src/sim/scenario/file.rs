//! A scenario from its YAML: keys are named as the fields, problems are told as for a config.

mod place;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use self::place::{failure, hang};
use super::read::{flag, list, set, text};
use super::{Cluster, Fault, FaultAnswer, ListedAs, Repetition, Scenario, SimNode, Step};
use crate::sim::{Extensions, SimulatedCloud, SimulatedProduct, VersionForm};
use crate::text::quote;
use spanned_yaml::{At, Bounds, Field, Problem, Problems, Section, either};

const LISTED: &[(&str, ListedAs)] = &[
    ("allowed", ListedAs::Allowed),
    ("disallowed", ListedAs::Disallowed),
    ("returned", ListedAs::Returned),
    ("not_upgradable", ListedAs::NotUpgradable),
];

/// Reads a scenario of these clouds from its text.
pub fn parse(clouds: &[SimulatedCloud], text: &str) -> Result<Scenario, Vec<Problem>> {
    let problems = Problems::default();
    let scenario = spanned_yaml::parse(text, &problems).and_then(|root| {
        let mut section = Section::new(&root, "the scenario", At::START, &problems);
        let accounts = accounts(&mut section, clouds);
        let clock_ahead = after(&mut section, "clock_ahead").unwrap_or_default();
        let clusters = clusters(&mut section, clouds);
        let faults = list(&mut section, "faults", fault);
        section.finish();
        Some(Scenario {
            clouds: clouds.to_vec(),
            accounts,
            clock_ahead,
            clusters: clusters?,
            faults: faults?,
        })
    });
    problems.settle(scenario)
}

/// Reads the accounts of the clouds, each by its gateway.
fn accounts(parent: &mut Section<'_>, clouds: &[SimulatedCloud]) -> Extensions {
    let mut accounts = Extensions::default();
    for cloud in clouds {
        let Some(field) = parent.take(cloud.name) else {
            cloud.gateway.read_account(None, &mut accounts);
            continue;
        };
        let mut section = field.section();
        let gateway = cloud.gateway;
        gateway.read_account(Some(&mut section), &mut accounts);
        section.finish();
    }
    accounts
}

fn clusters(section: &mut Section<'_>, clouds: &[SimulatedCloud]) -> Option<Vec<Cluster>> {
    let field = section.need("clusters")?;
    let mut seen: HashMap<(String, String), At> = HashMap::new();
    let mut found = Some(Vec::new());
    for entry in field.items()? {
        let Some((at, cluster)) = cluster(&entry, clouds) else {
            found = None;
            continue;
        };
        let key = (cluster.product.clone(), cluster.id.clone());
        if let Some(first) = seen.get(&key) {
            entry.problems.add(
                at,
                format!(
                    "{} cluster {} exists a second time: it is at {first} already, change the id",
                    cluster.product,
                    quote(&cluster.id)
                ),
            );
        } else {
            seen.insert(key, at);
        }
        if let Some(found) = &mut found {
            found.push(cluster);
        }
    }
    found
}

fn cluster(entry: &Field<'_>, clouds: &[SimulatedCloud]) -> Option<(At, Cluster)> {
    let mut section = Section::new(entry.node, "a cluster", entry.at, entry.problems);
    let product = section.need("product").and_then(|field| {
        let products = clouds.iter().flat_map(|cloud| &cloud.products);
        let names: Vec<_> = products.map(|product| (product.name, product)).collect();
        field.one_of(&names)
    });
    let id_field = section.need("id");
    let id = id_field.as_ref().zip(product);
    let id = id.and_then(|(field, product)| product.ids.read(product.name, field));
    let mut name = id.as_deref().unwrap_or_default().to_owned();
    set(&mut section, "name", &mut name, text);
    let starts_after = after(&mut section, "starts_after");
    let endless = section.take("endless_versions");
    let endless = endless.and_then(|field| flag(&field)).unwrap_or(false);
    let endless = endless.then_some(clouds);
    let versions = versions(&mut section, starts_after.is_some(), endless);
    let (versions, form) = versions.unzip();
    let mut listed = ListedAs::Allowed;
    set(&mut section, "listed", &mut listed, |f| f.one_of(LISTED));
    let queued = after(&mut section, "queued").unwrap_or_default();
    let repeats_after = after(&mut section, "repeats_after");
    let mut repetition = repetition(&mut section, repeats_after.is_some(), form.flatten());
    let mut batch = 1;
    set(&mut section, "batch", &mut batch, |f| f.integer(1..=1000));
    let nodes = nodes(&mut section);
    let before = list(&mut section, "before", step);
    let steps = list(&mut section, "steps", step);
    let after = list(&mut section, "after", step);
    let size = nodes.as_ref().zip(steps.as_ref());
    let size = size.map(|(nodes, steps)| (nodes.len(), steps.len()));
    let hangs = section.take("hangs").and_then(|f| hang(&f, size));
    let before_nodes = before.as_ref().map(Vec::len);
    let fails = section.take("fails");
    let fails = fails.and_then(|field| failure(&field, size, before_nodes));
    let fails = fails.map(|(place, period)| {
        repetition.failure_period = period;
        place
    });
    let known_nodes = nodes.as_deref().unwrap_or_default();
    let extensions = extensions(&mut section, product, clouds, known_nodes);
    section.finish();
    let cluster = Cluster {
        product: product?.name.to_owned(),
        id: id?.to_string(),
        name,
        versions: versions?,
        nodes: nodes?,
        listed,
        starts_after,
        queued,
        repeats_after,
        repetition,
        batch: usize::try_from(batch).ok()?,
        before: before?,
        steps: steps?,
        after: after?,
        hangs,
        fails,
        extensions: extensions?,
    };
    Some((id_field?.node.at, cluster))
}

/// Reads the keys that only the cluster's product has; those of any product where that is not known.
fn extensions(
    section: &mut Section<'_>,
    product: Option<&SimulatedProduct>,
    clouds: &[SimulatedCloud],
    nodes: &[SimNode],
) -> Option<Extensions> {
    let mut extensions = Extensions::default();
    let all = clouds.iter().flat_map(|cloud| &cloud.products);
    let known = all.filter(|one| product.is_none_or(|product| product.name == one.name));
    let mut is_good = true;
    for product in known {
        let read = product
            .service
            .read_cluster(section, nodes, &mut extensions);
        is_good &= read.is_some();
    }
    is_good.then_some(extensions)
}

fn after(section: &mut Section<'_>, key: &str) -> Option<Duration> {
    section
        .take(key)
        .and_then(|field| field.duration(Bounds::FROM_ZERO))
}

/// Reads how the upgrades after the first one differ from it.
fn repetition(
    section: &mut Section<'_>,
    repeats: bool,
    endless_versions: Option<VersionForm>,
) -> Repetition {
    let at = section.place("retries_after");
    if let Some(at) = at.filter(|_| !repeats) {
        section.problem(
            at,
            "retries_after needs repeats_after, without which there is no other upgrade: add it",
        );
    }
    Repetition {
        retries_after: after(section, "retries_after"),
        endless_versions,
        ..Repetition::default()
    }
}

/// Reads the versions: an upgrade goes from one to another, and endless ones go on from the last, in one of
/// the forms that products of these clouds have.
fn versions(
    section: &mut Section<'_>,
    is_upgraded: bool,
    endless: Option<&[SimulatedCloud]>,
) -> Option<(Vec<String>, Option<VersionForm>)> {
    let place = section.place("versions");
    if place.is_none() {
        section.lacks("versions: add them");
    }
    let versions = list(section, "versions", text)?;
    let fewest = if is_upgraded { 2 } else { 1 };
    if let Some(at) = place
        && versions.len() < fewest
    {
        let why = if is_upgraded {
            "versions must be two or more, because this cluster is upgraded"
        } else {
            "versions must be one or more"
        };
        section.problem(at, why);
        return None;
    }
    let (Some(at), Some(newest), Some(clouds)) = (place, versions.last(), endless) else {
        return Some((versions, None));
    };
    let form = VersionForm::of(clouds, newest);
    if form.is_none() {
        let version = quote(newest);
        let examples = either(&VersionForm::all_examples(clouds));
        let why = format!(
            "nothing is known to follow {version}, and endless_versions needs it: the last version must be \
             written as {examples}"
        );
        section.problem(at, &why);
        return None;
    }
    Some((versions, form))
}

/// The vendors tell nodes by name and role.
fn nodes(section: &mut Section<'_>) -> Option<Vec<SimNode>> {
    let seen = std::cell::RefCell::new(HashSet::new());
    list(section, "nodes", |entry| {
        let mut section = Section::new(entry.node, "a node", entry.at, entry.problems);
        let name = section.need("name").and_then(|field| text(&field));
        let role = section.need("role").and_then(|field| text(&field));
        section.finish();
        let (name, role) = (name?, role?);
        if !seen.borrow_mut().insert((name.clone(), role.clone())) {
            entry.wrong(format!(
                "node {} with role {} exists a second time: rename one",
                quote(&name),
                quote(&role)
            ));
        }
        Some(SimNode { name, role })
    })
}

fn step(entry: &Field<'_>) -> Option<Step> {
    let mut section = Section::new(entry.node, "a step", entry.at, entry.problems);
    let name = section.need("name").and_then(|field| text(&field));
    let takes = section.need("takes");
    let takes = takes.and_then(|field| field.duration(Bounds::LONG));
    section.finish();
    Some(Step {
        name: name?,
        takes: takes?,
    })
}

fn fault(entry: &Field<'_>) -> Option<Fault> {
    let mut section = Section::new(entry.node, "a fault", entry.at, entry.problems);
    let mut path = String::new();
    set(&mut section, "path", &mut path, text);
    let query = section.take("query").and_then(|field| text(&field));
    let cluster = section.take("cluster").and_then(|field| text(&field));
    let from = after(&mut section, "from").unwrap_or_default();
    let lasts = section.take("lasts");
    let lasts = lasts.and_then(|field| field.duration(Bounds::LONG));
    let answer = section.need("answer");
    let answer = answer.and_then(|field| field.one_of(FaultAnswer::NAMES));
    section.finish();
    Some(Fault {
        path,
        query,
        cluster,
        from,
        lasts,
        answer: answer?,
    })
}

#[cfg(test)]
mod tests;
