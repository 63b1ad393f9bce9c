//! Turns of logins to compute their hash.
//!
//! A lane is what is computed and waits by itself. In each lane every user name has one hash in work,
//! and the clients that wait have their turns one after the other, whatever the number of their
//! requests. A user whose hash costs more or less than the decoy has a lane of its own, so a costly
//! hash delays no other user. Unknown users and those whose hash costs the same share one: how long
//! a login waits does not tell which users exist.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::client_network::ClientNetwork;
use crate::metrics::LoginRefusal;

/// Logins that wait in a lane.
pub(super) const MOST_WAITING: usize = 64;
/// Logins of one client that wait in a lane.
pub(super) const SHARE: usize = 8;
/// User names in work at once in the lane that they share: a flood at one name leaves room.
const SHARED_WIDTH: usize = 2;

/// Queue in which a login waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum LaneName {
    /// Queue of all user names whose hash costs what the decoy costs.
    Shared,
    /// Queue of one user.
    User(Vec<u8>),
}

/// A login: the user name, and the client that sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: Vec<u8>,
    pub(super) client: ClientNetwork,
}

/// The logins that wait, and those in work.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue(Arc<Mutex<Lanes>>);

#[derive(Debug, Default)]
struct Lanes {
    lanes: HashMap<LaneName, Lane>,
    last_id: u64,
}

#[derive(Debug)]
struct Lane {
    width: usize,
    working: Vec<(u64, Login)>,
    waiting: Vec<(u64, Login, oneshot::Sender<()>)>,
    /// The clients that wait or are in work, the one whose turn is next first.
    clients: Vec<ClientNetwork>,
}

/// A place in the queue, from its beginning to the end of the hash; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    queue: Queue,
    lane: LaneName,
    id: u64,
}

impl Queue {
    /// Waits for the turn of a login.
    ///
    /// # Errors
    ///
    /// Too many logins wait in the lane, of this client or of all; or another client's login takes
    /// the place while this one waits.
    pub(super) async fn turn(&self, lane: LaneName, login: Login) -> Result<Place, LoginRefusal> {
        let (place, turn) = self.join(lane, login)?;
        // The sender lives as long as the place waits, unless another login displaces this one.
        turn.await.map_err(|_| LoginRefusal::Busy)?;
        Ok(place)
    }

    fn join(
        &self,
        lane: LaneName,
        login: Login,
    ) -> Result<(Place, oneshot::Receiver<()>), LoginRefusal> {
        let mut lanes = self.0.lock();
        lanes.last_id += 1;
        let id = lanes.last_id;
        let width = match lane {
            LaneName::Shared => SHARED_WIDTH,
            LaneName::User(_) => 1,
        };
        let entry = lanes.lanes.entry(lane.clone());
        let turn = entry.or_insert_with(|| Lane::new(width)).join(id, login)?;
        let queue = self.clone();
        Ok((Place { queue, lane, id }, turn))
    }

    /// Counts the logins that wait and those in work.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        let lanes = self.0.lock();
        let count = |of: fn(&Lane) -> usize| lanes.lanes.values().map(of).sum();
        (
            count(|lane| lane.waiting.len()),
            count(|lane| lane.working.len()),
        )
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lanes = self.queue.0.lock();
        let Some(lane) = lanes.lanes.get_mut(&self.lane) else {
            return;
        };
        lane.leave(self.id);
        if lane.clients.is_empty() {
            lanes.lanes.remove(&self.lane);
        }
    }
}

impl Lane {
    fn new(width: usize) -> Self {
        Self {
            width,
            working: Vec::new(),
            waiting: Vec::new(),
            clients: Vec::new(),
        }
    }

    fn join(&mut self, id: u64, login: Login) -> Result<oneshot::Receiver<()>, LoginRefusal> {
        if !self.may_start(&login) {
            let own = self.waiting_of(login.client);
            if own >= SHARE {
                return Err(LoginRefusal::Share);
            }
            if self.waiting.len() >= MOST_WAITING && !self.displace(own + 1) {
                return Err(LoginRefusal::Busy);
            }
        }
        if !self.clients.contains(&login.client) {
            self.clients.push(login.client);
        }
        let (turn, waits) = oneshot::channel();
        self.waiting.push((id, login, turn));
        self.start();
        Ok(waits)
    }

    fn waiting_of(&self, client: ClientNetwork) -> usize {
        let waiting = self.waiting.iter();
        let own = waiting.filter(|(_, login, _)| login.client == client);
        own.count()
    }

    /// Removes the newest waiting login of the client that has most, where it has more than `own`,
    /// and returns whether there was one.
    fn displace(&mut self, own: usize) -> bool {
        let counts = self.clients.iter();
        let counts = counts.map(|client| (self.waiting_of(*client), *client));
        let Some((_, client)) = counts
            .max_by_key(|(count, _)| *count)
            .filter(|(count, _)| *count > own)
        else {
            return false;
        };
        let newest = |(_, login, _): &(_, Login, _)| login.client == client;
        let newest = self.waiting.iter().rposition(newest);
        newest.map(|newest| self.waiting.remove(newest)).is_some()
    }

    fn leave(&mut self, id: u64) {
        self.waiting.retain(|(waiting, ..)| *waiting != id);
        let ended = self.working.iter().position(|(working, _)| *working == id);
        if let Some(ended) = ended {
            let (_, login) = self.working.swap_remove(ended);
            self.move_back(login.client);
        }
        let (working, waiting) = (&self.working, &self.waiting);
        self.clients.retain(|client| {
            working.iter().any(|(_, login)| login.client == *client)
                || waiting.iter().any(|(_, login, _)| login.client == *client)
        });
        self.start();
    }

    /// Starts the logins whose turn it is.
    fn start(&mut self) {
        while let Some(next) = self.next() {
            let (id, login, turn) = self.waiting.remove(next);
            self.move_back(login.client);
            self.working.push((id, login));
            // An error is a request that is gone, and its place with it in a moment.
            turn.send(()).ok();
        }
    }

    /// Finds the first login that may start, of the client whose turn is next.
    fn next(&self) -> Option<usize> {
        self.clients.iter().find_map(|client| {
            self.waiting
                .iter()
                .position(|(_, login, _)| login.client == *client && self.may_start(login))
        })
    }

    fn may_start(&self, login: &Login) -> bool {
        let in_work = |(_, working): &(_, Login)| working.user == login.user;
        self.working.len() < self.width && !self.working.iter().any(in_work)
    }

    /// Puts a client behind all others.
    fn move_back(&mut self, client: ClientNetwork) {
        self.clients.retain(|other| *other != client);
        self.clients.push(client);
    }
}

#[cfg(test)]
mod tests;
