//! Secrets in files that rotate, or do not answer, while clusters are polled.

use super::*;
use crate::clouds::CLOUDS;
use watched_file::hang::hang;

/// An account with a secret in this file.
fn account(folder: &Path) -> Account {
    std::fs::write(folder.join("secret"), "a").unwrap();
    let text = "accounts: [{name: a, ncloud: {access_key: x, secret_key_file: secret, ses: {}}}]";
    let mut config = crate::config::parse(CLOUDS, text, folder, &|_| None).unwrap();
    config.accounts.remove(0)
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = tokio::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed().as_secs() < 20, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_secret_file_that_hangs_holds_up_neither_discovery_nor_polls() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    let fake = Arc::new(Fake::default());
    fake.set("1", Ok(None));
    let hang = hang(&folder.path().join("secret"));
    let mut bench = Bench::of(account, fake, |_| {});
    let is_up = |bench: &Bench| bench.state("1").is_some_and(|state| state.up);
    until("it is polled", || is_up(&bench)).await;
    bench.reload(|_, _| {}).await;
    assert!(hang.stuck() <= 1);
}

#[tokio::test]
async fn whoever_was_refused_is_asked_again_soon_after_the_secret_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    let fake = Arc::new(Fake::default());
    *fake.listing.lock() = Some(Reason::Auth);
    let bench = Bench::of(account, fake, |_| {});
    let discoveries = || bench.fake.discoveries.load(Ordering::Relaxed);
    until("it is refused", || discoveries() == 1).await;
    // Not before the first look, and old enough to count as whole at the second.
    tokio::time::sleep(Duration::from_millis(500)).await;
    std::fs::write(folder.path().join("secret"), "another").unwrap();
    until("it is asked again", || discoveries() == 2).await;
}
