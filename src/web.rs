//! The HTTP server.
//!
//! - `GET /`: the page for people
//! - `GET /history`: the page of upgrades that ended
//! - `GET /api/v1/upgrades`: what the page shows, as JSON
//! - `GET /api/v1/history`: upgrades that ended, as JSON
//! - `GET /metrics` (or `--web.telemetry-path`): the metrics; never waits for a cloud
//! - `GET /-/healthy`: 200 while the process serves at all
//! - `GET /-/ready`: 200 once the first poll round of every account ended, else 503
//! - `POST` or `PUT /-/reload`: reads the config anew; 403 unless that is allowed, and for a page of
//!   another site
//!
//! All of them below `--web.route-prefix`, if there is one; the root then leads to the page.
//! `HEAD` works wherever `GET` does; any other method is 405, any other path 404.

mod api;
mod page;
mod route;

use std::sync::Arc;

use exporter_web::{ExternalUrl, Reload, RoutePrefix};

use crate::clock::Clock;
use crate::cloud::Clouds;
use crate::expose::Exposition;
use crate::ready::Ready;
use crate::store::Store;

/// What the answers are made from.
#[derive(Debug)]
pub struct App {
    /// The clouds that there are.
    pub clouds: Clouds,
    /// What is known of the clusters.
    pub store: Arc<Store>,
    /// The metrics, ready to be sent.
    pub exposition: Arc<Exposition>,
    /// Whether the first poll round is over.
    pub ready: Ready,
    /// How the config is read anew.
    pub reload: Reload,
    /// What stands before each path.
    pub prefix: RoutePrefix,
    /// Address under which people reach the page; `None` when it is not known.
    pub external_url: Option<ExternalUrl>,
    /// The path of the metrics below it, for instance `/metrics`.
    pub telemetry_path: String,
    /// The wall clock.
    pub clock: Clock,
}
