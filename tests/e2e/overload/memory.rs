//! Memory that idle connections take. They come from many addresses, of which each has a share.

use tokio::time::{Duration, Instant, sleep};

use super::attacks::{IDLE_EVERYWHERE, Listener};
use super::exporter::Exporter;
use super::turn;

/// Memory of one idle connection in KiB; a debug build's is larger than a release build's.
const BOUND: usize = 64;

fn resident_kilobytes(exporter: &Exporter) -> usize {
    let status = exporter.proc("status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

#[tokio::test]
async fn an_idle_connection_takes_little_memory() {
    let _turn = turn().await;
    let exporter = Exporter::start(Listener::Plain, &[]).await;
    let memory = resident_kilobytes(&exporter);
    let _running = IDLE_EVERYWHERE.start(&exporter.target).await;
    let end = Instant::now() + Duration::from_secs(8);
    while exporter.descriptors() < IDLE_EVERYWHERE.clients {
        assert!(
            Instant::now() < end,
            "{} descriptors of {} connections",
            exporter.descriptors(),
            IDLE_EVERYWHERE.clients
        );
        sleep(Duration::from_millis(50)).await;
    }
    let each = resident_kilobytes(&exporter).saturating_sub(memory) / IDLE_EVERYWHERE.clients;
    assert!(each <= BOUND, "{each} KiB a connection");
}
