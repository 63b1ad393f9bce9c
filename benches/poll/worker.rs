//! Processes that are measured.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Outcome of a poll.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Poll {
    /// The poll was good, and nothing else is new.
    Unchanged,
    /// A node is done, and the next one is in work.
    NodeMoved,
    /// The poll was good, nothing else is new, and a scrape follows, which alone is measured.
    Scrape,
}

/// Place of what the polls learn.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kept {
    Memory,
    Disk,
}

/// Clusters whose memory is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Upgrading,
    Idle,
}

/// Process that watches a number of clusters, and ends with this.
#[derive(Debug)]
pub(crate) struct Worker {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts the process and waits until it is at rest.
    pub(crate) fn start(clusters: usize, kept: Kept) -> Self {
        let kept = match kept {
            Kept::Memory => "memory",
            Kept::Disk => "stored",
        };
        let mut process = command(&["serve-polls", &clusters.to_string(), kept]);
        let input = process.stdin.take().expect("its input is piped");
        let output = process.stdout.take().expect("its output is piped");
        let mut worker = Self {
            process,
            input,
            output: BufReader::new(output),
        };
        worker.line();
        worker
    }

    /// Lets so many polls happen and returns the CPU time of one, or the time of a scrape.
    pub(crate) fn poll(&mut self, poll: Poll, polls: usize) -> Duration {
        let word = match poll {
            Poll::Unchanged => "unchanged",
            Poll::NodeMoved => "moved",
            Poll::Scrape => "scrape",
        };
        writeln!(self.input, "{word} {polls}").expect("the process reads");
        let nanos = self.line().parse().expect("a number");
        Duration::from_nanos(nanos)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("the process answers");
        line.trim().to_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Returns the number of series, and the bytes that a fresh process needs for them.
pub(crate) fn memory(shape: Shape) -> (u64, u64) {
    let shape = match shape {
        Shape::Upgrading => "upgrading",
        Shape::Idle => "idle",
    };
    let process = command(&["measure-memory", shape]);
    let output = process.wait_with_output().expect("the process ends");
    let text = String::from_utf8(output.stdout).expect("text");
    let (series, bytes) = text.trim().split_once(' ').expect("two numbers");
    let number = |text: &str| text.parse().expect("a number");
    (number(series), number(bytes))
}

fn command(args: &[&str]) -> Child {
    let program = std::env::current_exe().expect("the path of this program");
    Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs")
}
