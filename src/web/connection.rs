//! One connection from its first byte to its last: plain or TLS, HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Duration, Instant, sleep_until};

use super::guard::{Guarded, HeadDone};
use super::server::Limits;
use super::tls::{self, Failures};
use super::{App, gate};

/// Bytes of a request's head.
const HEAD_CAP: usize = 16 << 10;

/// Requests of one HTTP/2 connection at the same time.
///
/// Each may hold a whole answer that its client does not read.
const STREAMS: u32 = 8;

/// An HTTP/2 connection without a request, when room is scarce.
const SCARCE_IDLE: Duration = Duration::from_secs(5);

/// Asks an HTTP/2 client whether it is still there, and waits so long for its word.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

/// What every connection needs.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) app: Arc<App>,
    pub(super) limits: Limits,
    pub(super) failures: Failures,
}

/// Serves a connection to its end. The permit is given back then.
pub(super) async fn serve(
    server: Arc<Server>,
    (stream, peer): (TcpStream, IpAddr),
    permit: OwnedSemaphorePermit,
    watcher: Watcher,
) -> hyper::Result<()> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "A connection keeps its delay.");
    }
    let limits = server.limits;
    let Some(config) = server.app.access.tls() else {
        return http1(server, (guarded(stream, limits), peer), permit, watcher).await;
    };
    match tls::speaks_plain_http(&stream, limits.head).await {
        Ok(false) => {}
        Ok(true) => {
            tls::refuse_plain_http(stream, limits.head).await;
            return Ok(());
        }
        Err(error) => {
            server.failures.tell(&error);
            return Ok(());
        }
    }
    // The handshake and the first head share one limit of time.
    let (stream, head_done) = guarded(stream, limits);
    match tls::accept(stream, config).await {
        Ok(stream) if tls::is_http2(&stream) => {
            head_done.stop_counting();
            http2(server, (stream, peer), permit, watcher).await
        }
        Ok(stream) => http1(server, ((stream, head_done), peer), permit, watcher).await,
        Err(error) => {
            server.failures.tell(&error);
            Ok(())
        }
    }
}

fn guarded(stream: TcpStream, limits: Limits) -> (Guarded<TcpStream>, HeadDone) {
    let head_done = HeadDone::default();
    let stream = Guarded::new(stream, limits.head, limits.write, head_done.clone());
    (stream, head_done)
}

async fn http1(
    server: Arc<Server>,
    ((stream, head_done), peer): (
        (impl AsyncRead + AsyncWrite + Unpin + 'static, HeadDone),
        IpAddr,
    ),
    permit: OwnedSemaphorePermit,
    watcher: Watcher,
) -> hyper::Result<()> {
    let limits = server.limits;
    let permit = Arc::new(permit);
    let service = service_fn(move |request| {
        head_done.set();
        let (server, permit) = (server.clone(), permit.clone());
        async move {
            let mut answer = gate::handle(&server.app, &request, peer).await;
            // When room gets scarce nobody keeps an idle connection.
            if is_scarce(&permit, limits) {
                answer
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .half_close(true)
        .max_buf_size(HEAD_CAP)
        .serve_connection(TokioIo::new(stream), service);
    watcher.watch(connection).await
}

async fn http2(
    server: Arc<Server>,
    (stream, peer): (impl AsyncRead + AsyncWrite + Unpin + 'static, IpAddr),
    permit: OwnedSemaphorePermit,
    watcher: Watcher,
) -> hyper::Result<()> {
    let limits = server.limits;
    let activity = Arc::new(Activity::new());
    let seen = activity.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, work) = (server.clone(), Activity::begin(&activity));
        async move {
            let mut answer = gate::handle(&server.app, &request, peer).await;
            drop(work);
            // Hyper would send it here, which is an error of the protocol. The length stays.
            if request.method() == Method::HEAD {
                *answer.body_mut() = Full::default();
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_CAP).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(PING))
        .keep_alive_timeout(PONG)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = watcher.watch(connection) => ended,
        // Hyper has no such limit of its own here.
        () = seen.until_idle(|| allowed_idle(&permit, limits)) => Ok(()),
    };
    drop(permit);
    ended
}

/// Whether few more connections can be taken.
fn is_scarce(permit: &OwnedSemaphorePermit, limits: Limits) -> bool {
    permit.semaphore().available_permits() < limits.connections / 4
}

/// How long a connection may be idle at this moment.
fn allowed_idle(permit: &OwnedSemaphorePermit, limits: Limits) -> Duration {
    if is_scarce(permit, limits) {
        limits.idle.min(SCARCE_IDLE)
    } else {
        limits.idle
    }
}

/// Whether requests are being answered, and since when none is.
#[derive(Debug)]
struct Activity {
    open: AtomicUsize,
    last: Mutex<Instant>,
}

/// A request that is being answered.
struct Work(Arc<Activity>);

impl Activity {
    fn new() -> Self {
        Self {
            open: AtomicUsize::new(0),
            last: Mutex::new(Instant::now()),
        }
    }

    fn begin(this: &Arc<Self>) -> Work {
        this.open.fetch_add(1, Ordering::Relaxed);
        Work(this.clone())
    }

    /// Completes when there was no request for as long as is allowed; that is asked again and again.
    async fn until_idle(&self, allowed: impl Fn() -> Duration) {
        loop {
            let idle = allowed();
            let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let end = if self.open.load(Ordering::Relaxed) == 0 {
                last + idle
            } else {
                Instant::now() + idle
            };
            if end <= Instant::now() {
                return;
            }
            sleep_until(end.min(Instant::now() + SCARCE_IDLE)).await;
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_goes_sooner_once_room_is_scarce() {
        let limits = Limits {
            connections: 8,
            ..Limits::default()
        };
        let room = Arc::new(Semaphore::new(limits.connections));
        let permit = room.clone().acquire_owned().await.unwrap();
        let activity = Activity::new();
        let idle = async || {
            let start = Instant::now();
            activity.until_idle(|| allowed_idle(&permit, limits)).await;
            start.elapsed()
        };
        assert_eq!(idle().await, limits.idle);
        // Room gets scarce while it is idle already.
        *activity.last.lock().unwrap() = Instant::now();
        let (waited, _others) = tokio::join!(idle(), async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            room.clone().acquire_many_owned(6).await.unwrap()
        });
        assert!(
            waited <= Duration::from_secs(20) + SCARCE_IDLE,
            "{waited:?}"
        );
        // One that is answering stays.
        let activity = Arc::new(Activity::new());
        let _work = Activity::begin(&activity);
        let busy = activity.until_idle(|| allowed_idle(&permit, limits));
        assert!(
            tokio::time::timeout(Duration::from_secs(600), busy)
                .await
                .is_err()
        );
    }
}
