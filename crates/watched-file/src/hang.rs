//! Files whose disk does not answer: for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

/// Files that hang, with the number of threads that are stuck in each.
static HANGING: Mutex<BTreeMap<PathBuf, usize>> = Mutex::new(BTreeMap::new());

/// Hang of one file, which ends when this is dropped.
pub struct Hang(PathBuf);

/// Makes every operation on this file hang.
pub fn hang(path: &Path) -> Hang {
    hanging().insert(path.to_owned(), 0);
    Hang(path.to_owned())
}

impl Hang {
    /// Waits until a thread is stuck: on a busy machine a new one may begin late.
    ///
    /// # Panics
    /// When none is stuck after 20 seconds. They are counted in naps, since tests pause the clock.
    pub fn until_stuck(&self) {
        for _ in 0..20_000 {
            if self.stuck() > 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("no thread reads {}", self.0.display());
    }

    /// Returns how many threads are stuck.
    pub fn stuck(&self) -> usize {
        hanging().get(&self.0).copied().unwrap_or_default()
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        hanging().remove(&self.0);
    }
}

/// Blocks the thread for as long as the file hangs.
pub(super) fn wait(path: &Path) {
    if let Some(stuck) = hanging().get_mut(path) {
        *stuck += 1;
    }
    while hanging().contains_key(path) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn hanging() -> MutexGuard<'static, BTreeMap<PathBuf, usize>> {
    HANGING.lock()
}
