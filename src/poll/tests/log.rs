//! Tests of the severity and the reason of log lines.

use jiff::SignedDuration;

use super::*;
use crate::model::{Remark, Task, TaskStatus};

/// Returns the text log of this thread, which is kept as long as the guard lives.
pub(super) fn log() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let made = log.clone();
    let text = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || made.clone());
    (log, tracing::subscriber::set_default(text.finish()))
}

/// Log lines.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(super) fn lines_with(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }
}

/// Returns a task that is at fault, as the vendor describes it.
fn task(status: TaskStatus) -> Task {
    Task {
        order: 2,
        name: "Node replacement".into(),
        status,
        start: None,
        end: None,
        description: Some("No address is left\u{1b}[31m.".into()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_upgrade_is_an_error_with_the_vendors_reason() {
    for (status, level) in [
        (UpgradeStatus::Failed, "ERROR"),
        (UpgradeStatus::PartiallyFailed, "ERROR"),
        (UpgradeStatus::Succeeded, "INFO"),
        (UpgradeStatus::Cancelled, "INFO"),
        (UpgradeStatus::Paused, "INFO"),
    ] {
        let (log, _guard) = log();
        let fake = Arc::new(Fake::default());
        fake.tasks.lock().push(task(TaskStatus::Failed));
        fake.set("1", Ok(Some(UpgradeStatus::Running)));
        let bench = Bench::start(fake, |_| {});
        pass(10).await;
        bench.fake.set("1", Ok(Some(status)));
        pass(1000).await;
        let lines = log.lines_with("An upgrade is in a new state.");
        assert_eq!(lines.len(), 2, "each state once: {lines:?}");
        let [running, ended] = [&lines[0], &lines[1]];
        assert!(running.contains(" INFO "), "{running}");
        assert!(!running.contains("why="), "nothing is wrong: {running}");
        assert!(ended.contains(&format!(" {level} ")), "{ended}");
        assert!(ended.contains(status.as_str()), "{ended}");
        let reason = "why=\"Node replacement: No address is left";
        assert_eq!(ended.contains(reason), level == "ERROR", "{ended}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_upgrade_is_a_warning_with_the_vendors_reason() {
    let (log, _guard) = log();
    let fake = Arc::new(Fake::default());
    fake.tasks.lock().push(task(TaskStatus::Running));
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    let _bench = Bench::start(fake, |_| {});
    pass(3600).await;
    let lines = log.lines_with("An upgrade is stalled.");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(" WARN "), "{lines:?}");
    let reason = "why=\"Node replacement: No address is left";
    let time = lines[0].split_once("last_progress=").unwrap().1;
    assert_eq!(
        time.find('Z'),
        Some("2027-01-15T08:00:00".len()),
        "{lines:?}"
    );
    assert!(lines[0].contains(reason), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_not_shown_any_more_is_not_logged() {
    let (log, _guard) = log();
    let fake = Arc::new(Fake::default());
    let long_ago =
        Timestamp::from_second(1_800_000_000).unwrap() - SignedDuration::from_hours(24 * 30);
    *fake.ended.lock() = Some(long_ago);
    fake.set("1", Ok(Some(UpgradeStatus::Failed)));
    let bench = Bench::start(fake, |_| {});
    pass(100).await;
    let state = bench.state("1").unwrap();
    assert_eq!(state.upgrades[0].ended, Some(long_ago));
    assert_eq!(log.lines_with("An upgrade is in a new state."), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn each_oddity_of_a_clusters_answers_is_logged_once() {
    let (log, _guard) = log();
    let fake = Arc::new(Fake::default());
    fake.unknown_words.lock().push("melting".into());
    for remark in [
        Remark::Note("its count is wrong".into()),
        Remark::NodeTwice("node-1".into()),
    ] {
        fake.remarks.lock().add(|| remark);
    }
    fake.set("1", Ok(Some(UpgradeStatus::Running)));
    fake.set("2", Ok(Some(UpgradeStatus::Running)));
    let bench = Bench::start(fake, |_| {});
    pass(1000).await;
    assert!(bench.fake.polls("1") > 2 && bench.fake.polls("2") > 2);
    for (message, field, times) in [
        ("a status word that is not known", "word=\"melting\"", 1),
        ("An answer is odd.", "note=\"its count is wrong\"", 2),
        ("A node stands twice in one answer;", "node=\"node-1\"", 2),
    ] {
        let lines = log.lines_with(message);
        assert_eq!(lines.len(), times, "{lines:?}");
        for line in lines {
            assert!(
                line.contains(field) && line.contains("product=\"fake\""),
                "{line}"
            );
        }
    }
}
