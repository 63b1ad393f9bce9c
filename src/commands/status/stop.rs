//! Ctrl-C and SIGTERM end a watch, whenever they come.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::commands::Failure;

/// Sees every signal since it was made.
pub(in crate::commands) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(in crate::commands) fn new() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits until somebody asks for the end; exits as a shell tells of that signal, so that no
    /// script goes on as if the upgrades had ended.
    pub(in crate::commands) async fn asked(&mut self) -> Failure {
        tokio::select! {
            _ = self.interrupt.recv() => Failure::Told(130),
            _ = self.terminate.recv() => Failure::Told(143),
        }
    }
}
