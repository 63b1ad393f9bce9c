//! From what is known to alerts: conditions, their rules for Prometheus, and the sidecar that posts
//! to Alertmanager itself.

mod alertmanager;
mod engine;
mod facts;
mod file;
mod notification;
mod peer;
mod queue;
mod rule;
mod rules;
mod sidecar;

pub use facts::{Facts, Failing, Own};
pub use file::rules_file;
pub use notification::Notification;
pub use rule::{Labels, Rule, Severity};
pub use rules::all as rules;
pub use sidecar::{Order, World, run};
