//! Answers that take a while: made on the blocking pool, few at once.

use hyper::StatusCode;
use tokio::sync::Semaphore;

use crate::answer::{Answer, text};

/// Answers that are made at once. A client that resets its requests stops none that has begun.
const MOST: usize = 2;

static PLACES: Semaphore = Semaphore::const_new(MOST);

/// Runs `make` on the blocking pool, at most two at a time, so that long answers delay no scrape.
pub async fn run_blocking(make: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    // It is never closed.
    let place = PLACES.acquire().await;
    let answer = tokio::task::spawn_blocking(move || {
        let answer = make();
        drop(place);
        answer
    });
    match answer.await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "Answering a request failed: this is a bug, please report it.");
            text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "this is a bug; the log tells more\n",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::sync_channel;

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[tokio::test]
    async fn answers_whose_requests_are_gone_keep_their_places() {
        let (tell, mut starts) = unbounded_channel();
        let (go, wait) = sync_channel::<()>(MOST + 1);
        let wait = Arc::new(parking_lot::Mutex::new(wait));
        let ask = || {
            let (tell, wait) = (tell.clone(), wait.clone());
            tokio::spawn(run_blocking(move || {
                tell.send(()).unwrap();
                wait.lock().recv().unwrap();
                text(StatusCode::OK, "")
            }))
        };
        for _ in 0..MOST {
            let gone = ask();
            starts.recv().await.unwrap();
            gone.abort();
            assert!(gone.await.unwrap_err().is_cancelled());
        }
        assert_eq!(PLACES.available_permits(), 0);
        let next = ask();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(starts.try_recv().is_err());
        for _ in 0..=MOST {
            go.send(()).unwrap();
        }
        assert_eq!(next.await.unwrap().status(), 200);
    }
}
