//! Readiness: ready once everybody who holds a latch has let go of it.

use std::sync::{Arc, Weak};

/// Tells whether every latch is gone.
#[derive(Debug, Clone)]
pub struct Ready(Weak<()>);

/// Holds readiness back until it is dropped, with all its clones.
#[derive(Debug, Clone)]
pub struct Latch {
    _held: Option<Arc<()>>,
}

impl Ready {
    /// A readiness with its first latch.
    pub fn new() -> (Self, Latch) {
        let held = Arc::new(());
        (Self(Arc::downgrade(&held)), Latch { _held: Some(held) })
    }

    /// Whether every latch is gone.
    pub fn is_ready(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Latch {
    /// A latch that holds nothing back.
    pub fn spent() -> Self {
        Self { _held: None }
    }
}
