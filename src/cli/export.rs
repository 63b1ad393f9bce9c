//! Flags of `export`.

use std::path::PathBuf;

use clap::Args;

pub(super) const AFTER_HELP: &str = "Example:\n  \
    rolling-upgrade-exporter export --to=setup\n\n\
    Exit codes: 0 everything is there, 1 error, or a file that differs stands in the way and \
    nothing was written, 2 wrong usage.";

/// Where to write to.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder to write to; it is made when it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Replace files that differ from what would be written
    #[arg(long)]
    pub(crate) force: bool,
}
