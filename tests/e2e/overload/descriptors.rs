//! Connections and the limits of descriptors that the process is started with.

use super::attacks::{IDLE, Listener};
use super::exporter::Exporter;
use super::{Kept, answers_under, turn};

/// Starts the exporter by a shell that sets a limit first.
async fn start_with_limit(ulimit: &str) -> Exporter {
    let script = format!("ulimit {ulimit} && exec \"$@\"");
    Exporter::start_by(&["sh", "-c", &script, "sh"], Listener::Plain, &[]).await
}

#[tokio::test]
async fn raises_the_soft_limit_of_descriptors() {
    let _turn = turn().await;
    let exporter = start_with_limit("-Sn 200").await;
    let limits = exporter.proc("limits");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let [.., soft, hard, _unit] = files.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{files}");
    };
    assert_eq!(soft, hard, "{files}");
}

#[tokio::test]
async fn answers_when_idle_connections_exceed_the_descriptors() {
    let _turn = turn().await;
    let exporter = start_with_limit("-n 160").await;
    answers_under(&IDLE, 300, &exporter, Kept::Stays).await;
    let open = exporter.descriptors();
    assert!(open < 160, "{open} of 160 descriptors are open");
}
