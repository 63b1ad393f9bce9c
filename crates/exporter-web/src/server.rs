//! The accept loop: how many connections, how long each may take, and how it all ends.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::Request;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::access::Access;
use super::admission::Admission;
use super::answer::Answer;
use super::connection::{self, Server};
use super::metrics::Metrics;
use super::proxy::TrustedProxies;
use super::tls::Failures;

/// Handler of requests that the middleware lets through.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request, whose body is not read. An answer to `HEAD` may have its body: the length alone
    /// is sent.
    fn handle(&self, request: &Request<()>) -> impl Future<Output = Answer> + Send;

    /// Reports a path of a probe, whose answer is short: it is answered also while its client's address
    /// has more than its share of the requests in work.
    fn is_probe(&self, path: &str) -> bool {
        path.ends_with("/-/healthy") || path.ends_with("/-/ready")
    }
}

/// Settings of a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Web config in use: TLS, users, headers and rate limit.
    pub access: Arc<Access>,
    /// Reverse proxies that tell the addresses of their clients.
    pub trusted_proxies: TrustedProxies,
    /// Limits of clients.
    pub limits: Limits,
    /// Families of the server.
    pub metrics: Metrics,
}

impl Settings {
    /// Builds settings with the default limits and without trusted proxies.
    pub fn new(access: Arc<Access>, metrics: Metrics) -> Self {
        Self {
            access,
            trusted_proxies: TrustedProxies::default(),
            limits: Limits::default(),
            metrics,
        }
    }
}

/// Limits of clients, in number and time. A time of more than a year counts as a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Number of open connections. For one more, an idle one is closed.
    pub connections: usize,
    /// Time from a request's first byte to the end of its headers.
    pub head: Duration,
    /// Time of an open connection without a request; longer than any sensible scrape interval.
    pub idle: Duration,
    /// Time of a write that makes no progress.
    pub write: Duration,
    /// Time from the shutdown until open connections are dropped.
    pub end: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(150),
            write: Duration::from_secs(30),
            end: Duration::from_secs(3),
        }
    }
}

impl Limits {
    /// Bounds the times, which are added to the time now.
    fn bounded(self) -> Self {
        const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
        Self {
            head: self.head.min(LONGEST),
            idle: self.idle.min(LONGEST),
            write: self.write.min(LONGEST),
            end: self.end.min(LONGEST),
            ..self
        }
    }
}

/// Pause after the system had no descriptor or memory for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Serves until `shutdown` completes, then ends within the time of [`Limits::end`], whatever the
/// clients do. Follows the files of the web config meanwhile.
pub async fn serve(
    listeners: Vec<TcpListener>,
    mut settings: Settings,
    handler: impl Handler,
    shutdown: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    settings.limits = settings.limits.bounded();
    let limits = settings.limits;
    let admission = Admission::new(limits.connections, settings.metrics.clone());
    let admission = Arc::new(admission);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut following = std::pin::pin!(settings.access.clone().follow());
    let server = Arc::new(Server {
        settings,
        handler,
        failures: Failures::default(),
    });
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            () = &mut following => {}
            Some(ended) = connections.join_next() => log_end(ended),
            (stream, peer) = next(&admission, &listeners) => {
                let watcher = graceful.watcher();
                let has_share = !server.settings.trusted_proxies.contains(peer);
                let connection = admission.admit(peer, has_share);
                connections.spawn(connection::serve(server.clone(), stream, connection, watcher));
            }
        }
    }
    drop(listeners);
    admission.close_new();
    tokio::select! {
        () = graceful.shutdown() => {}
        () = sleep(limits.end) => {
            tracing::info!(open = connections.len(), "Dropping connections that did not end in time.");
        }
    }
    connections.shutdown().await;
}

/// Returns the next connection, and the address of its peer.
async fn next(admission: &Admission, listeners: &[TcpListener]) -> (TcpStream, IpAddr) {
    loop {
        admission.ready().await;
        match accept(listeners).await {
            Ok(accepted) => return accepted,
            // The client's own doing, and gone with it.
            Err(error) if is_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "Cannot accept a connection; trying again.");
                admission.make_room();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Accepts a connection, with the address of its peer. An IPv4 peer of an IPv6 socket has its IPv4
/// address.
async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, IpAddr)> {
    poll_fn(|cx| {
        for listener in listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                return Poll::Ready(
                    accepted.map(|(stream, peer)| (stream, peer.ip().to_canonical())),
                );
            }
        }
        Poll::Pending
    })
    .await
}

fn is_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

/// Logs a connection that did not end well.
fn log_end(ended: Result<hyper::Result<()>, tokio::task::JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "A connection broke."),
        Err(error) => tracing::error!(
            %error,
            "Answering a request failed: this is a bug, please report it."
        ),
    }
}
