//! The section `alerting`: which Alertmanagers the exporter posts alerts to itself, and how.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use secrecy::ExposeSecret;
use spanned_yaml::{At, Bounds, Field, Key, Problems, Section, Value, shown_key};
use url::Url;

use super::{Alerting, Alertmanager, Login};
use crate::fields::{Context, address, ca_file, secret};
use crate::secret::Secret;
use crate::text::quote;

/// Each alert carries all of them.
const MOST_LABELS: usize = 64;
/// Every alert has these already, and what an alert has is never replaced.
const TAKEN: [&str; 2] = ["alertname", "severity"];
/// Bounds of the interval between two posts of an alert. An alert that is not renewed lapses after four
/// times as long, which should not exceed an hour.
const RESEND_BOUNDS: Bounds = Bounds {
    min: Duration::from_secs(1),
    max: Duration::from_secs(900),
};
/// Default of that interval, which is Prometheus's.
const RESEND: Duration = Duration::from_secs(60);

/// Reads the section.
pub(super) fn read(field: &Field<'_>, context: &Context<'_>) -> Option<Alerting> {
    let mut section = field.section();
    let external_labels = match section.take("external_labels") {
        Some(field) => external_labels(&field),
        None => Some(BTreeMap::new()),
    };
    let resend_interval = match section.take("resend_interval") {
        Some(field) => field.duration(RESEND_BOUNDS),
        None => Some(RESEND),
    };
    let explicit_resolve = match section.take("explicit_resolve") {
        Some(field) => field.bool(),
        None => Some(false),
    };
    let alertmanagers = if let Some(field) = section.take("alertmanagers") {
        alertmanagers(&field, context)
    } else {
        section.lacks("somebody to send alerts to: add alertmanagers, a list with the url of each");
        None
    };
    section.finish();
    Some(Alerting {
        external_labels: external_labels?,
        resend_interval: resend_interval?,
        explicit_resolve: explicit_resolve?,
        alertmanagers: alertmanagers?,
    })
}

fn external_labels(field: &Field<'_>) -> Option<BTreeMap<String, String>> {
    let entries = match &field.node.value {
        Value::Map(entries) => entries.as_slice(),
        _ if field.node.is_null() => &[],
        _ => {
            let (name, kind) = (&field.name, field.node.kind());
            field.wrong(format!(
                "{name} must be a mapping (name: value), not {kind}"
            ));
            return None;
        }
    };
    if entries.len() > MOST_LABELS {
        field.problems.add(
            field.at,
            format!("{} may hold at most {MOST_LABELS} labels", field.name),
        );
        return None;
    }
    let labels: Vec<Option<(String, String)>> = entries
        .iter()
        .map(|(key, node)| {
            let name = label_name(key, field.problems);
            let label = Field {
                name: name.map_or("this label".to_owned(), |name| format!("the label {name}")),
                at: key.at,
                node,
                problems: field.problems,
            };
            let value = label_value(&label);
            Some((name?.to_owned(), value?.to_owned()))
        })
        .collect();
    labels.into_iter().collect()
}

fn label_name<'a>(key: &'a Key, problems: &Problems) -> Option<&'a str> {
    let name = key.text.as_str();
    let may_begin = |c: char| c.is_ascii_alphabetic() || c == '_';
    let may_follow = |c: char| may_begin(c) || c.is_ascii_digit();
    let why = if TAKEN.contains(&name) {
        "is a label that every alert has already, so this would not be used: rename it"
    } else if name.starts_with(may_begin) && name.chars().all(may_follow) {
        return Some(name);
    } else {
        "is no name of a label: use letters, digits and '_', and no digit at its start"
    };
    problems.add(key.at, format!("{} {why}", shown_key(name)));
    None
}

/// Any scalar, as it is written.
fn label_value<'a>(label: &Field<'a>) -> Option<&'a str> {
    let text = label.text()?;
    // Prometheus puts the environment in here, and its alert would not be the same as ours.
    let is_variable =
        |rest: &str| rest.starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphabetic());
    if text.split('$').skip(1).any(is_variable) {
        label.wrong(format!(
            "{} holds a variable ($), and these are not replaced here: write its value",
            label.name
        ));
        return None;
    }
    Some(text)
}

fn alertmanagers(field: &Field<'_>, context: &Context<'_>) -> Option<Vec<Alertmanager>> {
    let entries = field.items()?;
    if entries.is_empty() {
        field.wrong(
            "alertmanagers is empty, so that no alert is sent: add one with its url, or remove alerting",
        );
        return None;
    }
    let mut seen = HashMap::new();
    let found: Vec<Option<Alertmanager>> = entries
        .iter()
        .map(|entry| one(entry, context, &mut seen))
        .collect();
    found.into_iter().collect()
}

fn one(
    entry: &Field<'_>,
    context: &Context<'_>,
    seen: &mut HashMap<String, At>,
) -> Option<Alertmanager> {
    let mut section = Section::new(entry.node, "an Alertmanager", entry.at, entry.problems);
    let url_field = section.need("url");
    let url = url_field.as_ref().and_then(address::alertmanager);
    let auth = auth(&mut section, context);
    let ca_field = section.take("ca_file");
    let ca_file = match &ca_field {
        Some(field) if context.is_alone => field.text().map(|_| None),
        Some(field) => ca_file::read(field, context).map(|file| Some(file.path().to_owned())),
        None => Some(None),
    };
    if let (Some(url), Some(field)) = (&url, &url_field) {
        if url.scheme() == "http" {
            if auth.is_given {
                field.wrong(
                    "url must begin with https://: this Alertmanager gets a credential, which plain http would show",
                );
            }
            if let Some(ca_file) = &ca_field {
                let message = "ca_file is for https://, and this url is http://: remove it";
                entry.problems.add(ca_file.at, message);
            }
        }
        once(url, field, seen);
    }
    section.finish();
    Some(Alertmanager {
        url: url?,
        auth: auth.found?,
        ca_file: ca_file?,
    })
}

/// Tells an Alertmanager that stands in the list already: it would get each alert twice, and its
/// counters would be mixed.
fn once(url: &Url, field: &Field<'_>, seen: &mut HashMap<String, At>) {
    let label = Alertmanager::label_of(url);
    if let Some(first) = seen.get(label) {
        let shown = quote(label);
        field.wrong(format!(
            "{shown} is listed a second time: it is at {first} already, keep one"
        ));
    } else {
        seen.insert(label.to_owned(), field.node.at);
    }
}

/// What an Alertmanager wants to know of us.
struct Auth {
    /// Whether any key of it is written, right or wrong.
    is_given: bool,
    found: Option<Login>,
}

fn auth(section: &mut Section<'_>, context: &Context<'_>) -> Auth {
    let basic = section.take("basic_auth");
    let bearer_at = secret::place(section, "bearer_token");
    if let (Some(basic), Some(bearer)) = (&basic, bearer_at) {
        section.problem(
            basic.at.max(bearer),
            "basic_auth and bearer_token are both given: keep one way to authenticate",
        );
    }
    let is_given = basic.is_some() || bearer_at.is_some();
    let bearer = secret::take(section, "bearer_token", context)
        .filter(|token| fits_header(section, token, bearer_at, &TOKEN));
    let found = match basic {
        Some(field) => user_and_password(&field, context),
        None if is_given => bearer.map(Login::Bearer),
        None => Some(Login::None),
    };
    Auth { is_given, found }
}

/// The section `basic_auth`.
fn user_and_password(field: &Field<'_>, context: &Context<'_>) -> Option<Login> {
    let mut section = field.section();
    let username = section.need("username").and_then(|field| {
        // RFC 7617: the first colon ends the user.
        let text = field.text()?;
        if text.contains(':') {
            field.wrong("username must not hold a colon: basic authentication ends it there");
            return None;
        }
        Some(text)
    });
    let at = secret::place(&section, "password");
    let password = secret::need(&mut section, "password", context)
        .filter(|password| fits_header(&section, password, at, &PASSWORD));
    section.finish();
    Some(Login::Basic {
        username: username?.to_owned(),
        password: password?,
    })
}

/// What a header asks of a secret: the rule, and what is said of a secret that breaks it.
type HeaderRule = (fn(char) -> bool, &'static str);

const PASSWORD: HeaderRule = (
    |c| !c.is_control(),
    "the password must be one line without control characters: basic authentication forbids them",
);
const TOKEN: HeaderRule = (
    |c| c.is_ascii_graphic(),
    "the bearer token must be one word of ASCII characters: the word Bearer before it is added",
);

/// Whether a secret can be sent in a header. A file may change later: who sends it checks again.
fn fits_header(
    section: &Section<'_>,
    secret: &Secret,
    at: Option<At>,
    (is_good, why): &HeaderRule,
) -> bool {
    let fits = secret
        .get()
        .is_ok_and(|value| value.expose_secret().chars().all(is_good));
    if let (false, Some(at)) = (fits, at) {
        section.problem(at, why);
    }
    fits
}
