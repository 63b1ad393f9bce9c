//! Attacks on an HTTP server over loopback, for the end-to-end tests and the benchmark.
//!
//! An attack is a number of clients that repeat one connection each until the attack is dropped.
//! They run on a thread of their own, so that they do not delay the requests that are measured.

mod connections;
pub(crate) mod frames;
pub(crate) mod http2;
pub(crate) mod probe;
mod requests;
mod target;
mod tls;

use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

pub(crate) use target::Target;

/// The scraper's address; no attack uses it.
pub(crate) const SCRAPER: [u8; 4] = [127, 0, 0, 2];

/// The address of attacks that come from one address.
pub(crate) const ATTACKER: [u8; 4] = [127, 0, 0, 1];

/// Longest wait for the clients of an attack to be connected; a server under attack may not take
/// all of them.
const SETTLE: Duration = Duration::from_secs(2);

/// Clients that connect at the same time. More would overflow the system's queue of connections,
/// which costs every server's clients a second.
const BURST: usize = 50;
const BURST_PAUSE: Duration = Duration::from_millis(5);

/// Listener that an attack needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    Plain,
    Tls,
    /// Plain HTTP with basic authentication.
    Logins,
}

/// One connection of a client, from its start to the server's close; gets the client's number.
type Connection = fn(Target, usize) -> BoxFuture<'static, io::Result<()>>;

/// A kind of attack.
#[derive(Debug)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) listener: Listener,
    /// Clients at the same time.
    pub(crate) clients: usize,
    /// Pause of a client between two connections.
    pause: Duration,
    connection: Connection,
}

/// An attack that goes on until it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    runtime: Option<Runtime>,
    target: Target,
}

impl Running {
    /// Returns the number of connections that the clients have made so far.
    pub(crate) fn connections(&self) -> usize {
        self.target.connected()
    }
}

impl Attack {
    const fn new(
        name: &'static str,
        listener: Listener,
        clients: usize,
        pause: u64,
        connection: Connection,
    ) -> Self {
        Self {
            name,
            listener,
            clients,
            pause: Duration::from_millis(pause),
            connection,
        }
    }

    /// Starts the clients and waits until all are connected, or for [`SETTLE`].
    pub(crate) async fn start(&self, target: &Target) -> Running {
        self.start_clients(self.clients, target).await
    }

    /// Starts the attack with another number of clients.
    pub(crate) async fn start_clients(&self, clients: usize, target: &Target) -> Running {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread for the attack");
        let target = target.uncounted();
        for number in 0..clients {
            if number % BURST == BURST - 1 {
                sleep(BURST_PAUSE).await;
            }
            let (target, connection, pause) = (target.clone(), self.connection, self.pause);
            runtime.spawn(async move {
                loop {
                    // A server under attack may refuse, reset and close.
                    drop(connection(target.clone(), number).await);
                    sleep(pause).await;
                }
            });
        }
        let end = Instant::now() + SETTLE;
        while target.connected() < clients && Instant::now() < end {
            sleep(Duration::from_millis(10)).await;
        }
        Running {
            runtime: Some(runtime),
            target,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

use Listener::{Logins, Plain, Tls};

/// Connections that send nothing.
pub(crate) const IDLE: Attack =
    Attack::new("idle connections", Plain, 2000, 250, connections::idle);
/// Connections that send nothing, 20 from each of 100 addresses.
pub(crate) const IDLE_EVERYWHERE: Attack = Attack::new(
    "idle, from 100 addresses",
    Plain,
    2000,
    250,
    connections::idle_everywhere,
);
/// Connections that send nothing, from eight addresses.
pub(crate) const IDLE_FROM_SOME: Attack = Attack::new(
    "idle, from 8 addresses",
    Plain,
    6000,
    250,
    connections::idle_from_some,
);
/// Heads that arrive at a byte a second.
pub(crate) const SLOW_HEADS: Attack = Attack::new(
    "heads, a byte a second",
    Plain,
    300,
    250,
    connections::slow_head,
);
/// Requests for `/metrics` until the buffers are full; no answer is read.
pub(crate) const UNREAD_ANSWERS: Attack =
    Attack::new("answers not read", Plain, 100, 250, connections::unread);
/// Bodies that arrive at a byte a second, of requests that take none.
pub(crate) const SLOW_BODIES: Attack = Attack::new(
    "bodies, a byte a second",
    Plain,
    300,
    250,
    connections::slow_body,
);
/// Answers that are read slowly, so that they take minutes and every write makes progress.
pub(crate) const SLOW_READERS: Attack = Attack::new(
    "64 KiB a second read",
    Plain,
    100,
    250,
    connections::slow_reader,
);
/// Connections that are closed as soon as they are there.
pub(crate) const SHORT_CONNECTIONS: Attack =
    Attack::new("connect and close", Plain, 16, 1, connections::short);
/// Heads of 64 KiB.
pub(crate) const LARGE_HEADS: Attack =
    Attack::new("heads of 64 KiB", Plain, 50, 20, requests::large_head);
/// 200 requests for `/metrics` in one write; the answers are read.
pub(crate) const PIPELINES: Attack = Attack::new("pipelining", Plain, 8, 20, requests::pipeline);
/// Requests for the page, one after the other.
pub(crate) const PAGES: Attack = Attack::new("requests for /", Plain, 32, 20, requests::pages);
/// Wrong passwords, a new one with each request.
pub(crate) const GUESSED_LOGINS: Attack =
    Attack::new("login guesser", Logins, 100, 20, requests::guess);
/// TLS handshakes that stop in or after the client's first message.
pub(crate) const HANDSHAKES: Attack =
    Attack::new("handshakes that never end", Tls, 600, 250, tls::handshake);
/// TLS connections that are closed after the handshake, which costs the server a signature.
pub(crate) const SHORT_HANDSHAKES: Attack =
    Attack::new("handshake and close", Tls, 16, 1, tls::short);
/// Plain HTTP where TLS is expected; the answer is not read.
pub(crate) const PLAIN_ON_TLS: Attack =
    Attack::new("plain HTTP at the TLS port", Tls, 300, 250, tls::plain);
/// HTTP/2 connections that open no stream.
pub(crate) const IDLE_HTTP2: Attack =
    Attack::new("idle HTTP/2 connections", Tls, 300, 250, http2::idle);
/// HTTP/2 streams that are reset as soon as they are open.
pub(crate) const RESET_STREAMS: Attack =
    Attack::new("HTTP/2 streams reset", Tls, 4, 20, http2::reset);
/// HTTP/2 headers that never end.
pub(crate) const CONTINUATIONS: Attack =
    Attack::new("CONTINUATION flood", Tls, 4, 20, http2::continuations);
/// PING and SETTINGS frames whose acknowledgements are not read.
pub(crate) const CONTROL_FRAMES: Attack =
    Attack::new("PING and SETTINGS flood", Tls, 4, 20, http2::control);
/// HTTP/2 requests for `/metrics` with a window of no byte for the answer.
pub(crate) const CLOSED_WINDOWS: Attack =
    Attack::new("HTTP/2 windows closed", Tls, 100, 250, http2::closed_window);

/// Raises the soft limit of descriptors to the hard one, for the sockets of an attack; children
/// inherit it.
pub(crate) fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the soft limit may be as high as the hard one");
}
