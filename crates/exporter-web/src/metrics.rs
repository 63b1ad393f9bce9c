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
struct ReasonLabels {
    reason: &'static str,
}

/// Reason for closing a connection whose client did nothing wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Closed {
    /// Exhausted limit of connections.
    Room,
    /// Exhausted descriptors of the system.
    Descriptors,
    /// Exhausted share of the client's address.
    Share,
    /// Exhausted memory for answers that clients do not read.
    Unread,
}

/// Reason for refusing a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginRefusal {
    /// Wrong user or password, or a header that cannot be read.
    Credentials,
    /// Exhausted places for logins that wait for their hash.
    Busy,
    /// Exhausted share of the client's address in these places.
    Share,
}

/// Families of the web server.
#[derive(Debug, Clone)]
pub struct Metrics {
    prefix: &'static str,
    new: Gauge,
    idle: Gauge,
    active: Gauge,
    closed_for_room: Counter,
    closed_for_descriptors: Counter,
    closed_for_share: Counter,
    closed_for_unread: Counter,
    refused_credentials: Counter,
    refused_busy: Counter,
    refused_share: Counter,
}

impl Metrics {
    /// Registers the families. Their names begin with `prefix`, the exporter's own, and `web_`.
    pub fn register(registry: &mut Registry, prefix: &'static str) -> Self {
        let registry = registry.sub_registry_with_prefix(prefix);
        let connections = Family::<ConnectionLabels, Gauge>::default();
        registry.register(
            "web_connections",
            "Open connections: new (no request yet), idle (between requests), active (a request, or an answer that the client has not read)",
            connections.clone(),
        );
        let closed = Family::<ReasonLabels, Counter>::default();
        registry.register(
            "web_connections_closed",
            "Connections closed for others: room (as many were open as there may be), descriptors (the system had none left), share (of its address), unread (answers that clients do not read held too much memory)",
            closed.clone(),
        );
        let refused = Family::<ReasonLabels, Counter>::default();
        registry.register(
            "web_logins_refused",
            "Logins refused: bad user or password (credentials), too many that wait (busy), too many of one client address that wait (share); requests without a login are not counted",
            refused.clone(),
        );
        let state = |state| connections.get_or_create_owned(&ConnectionLabels { state });
        let closed = |reason| closed.get_or_create_owned(&ReasonLabels { reason });
        let refused = |reason| refused.get_or_create_owned(&ReasonLabels { reason });
        Self {
            prefix,
            new: state("new"),
            idle: state("idle"),
            active: state("active"),
            closed_for_room: closed("room"),
            closed_for_descriptors: closed("descriptors"),
            closed_for_share: closed("share"),
            closed_for_unread: closed("unread"),
            refused_credentials: refused("credentials"),
            refused_busy: refused("busy"),
            refused_share: refused("share"),
        }
    }

    /// Returns what the names of the metrics begin with.
    pub(crate) fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// Sets the numbers of open connections.
    pub(crate) fn connections(&self, new: usize, idle: usize, active: usize) {
        for (gauge, count) in [(&self.new, new), (&self.idle, idle), (&self.active, active)] {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Counts a connection that was closed for another one.
    pub(crate) fn connection_closed(&self, why: Closed) {
        match why {
            Closed::Room => &self.closed_for_room,
            Closed::Descriptors => &self.closed_for_descriptors,
            Closed::Share => &self.closed_for_share,
            Closed::Unread => &self.closed_for_unread,
        }
        .inc();
    }

    /// Counts a login that was refused.
    pub(crate) fn login_refused(&self, why: LoginRefusal) {
        match why {
            LoginRefusal::Credentials => &self.refused_credentials,
            LoginRefusal::Busy => &self.refused_busy,
            LoginRefusal::Share => &self.refused_share,
        }
        .inc();
    }
}
