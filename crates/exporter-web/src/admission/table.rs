//! The open connections by the address that they come from, and the choice of the one that is closed
//! when another one needs its place.
//!
//! Pure: time is passed in, and the caller closes what this names. A choice looks at each address
//! once, which takes microseconds for thousands of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::client_network::ClientNetwork;
use crate::metrics::Closed;

/// Age below which a connection had no time to send its request: idle ones that are older go first.
const GRACE: Duration = Duration::from_millis(250);

/// Time after which a client that took nothing of its answer does not read.
const STALL: Duration = Duration::from_secs(1);

/// Factor of connections from which an origin has to give way before another one.
const FAR_MORE: usize = 4;

/// Place of a connection in the table; changes whenever the connection becomes idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    origin: ClientNetwork,
    order: u64,
}

/// Numbers of connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Connections without a request so far.
    pub(super) new: usize,
    /// Connections between two requests.
    pub(super) idle: usize,
    /// Connections with a request, or an answer that is not sent yet.
    pub(super) active: usize,
}

/// Connections with a handle `T` by which the caller closes each.
#[derive(Debug)]
pub(super) struct Table<T> {
    limit: usize,
    share: usize,
    next_order: u64,
    origins: HashMap<ClientNetwork, Held<T>>,
    counts: Counts,
    unread: usize,
}

/// Connections of one origin; a lower order has been in its state for longer.
#[derive(Debug)]
struct Held<T> {
    idle: BTreeMap<u64, Idle<T>>,
    active: BTreeMap<u64, Active<T>>,
}

#[derive(Debug)]
struct Idle<T> {
    since: Instant,
    is_new: bool,
    handle: T,
}

#[derive(Debug)]
struct Active<T> {
    /// Bytes of answers that the client has not taken.
    unread: usize,
    /// Time at which the client last took a part of an answer.
    taken: Instant,
    handle: T,
}

impl<T> Held<T> {
    fn len(&self) -> usize {
        self.idle.len() + self.active.len()
    }

    fn unread(&self) -> usize {
        self.active.values().map(|active| active.unread).sum()
    }

    /// Returns the connection that became idle, or was opened, before all others.
    fn oldest(&self) -> Option<u64> {
        let oldest = [self.idle.keys().next(), self.active.keys().next()];
        oldest.into_iter().flatten().min().copied()
    }

    /// Returns the connection that is idle for longest, if it had the time to send a request.
    fn stale(&self, now: Instant) -> Option<u64> {
        let (order, idle) = self.idle.first_key_value()?;
        let age = now.saturating_duration_since(idle.since);
        (age >= GRACE).then_some(*order)
    }

    /// Returns the connection that the origin can do without best.
    fn expendable(&self, now: Instant) -> Option<u64> {
        self.stale(now).or_else(|| self.oldest())
    }
}

impl<T> Table<T> {
    /// Creates a table of at most `limit` connections, `share` of one origin.
    pub(super) fn new(limit: usize, share: usize) -> Self {
        Self {
            limit,
            share,
            next_order: 0,
            origins: HashMap::new(),
            counts: Counts::default(),
            unread: 0,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Adds a connection, always. Returns its place, and the handle of the one that it replaces.
    pub(super) fn admit(
        &mut self,
        origin: ClientNetwork,
        has_share: bool,
        now: Instant,
        handle: T,
    ) -> (Ticket, Option<(T, Closed)>) {
        let held = self.origins.get(&origin);
        let replaced = match held {
            Some(held) if has_share && held.len() >= self.share => {
                let order = held.expendable(now);
                order.map(|order| (Ticket { origin, order }, Closed::Share))
            }
            _ if self.len() >= self.limit => self.victim(now).map(|ticket| (ticket, Closed::Room)),
            _ => None,
        };
        let closed = replaced.and_then(|(ticket, why)| Some((self.remove(ticket)?, why)));
        let order = self.take_order();
        let idle = Idle {
            since: now,
            is_new: true,
            handle,
        };
        self.held(origin).idle.insert(order, idle);
        self.counts.new += 1;
        (Ticket { origin, order }, closed)
    }

    /// Marks a connection as active. Without effect on one that was closed.
    pub(super) fn begin(&mut self, ticket: Ticket, now: Instant) {
        let Some(held) = self.origins.get_mut(&ticket.origin) else {
            return;
        };
        let Some(idle) = held.idle.remove(&ticket.order) else {
            return;
        };
        let active = Active {
            unread: 0,
            taken: now,
            handle: idle.handle,
        };
        held.active.insert(ticket.order, active);
        self.uncount(idle.is_new);
        self.counts.active += 1;
    }

    /// Adds an answer of an active connection, which holds memory until the client has taken it.
    /// Returns the handle of a connection that has to be closed where all answers exceed `max` bytes:
    /// one whose client does not read, of the origin that leaves most unread.
    pub(super) fn hold(
        &mut self,
        ticket: Ticket,
        bytes: usize,
        max: usize,
        now: Instant,
    ) -> Option<T> {
        self.active(ticket)?.unread += bytes;
        self.unread += bytes;
        if self.unread <= max {
            return None;
        }
        let has_stalled = |active: &Active<T>| now.saturating_duration_since(active.taken) >= STALL;
        let ranked = self.origins.iter().filter_map(|(origin, held)| {
            let unread = || held.active.iter().filter(|(_, active)| active.unread > 0);
            let stalled = unread().find(|(_, active)| has_stalled(active));
            let (order, _) = stalled.or_else(|| unread().next())?;
            let (origin, order) = (*origin, *order);
            let rank = (stalled.is_some(), held.unread(), Reverse(order));
            Some((rank, Ticket { origin, order }))
        });
        let (_, victim) = ranked.max_by_key(|(rank, _)| *rank)?;
        self.remove(victim)
    }

    /// Marks that the client of an active connection took a part of an answer.
    pub(super) fn take(&mut self, ticket: Ticket, now: Instant) {
        if let Some(active) = self.active(ticket) {
            active.taken = now;
        }
    }

    /// Returns how many connections of a connection's origin have a request, and the bytes of answers
    /// that its clients have not taken.
    pub(super) fn load_of(&self, ticket: Ticket) -> (usize, usize) {
        let held = self.origins.get(&ticket.origin);
        held.map_or((0, 0), |held| (held.active.len(), held.unread()))
    }

    /// Subtracts an answer that was taken, or given up.
    pub(super) fn release(&mut self, ticket: Ticket, bytes: usize) {
        if let Some(active) = self.active(ticket) {
            active.unread -= bytes;
            self.unread -= bytes;
        }
    }

    fn active(&mut self, ticket: Ticket) -> Option<&mut Active<T>> {
        self.origins
            .get_mut(&ticket.origin)?
            .active
            .get_mut(&ticket.order)
    }

    /// Marks a connection as idle, and returns its new place. `None` for one that was closed.
    pub(super) fn finish(&mut self, ticket: Ticket, now: Instant) -> Option<Ticket> {
        let held = self.origins.get_mut(&ticket.origin)?;
        let active = held.active.remove(&ticket.order)?;
        self.counts.active -= 1;
        self.unread -= active.unread;
        let order = self.take_order();
        let idle = Idle {
            since: now,
            is_new: false,
            handle: active.handle,
        };
        self.held(ticket.origin).idle.insert(order, idle);
        self.counts.idle += 1;
        Some(Ticket { order, ..ticket })
    }

    /// Removes a connection that ended, or has to. `None` for one that was closed already.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<T> {
        let held = self.origins.get_mut(&ticket.origin)?;
        let handle = if let Some(idle) = held.idle.remove(&ticket.order) {
            self.uncount(idle.is_new);
            idle.handle
        } else {
            let active = held.active.remove(&ticket.order)?;
            self.counts.active -= 1;
            self.unread -= active.unread;
            active.handle
        };
        let is_empty = self
            .origins
            .get(&ticket.origin)
            .is_some_and(|h| h.len() == 0);
        if is_empty {
            self.origins.remove(&ticket.origin);
        }
        Some(handle)
    }

    /// Removes the connection whose place is needed most, as when no descriptor is left.
    pub(super) fn remove_victim(&mut self, now: Instant) -> Option<T> {
        let victim = self.victim(now)?;
        self.remove(victim)
    }

    /// Removes the connections that never sent a request.
    pub(super) fn remove_new(&mut self) -> Vec<T> {
        let mut removed = Vec::new();
        for held in self.origins.values_mut() {
            let idle = std::mem::take(&mut held.idle);
            let (new, served) = idle.into_iter().partition(|(_, idle)| idle.is_new);
            held.idle = served;
            removed.extend(BTreeMap::into_values(new).map(|idle| idle.handle));
        }
        self.origins.retain(|_, held| held.len() > 0);
        self.counts.new = 0;
        removed
    }

    /// Chooses the connection to close: the one that has been idle for longest, of the origin that
    /// holds most. Where another origin holds far more, or no connection is idle for long enough, that
    /// one loses a connection: clients that keep their connections young or busy must not end those
    /// of others.
    fn victim(&self, now: Instant) -> Option<Ticket> {
        let most = self.largest(|_| true)?;
        let stale = self.largest(|held| held.stale(now).is_some());
        let from = match stale {
            Some((origin, held)) if most.1.len() <= held.len() * FAR_MORE => (origin, held),
            _ => most,
        };
        let (origin, held) = from;
        let order = held.expendable(now)?;
        Some(Ticket { origin, order })
    }

    /// Returns the origin with most connections of those that `include` accepts; of two such origins
    /// the one with the older connection.
    fn largest(&self, include: impl Fn(&Held<T>) -> bool) -> Option<(ClientNetwork, &Held<T>)> {
        let included = self.origins.iter().filter(|(_, held)| include(held));
        let rank = |held: &Held<T>| (held.len(), Reverse(held.oldest()));
        let largest = included.max_by_key(|(_, held)| rank(held));
        largest.map(|(origin, held)| (*origin, held))
    }

    fn len(&self) -> usize {
        self.counts.new + self.counts.idle + self.counts.active
    }

    fn held(&mut self, origin: ClientNetwork) -> &mut Held<T> {
        self.origins.entry(origin).or_insert_with(|| Held {
            idle: BTreeMap::new(),
            active: BTreeMap::new(),
        })
    }

    fn take_order(&mut self) -> u64 {
        let order = self.next_order;
        self.next_order += 1;
        order
    }

    fn uncount(&mut self, is_new: bool) {
        if is_new {
            self.counts.new -= 1;
        } else {
            self.counts.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
