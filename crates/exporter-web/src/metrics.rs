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

type Reasons = Family<ReasonLabels, Counter>;

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
    /// Gauges of each state of a connection.
    connections: [Gauge; 3],
    closed: Reasons,
    refused: Reasons,
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
        let closed = Reasons::default();
        registry.register(
            "web_connections_closed",
            "Connections closed for others: room (as many were open as there may be), descriptors (the system had none left), share (of its address), unread (answers that clients do not read held too much memory)",
            closed.clone(),
        );
        let refused = Reasons::default();
        registry.register(
            "web_logins_refused",
            "Logins refused: bad user or password (credentials), too many that wait (busy), too many of one client address that wait (share); requests without a login are not counted",
            refused.clone(),
        );
        for reason in ["room", "descriptors", "share", "unread"] {
            counter(&closed, reason);
        }
        for reason in ["credentials", "busy", "share"] {
            counter(&refused, reason);
        }
        let state = |state| connections.get_or_create_owned(&ConnectionLabels { state });
        Self {
            prefix,
            connections: ["new", "idle", "active"].map(state),
            closed,
            refused,
        }
    }

    /// Returns what the names of the metrics begin with.
    pub(crate) fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// Sets the numbers of open connections.
    pub(crate) fn connections(&self, new: usize, idle: usize, active: usize) {
        for (gauge, count) in self.connections.iter().zip([new, idle, active]) {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Counts a connection that was closed for another one.
    pub(crate) fn connection_closed(&self, why: Closed) {
        let reason = match why {
            Closed::Room => "room",
            Closed::Descriptors => "descriptors",
            Closed::Share => "share",
            Closed::Unread => "unread",
        };
        counter(&self.closed, reason).inc();
    }

    /// Counts a login that was refused.
    pub(crate) fn login_refused(&self, why: LoginRefusal) {
        let reason = match why {
            LoginRefusal::Credentials => "credentials",
            LoginRefusal::Busy => "busy",
            LoginRefusal::Share => "share",
        };
        counter(&self.refused, reason).inc();
    }
}

fn counter(family: &Reasons, reason: &'static str) -> Counter {
    family.get_or_create_owned(&ReasonLabels { reason })
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn every_reason_is_counted_from_zero() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry, "test");
        let series = |registry: &Registry| {
            let mut text = String::new();
            encode(&mut text, registry).unwrap();
            let counters = text.lines().filter(|line| line.contains("_total{"));
            counters.map(str::to_owned).collect::<Vec<_>>()
        };
        let zeros = series(&registry);
        assert_eq!(zeros.len(), 7);
        assert!(zeros.iter().all(|line| line.ends_with(" 0")), "{zeros:?}");
        for why in [
            Closed::Room,
            Closed::Descriptors,
            Closed::Share,
            Closed::Unread,
        ] {
            metrics.connection_closed(why);
        }
        for why in [
            LoginRefusal::Credentials,
            LoginRefusal::Busy,
            LoginRefusal::Share,
        ] {
            metrics.login_refused(why);
        }
        let ones = series(&registry);
        assert_eq!(ones.len(), 7);
        assert!(ones.iter().all(|line| line.ends_with(" 1")), "{ones:?}");
    }
}
