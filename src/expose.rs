//! From the snapshot to bytes: text and compressed pieces are made when a cluster changes, and only
//! joined when scraped.

mod builder;
#[cfg(test)]
pub(crate) mod check;
mod checksum;
mod degraded;
mod family;
mod gzip;
mod live;
pub(crate) mod negotiate;
mod page;
mod piece;
mod row;
mod series;
mod shard;
mod shared_list;
mod sharing;
mod subject;
mod text;
mod tree;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::clock::{Clock, Clocks, Times};
use crate::model::ClusterState;
use crate::store::{Snapshot, Store};
use crate::telemetry::Metrics;
use builder::PageBuilder;
use gzip::Deflater;
use negotiate::Format;
use page::Page;
use sharing::Sharing;

/// The longest sleep: after a jump of the wall clock nothing stays wrong for longer.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Number of deflaters that are kept for scrapes.
const DEFLATERS: usize = 2;

/// An answer to a scrape.
#[derive(Debug, Clone)]
pub struct Scrape {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Whether the body is gzip.
    pub gzip: bool,
    /// The body, in pieces.
    pub body: Vec<Bytes>,
}

/// Keeps the exposition ready.
#[derive(Debug)]
pub struct Exposition {
    metrics: Arc<Metrics>,
    clock: Clock,
    /// Clocks of the vendors, by which durations are measured.
    clocks: ArcSwap<Clocks>,
    page: ArcSwap<Page>,
    builder: Mutex<PageBuilder>,
    sharing: Sharing,
    /// Deflaters that scrapes use one after another: to make one takes longer than what it compresses.
    deflaters: Mutex<Vec<Deflater>>,
    /// The changes of the store that the page shows.
    shown: watch::Sender<u64>,
}

impl Exposition {
    /// With nothing known yet.
    pub fn new(metrics: Arc<Metrics>, clock: Clock) -> Self {
        Self {
            metrics,
            clock,
            clocks: ArcSwap::default(),
            page: ArcSwap::default(),
            builder: Mutex::default(),
            sharing: Sharing::default(),
            deflaters: Mutex::default(),
            shown: watch::Sender::new(0),
        }
    }

    /// Renders whatever changes in the store or with the clock, for as long as the program runs.
    ///
    /// # Panics
    /// When rendering does: a bug, which the supervisor has to see.
    pub async fn run(self: Arc<Self>, store: Arc<Store>) {
        let mut changes = store.subscribe();
        loop {
            changes.mark_unchanged();
            let upto = store.changes();
            self.clocks.store(store.clocks());
            let (this, snapshot) = (self.clone(), store.snapshot());
            // The first round of many clusters is some hundred milliseconds of work.
            match tokio::task::spawn_blocking(move || this.publish(&snapshot)).await {
                Ok(()) => drop(self.shown.send_replace(upto)),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime ends.
                Err(_) => return,
            }
            tokio::select! {
                result = changes.changed() => {
                    debug_assert!(result.is_ok(), "the store, held here, holds the sender");
                }
                () = tokio::time::sleep(self.until_next_flip()) => {}
            }
        }
    }

    /// Completes once everything is shown that the store knows by now.
    pub async fn caught_up(&self, store: &Store) {
        let known = store.changes();
        let mut shown = self.shown.subscribe();
        // It cannot fail: the sender is here.
        drop(shown.wait_for(|shown| *shown >= known).await);
    }

    /// Renders what changed since the last time: the work does not grow with the number of clusters.
    pub fn publish(&self, snapshot: &Snapshot) {
        let mut builder = self.builder.lock();
        self.page.store(builder.next(snapshot, &self.times()));
    }

    /// Answers a scrape with these `Accept` and `Accept-Encoding` headers. Whoever sends the answer
    /// adds `Vary` for both.
    pub fn scrape(&self, accept: Option<&str>, accept_encoding: Option<&str>) -> Scrape {
        let format = negotiate::format(accept);
        let gzip = negotiate::gzip(accept_encoding);
        let page = self.page.load_full();
        let body = self
            .sharing
            .body(&page, (format, gzip), || self.render(&page, format, gzip));
        Scrape {
            content_type: format.content_type(),
            gzip,
            body,
        }
    }

    /// Joins the pieces of a scrape.
    fn render(&self, page: &Page, format: Format, gzip: bool) -> Vec<Bytes> {
        let own = self.metrics.encode();
        let own = match format {
            Format::OpenMetrics => own,
            Format::Text => text::from_open_metrics(&own),
        };
        debug_assert_eq!(own.ends_with(text::EOF), format == Format::OpenMetrics);
        let times = self.times();
        if gzip {
            let deflater = self.deflaters.lock().pop().unwrap_or_default();
            let mut body = page.gzip(&times, deflater);
            body.tail(&own);
            let (body, deflater) = body.finish();
            let mut deflaters = self.deflaters.lock();
            if deflaters.len() < DEFLATERS {
                deflaters.push(deflater);
            }
            body
        } else {
            let mut body = page.text(&times, own.len());
            body.push_str(&own);
            vec![body.into()]
        }
    }

    fn until_next_flip(&self) -> Duration {
        let Some(until) = self.builder.lock().until_next_flip(&self.times()) else {
            return LONGEST_SLEEP;
        };
        // Tokio's clock may run ahead of the wall clock: then it sleeps again, not at once.
        Duration::try_from(until)
            .unwrap_or_default()
            .clamp(Duration::from_millis(1), LONGEST_SLEEP)
    }

    /// Reads the clocks: once a scrape.
    fn times(&self) -> Times {
        Times::read(self.clock.now(), &self.clocks.load())
    }
}

/// Renders the domain families of these clusters as text 0.0.4, with every clock at `now`.
pub fn render(states: &[ClusterState], now: Timestamp) -> String {
    render_at(states, &Times::at(now))
}

/// Renders the domain families of these clusters as text 0.0.4.
pub fn render_at(states: &[ClusterState], times: &Times) -> String {
    let snapshot: Snapshot = states.iter().map(|state| Arc::new(state.clone())).collect();
    PageBuilder::default().next(&snapshot, times).text(times, 0)
}

#[cfg(test)]
mod tests;
