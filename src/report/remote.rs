//! Reads the documents of a running exporter: the other side of `GET /api/v1/upgrades` and of
//! `GET /api/v1/history`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, HeaderMap, LOCATION};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::CertificateDer;
use url::{Host, Url};

use super::{API_VERSION, HistoryFilter, HistoryReport, Report};
use crate::http::redaction::Content;
use crate::http::{CaFile, Login, Redaction, client, failure};
use crate::text::clean;
use watched_file::FileKind;

/// Flag whose value may be a key that was typed in the place of its path.
const KEY_FILE: &str = "--key-file";

/// For one answer, from the first byte sent to the last received.
const TIMEOUT: Duration = Duration::from_secs(30);

const CONNECT: Duration = Duration::from_secs(5);

/// Thousands of clusters fit into it.
const BODY_CAP: usize = 64 << 20;

/// Document of the exporter, and what to do where it does not come.
#[derive(Debug)]
struct Document {
    path: &'static str,
    /// Remedy when the exporter has no such document.
    when_missing: &'static str,
    /// Remedy when it was asked too often.
    when_often: &'static str,
    /// Remedy when it is longer than [`BODY_CAP`].
    when_long: &'static str,
}

const UPGRADES: Document = Document {
    path: "/api/v1/upgrades",
    when_missing: "check the port of --url, and the prefix of its routes",
    when_often: "wait, or raise --interval",
    when_long: "check --url",
};

const HISTORY: Document = Document {
    path: "/api/v1/history",
    when_missing: "check the port of --url, the prefix of its routes, and that its version has a history",
    when_often: "wait",
    when_long: "ask for less with --cluster, --product, --account or --limit",
};

/// What TLS needs besides the system's CAs.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// PEM file of the CAs and server certificates to trust instead.
    pub ca_file: Option<PathBuf>,
    /// PEM files of a client certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A running exporter.
#[derive(Debug)]
pub struct Remote {
    url: Url,
    login: Login,
    client: reqwest::Client,
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// It cannot be asked as it is given.
    #[error("{0}")]
    Usage(String),
    /// It was asked, and there is no good answer.
    #[error("{0}")]
    Answer(String),
}

impl Remote {
    /// The exporter whose page is at `url`: scheme, host, port, and the prefix of its routes. Reads the
    /// files of `trust`, blocking the calling thread for at most [`watched_file::LIMIT`].
    pub fn new(url: &str, login: Login, trust: &Trust) -> Result<Self, RemoteError> {
        let url = address(url, !matches!(login, Login::None))?;
        let deadline = Instant::now() + watched_file::LIMIT;
        let identity = match &trust.identity {
            Some((cert, key)) => Some(identity(cert, key, deadline)?),
            None => None,
        };
        let roots = match &trust.ca_file {
            Some(path) => Some(roots(path, deadline)?),
            None => None,
        };
        let tls = client::Tls {
            roots,
            identity,
            is_plain_http: url.scheme() == "http",
            ..client::Tls::default()
        };
        let client = client::build(client::builder(CONNECT), tls)
            .map_err(|error| RemoteError::Usage(error.message))?;
        Ok(Self { url, login, client })
    }

    /// Reads what the exporter knows now.
    ///
    /// # Errors
    ///
    /// Fails when a secret cannot be read, and when no good answer comes within half a minute.
    pub async fn read(&self) -> Result<Report, RemoteError> {
        self.get(&UPGRADES, "").await
    }

    /// Reads the upgrades of the exporter's history that a filter leaves, at most 1,000 where it has no limit.
    ///
    /// # Errors
    ///
    /// Fails as [`read`](Self::read).
    pub async fn read_history(&self, filter: &HistoryFilter) -> Result<HistoryReport, RemoteError> {
        self.get(&HISTORY, &filter.query()).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        document: &Document,
        query: &str,
    ) -> Result<T, RemoteError> {
        let deadline = Instant::now() + TIMEOUT;
        let request = self.client.get(self.address_of(document, query));
        let request = request.header(ACCEPT, "application/json");
        let request = self.login.add_to(request, deadline).await;
        let (request, redaction) =
            request.map_err(|error| RemoteError::Usage(error.to_string()))?;
        let answered = tokio::time::timeout_at(deadline, request.send()).await;
        let mut answer = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(broken)) => return Err(self.no_answer(&broken, &redaction)),
            Err(_) => return Err(self.says("does not answer in time; check that it runs")),
        };
        let status = answer.status().as_u16();
        if !answer.status().is_success() {
            redaction.headers(answer.headers_mut(), Content::of(status));
            let location = answer.headers().get(LOCATION);
            let location = location.and_then(|l| l.to_str().ok()).map(clean);
            return Err(self.refusal(document, status, location.as_deref()));
        }
        let body = self.body(document, answer, deadline, &redaction).await?;
        let answer = redaction.answer(HeaderMap::new(), body, Content::Data);
        self.parse(document, &answer.await.1)
    }

    /// Builds the address of a document; the prefix of the routes stays before it.
    fn address_of(&self, document: &Document, query: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(document.path.split('/').skip(1));
        }
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        url
    }

    async fn body(
        &self,
        document: &Document,
        mut answer: reqwest::Response,
        deadline: Instant,
        redaction: &Redaction,
    ) -> Result<Bytes, RemoteError> {
        let mut body = Vec::new();
        loop {
            match tokio::time::timeout_at(deadline, answer.chunk()).await {
                Ok(Ok(Some(chunk))) if body.len() + chunk.len() <= BODY_CAP => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Ok(Some(_))) => {
                    let remedy = document.when_long;
                    return Err(self.says(&format!("sends more than 64 MiB; {remedy}")));
                }
                Ok(Ok(None)) => return Ok(body.into()),
                Ok(Err(broken)) => return Err(self.no_answer(&broken, redaction)),
                Err(_) => return Err(self.says("does not send its whole answer in time")),
            }
        }
    }

    fn parse<T: DeserializeOwned>(
        &self,
        document: &Document,
        body: &[u8],
    ) -> Result<T, RemoteError> {
        #[derive(Deserialize)]
        struct Version {
            api_version: String,
        }
        let Ok(version) = serde_json::from_slice::<Version>(body) else {
            return Err(self.says(&format!(
                "is no rolling-upgrade-exporter: its answer is not the document of {}; check --url",
                document.path
            )));
        };
        if version.api_version != API_VERSION {
            return Err(self.says(&format!(
                "sends version {} of the document, and this program reads {API_VERSION}: use one of the exporter's version",
                clean(&version.api_version)
            )));
        }
        serde_json::from_slice(body).map_err(|error| {
            let error = clean(&error.to_string());
            self.says(&format!("sends a document that cannot be read: {error}"))
        })
    }

    fn refusal(&self, document: &Document, status: u16, location: Option<&str>) -> RemoteError {
        let asked = matches!(self.login, Login::None);
        let what = match status {
            401 if asked => "asks for a login (HTTP 401): give --username with --password-file, or --bearer-token-file".to_owned(),
            401 => "does not take this login (HTTP 401): check user and password".to_owned(),
            403 => "refuses (HTTP 403): check the login, and what stands before the exporter".to_owned(),
            404 => format!("has no {} (HTTP 404): {}", document.path, document.when_missing),
            429 => format!("was asked too often (HTTP 429): {}", document.when_often),
            300..=399 => format!(
                "sends us elsewhere (HTTP {status}), which is not followed: give --url {}",
                location.unwrap_or("the right address")
            ),
            status => format!("answers with HTTP {status}; check --url, http against https, and its log"),
        };
        self.says(&what)
    }

    fn no_answer(&self, broken: &reqwest::Error, redaction: &Redaction) -> RemoteError {
        let cause = failure::cause(broken, redaction);
        let what = if broken.is_timeout() {
            "does not answer in time; check that it runs, and the route".to_owned()
        } else if broken.is_connect() && failure::is_tls(broken) {
            format!(
                "cannot be trusted: {cause}; name its CA in --ca-file, or check https against http in --url"
            )
        } else if broken.is_connect() {
            format!("cannot be reached: {cause}; check that it runs, and --url")
        } else {
            format!("broke the connection: {cause}; check --url, and http against https")
        };
        self.says(&what)
    }

    fn says(&self, what: &str) -> RemoteError {
        let port = self.url.port_or_known_default().unwrap_or_default();
        let host = self.url.host_str().unwrap_or_default();
        RemoteError::Answer(format!("the exporter at {host}:{port} {what}"))
    }
}

/// Parses the address of the exporter's page.
fn address(text: &str, has_login: bool) -> Result<Url, RemoteError> {
    let wrong = |why: &str| {
        RemoteError::Usage(format!(
            "--url {why}: write http://127.0.0.1:10850 or the like"
        ))
    };
    // The text is not shown: it may hold a password.
    let url = Url::parse(text).map_err(|_| wrong("is no address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("must begin with http:// or https:// and a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RemoteError::Usage(
            "--url holds a user or password, which others on this machine could read: use --username with --password-file".to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must have no ? and no #"));
    }
    let is_here = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if has_login && url.scheme() == "http" && !is_here {
        return Err(RemoteError::Usage(
            "--url is plain http, over which the login could be read: use https".to_owned(),
        ));
    }
    Ok(url)
}

/// Reads the CAs of `--ca-file`.
fn roots(path: &Path, deadline: Instant) -> Result<Vec<CertificateDer<'static>>, RemoteError> {
    let read = CaFile::read_blocking(path, deadline);
    let file = read.map_err(|why| {
        let why = why.named_by("--ca-file");
        RemoteError::Usage(format!("cannot use --ca-file {}: {why}", path.display()))
    })?;
    Ok(file.certificates())
}

/// Reads the file of this flag. The path for a key is not quoted: it may be the key itself.
fn pem(flag: &str, path: &Path, deadline: Instant) -> Result<Vec<u8>, RemoteError> {
    let read = watched_file::read_blocking(path, FileKind::PEM, deadline);
    let read = read.map_err(|error| {
        let file = match flag {
            KEY_FILE => format!("the file of {KEY_FILE}"),
            flag => format!("{flag} {}", path.display()),
        };
        RemoteError::Usage(format!("cannot read {file}: {}", error.named_by(flag)))
    });
    Ok(read?.bytes)
}

fn identity(cert: &Path, key: &Path, deadline: Instant) -> Result<client::Identity, RemoteError> {
    let mut both = pem("--cert-file", cert, deadline)?;
    both.push(b'\n');
    both.extend(pem(KEY_FILE, key, deadline)?);
    client::Identity::from_pem(&both).ok_or_else(|| {
        RemoteError::Usage(format!(
            "{} and {} are no PEM certificate and key that can be used",
            cert.display(),
            key.display()
        ))
    })
}

#[cfg(test)]
mod tests;
