//! Counters and gauges of the web server.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClosedLabels {
    reason: &'static str,
}

/// Reason for closing a connection whose client did nothing wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// All places were taken.
    Room,
    /// Its address had its share of the places.
    Share,
    /// The answers that clients do not read held too much memory.
    Unread,
}

/// The families of the web server.
#[derive(Debug)]
pub struct Web {
    new: Gauge,
    idle: Gauge,
    active: Gauge,
    room: Counter,
    share: Counter,
    unread: Counter,
}

impl Web {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let connections = Family::<ConnectionLabels, Gauge>::default();
        registry.register(
            "web_connections",
            "Open connections: new (no request yet), idle (between requests), active (a request, or an answer that the client has not read)",
            connections.clone(),
        );
        let closed = Family::<ClosedLabels, Counter>::default();
        registry.register(
            "web_connections_closed",
            "Connections closed for others: room (all of --web.max-connections were open), share (of its address), unread (answers that clients do not read held too much memory)",
            closed.clone(),
        );
        let state = |state| connections.get_or_create_owned(&ConnectionLabels { state });
        let reason = |reason| closed.get_or_create_owned(&ClosedLabels { reason });
        Self {
            new: state("new"),
            idle: state("idle"),
            active: state("active"),
            room: reason("room"),
            share: reason("share"),
            unread: reason("unread"),
        }
    }

    /// Sets the numbers of open connections.
    pub fn connections(&self, new: usize, idle: usize, active: usize) {
        for (gauge, count) in [(&self.new, new), (&self.idle, idle), (&self.active, active)] {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Counts a connection that was closed for another one.
    pub fn connection_closed(&self, why: Closed) {
        match why {
            Closed::Room => &self.room,
            Closed::Share => &self.share,
            Closed::Unread => &self.unread,
        }
        .inc();
    }
}
