//! HTTP clients with their limits and trust, and failures of calls as one type. Knows no vendor.

mod ca_file;
mod cause;
pub(crate) mod client;
pub(crate) mod encoding;
mod error;
pub(crate) mod failure;
mod login;
mod lookup;
pub(crate) mod redaction;
pub(crate) mod skew;

pub use ca_file::CaFile;
pub use cause::{Cause, Network};
pub use error::ApiError;
pub use login::Login;
pub use redaction::Redaction;
