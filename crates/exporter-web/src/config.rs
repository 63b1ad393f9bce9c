//! The file of `--web.config.file`, which every Prometheus exporter reads: TLS, logins, headers and
//! a limit of requests. [`load`] gives either all of it or every problem with its place.

mod bucket;
mod headers;
mod names;
mod tls;
mod users;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tokio_rustls::rustls::ServerConfig;

use spanned_yaml::{At, ConfigError, Field, Problem, Problems, Section, Value};
use watched_file::{FileKind, Reader};

pub use bucket::RateLimit;
pub(super) use users::PasswordHash;
pub use users::Users;

/// Settings of a web config file.
#[derive(Clone)]
pub struct WebConfig {
    /// TLS settings; `None` for plain HTTP.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Headers of every answer that has not set them itself.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Users that may log in; without any no login is needed.
    pub(super) users: Users,
    /// Limit of requests; `None` without one.
    pub(super) rate_limit: Option<RateLimit>,
    /// Remarks on settings that are legal and likely wrong.
    pub(super) hints: Vec<String>,
    /// True for a file that may have been cut off: it holds nothing at all, or nothing after
    /// `basic_auth_users:`, so that no login is needed.
    pub(super) may_be_cut: bool,
}

/// Reads the file, and the files that it names. Blocks the calling thread for at most
/// [`watched_file::LIMIT`].
pub fn load(path: &Path) -> Result<WebConfig, ConfigError> {
    read(path, &Reader::until(Instant::now() + watched_file::LIMIT))
}

/// Reads the file like [`load`], through a reader that notes all files.
pub(super) fn read(path: &Path, files: &Reader) -> Result<WebConfig, ConfigError> {
    let read = files.read(path, FileKind::CONFIG);
    spanned_yaml::parse_file(path, "--web.config.file", read, |bytes| {
        let text = str::from_utf8(&bytes).map_err(|_| {
            let message = "this file is not UTF-8: save it in that encoding";
            vec![Problem::new(At::START, message)]
        })?;
        parse(text, path.parent().unwrap_or(Path::new("")), files)
    })
}

/// Reads the text. Relative paths are relative to `folder`.
fn parse(text: &str, folder: &Path, files: &Reader) -> Result<WebConfig, Vec<Problem>> {
    let problems = Problems::default();
    let root = if is_empty(text) {
        // Every key has a default: plain HTTP without logins.
        Some(spanned_yaml::Node {
            at: At::START,
            value: Value::Map(Vec::new()),
        })
    } else {
        spanned_yaml::parse(text, &problems)
    };
    let config = root.and_then(|root| {
        let mut section = Section::new(&root, "the file", At::START, &problems);
        let http = headers::read(section.take("http_server_config").as_ref());
        let context = tls::Context {
            folder,
            files,
            http2: http.as_ref().is_none_or(|http| http.http2),
        };
        let tls = section.take("tls_server_config");
        let tls = match tls.filter(|field| !field.section().is_blank()) {
            Some(field) => tls::read(&field, &context).map(Some),
            None => Some(None),
        };
        let users_field = section.take("basic_auth_users");
        let may_be_cut = match &users_field {
            Some(field) => field.node.is_null(),
            None => is_blank(text),
        };
        let users = match users_field {
            Some(field) => users::read(&field),
            None => Some(Users::default()),
        };
        let rate_limit = match section.take("rate_limit") {
            Some(field) => bucket::read(&field).map(Some),
            None => Some(None),
        };
        section.finish();
        let (tls, hints) = match tls? {
            Some(tls) => (Some(tls.config), tls.hints),
            None => (None, Vec::new()),
        };
        Some(WebConfig {
            tls,
            headers: http?.headers,
            users: users?,
            rate_limit: rate_limit?.filter(|limit| !limit.interval.is_zero()),
            hints,
            may_be_cut,
        })
    });
    problems.settle(config)
}

/// Reports a text of nothing but comments and, perhaps, `{}`.
fn is_empty(text: &str) -> bool {
    holds_only(text, &["---", "...", "{}"])
}

/// Reports a text of nothing but comments.
fn is_blank(text: &str) -> bool {
    holds_only(text, &["---", "..."])
}

fn holds_only(text: &str, words: &[&str]) -> bool {
    text.trim_start_matches('\u{feff}').lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || words.contains(&line)
    })
}

/// Takes a key; a blank value is as good as none, as in the exporters' own reader.
fn given<'a>(section: &mut Section<'a>, key: &str) -> Option<Field<'a>> {
    section.take(key).filter(|field| match &field.node.value {
        Value::Scalar { text, .. } => !field.node.is_null() && !text.trim().is_empty(),
        _ => true,
    })
}

impl WebConfig {
    /// Builds the settings without a file: plain HTTP without logins.
    pub(super) fn open() -> Self {
        Self {
            tls: None,
            headers: Vec::new(),
            users: Users::default(),
            rate_limit: None,
            hints: Vec::new(),
            may_be_cut: false,
        }
    }

    /// Returns a summary, for instance `TLS, 2 users`.
    pub fn summary(&self) -> String {
        let mut words = vec![
            if self.tls.is_some() {
                "TLS"
            } else {
                "plain HTTP"
            }
            .to_owned(),
        ];
        match self.users.len() {
            0 => {}
            1 => words.push("1 user".to_owned()),
            number => words.push(format!("{number} users")),
        }
        if self.rate_limit.is_some() {
            words.push("a rate limit".to_owned());
        }
        words.join(", ")
    }
}

impl fmt::Debug for WebConfig {
    /// In words: what it holds is secret, or long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebConfig({})", self.summary())
    }
}

#[cfg(test)]
mod tests;
