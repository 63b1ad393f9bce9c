//! Admission of connections: how many there may be, and which one is closed for another one.
//!
//! A new connection is always taken. When all places are taken, or those that one address may have,
//! the connection that has been without a request for longest is closed for it, of the address that
//! holds most. So a client that opens connections and says nothing only closes its own.

mod table;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::client_network::ClientNetwork;
use crate::log_limit::LogLimit;
use crate::metrics::Closed;
use crate::metrics::Metrics;
use table::{Table, Ticket};

/// Connections whose tasks have not ended yet although their places are taken. They still have
/// descriptors, of which the limit leaves some.
const MAX_CLOSING: usize = 8;

/// Bytes of answers that clients do not read, in all.
const MAX_UNREAD: usize = 32 << 20;

/// Requests of one address in work at the same time.
const MAX_ACTIVE: usize = 64;

/// Longest wait of a request for others.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Places for connections.
#[derive(Debug)]
pub(super) struct Admission {
    limit: usize,
    table: Mutex<Table<Arc<Notify>>>,
    /// Connections whose tasks have not ended.
    open: AtomicUsize,
    ended: Notify,
    /// Bytes of answers that are in memory, those of closed connections included.
    held: AtomicUsize,
    /// Bytes of the largest answer so far.
    largest: AtomicUsize,
    released: Notify,
    metrics: Metrics,
    /// Log limits of closed connections, one for each reason.
    logged: [LogLimit; 4],
    /// Log limit of refused requests.
    refused: LogLimit,
}

impl Admission {
    /// Creates `limit` places, a quarter of which one address may have.
    pub(super) fn new(limit: usize, metrics: Metrics) -> Self {
        let limit = limit.max(1);
        let share = (limit / 4).max(2).min(limit);
        Self {
            limit,
            table: Mutex::new(Table::new(limit, share)),
            open: AtomicUsize::new(0),
            ended: Notify::new(),
            held: AtomicUsize::new(0),
            largest: AtomicUsize::new(0),
            released: Notify::new(),
            metrics,
            logged: Default::default(),
            refused: LogLimit::default(),
        }
    }

    /// Waits while too many connections that were closed still have their descriptors.
    pub(super) async fn ready(&self) {
        loop {
            let ended = self.ended.notified();
            if self.open.load(Ordering::Relaxed) < self.limit + MAX_CLOSING {
                return;
            }
            ended.await;
        }
    }

    /// Takes a connection in. `has_share` is false for a proxy, behind which there are many clients.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr, has_share: bool) -> Connection {
        let close = Arc::new(Notify::new());
        let origin = ClientNetwork::from(peer);
        let now = Instant::now();
        let (ticket, closed) = {
            let mut table = self.lock();
            let admitted = table.admit(origin, has_share, now, close.clone());
            self.observe(&table);
            admitted
        };
        self.open.fetch_add(1, Ordering::Relaxed);
        if let Some((handle, why)) = closed {
            let address = (why == Closed::Share).then_some(peer);
            self.close(&handle, why, address);
        }
        Connection {
            admission: self.clone(),
            peer,
            has_share,
            close,
            state: Mutex::new(State {
                ticket,
                requests: 0,
                idle_since: now,
            }),
        }
    }

    /// Closes a connection because the system has no descriptor for another one.
    pub(super) fn make_room(&self) {
        let victim = {
            let mut table = self.lock();
            let victim = table.remove_victim(Instant::now());
            self.observe(&table);
            victim
        };
        if let Some(handle) = victim {
            self.close(&handle, Closed::Descriptors, None);
        }
    }

    /// Closes the connections that never sent a request, since the server ends.
    pub(super) fn close_new(&self) {
        let mut table = self.lock();
        for handle in table.remove_new() {
            handle.notify_one();
        }
        self.observe(&table);
    }

    fn close(&self, handle: &Notify, why: Closed, address: Option<IpAddr>) {
        handle.notify_one();
        self.metrics.connection_closed(why);
        let (limit, cause) = match why {
            Closed::Room => (
                0,
                "as many are open as --web.max-connections and the limit of open files allow",
            ),
            Closed::Descriptors => (3, "the system has no descriptor left for another one"),
            Closed::Share => (1, "an address has a quarter of all that there may be"),
            Closed::Unread => (
                2,
                "the answers that clients do not read hold too much memory",
            ),
        };
        if self.logged[limit].is_due() {
            let prefix = self.metrics.prefix();
            tracing::warn!(
                address = address.map(tracing::field::display),
                cause,
                "Connections are closed for others. Logged once an hour at most; \
                 {prefix}_web_connections_closed_total counts them."
            );
        }
    }

    /// Returns how many bytes of answers may wait for their clients: a few of the largest always fit.
    fn max_unread(&self) -> usize {
        let largest = self.largest.load(Ordering::Relaxed);
        MAX_UNREAD.max(largest.saturating_mul(4))
    }

    fn observe(&self, table: &Table<Arc<Notify>>) {
        let counts = table.counts();
        self.metrics
            .connections(counts.new, counts.idle, counts.active);
    }

    fn lock(&self) -> MutexGuard<'_, Table<Arc<Notify>>> {
        self.table.lock()
    }
}

/// An open connection; its place is free when this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    admission: Arc<Admission>,
    peer: IpAddr,
    has_share: bool,
    close: Arc<Notify>,
    /// Locked before the table, never after it.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ticket: Ticket,
    requests: usize,
    idle_since: Instant,
}

impl Connection {
    /// Completes when the connection's place is needed for another one.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }

    /// Completes when there was no request for as long as `limit`.
    pub(super) async fn idle_for(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            let end = {
                let state = self.lock();
                let idle = state.requests == 0;
                if idle {
                    state.idle_since + limit
                } else {
                    now + limit
                }
            };
            if end <= now {
                return;
            }
            sleep_until(end).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let ticket = self.lock().ticket;
        {
            let mut table = self.admission.lock();
            // `None` where the place was taken already.
            drop(table.remove(ticket));
            self.admission.observe(&table);
        }
        self.admission.open.fetch_sub(1, Ordering::Relaxed);
        self.admission.ended.notify_one();
    }
}

/// A request in work, until its answer is sent.
#[derive(Debug)]
pub(super) struct InFlight {
    connection: Arc<Connection>,
    unread: usize,
}

impl InFlight {
    /// Returns the address of the client, or of the proxy in front of it.
    pub(super) fn peer(&self) -> IpAddr {
        self.connection.peer
    }

    /// Marks the connection as one with a request in work.
    pub(super) fn begin(connection: &Arc<Connection>) -> Self {
        let mut state = connection.lock();
        state.requests += 1;
        if state.requests == 1 {
            let mut table = connection.admission.lock();
            table.begin(state.ticket, Instant::now());
            connection.admission.observe(&table);
        }
        drop(state);
        Self {
            connection: connection.clone(),
            unread: 0,
        }
    }

    /// Waits a moment while clients of the connection's address have more than their share of the requests
    /// in work or of the memory, or answers of closed connections are not given back yet. Returns false
    /// where the address still has more than that: it gets no answer now, and the others do not notice.
    pub(super) async fn admitted(&self) -> bool {
        let admission = &self.connection.admission;
        let freed = async {
            loop {
                let released = admission.released.notified();
                let is_short = admission.held.load(Ordering::Relaxed) > 2 * admission.max_unread();
                if !is_short && self.is_within_share() {
                    return;
                }
                released.await;
            }
        };
        drop(timeout(MAX_WAIT, freed).await);
        let is_admitted = self.is_within_share();
        if !is_admitted && admission.refused.is_due() {
            tracing::warn!(
                address = %self.peer(),
                "Requests are refused (503): their address has more than its share of the requests in \
                 work, or of the answers that are not read. Logged once an hour at most."
            );
        }
        is_admitted
    }

    /// Returns true while clients of the connection's address have few requests in work, and leave less
    /// than half of all unread.
    fn is_within_share(&self) -> bool {
        let admission = &self.connection.admission;
        let ticket = self.connection.lock().ticket;
        let (active, unread) = admission.lock().load_of(ticket);
        let is_within = active <= MAX_ACTIVE && unread <= admission.max_unread() / 2;
        is_within || !self.connection.has_share
    }

    /// Marks that the client took a part of the answer.
    pub(super) fn take(&self) {
        let ticket = self.connection.lock().ticket;
        self.connection
            .admission
            .lock()
            .take(ticket, Instant::now());
    }

    /// Counts the bytes of the answer, which stay in memory until the client has taken them.
    pub(super) fn hold(&mut self, bytes: usize) {
        let state = self.connection.lock();
        let admission = &self.connection.admission;
        admission.held.fetch_add(bytes, Ordering::Relaxed);
        admission.largest.fetch_max(bytes, Ordering::Relaxed);
        let max = admission.max_unread();
        let victim = {
            let mut table = admission.lock();
            let victim = table.hold(state.ticket, bytes, max, Instant::now());
            admission.observe(&table);
            victim
        };
        drop(state);
        self.unread += bytes;
        if let Some(handle) = victim {
            admission.close(&handle, Closed::Unread, None);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.connection.lock();
        state.requests -= 1;
        let admission = &self.connection.admission;
        let mut table = admission.lock();
        table.release(state.ticket, self.unread);
        if state.requests == 0 {
            state.idle_since = Instant::now();
            if let Some(ticket) = table.finish(state.ticket, state.idle_since) {
                state.ticket = ticket;
            }
            admission.observe(&table);
        }
        drop((table, state));
        admission.held.fetch_sub(self.unread, Ordering::Relaxed);
        admission.released.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
