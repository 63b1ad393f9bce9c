//! From what is known to alerts: conditions, their rules for Prometheus, and the sidecar that posts
//! to Alertmanager itself.

mod facts;
mod file;
mod notification;
mod rule;
mod rules;

pub use facts::{Facts, Failing, Own};
pub use file::rules_file;
pub use notification::Notification;
pub use rule::{Labels, Rule, Severity};
pub use rules::all as rules;
