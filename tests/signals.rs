//! Signals to a program whose runtime is stuck.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and so may what helps it"
)]

use std::fs::read_to_string;
use std::io::{ErrorKind, PipeWriter, Write, pipe};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
use tokio::time::Instant;

/// Only a failure waits for so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bits of SIGINT and SIGTERM in a mask of signals.
const ENDING: u64 = 1 << 1 | 1 << 14;

/// Fills a pipe, so that the next write to it blocks.
fn fill(mut pipe: &PipeWriter) {
    fcntl_setfl(pipe, OFlags::NONBLOCK).unwrap();
    let full = loop {
        if let Err(error) = pipe.write(b"\n") {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    fcntl_setfl(pipe, OFlags::empty()).unwrap();
}

/// Returns true when the process has handlers for the signals that end it.
fn handles_signals(pid: u32) -> bool {
    let status = read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = u64::from_str_radix(mask.unwrap().trim(), 16).unwrap();
    mask & ENDING == ENDING
}

fn terminate(child: &Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", "TERM", &pid]).status();
    assert!(sent.unwrap().success());
}

/// Waits for the end of the process for so long.
fn ended(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        let status = child.try_wait().unwrap();
        if status.is_some() || begun.elapsed() > limit {
            return status;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_second_signal_ends_a_stuck_simulator() {
    // The line with the address cannot be written, and that blocks the runtime.
    let (reader, writer) = pipe().unwrap();
    fill(&writer);
    let mut child = Command::new(env!("CARGO_BIN_EXE_rolling-upgrade-exporter"))
        .args(["simulate", "--listen-address=127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !handles_signals(child.id()) && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    terminate(&child);
    assert_eq!(ended(&mut child, Duration::from_millis(300)), None);
    terminate(&child);
    let status = ended(&mut child, PATIENCE);
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    drop(reader);
}
