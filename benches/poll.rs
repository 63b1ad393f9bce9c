//! CPU time of a poll, from the new state of a cluster to the page and the alerts, with 100, 1,000 and
//! 10,000 clusters; and resident memory for each series. The exporter's own tasks run, each number of
//! clusters in a process of its own. Takes some minutes; `cargo bench --bench poll`.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "shared/clusters.rs"]
mod clusters;
#[path = "poll/exporter.rs"]
mod exporter;
#[path = "poll/worker.rs"]
mod worker;

use std::time::Duration;

use worker::{Poll, Shape, Worker};

/// Numbers of clusters that are compared.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// Rounds of each size, one after another.
const ROUNDS: usize = 7;
/// Polls of a round.
const POLLS: usize = 500;
/// Number of series at which memory is measured.
const SERIES: usize = 100_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve-polls", clusters] => exporter::serve_polls(clusters.parse().expect("a number")),
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
    let mut workers = SIZES.map(Worker::start);
    for (poll, name) in [
        (Poll::Unchanged, "nothing moved"),
        (Poll::NodeMoved, "a node moved"),
    ] {
        let mut times: [Vec<Duration>; SIZES.len()] = Default::default();
        for _ in 0..ROUNDS {
            for (worker, times) in workers.iter_mut().zip(&mut times) {
                times.push(worker.poll(poll, POLLS));
            }
        }
        let medians = times.map(median);
        for (size, time) in SIZES.iter().zip(medians) {
            let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
            let millis = time.as_secs_f64() * 1000.0;
            println!("{name:<16} {size:>6} clusters {millis:>8.3} ms {ratio:>6.2} x");
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
