//! The HTTP server.
//!
//! - `GET /`: the page for people
//! - `GET /api/v1/upgrades`: what the page shows, as JSON
//! - `GET /metrics` (or `--web.telemetry-path`): the metrics; never waits for a cloud
//! - `GET /-/healthy`: 200 while the process serves at all
//! - `GET /-/ready`: 200 once the first poll round of every account ended, else 503
//! - `POST` or `PUT /-/reload`: reads the config anew; 403 unless that is allowed, and for a page of
//!   another site
//!
//! All of them below `--web.route-prefix`, if there is one; the root then leads to the page.
//! `HEAD` works wherever `GET` does; any other method is 405, any other path 404.

pub mod access;
mod admission;
mod api;
mod aside;
mod auth;
mod body;
mod client_network;
pub mod config;
mod connection;
mod cross_site;
pub mod descriptors;
mod gate;
mod guard;
mod host;
pub mod listen;
mod packed;
mod page;
pub mod prefix;
pub mod proxy;
pub mod ready;
pub mod reload;
mod route;
pub mod server;
mod tls;

use std::sync::Arc;

use crate::clock::Clock;
use crate::expose::Exposition;
use crate::store::Store;
use crate::telemetry::Metrics;
use access::Access;
use prefix::{ExternalUrl, RoutePrefix};
use proxy::TrustedProxies;
use ready::Ready;
use reload::Reload;

pub use server::{Limits, serve};

/// What the answers are made from.
#[derive(Debug)]
pub struct App {
    /// What is known of the clusters.
    pub store: Arc<Store>,
    /// The metrics, ready to be sent.
    pub exposition: Arc<Exposition>,
    /// Whether the first poll round is over.
    pub ready: Ready,
    /// How the config is read anew.
    pub reload: Reload,
    /// Who may come in, and how.
    pub access: Arc<Access>,
    /// Reverse proxies that tell the addresses of their clients.
    pub trusted_proxies: TrustedProxies,
    /// Counters of the server.
    pub metrics: Arc<Metrics>,
    /// What stands before each path.
    pub prefix: RoutePrefix,
    /// Address under which people reach the page; `None` when it is not known.
    pub external_url: Option<ExternalUrl>,
    /// The path of the metrics below it, for instance `/metrics`.
    pub telemetry_path: String,
    /// The wall clock.
    pub clock: Clock,
}
