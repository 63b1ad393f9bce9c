//! `status`: where every upgrade stands, once or until all have ended.

mod bars;
mod course;
mod ending;
mod lines;
mod screen;
mod source;
mod stop;
mod table;
mod text;
mod watch;

use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::anyhow;
use jiff::Timestamp;
use rolling_upgrade_exporter::clouds::CLOUDS;
use rolling_upgrade_exporter::config::{self, Config};
use rolling_upgrade_exporter::report::Report;
use rolling_upgrade_exporter::text::json;

use super::table::Look;
use super::{Failure, say};
use crate::cli::{Narrow, Output, Status};
use course::Course;
use screen::Screen;
use source::Source;
pub(super) use stop::Stop;
use watch::Scope;

pub(super) async fn run(flags: Status) -> Result<(), Failure> {
    let mut source = source(&flags)?;
    let scope = Scope {
        narrow: flags.narrow,
        since: None,
    };
    let is_json = flags.output == Output::Json;
    let mut course = Course::default();
    let report = if flags.watch {
        let mut stop = Stop::new()?;
        tokio::select! {
            () = source.ready() => {}
            ended = stop.asked() => return Err(ended),
        }
        let mut screen = if is_json {
            Screen::Json
        } else {
            Screen::for_people()
        };
        watch::until_over(&mut source, &scope, &mut screen, &mut stop, &mut course).await?
    } else {
        source.ready().await;
        scope.read(&mut source).await?
    };
    ending::missing(&report, &scope)?;
    let said = match (is_json, flags.watch) {
        (true, true) => Ok(()),
        (true, false) => say(&json::to_string_pretty(&report).map_err(anyhow::Error::from)?),
        (false, watched) => conclude(&report, watched, flags.summary),
    };
    ending::after(said, ending::of_all(&report, &course.lost()))
}

/// Own polls, or the exporter that is named.
fn source(flags: &Status) -> Result<Source, Failure> {
    if let Some(url) = &flags.remote.url {
        return Source::running(url, &flags.remote, flags.interval);
    }
    let mut config = config::load(CLOUDS, &flags.config.file)?;
    flags.narrow.config(&mut config)?;
    if let Some(interval) = flags.interval {
        ask_every(&mut config, interval);
    }
    Ok(Source::own(config))
}

/// Follows the upgrade of one cluster that was requested at `since`: waits up to `wait` for it to
/// appear, then shows how it goes until it ends. Only what was seen to succeed is no failure.
pub(super) async fn follow(
    mut config: Config,
    to: &Narrow,
    since: Timestamp,
    wait: Duration,
) -> Result<(), Failure> {
    to.config(&mut config)?;
    // The cluster is idle until the upgrade shows, and that should not take long.
    for account in &mut config.accounts {
        account.polling.idle_interval = account.polling.active_interval;
    }
    let mut source = Source::own(config);
    let mut stop = Stop::new()?;
    let scope = Scope {
        narrow: to.clone(),
        since: Some(since),
    };
    let there = watch::until_there(&mut source, &scope, wait, &mut stop).await?;
    let Some(there) = there else {
        let report = scope.read(&mut source).await?;
        let why = report.clusters.iter().find_map(|c| c.last_error.as_ref());
        let why = why.map_or(String::new(), |e| format!(" ({})", text::error(e)));
        let waited = rolling_upgrade_exporter::text::exact_length(wait);
        return Err(anyhow!(
            "no upgrade was seen within {waited}{why}; look at it again with `status --watch`"
        )
        .into());
    };
    let mut screen = Screen::for_people();
    let mut course = Course::default();
    // What was there is awaited, should it be gone by the next look.
    course.look(&there);
    let report =
        watch::until_over(&mut source, &scope, &mut screen, &mut stop, &mut course).await?;
    let outcome = ending::of_followed(&report, &course.lost());
    ending::after(conclude(&report, true, false), outcome)
}

/// Asks for clusters in an upgrade that often.
fn ask_every(config: &mut Config, interval: Duration) {
    for account in &mut config.accounts {
        account.polling.active_interval = interval;
    }
}

/// The table at the end; where nobody looks, a watch has told everything line by line.
fn conclude(report: &Report, watched: bool, summary: bool) -> Result<(), Failure> {
    if watched && !io::stdout().is_terminal() {
        return say(&lines::stamped(report, &over(report)));
    }
    say(&table::table(report, Look::of_stdout(summary)))
}

/// Why a watch ends.
fn over(report: &Report) -> String {
    match text::counts(report) {
        counts if counts.is_empty() => "no upgrade is known".to_owned(),
        counts => format!("no upgrade runs: {counts}"),
    }
}
