//! From what is known to alerts: conditions, their rules for Prometheus, and the sidecar that posts
//! to Alertmanager itself.

mod alertmanager;
mod conditions;
mod engine;
mod file;
mod input;
mod notification;
mod peer;
mod queue;
mod rule;
mod rules;
mod sidecar;
mod sights;

pub use file::rules_file;
pub use input::AlertInput;
pub use notification::Notification;
pub use peer::Metrics;
pub use rule::{Labels, Rule, Severity};
pub use rules::all as rules;
pub use sidecar::{Order, World, run, run_after};
pub use sights::Storage;
