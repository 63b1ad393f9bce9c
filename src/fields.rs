//! Fields that several parts of a config file have: secrets, addresses, time zones, CA files.

pub mod address;
pub mod ca_file;
pub mod id;
pub mod secret;

use std::path::Path;

use tokio::time::Instant;

/// Files and variables that a config names.
pub struct Context<'a> {
    /// Folder of the config file, for relative paths.
    pub folder: &'a Path,
    /// Returns an environment variable's value.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Deadline for reading files.
    pub deadline: Instant,
    /// True when the config is read without secrets and other files, to check its form. Each secret is
    /// then empty.
    pub is_alone: bool,
}
