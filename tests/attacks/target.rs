//! The server under attack, as clients reach it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A plain or encrypted connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Address of a server, and its protocol.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    address: SocketAddr,
    is_tls: bool,
    connected: Arc<AtomicUsize>,
}

impl Target {
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            is_tls: false,
            connected: Arc::default(),
        }
    }

    /// A server with the certificate of `tests/data/tls`.
    pub(crate) fn tls(address: SocketAddr) -> Self {
        Self {
            is_tls: true,
            ..Self::plain(address)
        }
    }

    /// Returns this target with a count of connections of its own.
    pub(super) fn uncounted(&self) -> Self {
        Self {
            connected: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns the number of connections so far; over TLS, of completed handshakes where the client
    /// completes them.
    pub(super) fn connected(&self) -> usize {
        self.connected.load(Ordering::Relaxed)
    }

    /// Connects from a loopback address.
    pub(super) async fn socket(&self, from: [u8; 4]) -> io::Result<TcpStream> {
        let stream = self.dial(TcpSocket::new_v4()?, from).await?;
        Ok(self.count(stream))
    }

    /// Connects with as small a receive buffer as the system allows.
    pub(super) async fn small_socket(&self, from: [u8; 4]) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(1)?;
        let stream = self.dial(socket, from).await?;
        Ok(self.count(stream))
    }

    /// Connects and completes the TLS handshake where the target speaks TLS.
    pub(super) async fn connect(
        &self,
        from: [u8; 4],
        protocol: &[u8],
    ) -> io::Result<Box<dyn Stream>> {
        let stream = self.dial(TcpSocket::new_v4()?, from).await?;
        if !self.is_tls {
            return Ok(Box::new(self.count(stream)));
        }
        let connector = TlsConnector::from(Arc::new(client_config(protocol)));
        let stream = connector.connect(server_name(), stream).await?;
        Ok(Box::new(self.count(stream)))
    }

    async fn dial(&self, socket: TcpSocket, from: [u8; 4]) -> io::Result<TcpStream> {
        socket.bind((Ipv4Addr::from(from), 0).into())?;
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn count<S>(&self, stream: S) -> S {
        self.connected.fetch_add(1, Ordering::Relaxed);
        stream
    }
}

/// Returns the name in the certificate.
pub(super) fn server_name() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("a name")
}

/// Builds the config of a client that trusts the test CA and speaks one protocol.
pub(super) fn client_config(protocol: &[u8]) -> ClientConfig {
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls/ca.pem");
    let ca = CertificateDer::from_pem_file(ca).expect("the CA of the tests");
    let mut roots = RootCertStore::empty();
    roots.add(ca).expect("a CA certificate");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    config
}
