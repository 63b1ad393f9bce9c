//! One list of clusters from each product of each account, and what it tells of the setup.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::SignedDuration;

use crate::clock::Clock;
use crate::cloud::transport::{RequestMetrics, Transport};
use crate::cloud::{Discovery, Product};
use crate::config::{Account, Config, ProductConfig, Selection};
use crate::http::{ApiError, Cause};
use crate::poll::select;

/// A clock that is further off is told even where the vendor took the call.
const SKEW_TOLD: SignedDuration = SignedDuration::from_secs(60);

/// What was learnt of an account.
#[derive(Debug)]
pub struct Checked {
    /// Its name.
    pub account: Arc<str>,
    /// Zone and region.
    pub place: String,
    /// This machine's clock minus the vendor's, if any answer told the time.
    pub skew: Option<SignedDuration>,
    /// Its products, in the order of the config.
    pub products: Vec<Row>,
}

/// What was learnt of one product.
#[derive(Debug)]
pub struct Row {
    /// The product.
    pub product: &'static dyn Product,
    /// What its list says, or why there is none.
    pub outcome: Result<Found, ApiError>,
}

/// What a list says about the clusters of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How many of them the exporter would watch.
    pub watched: usize,
    /// How many exist in all that may be read.
    pub listed: usize,
    /// How many exist that may not be read.
    pub inaccessible: u64,
    /// Ids that the config lists and the cloud does not.
    pub missing: Vec<Arc<str>>,
}

/// Asks every product of every account once. Accounts are asked at the same time; the products of
/// one in turn, and no more of them that sign with credentials that were just refused: some
/// vendors lock a key after a few bad signatures.
pub async fn run(config: &Config, clock: &Clock) -> Vec<Checked> {
    join_all(config.accounts.iter().map(|a| account(a, clock))).await
}

async fn account(account: &Account, clock: &Clock) -> Checked {
    let transport = Transport::new(
        &account.connection(),
        RequestMetrics::default(),
        clock.clone(),
    );
    let transport = transport.map(|transport| Arc::new(transport.once()));
    let mut products = Vec::with_capacity(account.products.len());
    for config in &account.products {
        let outcome = match &transport {
            Ok(transport) => ask(account, config, transport).await,
            Err(error) => Err(error.clone()),
        };
        products.push(Row {
            product: config.product,
            outcome,
        });
    }
    Checked {
        account: account.name.clone(),
        place: account.cloud.location(),
        skew: transport
            .ok()
            .and_then(|transport| transport.clock().last_skew()),
        products,
    }
}

async fn ask(
    account: &Account,
    config: &ProductConfig,
    transport: &Arc<Transport>,
) -> Result<Found, ApiError> {
    let provider = account.open(config, transport)?;
    Ok(found(config, &provider.discover().await?))
}

fn found(config: &ProductConfig, discovery: &Discovery) -> Found {
    let ids: HashSet<&str> = discovery.clusters.iter().map(|c| &*c.id).collect();
    let is_there = |id: &str| ids.contains(id);
    let (watched, missing) = match &config.clusters {
        Selection::All => (
            select::bounded(select::selected(config, discovery), &BTreeSet::new())
                .clusters
                .len(),
            Vec::new(),
        ),
        Selection::Listed(listed) => {
            let ids = listed.iter().map(|cluster| cluster.id.clone());
            let (there, missing): (Vec<_>, Vec<_>) = ids.partition(|id| is_there(id));
            (there.len(), missing)
        }
    };
    Found {
        watched,
        listed: discovery.clusters.len(),
        inaccessible: discovery.inaccessible,
        missing,
    }
}

impl Row {
    /// What fails, in a word or two; none when all is well.
    pub fn fails(&self) -> Option<&'static str> {
        match &self.outcome {
            Err(error) => Some(error.cause.as_str()),
            Ok(found) if !found.missing.is_empty() => Some("cluster"),
            Ok(_) => None,
        }
    }

    /// What to know and what to do, in whole sentences; each is an error or a warning.
    pub fn notes(&self) -> Vec<Note> {
        match &self.outcome {
            Err(error) => vec![Note::error(self.failure(error))],
            Ok(found) => self.remarks(found),
        }
    }

    fn failure(&self, error: &ApiError) -> String {
        let mut text = sentence(&error.message);
        if error.cause == Cause::Permission {
            text = format!("{text} It needs {}.", self.product.info().permission);
        }
        let facts = [
            (!error.call.is_empty()).then(|| error.call.to_owned()),
            error.status.map(|status| format!("HTTP {status}")),
            error.code.as_ref().map(|code| format!("code {code}")),
            error.request_id.as_ref().map(|id| format!("request {id}")),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if facts.is_empty() {
            return text;
        }
        format!("{text} ({})", facts.join(", "))
    }

    fn remarks(&self, found: &Found) -> Vec<Note> {
        let mut notes = Vec::new();
        if !found.missing.is_empty() {
            let ids = found.missing.join(", ");
            let denied = if found.inaccessible > 0 {
                ", unless it is one of those that may not be read"
            } else {
                ""
            };
            notes.push(Note::error(format!(
                "The list of clusters lacks {ids}; check the id, and whether region and account are its own{denied}."
            )));
        }
        if found.inaccessible > 0 {
            notes.push(Note::warning(format!(
                "{} more of its clusters may not be read, and are not watched. That needs {}.",
                found.inaccessible,
                self.product.info().permission
            )));
        }
        if found.watched == 0 && found.missing.is_empty() {
            let why = match (found.listed, found.inaccessible) {
                (0, 0) => "the list is empty; check region and account, if there should be some",
                (0, _) => "none of them may be read",
                _ => "include and exclude leave none",
            };
            notes.push(Note::warning(format!("No cluster is watched: {why}.")));
        }
        notes
    }
}

impl Checked {
    /// A warning when the clock is off, even if not by so much that calls are refused.
    pub fn clock_note(&self) -> Option<Note> {
        let skew = self.skew.filter(|skew| skew.abs() > SKEW_TOLD)?;
        let is_refused = |row: &Row| matches!(&row.outcome, Err(e) if e.cause == Cause::Clock);
        if self.products.iter().any(is_refused) {
            return None;
        }
        Some(Note::warning(format!(
            "The clock of this machine is {} {} the vendor's; set it, for instance by NTP, before calls are refused.",
            crate::text::length(skew.abs().as_secs_f64()),
            if skew.is_negative() {
                "behind"
            } else {
                "ahead of"
            }
        )))
    }
}

/// A sentence about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether it explains a failure.
    pub is_error: bool,
    /// The sentence.
    pub text: String,
}

impl Note {
    fn error(text: String) -> Self {
        Self {
            is_error: true,
            text,
        }
    }

    fn warning(text: String) -> Self {
        Self {
            is_error: false,
            text,
        }
    }
}

/// An error's message, which begins in lower case and ends without a full stop, as a sentence.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    let rest = chars.as_str();
    let end = if message.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{rest}{end}", first.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{self, Discovered};
    use crate::clouds::CLOUDS;
    use crate::model::Reason;

    fn row(product: &str, outcome: Result<Found, ApiError>) -> Row {
        Row {
            product: cloud::product(CLOUDS, product).unwrap(),
            outcome,
        }
    }

    fn of(products: &str, there: &[&str], inaccessible: u64) -> Row {
        let text = format!(
            "accounts: [{{name: a, ncloud: {{access_key: x, secret_key: x, ses: {products}}}}}]"
        );
        let config =
            crate::config::parse(CLOUDS, &text, std::path::Path::new(""), &|_| None).unwrap();
        let clusters = there.iter().map(|id| Discovered {
            id: (*id).to_owned(),
            name: format!("name-{id}"),
        });
        let discovery = Discovery {
            clusters: clusters.collect(),
            inaccessible,
        };
        row(
            "ses",
            Ok(found(&config.accounts[0].products[0], &discovery)),
        )
    }

    fn texts(row: &Row) -> String {
        let notes = row.notes();
        let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
        texts.join("\n")
    }

    #[test]
    fn a_good_list_has_nothing_to_say() {
        let row = of("{}", &["1", "2"], 0);
        assert_eq!((row.fails(), texts(&row).as_str()), (None, ""));
        let row = of("{clusters: [1]}", &["1", "2"], 0);
        assert_eq!((row.fails(), texts(&row).as_str()), (None, ""));
    }

    #[test]
    fn clusters_that_the_config_names_and_the_cloud_does_not_fail() {
        let row = of("{clusters: [1, 7, 8]}", &["1"], 0);
        assert_eq!(row.fails(), Some("cluster"));
        assert!(texts(&row).contains("lacks 7, 8;"), "{}", texts(&row));
        assert!(row.notes()[0].is_error);
    }

    #[test]
    fn what_is_not_watched_is_told_and_does_not_fail() {
        for (config, there, inaccessible, part) in [
            (
                "{}",
                &["1"][..],
                2,
                "2 more of its clusters may not be read",
            ),
            ("{}", &[], 0, "the list is empty"),
            ("{}", &[], 1, "none of them may be read"),
            ("{exclude: ['name-*']}", &["1"], 0, "include and exclude"),
        ] {
            let row = of(config, there, inaccessible);
            assert_eq!(row.fails(), None);
            assert!(texts(&row).contains(part), "{}", texts(&row));
            assert!(row.notes().iter().all(|note| !note.is_error));
        }
    }

    #[test]
    fn a_missing_permission_is_named_for_each_product() {
        for product in cloud::products(CLOUDS) {
            let mut error = ApiError::new(Reason::Permission, "it is denied")
                .of("List")
                .with_code("210");
            error.status = Some(401);
            let row = row(product.info().name, Err(error));
            assert_eq!(row.fails(), Some("permission"));
            assert_eq!(
                texts(&row),
                format!(
                    "It is denied. It needs {}. (List, HTTP 401, code 210)",
                    product.info().permission
                )
            );
        }
    }

    #[test]
    fn the_docs_tell_how_to_get_each_permission() {
        let docs = include_str!("../../docs/credentials.md");
        let (_, steps) = docs.split_once("\n## Permissions\n").unwrap();
        let (steps, _) = steps.split_once("\n## The calls\n").unwrap();
        for product in cloud::products(CLOUDS) {
            let words = product.info().permission.split([' ', ',']);
            let is_name = |word: &&str| word.contains([':', '_']);
            let names: Vec<&str> = words.filter(is_name).collect();
            assert!(!names.is_empty(), "{}", product.info().name);
            for name in names {
                assert!(steps.contains(name), "{name} of {}", product.info().name);
            }
        }
    }

    #[test]
    fn a_clock_that_is_off_is_told_once() {
        let checked = |skew, cause| Checked {
            account: "a".into(),
            place: String::new(),
            skew: Some(SignedDuration::from_secs(skew)),
            products: vec![row(
                "ses",
                Err(ApiError::new(Reason::Auth, "x").because(cause)),
            )],
        };
        let told = |skew, cause| checked(skew, cause).clock_note().map(|note| note.text);
        let note = told(-75, Cause::Credentials).unwrap();
        assert!(note.contains("is 1m15s behind"), "{note}");
        assert!(told(61, Cause::Credentials).unwrap().contains("ahead of"));
        assert_eq!(told(60, Cause::Credentials), None);
        assert_eq!(told(400, Cause::Clock), None, "the row says it");
    }
}
