//! Log lines on standard error, as text or JSON.

mod line;
mod object;
mod once;
mod queue;
#[cfg(test)]
mod tests;
mod value;

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use line::TextFields;
use object::JsonEvent;
use queue::Queue;

pub use once::LogOnce;

static QUEUE: OnceLock<Queue> = OnceLock::new();

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

/// Starts logging; once a process. Only lines of this program and its web server pass: those of the HTTP
/// client hold URLs.
///
/// # Errors
/// When the system has no thread left for it.
pub fn start(level: Level, format: Format) -> std::io::Result<()> {
    if QUEUE.get().is_some() {
        return Ok(());
    }
    let queue = Queue::start(std::io::stderr())?;
    let word = match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    let filter = EnvFilter::new(format!(
        "rolling_upgrade_exporter={word},exporter_web={word}"
    ));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(queue.clone())
        // It would be told with eprintln!, which panics where stderr cannot be written.
        .log_internal_errors(false)
        .with_target(false);
    let started = match format {
        Format::Text => builder
            .with_ansi(std::io::stderr().is_terminal())
            .fmt_fields(TextFields)
            .try_init(),
        Format::Json => builder.event_format(JsonEvent).try_init(),
    };
    if started.is_ok() {
        // Nobody else can have set it: the subscriber is set once a process, too.
        drop(QUEUE.set(queue));
    }
    Ok(())
}

/// Waits until what was logged so far is written, or for a moment where nobody reads it.
pub fn flush() {
    const PATIENCE: Duration = Duration::from_millis(200);
    if let Some(queue) = QUEUE.get() {
        queue.flush(PATIENCE);
    }
}
