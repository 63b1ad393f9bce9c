//! One connection from its first byte to its last: plain or TLS, HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};
use tokio_rustls::rustls::ServerConfig;

use super::admission::{Connection, InFlight};
use super::answer::AnswerBody;
use super::body::TrackedBody;
use super::middleware;
use super::server::{Handler, Limits, Settings};
use super::slow_client::{Guarded, HeadDone};
use super::tls::{self, Failures};

/// Bytes of a request's head.
const HEAD_CAP: usize = 16 << 10;

/// Requests of one HTTP/2 connection at the same time.
///
/// Each may hold a whole answer that its client does not read.
const STREAMS: u32 = 8;

/// Asks an HTTP/2 client whether it is still there, and waits so long for its word.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

/// Settings and handler that all connections share.
#[derive(Debug)]
pub(super) struct Server<H> {
    pub(super) settings: Settings,
    pub(super) handler: H,
    pub(super) failures: Failures,
}

/// Serves a connection to its end, or until its place is needed for another one.
pub(super) async fn serve<H: Handler>(
    server: Arc<Server<H>>,
    stream: TcpStream,
    connection: Connection,
    watcher: Watcher,
) -> hyper::Result<()> {
    let connection = Arc::new(connection);
    tokio::select! {
        biased;
        () = connection.closed() => Ok(()),
        ended = speak(server, stream, connection.clone(), watcher) => ended,
    }
}

/// Speaks plain HTTP, or TLS and the protocol that the client chooses in it.
async fn speak<H: Handler>(
    server: Arc<Server<H>>,
    stream: TcpStream,
    connection: Arc<Connection>,
    watcher: Watcher,
) -> hyper::Result<()> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "A connection keeps its delay.");
    }
    let limits = server.settings.limits;
    let Some(config) = server.settings.access.tls() else {
        // Without its buffers a connection that says nothing costs a third.
        if !matches!(timeout(limits.head, stream.readable()).await, Ok(Ok(()))) {
            return Ok(());
        }
        return http1(server, guarded(stream, limits), connection, watcher).await;
    };
    // Boxed: the states of TLS and HTTP/2 are large, also where they are not used.
    Box::pin(speak_tls(server, stream, config, connection, watcher)).await
}

/// Shakes hands, and speaks the protocol that the client chooses.
async fn speak_tls<H: Handler>(
    server: Arc<Server<H>>,
    stream: TcpStream,
    config: Arc<ServerConfig>,
    connection: Arc<Connection>,
    watcher: Watcher,
) -> hyper::Result<()> {
    let limits = server.settings.limits;
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
            http2(server, stream, connection, watcher).await
        }
        Ok(stream) => http1(server, (stream, head_done), connection, watcher).await,
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

async fn http1<H: Handler>(
    server: Arc<Server<H>>,
    (stream, head_done): (impl AsyncRead + AsyncWrite + Unpin + 'static, HeadDone),
    connection: Arc<Connection>,
    watcher: Watcher,
) -> hyper::Result<()> {
    let limits = server.settings.limits;
    let service = service_fn(move |request| {
        head_done.set();
        answer(server.clone(), connection.clone(), request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .half_close(true)
        .max_buf_size(HEAD_CAP)
        .serve_connection(TokioIo::new(stream), service);
    watcher.watch(serving).await
}

async fn http2<H: Handler>(
    server: Arc<Server<H>>,
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    connection: Arc<Connection>,
    watcher: Watcher,
) -> hyper::Result<()> {
    let limits = server.settings.limits;
    let of_requests = connection.clone();
    let service = service_fn(move |request| answer(server.clone(), of_requests.clone(), request));
    let serving = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_CAP).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(PING))
        .keep_alive_timeout(PONG)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = watcher.watch(serving) => ended,
        // Hyper has no such limit of its own here.
        () = connection.idle_for(limits.idle) => Ok(()),
    }
}

/// Answers a request, which is in work until the client has read the answer.
async fn answer<H: Handler>(
    server: Arc<Server<H>>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<TrackedBody>, Infallible> {
    let in_flight = InFlight::begin(&connection);
    // The body is not read; dropped early it would end the connection before the answer.
    let (head, _body) = request.into_parts();
    let request = Request::from_parts(head, ());
    let answer = middleware::handle(&server, &request, &in_flight).await;
    // In HTTP/2 hyper would send the body of an answer to HEAD, which is an error of the protocol.
    // The length stays, in its header.
    let is_bodiless = request.method() == Method::HEAD;
    Ok(answer.map(|body| {
        let body = if is_bodiless {
            AnswerBody::default()
        } else {
            body
        };
        TrackedBody::new(body, in_flight)
    }))
}
