//! Flags of `completions`.

use clap::Args;
use clap_complete::Shell;

pub(super) const AFTER_HELP: &str = "Example:\n  \
    rolling-upgrade-exporter completions bash \
    > ~/.local/share/bash-completion/completions/rolling-upgrade-exporter\n\n\
    docs/page-and-terminal.md tells the place for each shell.";

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}
