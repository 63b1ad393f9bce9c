//! Requests to reload: one in work and one that waits, also while a SIGHUP is in work.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::Outcome;

/// Requests in work and waiting.
const MOST: usize = 2;

/// Opens an empty queue.
pub(super) fn queue() -> (ReloadSender, ReloadQueue) {
    let shared = Arc::new(Shared::default());
    (ReloadSender(shared.clone()), ReloadQueue(shared))
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(u64, oneshot::Sender<Outcome>)>,
    is_working: bool,
    is_closed: bool,
    last_id: u64,
}

/// Sending end of the queue.
#[derive(Debug, Clone)]
pub struct ReloadSender(Arc<Shared>);

/// Receiving end of the queue. Requests are refused once it is dropped.
#[derive(Debug)]
pub struct ReloadQueue(Arc<Shared>);

/// Request to reload, in work until it is finished or dropped.
#[derive(Debug)]
pub struct ReloadRequest {
    outcome: oneshot::Sender<Outcome>,
    work: InWork,
}

/// Reload in work: other requests wait until it is dropped.
#[derive(Debug)]
pub struct InWork(Arc<Shared>);

/// A request that was sent. It is withdrawn when it is dropped and not in work yet.
#[derive(Debug)]
pub(super) struct Ticket {
    shared: Arc<Shared>,
    id: u64,
    outcome: oneshot::Receiver<Outcome>,
}

/// Reason why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One is in work, and one waits.
    Full,
    /// The exporter is ending.
    Closed,
}

impl ReloadSender {
    /// Puts a request into the queue, if there is room.
    pub(super) fn send(&self) -> Result<Ticket, Refusal> {
        let shared = self.0.clone();
        let mut state = shared.state.lock();
        if state.is_closed {
            return Err(Refusal::Closed);
        }
        if state.waiting.len() + usize::from(state.is_working) >= MOST {
            return Err(Refusal::Full);
        }
        state.last_id += 1;
        let id = state.last_id;
        let (sender, outcome) = oneshot::channel();
        state.waiting.push_back((id, sender));
        drop(state);
        shared.arrived.notify_one();
        Ok(Ticket {
            shared,
            id,
            outcome,
        })
    }
}

impl ReloadQueue {
    /// Waits for the next request, which is in work from then on.
    pub async fn next(&mut self) -> ReloadRequest {
        loop {
            // One permit is stored: a request that comes between the two is not missed.
            if let Some(request) = self.take() {
                return request;
            }
            self.0.arrived.notified().await;
        }
    }

    fn take(&mut self) -> Option<ReloadRequest> {
        let mut state = self.0.state.lock();
        let (_, outcome) = state.waiting.pop_front()?;
        state.is_working = true;
        let work = InWork(self.0.clone());
        Some(ReloadRequest { outcome, work })
    }

    /// Marks a reload as in work that no request asked for.
    pub fn begin(&mut self) -> InWork {
        self.0.state.lock().is_working = true;
        InWork(self.0.clone())
    }
}

impl Drop for ReloadQueue {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.is_closed = true;
        state.waiting.clear();
    }
}

impl ReloadRequest {
    /// Ends the work, and tells its outcome to the client, if it still waits.
    pub fn finish(self, outcome: Outcome) {
        drop(self.work);
        // An error is a client that is gone.
        drop(self.outcome.send(outcome));
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.state.lock().is_working = false;
    }
}

impl Ticket {
    /// Waits for the outcome; `None` when the exporter ends before.
    pub(super) async fn outcome(&mut self) -> Option<Outcome> {
        (&mut self.outcome).await.ok()
    }

    /// Takes the request back, and reports that it was not in work yet.
    pub(super) fn withdraw(&self) -> bool {
        let mut state = self.shared.state.lock();
        let before = state.waiting.len();
        state.waiting.retain(|(id, _)| *id != self.id);
        state.waiting.len() < before
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.withdraw();
    }
}
