//! Readiness: ready once everybody who holds a latch has let go of it.

use tokio::sync::watch;

/// Tells whether every latch is gone.
#[derive(Debug, Clone)]
pub struct Ready(watch::Receiver<()>);

/// Holds readiness back until it is dropped, with all its clones.
#[derive(Debug, Clone)]
pub struct Latch {
    _held: Option<watch::Sender<()>>,
}

impl Ready {
    /// A readiness with its first latch.
    pub fn new() -> (Self, Latch) {
        let (held, seen) = watch::channel(());
        (Self(seen), Latch { _held: Some(held) })
    }

    /// Whether every latch is gone.
    pub fn is_ready(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Completes when every latch is gone.
    pub async fn reached(&mut self) {
        // Nothing is ever sent: an error is the message.
        while self.0.changed().await.is_ok() {}
    }
}

impl Latch {
    /// A latch that holds nothing back.
    pub fn spent() -> Self {
        Self { _held: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_reached_when_the_last_latch_is_gone() {
        let (mut ready, first) = Ready::new();
        let second = first.clone();
        drop(first);
        assert!(!ready.is_ready());
        let waiting = tokio::spawn(async move {
            ready.reached().await;
            ready
        });
        drop(second);
        assert!(waiting.await.unwrap().is_ready());
    }
}
