//! Calls of a product that are under way, and waits until they are due.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep_until};

use crate::cloud::{Discovery, PollFailure};
use crate::http::ApiError;
use crate::model::Observation;

/// Subject of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// List of the clusters.
    Discovery,
    /// Cluster with this id.
    Cluster(Arc<str>),
    /// Files of the account's secrets.
    Secrets,
}

/// End of a wait or a call.
pub(super) enum Ended {
    Wait,
    Discovery(Result<Discovery, ApiError>, Duration),
    Poll(Result<Observation, PollFailure>, Duration),
    Secrets(u64),
}

/// End for a target; `None` in it stands for a panic.
pub(super) type Event = (Target, Option<Ended>);

/// At most one wait or call for each target; all end when this is dropped.
#[derive(Default)]
pub(super) struct Calls {
    /// `None` is the end of an aborted one.
    running: FuturesUnordered<BoxFuture<'static, Option<Event>>>,
    handles: HashMap<Target, AbortHandle>,
}

impl Calls {
    /// Starts a call in place of the one of this target.
    pub(super) fn start(
        &mut self,
        target: Target,
        call: impl Future<Output = Ended> + Send + 'static,
    ) {
        let (handle, registration) = AbortHandle::new_pair();
        if let Some(before) = self.handles.insert(target.clone(), handle) {
            before.abort();
        }
        let call = AssertUnwindSafe(call).catch_unwind();
        let call = call.map(move |ended| (target, ended.ok()));
        let call = Abortable::new(call, registration).map(Result::ok);
        self.running.push(call.boxed());
    }

    /// Waits until a call of this target is due, in place of the one before.
    pub(super) fn wait(&mut self, target: Target, until: Instant) {
        let wait = sleep_until(until);
        self.start(target, wait.map(|()| Ended::Wait));
    }

    pub(super) fn abort(&mut self, target: &Target) {
        if let Some(call) = self.handles.remove(target) {
            call.abort();
        }
    }

    /// Returns the next end.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            match self.running.next().await {
                Some(Some(event)) => return event,
                Some(None) => {}
                None => std::future::pending().await,
            }
        }
    }
}
