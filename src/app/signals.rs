//! Signals that end the program, as the runtime sees them, and a guard that needs no runtime.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::low_level::{self, pipe};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Time that the runtime has after the second signal, to log and to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over from the system, and starts the guard.
    pub fn new() -> io::Result<Self> {
        guard()?;
        // A write beyond the limit of a file's size fails then, as on a full disk; otherwise the signal would end
        // the process.
        flag::register(SIGXFSZ, Arc::default())?;
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal and returns its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Starts a thread that ends the process [`GRACE`] after the second signal, with the exit code of a
/// signal, if the runtime has not done so. It takes no lock and does not log: a thread that is stuck
/// may hold any lock.
fn guard() -> io::Result<()> {
    let (mut signals, handler) = UnixStream::pair()?;
    // The handlers write a byte for each signal.
    pipe::register(SIGTERM, handler.try_clone()?)?;
    pipe::register(SIGINT, handler)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if signals.read_exact(&mut [0; 2]).is_ok() {
                std::thread::sleep(GRACE);
                low_level::exit(0);
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use tokio::time::Instant;

    use super::*;

    /// Set in the child process of the test.
    const CHILD: &str = "BLOCKED_RUNTIME";

    const READY: &str = "blocked";

    /// Blocks every thread of a runtime like the program's, after taking the signals over.
    fn block() -> ! {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let _signals = Signals::new().unwrap();
            let block = || -> ! {
                loop {
                    std::thread::sleep(Duration::from_secs(1));
                }
            };
            for _ in 0..2 {
                tokio::spawn(async move { block() });
            }
            println!("{READY}");
            block()
        })
    }

    /// Returns whether the process has yet to take a signal.
    fn is_pending(pid: &str) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let mut masks = status.lines().filter_map(|line| {
            let shared = line.strip_prefix("ShdPnd:");
            let mask = shared.or(line.strip_prefix("SigPnd:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        });
        masks.any(|mask| mask != 0)
    }

    #[test]
    fn a_second_signal_ends_a_process_with_a_blocked_runtime() {
        if std::env::var_os(CHILD).is_some() {
            block();
        }
        let this = "app::signals::tests::a_second_signal_ends_a_process_with_a_blocked_runtime";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = out.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.ends_with(READY)), "it does not start");
        let pid = child.id().to_string();
        let signal = || {
            let sent = Command::new("kill").args(["-s", "TERM", &pid]).status();
            assert!(sent.unwrap().success());
        };
        // The kernel merges a signal with one of its kind that is still pending.
        signal();
        while is_pending(&pid) {
            std::thread::sleep(Duration::from_millis(10));
        }
        signal();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if begun.elapsed() > GRACE + Duration::from_secs(60) {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(status.and_then(|status| status.code()), Some(0));
        assert!(begun.elapsed() >= GRACE / 2, "the runtime gets its time");
    }
}
