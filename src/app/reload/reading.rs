//! Reading files for a reload, within a limit of time: a file system may hang.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// For all files of a reload together.
pub(super) const LIMIT: Duration = Duration::from_secs(25);

/// Reads for one reload at a time.
#[derive(Debug)]
pub(in crate::app) struct Reader(Arc<Semaphore>);

/// A reading in work. Its threads hold it too: they go on when the reload is given up.
#[derive(Debug)]
pub(super) struct Reading(Arc<OwnedSemaphorePermit>);

impl Default for Reader {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Reader {
    /// Reads, and gives up after the limit. A reading that hangs lets no other begin, so that hung
    /// threads do not add up.
    pub(super) async fn read<T>(
        &self,
        read: impl AsyncFnOnce(&Reading) -> Result<T, String>,
    ) -> Result<T, String> {
        let Ok(permit) = self.0.clone().try_acquire_owned() else {
            return Err(
                "an earlier reload still waits for a file: look at the file systems of the config, \
                 its secrets and CA files"
                    .to_owned(),
            );
        };
        let reading = Reading(Arc::new(permit));
        timeout(LIMIT, read(&reading)).await.unwrap_or_else(|_| {
            Err(format!(
                "reading the config was given up after {LIMIT:?}: look at the file systems of the \
                 config, its secrets and CA files"
            ))
        })
    }
}

impl Reading {
    /// Runs what reads files on the blocking pool.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let permit = self.0.clone();
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.unwrap_or_else(|error| {
            tracing::error!(%error, "Reading the config failed.");
            Err(
                "reading the config ended by itself: this is a bug, please report it with the log"
                    .to_owned(),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_file_that_hangs_is_given_up_and_lets_no_other_begin() {
        let reader = Arc::new(Reader::default());
        let (answer, hangs) = std::sync::mpsc::channel();
        let (began, begins) = tokio::sync::oneshot::channel();
        let hung = tokio::spawn({
            let reader = reader.clone();
            async move {
                let read = async |reading: &Reading| {
                    let work = move || {
                        began.send(()).unwrap();
                        // Whatever the code does, it hangs no longer than this.
                        let answer = hangs.recv_timeout(Duration::from_secs(10));
                        answer.map_err(|error| error.to_string())
                    };
                    reading.blocking(work).await
                };
                reader.read(read).await
            }
        });
        begins.await.unwrap();
        tokio::time::advance(LIMIT).await;
        let error = hung.await.unwrap().unwrap_err();
        assert!(error.contains("given up after 25s"), "{error}");
        let next = || reader.read(async |reading| reading.blocking(|| Ok(7)).await);
        let error = next().await.unwrap_err();
        assert!(error.contains("still waits for a file"), "{error}");
        answer.send(1).unwrap();
        while reader.0.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(next().await, Ok(7));
    }
}
