//! A scenario from its YAML: keys are named as the fields, problems are told as for a config.

mod finding;
mod place;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use secrecy::SecretString;

use self::finding::finding;
use self::place::{failure, hang};
use super::{
    Cluster, ConfigGroup, Fault, FaultAnswer, HuaweiAccount, ListedAs, NcloudAccount, Repetition,
    Scenario, SimNode, Step,
};
use crate::model::Kind;
use crate::sim::SimulatedCloud;
use crate::sim::versions::later;
use crate::text::quote;
use spanned_yaml::{At, Bounds, Field, Problem, Problems, Section};

const LISTED: &[(&str, ListedAs)] = &[
    ("allowed", ListedAs::Allowed),
    ("disallowed", ListedAs::Disallowed),
    ("returned", ListedAs::Returned),
    ("not_upgradable", ListedAs::NotUpgradable),
];

const KINDS: &[(&str, Kind)] = &[
    (Kind::Version.as_str(), Kind::Version),
    (Kind::AzMigration.as_str(), Kind::AzMigration),
];

const REGIONS: &[(&str, &str)] = &[
    ("KR", "KR"),
    ("SGN", "SGN"),
    ("JPN", "JPN"),
    ("FKR", "FKR"),
    ("KRS", "KRS"),
];

/// Reads a scenario of these clouds from its text.
pub fn parse(clouds: &[SimulatedCloud], text: &str) -> Result<Scenario, Vec<Problem>> {
    let problems = Problems::default();
    let scenario = spanned_yaml::parse(text, &problems).and_then(|root| {
        let mut section = Section::new(&root, "the scenario", At::START, &problems);
        let ncloud = ncloud(&mut section);
        let huawei = huawei(&mut section);
        let clock_ahead = after(&mut section, "clock_ahead").unwrap_or_default();
        let clusters = clusters(&mut section, clouds);
        let faults = list(&mut section, "faults", fault);
        section.finish();
        Some(Scenario {
            clouds: clouds.to_vec(),
            ncloud,
            huawei,
            clock_ahead,
            clusters: clusters?,
            faults: faults?,
        })
    });
    problems.settle(scenario)
}

impl Default for NcloudAccount {
    fn default() -> Self {
        Self {
            access_key: "SIMNCLOUDACCESSKEY00".to_owned(),
            secret_key: "sim-ncloud-secret-key".into(),
            region: "KR".to_owned(),
            config_groups: Vec::new(),
        }
    }
}

impl Default for HuaweiAccount {
    fn default() -> Self {
        Self {
            access_key: "SIMHUAWEIACCESSKEY00".to_owned(),
            secret_key: "sim-huawei-secret-key".into(),
            security_token: None,
            project_id: "6204a5bd270343b5885144cf9c8c158d".to_owned(),
            domain: "sim-domain".to_owned(),
            user: "sim-user".to_owned(),
            password: "sim-password".into(),
            token_lasts: Duration::from_secs(86_400),
            cce_upgrades_published: true,
        }
    }
}

fn ncloud(parent: &mut Section<'_>) -> NcloudAccount {
    let mut account = NcloudAccount::default();
    if let Some(field) = parent.take("ncloud") {
        let mut section = field.section();
        set(&mut section, "access_key", &mut account.access_key, text);
        set(&mut section, "secret_key", &mut account.secret_key, secret);
        set(&mut section, "region", &mut account.region, |field| {
            field.one_of(REGIONS).map(str::to_owned)
        });
        account.config_groups =
            list(&mut section, "config_groups", config_group).unwrap_or_default();
        section.finish();
    }
    account
}

fn config_group(entry: &Field<'_>) -> Option<ConfigGroup> {
    let mut section = Section::new(entry.node, "a config group", entry.at, entry.problems);
    let number = section.need("number");
    let number = number.and_then(|field| field.integer(1..=0x7fff_ffff));
    let version = section.need("version").and_then(|field| text(&field));
    section.finish();
    Some(ConfigGroup {
        number: number?,
        version: version?,
    })
}

fn huawei(parent: &mut Section<'_>) -> HuaweiAccount {
    let mut account = HuaweiAccount::default();
    if let Some(field) = parent.take("huawei") {
        let mut section = field.section();
        set(&mut section, "access_key", &mut account.access_key, text);
        set(&mut section, "secret_key", &mut account.secret_key, secret);
        account.security_token = section.take("security_token").and_then(|f| secret(&f));
        set(&mut section, "project_id", &mut account.project_id, text);
        set(&mut section, "domain", &mut account.domain, text);
        set(&mut section, "user", &mut account.user, text);
        set(&mut section, "password", &mut account.password, secret);
        set(&mut section, "token_lasts", &mut account.token_lasts, |f| {
            f.duration(Bounds::LONG)
        });
        let published = &mut account.cce_upgrades_published;
        set(&mut section, "cce_upgrades_published", published, |f| {
            f.bool()
        });
        section.finish();
    }
    account
}

/// Takes a key into its place; what is not given, or wrong, leaves the default there.
fn set<T>(
    section: &mut Section<'_>,
    key: &str,
    place: &mut T,
    read: impl FnOnce(&Field<'_>) -> Option<T>,
) {
    if let Some(value) = section.take(key).and_then(|field| read(&field)) {
        *place = value;
    }
}

fn text(field: &Field<'_>) -> Option<String> {
    field.text().map(str::to_owned)
}

fn flag(field: &Field<'_>) -> Option<bool> {
    field.bool()
}

fn secret(field: &Field<'_>) -> Option<SecretString> {
    field.raw().map(SecretString::from)
}

/// Takes a list, of which each entry is read; none when one of them is wrong.
fn list<T>(
    section: &mut Section<'_>,
    key: &str,
    read: impl Fn(&Field<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(field) = section.take(key) else {
        return Some(Vec::new());
    };
    let entries: Vec<Option<T>> = field.items()?.iter().map(read).collect();
    entries.into_iter().collect()
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
    let versions = versions(&mut section, starts_after.is_some(), endless);
    let mut listed = ListedAs::Allowed;
    set(&mut section, "listed", &mut listed, |f| f.one_of(LISTED));
    let mut kind = Kind::Version;
    set(&mut section, "kind", &mut kind, |f| f.one_of(KINDS));
    let repeats_after = after(&mut section, "repeats_after");
    let mut repetition = repetition(&mut section, repeats_after.is_some(), endless);
    let (mut batch, mut executions) = (1, 1);
    set(&mut section, "batch", &mut batch, |f| f.integer(1..=1000));
    set(&mut section, "executions", &mut executions, |f| {
        f.integer(1..=1000)
    });
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
    let mut task_only = false;
    set(&mut section, "task_only", &mut task_only, flag);
    let names = nodes.as_deref().unwrap_or_default();
    let findings = list(&mut section, "findings", |entry| finding(entry, names));
    section.finish();
    let cluster = Cluster {
        product: product?.name.to_owned(),
        id: id?.to_string(),
        name,
        versions: versions?,
        nodes: nodes?,
        listed,
        kind,
        starts_after,
        repeats_after,
        repetition,
        batch: usize::try_from(batch).ok()?,
        before: before?,
        steps: steps?,
        after: after?,
        hangs,
        fails,
        executions: u32::try_from(executions).ok()?,
        task_only,
        findings: findings?,
    };
    Some((id_field?.node.at, cluster))
}

fn after(section: &mut Section<'_>, key: &str) -> Option<Duration> {
    section
        .take(key)
        .and_then(|field| field.duration(Bounds::FROM_ZERO))
}

/// Reads how the upgrades after the first one differ from it.
fn repetition(section: &mut Section<'_>, repeats: bool, endless_versions: bool) -> Repetition {
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

/// Reads the versions: an upgrade goes from one to another, and endless ones go on from the last.
fn versions(section: &mut Section<'_>, is_upgraded: bool, endless: bool) -> Option<Vec<String>> {
    let place = section.place("versions");
    if place.is_none() {
        section.lacks("versions: add them");
    }
    let versions = list(section, "versions", text)?;
    let least = if is_upgraded { 2 } else { 1 };
    if let Some(at) = place
        && versions.len() < least
    {
        let why = if is_upgraded {
            "versions must be two or more, because this cluster is upgraded"
        } else {
            "versions must be one or more"
        };
        section.problem(at, why);
        return None;
    }
    if let (Some(at), Some(last)) = (place, versions.last())
        && endless
        && later(last, 1).is_none()
    {
        let version = quote(last);
        let why = format!(
            "nothing is known to follow {version}, and endless_versions needs it: the last version must be \
             written as 2150, 3.9.0, v1.31.1-r0 or 7.10.2_24.3.0_0827"
        );
        section.problem(at, &why);
        return None;
    }
    Some(versions)
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
