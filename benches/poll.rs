//! CPU time of a poll, from the new state of a cluster to the page and the alerts, with 100, 1,000 and 10,000
//! clusters, and beside them with a storage; the time of a scrape with and without one; resident memory for each
//! series. The exporter's own tasks run, each number of clusters in a process of its own. Takes some minutes;
//! `cargo bench --bench poll`.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "shared/clusters.rs"]
mod clusters;
#[path = "poll/exporter.rs"]
mod exporter;
#[path = "poll/latency.rs"]
mod latency;
#[path = "poll/storage.rs"]
mod storage;
#[path = "poll/worker.rs"]
mod worker;

use std::time::Duration;

use latency::Circle;
use worker::{Kept, Poll, Shape, Worker};

/// Numbers of clusters that are compared.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// Rounds of each size, one after another.
const ROUNDS: usize = 7;
/// Polls of a round.
const POLLS_OF_ROUND: usize = 500;
/// Outcomes of polls that are compared.
const POLLS: [(Poll, &str); 2] = [
    (Poll::Unchanged, "nothing moved"),
    (Poll::NodeMoved, "a node moved"),
];
/// Number of clusters that have some 100,000 series.
const SCRAPED: usize = 500;
/// Number of series at which memory is measured.
const SERIES: usize = 100_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve-polls", clusters, storage] => {
            exporter::serve_polls(clusters.parse().expect("a number"), *storage == "stored");
        }
        ["measure-memory", shape] => exporter::measure_memory(shape, SERIES),
        _ => compare(),
    }
}

fn compare() {
    println!("resident memory at {SERIES} series");
    for (shape, name) in [
        (Shape::Upgrading, "20 nodes in an upgrade"),
        (Shape::Idle, "no upgrade"),
    ] {
        let (series, bytes) = worker::memory(shape);
        println!("{name:<28} {:>7} bytes a series", bytes / series.max(1));
    }

    println!("\nCPU time of a poll, median of {ROUNDS} rounds");
    let mut workers = SIZES.map(|size| Worker::start(size, Kept::Memory));
    let circle = Circle::new();
    for (poll, name) in POLLS {
        let before = circle.read();
        let medians = medians(&mut workers, poll);
        for (size, time) in SIZES.iter().zip(medians) {
            tell(&format!("{name:<16} {size:>6} clusters"), time, medians[0]);
        }
        let reads = [before, circle.read()].map(|read| read.as_nanos());
        println!(
            "a read of memory in no cache took {} ns before, and {} ns after",
            reads[0], reads[1]
        );
    }
    drop(circle);
    drop(workers);

    println!("\nWith a storage beside without");
    for size in [SCRAPED, SIZES[2]] {
        let mut workers = [Kept::Memory, Kept::Disk].map(|kept| Worker::start(size, kept));
        let scrape = (size == SCRAPED).then_some((Poll::Scrape, "a scrape"));
        for (poll, name) in POLLS.into_iter().chain(scrape) {
            let medians = medians(&mut workers, poll);
            for (kept, time) in ["memory", "disk"].into_iter().zip(medians) {
                tell(
                    &format!("{name:<16} {size:>6} clusters {kept:<7}"),
                    time,
                    medians[0],
                );
            }
        }
    }
}

/// Returns the medians of rounds, in each of which every worker has its turn.
fn medians<const N: usize>(workers: &mut [Worker; N], poll: Poll) -> [Duration; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (worker, times) in workers.iter_mut().zip(&mut times) {
            times.push(worker.poll(poll, POLLS_OF_ROUND));
        }
    }
    times.map(median)
}

fn tell(what: &str, time: Duration, first: Duration) {
    let ratio = time.as_secs_f64() / first.as_secs_f64();
    let millis = time.as_secs_f64() * 1000.0;
    println!("{what} {millis:>8.3} ms {ratio:>6.2} x");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
