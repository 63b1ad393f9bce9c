//! For tests: a server on a loopback port that answers as it is told, and keeps what it was sent.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::io::AsyncBufReadExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use url::Url;

use crate::config::Alertmanager;
use crate::http::Login;

/// What it does with a request.
#[derive(Debug, Clone)]
pub(in crate::alert) enum Answer {
    /// Answers with a status line and headers (each with its line end), and a body.
    Full(&'static str, String),
    /// Writes this and closes the connection.
    Cut(String),
    /// Writes this and keeps the connection open.
    Stall(String),
}

/// What it was sent.
#[derive(Debug, Clone)]
pub(in crate::alert) struct Request {
    /// Which of its connections, from 0.
    pub(in crate::alert) connection: usize,
    /// The request line and the headers, in the client's spelling.
    pub(in crate::alert) head: String,
    pub(in crate::alert) body: String,
}

pub(in crate::alert) struct Fake {
    pub(in crate::alert) url: Url,
    requests: Arc<Mutex<Vec<Request>>>,
}

#[derive(Clone)]
struct Script {
    answers: Arc<[Answer]>,
    next: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Request>>>,
}

pub(in crate::alert) fn ok() -> Answer {
    Answer::Full("200 OK\r\n", String::new())
}

/// A file of the CAs and certificates for tests.
pub(in crate::alert) fn tls_data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/tls")
        .join(name)
}

impl Fake {
    /// Gives one answer a request, in turn, the last one for ever.
    pub(in crate::alert) async fn start(answers: impl Into<Arc<[Answer]>>) -> Self {
        Self::listen(answers.into(), None).await
    }

    /// The same over TLS, with a certificate for `localhost`.
    pub(in crate::alert) async fn start_tls(answers: impl Into<Arc<[Answer]>>) -> Self {
        Self::start_tls_as("server", answers).await
    }

    /// Starts with the certificate of this name, over TLS.
    pub(in crate::alert) async fn start_tls_as(
        name: &str,
        answers: impl Into<Arc<[Answer]>>,
    ) -> Self {
        let certificate = CertificateDer::from_pem_file(tls_data(&format!("{name}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(tls_data(&format!("{name}.key"))).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::listen(answers.into(), Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(answers: Arc<[Answer]>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let script = Script {
            answers,
            next: Arc::default(),
            requests: Arc::default(),
        };
        let requests = script.requests.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, tls) = (script.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => script.serve(stream, connection).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                script.serve(stream, connection).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            url: Url::parse(&url).unwrap(),
            requests,
        }
    }

    pub(in crate::alert) fn requests(&self) -> Vec<Request> {
        self.requests.lock().clone()
    }

    /// Its entry in the config.
    pub(in crate::alert) fn config(&self) -> Alertmanager {
        Alertmanager {
            url: self.url.clone(),
            auth: Login::None,
            ca_file: None,
        }
    }
}

impl Script {
    /// Serves a connection until the client closes it.
    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin, connection: usize) {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).await.unwrap();
            let request = Request {
                connection,
                head,
                body: String::from_utf8(body).unwrap(),
            };
            self.requests.lock().push(request);
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            let answer = self.answers.get(next).or(self.answers.last()).unwrap();
            let text = match answer {
                Answer::Full(head, body) => {
                    let length = body.len();
                    format!("HTTP/1.1 {head}content-length: {length}\r\n\r\n{body}")
                }
                Answer::Cut(text) | Answer::Stall(text) => text.clone(),
            };
            let written = stream.write_all(text.as_bytes()).await;
            // A client that hangs up early is what some tests want.
            let Ok(()) = written.and(stream.flush().await) else {
                return;
            };
            match answer {
                Answer::Full(..) => {}
                Answer::Cut(_) => return,
                Answer::Stall(_) => std::future::pending().await,
            }
        }
    }
}
