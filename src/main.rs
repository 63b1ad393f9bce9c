//! The program: see `rolling-upgrade-exporter --help`.

mod cli;
mod commands;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use cli::Cli;
use commands::Failure;
use rolling_upgrade_exporter::{telemetry, text};

/// Copying bytes and waiting need no more, on however large a machine.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let told = cli::without_passwords(told);
            // Help and version come this way too. Whoever closed the pipe has read enough.
            drop(told.print());
            return exit_code(told.exit_code());
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(Failure::Told(code)) => exit_code(code),
        Err(failure) => {
            drop(writeln!(
                io::stderr(),
                "rolling-upgrade-exporter: {}",
                text::lines(&failure.to_string())
            ));
            exit_code(failure.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(commands::run(cli.asked()));
    // A name that is being looked up can hold a thread for a minute; nobody waits for that.
    runtime.shutdown_background();
    telemetry::log::flush();
    result
}

fn exit_code(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
