//! Placeholder.

use std::sync::Arc;

use bytes::Bytes;

use crate::clock::Clock;
use crate::store::Store;
use crate::telemetry::Metrics;

/// An answer to a scrape.
#[derive(Debug, Clone)]
pub struct Scrape {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Whether the body is gzip.
    pub gzip: bool,
    /// The body.
    pub body: Bytes,
}

/// Keeps the exposition ready.
#[derive(Debug)]
pub struct Exposition;

impl Exposition {
    /// With nothing known yet.
    pub fn new(metrics: Arc<Metrics>, clock: Clock) -> Self {
        drop((metrics, clock));
        Self
    }

    /// Renders whatever changes in the store, for as long as the program runs.
    pub async fn run(self: Arc<Self>, store: Arc<Store>) {
        drop(store);
        std::future::pending::<()>().await;
    }

    /// Answers a scrape with these `Accept` and `Accept-Encoding` headers.
    pub fn scrape(&self, accept: Option<&str>, accept_encoding: Option<&str>) -> Scrape {
        let _ = (accept, accept_encoding);
        Scrape {
            content_type: "text/plain",
            gzip: false,
            body: Bytes::new(),
        }
    }
}
