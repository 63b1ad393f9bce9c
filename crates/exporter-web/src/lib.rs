//! The web server of a Prometheus exporter.
//!
//! An exporter gives a [`Handler`], and [`serve`] does the rest: TLS, logins, headers and a rate limit
//! by the file of `--web.config.file`, which is read again when it changes; addresses and sockets of
//! systemd; limits for slow and greedy clients; a graceful end.
//!
//! Errors and log lines name the flags `--web.config.file`, `--web.systemd-socket`,
//! `--web.listen-address`, `--web.max-connections`, `--web.trusted-proxies`, `--web.external-url` and
//! `--web.enable-lifecycle`: an exporter offers those that it uses under these names. Log lines go to
//! [`tracing`], whose subscriber the exporter installs.
//!
//! ```no_run
#![doc = include_str!("../examples/hello.rs")]
//! ```

mod access;
mod admission;
mod answer;
mod auth;
mod body;
mod client_network;
pub mod config;
mod connection;
mod cross_site;
mod descriptors;
mod host;
pub mod listen;
mod log_limit;
mod maybe_gzip;
mod metrics;
mod middleware;
mod prefix;
mod proxy;
mod reload;
mod run_blocking;
mod server;
mod slow_client;
mod tls;

pub use access::Access;
pub use answer::{Answer, AnswerBody, respond, text};
pub use descriptors::connections;
pub use maybe_gzip::maybe_gzip;
pub use metrics::Metrics;
pub use prefix::{ExternalUrl, Place, RoutePrefix};
pub use proxy::{ProxyNetwork, TrustedProxies};
pub use reload::{InWork, Outcome, Reload, ReloadQueue, ReloadRequest, ReloadSender};
pub use run_blocking::run_blocking;
pub use server::{Handler, Limits, Settings, serve};
