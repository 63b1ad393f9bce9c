//! An exporter with a web config, in a folder with all certificates.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{CipherSuite, ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::harness::{PROGRAM, Process, eventually, free_port};

/// The least that TLS needs.
pub(crate) const CERTIFICATE: &str =
    "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

/// Watches a product at an address where nobody listens.
const CONFIG: &str = r#"
accounts:
  - name: test
    ncloud: {access_key: key, secret_key: hush-hush, ses: {endpoint: "http://127.0.0.1:9"}}
"#;

pub(super) struct Exporter {
    pub(super) process: Process,
    pub(super) port: u16,
    pub(super) folder: TempDir,
}

/// A folder with a config and all certificates.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    std::fs::write(folder.path().join("config.yml"), CONFIG).unwrap();
    folder
}

impl Exporter {
    pub(super) async fn start(web: &str) -> Self {
        Self::start_in(folder(), web).await
    }

    pub(super) async fn start_in(folder: TempDir, web: &str) -> Self {
        std::fs::write(folder.path().join("web.yml"), web).unwrap();
        let port = free_port();
        let args = [
            "--config.file=config.yml",
            "--web.config.file=web.yml",
            "--log.level=debug",
            "--web.listen-address",
            &format!("127.0.0.1:{port}"),
        ];
        let process = Process::start(folder.path(), PROGRAM, &args);
        let exporter = Self {
            process,
            port,
            folder,
        };
        exporter.until_told("Listening: page at http", 1).await;
        exporter
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// A client that trusts this CA alone.
    pub(super) fn client(&self, ca: &str) -> reqwest::Client {
        let pem = std::fs::read(self.folder.path().join(ca)).unwrap();
        reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
            .timeout(Duration::from_secs(10))
            .build()
            .unwrap()
    }

    /// Replaces the web config, and waits until it is in use.
    pub(super) async fn change(&self, web: &str) {
        let before = self.told(CHANGED);
        self.write("web.yml", web);
        self.until_told(CHANGED, before + 1).await;
    }

    /// Replaces a file at once, as a careful editor does.
    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("new");
        std::fs::write(&path, text).unwrap();
        std::fs::rename(path, self.folder.path().join(name)).unwrap();
    }

    /// How often the log says this.
    pub(super) fn told(&self, words: &str) -> usize {
        self.process.output().matches(words).count()
    }

    pub(super) async fn until_told(&self, words: &str, times: usize) {
        eventually(Duration::from_secs(20), words, || async {
            let told = self.told(words);
            if told >= times {
                return Ok(());
            }
            Err(self.process.output())
        })
        .await;
    }

    /// Asks for `/-/healthy` on a connection of its own.
    pub(super) async fn ask(&self, client: &Client<'_>) -> Result<Asked, String> {
        let exchange = async {
            let read = |name: &str| self.folder.path().join(name);
            let mut roots = RootCertStore::empty();
            let ca = CertificateDer::from_pem_file(read("ca.pem")).unwrap();
            roots.add(ca).unwrap();
            let builder = ClientConfig::builder_with_provider(Arc::new(client.provider.clone()))
                .with_protocol_versions(&client.versions)
                .unwrap()
                .with_root_certificates(roots);
            let config = match client.certificate {
                Some(name) => {
                    let chain =
                        CertificateDer::from_pem_file(read(&format!("{name}.pem"))).unwrap();
                    let key = PrivateKeyDer::from_pem_file(read(&format!("{name}.key"))).unwrap();
                    builder.with_client_auth_cert(vec![chain], key).unwrap()
                }
                None => builder.with_no_client_auth(),
            };
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
            let name = ServerName::try_from("localhost").unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            let mut stream = connector.connect(name, stream).await?;
            let request = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            let (_, connection) = stream.get_ref();
            let suite = connection.negotiated_cipher_suite().unwrap().suite();
            Ok::<_, std::io::Error>(Asked { answer, suite })
        };
        let limit = Duration::from_secs(20);
        let asked = tokio::time::timeout(limit, exchange).await.expect("an end");
        asked.map_err(|error| error.to_string())
    }
}

const CHANGED: &str = "The web config has changed and is in use.";

/// What a client can and shows.
pub(super) struct Client<'a> {
    pub(super) provider: CryptoProvider,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) certificate: Option<&'a str>,
}

/// What came out of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) answer: String,
    pub(super) suite: CipherSuite,
}
