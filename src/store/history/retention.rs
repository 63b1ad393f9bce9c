//! End of the history: upgrades that ended longer ago than the retention are forgotten.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::Store;
use super::super::disk::Disk;
use crate::clock::{Clock, Clocks, VendorClock};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(3600);

/// Forgets upgrades that ended longer ago than the retention, in memory and on the disk, until aborted.
///
/// The time is that of the clock that is last, of the vendors' and the host's: one that is ahead costs no history.
/// Before any vendor told its time nothing is forgotten.
pub async fn keep(
    store: Arc<Store>,
    disk: Option<Disk>,
    host: Clock,
    mut retention: watch::Receiver<Duration>,
) {
    loop {
        let length = *retention.borrow_and_update();
        if let Some(time) = earliest(&store.clocks(), &host, length) {
            store.history().forget_before(time);
            if let Some(disk) = &disk {
                disk.forget_before(time);
            }
        }
        let is_known = store.clocks().values().any(|c| c.known_now().is_some());
        let pause = if is_known { EVERY } else { EVERY / 60 };
        tokio::select! {
            () = sleep(pause) => {}
            // The sender is gone when the program ends.
            changed = retention.changed() => if changed.is_err() {
                std::future::pending::<()>().await;
            },
        }
    }
}

/// Returns the time before which ends are forgotten; `None` while no vendor told its time.
fn earliest(clocks: &Clocks, host: &Clock, retention: Duration) -> Option<Timestamp> {
    let now = clocks.values().filter_map(VendorClock::known_now).min()?;
    let now = now.min(host.now());
    now.checked_sub(jiff::SignedDuration::try_from(retention).ok()?)
        .ok()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tokio::time::Instant;

    use super::super::tests::past;
    use super::*;
    use crate::clock::Reading;

    #[tokio::test(start_paused = true)]
    async fn old_upgrades_leave_by_the_clock_of_the_vendors() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let store = Arc::new(Store::new());
        store
            .history()
            .load([past("a", 1, 1_000, 1), past("b", 1, 9_000, 1)], 0);
        // The host's clock is ten years ahead.
        let clock = VendorClock::new(Clock::tokio(at(400_000_000)));
        store.put_clock(&"account".into(), &clock);
        let (changed, retention) = watch::channel(Duration::from_secs(5_000));
        let host = Clock::tokio(at(400_000_000));
        let keeping = tokio::spawn(keep(store.clone(), None, host, retention));
        sleep(Duration::from_secs(200)).await;
        let count = || store.history().all().upgrades.len();
        assert_eq!(count(), 2, "no vendor told its time");
        clock.observe(Reading {
            time: at(9_500),
            at: Instant::now(),
            precision: SignedDuration::ZERO,
        });
        clock.observe(Reading {
            time: at(9_500),
            at: Instant::now(),
            precision: SignedDuration::ZERO,
        });
        sleep(Duration::from_secs(100)).await;
        assert_eq!(count(), 1);
        changed.send_replace(Duration::from_secs(10));
        sleep(Duration::from_secs(1)).await;
        assert_eq!(count(), 0, "a reload counts at once");
        keeping.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_vendor_whose_clock_is_ahead_costs_no_history() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let clock = VendorClock::new(Clock::tokio(at(9_000)));
        let ahead = Reading {
            time: at(400_000_000),
            at: Instant::now(),
            precision: SignedDuration::ZERO,
        };
        clock.observe(ahead);
        clock.observe(ahead);
        let clocks = [("account".into(), clock)].into();
        let earliest = earliest(
            &clocks,
            &Clock::fixed(at(9_000)),
            Duration::from_secs(5_000),
        );
        assert_eq!(earliest, Some(at(4_000)));
    }
}
