//! Times of a scrape, quiet and under attack, of the exporter's server, a plain hyper server and,
//! where Go is installed, a server of Go's `net/http`; and memory per connection. All send the same
//! body. Each server has its own process. Takes some minutes; `cargo bench --bench overload`, with
//! `-- WORD` only the attacks with WORD in their name.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../tests/attacks/attacks.rs"]
mod attacks;
#[path = "overload/children.rs"]
mod children;
#[path = "overload/exporter.rs"]
mod exporter;
#[path = "overload/measure.rs"]
mod measure;
#[path = "overload/plain_hyper.rs"]
mod plain_hyper;

use std::time::Duration;

use attacks::probe::{self, Request};
use attacks::{
    Attack, CLOSED_WINDOWS, CONTINUATIONS, CONTROL_FRAMES, GUESSED_LOGINS, HANDSHAKES, IDLE,
    IDLE_EVERYWHERE, IDLE_FROM_SOME, IDLE_HTTP2, LARGE_HEADS, Listener, PAGES, PIPELINES,
    PLAIN_ON_TLS, RESET_STREAMS, SCRAPER, SHORT_CONNECTIONS, SHORT_HANDSHAKES, SLOW_BODIES,
    SLOW_HEADS, SLOW_READERS, UNREAD_ANSWERS,
};
use children::Child;
use measure::{Times, scrapes};
use tokio::runtime::Runtime;
use tokio::time::sleep;

/// Attacks, in the order of the table.
const ATTACKS: &[&Attack] = &[
    &IDLE,
    &IDLE_EVERYWHERE,
    &IDLE_FROM_SOME,
    &SLOW_HEADS,
    &SLOW_BODIES,
    &UNREAD_ANSWERS,
    &SLOW_READERS,
    &SHORT_CONNECTIONS,
    &LARGE_HEADS,
    &PIPELINES,
    &PAGES,
    &GUESSED_LOGINS,
    &HANDSHAKES,
    &SHORT_HANDSHAKES,
    &PLAIN_ON_TLS,
    &IDLE_HTTP2,
    &RESET_STREAMS,
    &CONTINUATIONS,
    &CONTROL_FRAMES,
    &CLOSED_WINDOWS,
];

/// Attacks of which the memory per connection is measured; the exporter gives one address a share
/// of the connections only.
const MEMORY: [&Attack; 4] = [
    &IDLE_EVERYWHERE,
    &IDLE_HTTP2,
    &UNREAD_ANSWERS,
    &CLOSED_WINDOWS,
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = Runtime::new().expect("threads");
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve-exporter"] => runtime.block_on(exporter::serve()),
        ["serve-hyper", body] => runtime.block_on(plain_hyper::serve(body)),
        args => {
            let word = args.iter().find(|arg| !arg.starts_with("--"));
            runtime.block_on(compare(word.copied().unwrap_or_default()));
        }
    }
}

/// Starts all servers and prints their times, attack by attack.
async fn compare(word: &str) {
    attacks::raise_descriptor_limit();
    let exporter = Child::exporter();
    let plain = exporter.target(Listener::Plain).expect("it has one");
    let request = Request::get("/metrics");
    let body = probe::ask(plain, SCRAPER, &request, Duration::from_secs(5))
        .await
        .expect("the exporter answers");
    println!("A scrape is {} bytes.\n", body.len());
    let mut servers = vec![exporter, Child::hyper(&body)];
    servers.extend(Child::go(&body));

    println!(
        "{:<28}{:<10}{:>10}{:>10}{:>10}{:>8}{:>8}{:>10}",
        "attack", "server", "median", "p99", "slowest", "good", "failed", "x quiet"
    );
    for listener in [Listener::Plain, Listener::Tls, Listener::Logins] {
        let attacks: Vec<_> = ATTACKS
            .iter()
            .filter(|attack| attack.listener == listener && attack.name.contains(word))
            .collect();
        let mut quiet = Vec::new();
        if attacks.is_empty() {
            continue;
        }
        for server in &servers {
            let times = under(None, listener, server).await;
            if let Some(times) = &times {
                row(&format!("quiet, {listener:?}"), server, times, times);
            }
            quiet.push(times);
        }
        // Logins that were checked are remembered.
        servers.iter_mut().for_each(Child::restart);
        for attack in attacks {
            for (server, quiet) in servers.iter_mut().zip(&quiet) {
                let times = under(Some(attack), listener, server).await;
                if let (Some(times), Some(quiet)) = (times, quiet) {
                    row(attack.name, server, &times, quiet);
                }
                // What one attack leaves behind must not be measured with the next.
                server.restart();
            }
        }
    }

    println!(
        "\n{:<28}{:<10}{:>16}",
        "memory of", "server", "per connection"
    );
    for attack in MEMORY.iter().filter(|attack| attack.name.contains(word)) {
        for server in &mut servers {
            if let Some((bytes, taken)) = memory(attack, server).await {
                let kilobytes = bytes / 1024;
                println!(
                    "{:<28}{:<10}{taken:>12}{kilobytes:>12} KiB",
                    attack.name, server.name
                );
            }
            server.restart();
        }
    }
}

/// Measures scrapes while an attack goes on; `None` where the server has no such listener.
async fn under(attack: Option<&Attack>, listener: Listener, server: &Child) -> Option<Times> {
    let target = server.target(listener)?;
    let attack = match attack {
        Some(attack) => Some(attack.start(target).await),
        None => None,
    };
    let times = scrapes(target, listener).await;
    if let Some(attack) = attack.filter(|attack| attack.connections() == 0) {
        println!("No client of the next attack could connect: {attack:?}");
    }
    Some(times)
}

/// Returns the memory in bytes that each connection of an attack takes, and the number of
/// connections that the server has taken.
async fn memory(attack: &Attack, server: &Child) -> Option<(u64, u64)> {
    let target = server.target(attack.listener)?;
    // The allocator's and the threads' own memory is there after some requests.
    scrapes(target, attack.listener).await;
    let (memory, descriptors) = (server.memory()?, server.descriptors()?);
    let running = attack.start(target).await;
    sleep(Duration::from_secs(1)).await;
    let grown = server.memory()?.saturating_sub(memory);
    let taken = server.descriptors()?.saturating_sub(descriptors);
    drop(running);
    Some((grown / taken.max(1), taken))
}

fn row(name: &str, server: &Child, times: &Times, quiet: &Times) {
    println!(
        "{name:<28}{:<10}{:>10}{:>10}{:>10}{:>8}{:>8}{:>10.1}",
        server.name,
        times.at(50),
        times.at(99),
        times.at(100),
        times.good(),
        times.failed,
        times.median() / quiet.median(),
    );
}
