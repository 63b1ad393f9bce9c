//! Log lines on standard error, as text or JSON.

use tracing_subscriber::EnvFilter;

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// Failures only.
    Error,
    /// Also what may need attention.
    Warn,
    /// Also what happens.
    Info,
    /// Also each call.
    Debug,
}

/// Starts logging; once a process. Only this program's own lines pass: those of the HTTP client
/// hold URLs.
pub fn start(level: Level, format: Format) {
    let word = match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    let filter = EnvFilter::new(format!("rolling_upgrade_exporter={word}"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would be told with eprintln!, which panics where stderr cannot be written.
        .log_internal_errors(false)
        .with_target(false);
    let started = match format {
        Format::Text => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    // A second start, as tests make it, keeps the first.
    drop(started);
}
