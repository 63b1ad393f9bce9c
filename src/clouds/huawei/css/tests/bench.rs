//! One cluster of a scripted CSS, polled as its worker does.

use std::sync::Arc;

use parking_lot::Mutex;

use super::scripted::{Asked, Scripted, none, page, serve};
use super::*;

/// Answers of the two calls, as they are now.
struct Answers {
    version: Scripted,
    moves: Scripted,
}

pub(super) struct Bench {
    pub(super) css: CssProvider,
    pub(super) memory: Memory,
    address: SocketAddr,
    transport: Arc<Transport>,
    asked: Asked,
    answers: Arc<Mutex<Answers>>,
}

impl Bench {
    /// Starts a CSS with clusters 0 and 1, which have no upgrades yet.
    pub(super) async fn start() -> Self {
        let answers = Arc::new(Mutex::new(Answers {
            version: none(),
            moves: none(),
        }));
        let shared = answers.clone();
        let (address, asked) = serve(move |line| {
            let answers = shared.lock();
            Some(if line.contains("AZ_MIGRATION") {
                answers.moves.clone()
            } else if line.contains("/upgrade/detail") {
                answers.version.clone()
            } else {
                page(2, 0..2)
            })
        })
        .await;
        let transport = stage::transport(&account(address));
        Self {
            css: open(address, transport.clone()),
            memory: Memory::default(),
            address,
            transport,
            asked,
            answers,
        }
    }

    /// Opens the CSS anew as a reload does that changed the address: it was that of `before`.
    pub(super) fn follow(&mut self, before: &Self) {
        let new = stage::transport(&account(self.address));
        let new = Arc::into_inner(new).expect("no other owner");
        self.transport = Arc::new(new.following(&before.transport, true));
        self.css = open(self.address, self.transport.clone());
    }

    /// Sets the answer about upgrades.
    pub(super) fn version(&self, answer: Scripted) {
        self.answers.lock().version = answer;
    }

    /// Sets the answer about changes of the zone.
    pub(super) fn moves(&self, answer: Scripted) {
        self.answers.lock().moves = answer;
    }

    /// Returns how many requests asked for upgrades, and how many for changes of the zone, since the
    /// last time.
    pub(super) fn asked(&self) -> (usize, usize) {
        let asked = std::mem::take(&mut *self.asked.lock());
        let details = asked.iter().filter(|line| line.contains("/upgrade/detail"));
        let moves = details.clone().filter(|line| line.contains("AZ_MIGRATION"));
        let moves = moves.count();
        (details.count() - moves, moves)
    }

    /// Polls cluster 0.
    pub(super) async fn poll(&mut self) -> Result<Polled, ApiError> {
        let fresh = Duration::from_secs(60);
        let outcome = self.css.observe("0", &self.memory, fresh).await;
        match outcome {
            Ok(observation) => {
                let advanced = remember(&mut self.memory, &observation);
                Ok(Polled {
                    states: states(&observation),
                    observation,
                    degraded: advanced
                        .degraded
                        .iter()
                        .map(|d| d.reason.as_str())
                        .collect(),
                })
            }
            Err(failure) => {
                failure.note_in(&mut self.memory);
                Err(*failure.error)
            }
        }
    }

    /// Discovers once, as far as cluster 0 notices.
    pub(super) async fn discover(&mut self) {
        self.css.discover().await.unwrap();
        self.memory.discoveries += 1;
    }

    /// Polls cluster 0, whose poll is good.
    pub(super) async fn good(&mut self) -> Polled {
        self.poll().await.unwrap()
    }
}

/// Outcome of a good poll.
#[derive(Debug)]
pub(super) struct Polled {
    pub(super) observation: Observation,
    pub(super) states: Vec<(Kind, UpgradeStatus)>,
    /// Reasons for which it is degraded.
    pub(super) degraded: Vec<&'static str>,
}

fn states(observation: &Observation) -> Vec<(Kind, UpgradeStatus)> {
    let upgrades = observation.upgrades.iter();
    upgrades.map(|u| (u.kind, u.status)).collect()
}
