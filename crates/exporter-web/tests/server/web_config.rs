//! The web config file: logins, TLS, client certificates, the rate limit, headers, and its changes.

use std::path::Path;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

/// Certificate and key of the server, beside the web config.
const TLS: &str = "  cert_file: server.pem\n  key_file: server.key\n";

fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/tls")
        .join(name)
}

/// Writes a web config beside the certificates, old enough to be taken as whole.
fn write(folder: &Path, text: &str) {
    let path = folder.join("web.yml");
    std::fs::write(&path, text).unwrap();
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60))
        .unwrap();
}

/// Starts a server with a web config.
async fn serve(text: &str) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["server.pem", "server.key", "client-ca.pem"] {
        std::fs::copy(data(name), folder.path().join(name)).unwrap();
    }
    write(folder.path(), text);
    let access = Access::load(&folder.path().join("web.yml")).unwrap();
    let server = Server::start_with(Limits::default(), Reload::Off, access).await;
    (server, folder)
}

/// Asks for the health with more lines in the head, and returns the whole answer.
fn ask_with(server: &Server, lines: &str) -> String {
    let mut stream = server.connect();
    let head = "GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    send(&mut stream, &format!("{head}{lines}\r\n"));
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn login(user: &str, password: &str) -> String {
    let pair = STANDARD.encode(format!("{user}:{password}"));
    format!("Authorization: Basic {pair}\r\n")
}

fn user(name: &str) -> String {
    let hash = bcrypt::hash("secret", 4).unwrap();
    format!("basic_auth_users:\n  {name}: {hash}\n")
}

/// Asks for the health over TLS, with or without the client's certificate.
async fn ask_over_tls(server: &Server, has_certificate: bool) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(data("ca.pem")).unwrap())
        .unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = if has_certificate {
        let certificate = CertificateDer::from_pem_file(data("client.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(data("client.key")).unwrap();
        builder
            .with_client_auth_cert(vec![certificate], key)
            .unwrap()
    } else {
        builder.with_no_client_auth()
    };
    let stream = tokio::net::TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let head = "GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn users_log_in_with_their_password() {
    let (server, _folder) = serve(&user("alice")).await;
    assert!(ask_with(&server, &login("alice", "secret")).ends_with("OK\n"));
    for lines in ["", &login("alice", "wrong"), &login("bob", "secret")] {
        let answer = ask_with(&server, lines);
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("www-authenticate: Basic\r\n"), "{answer}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_in_use_without_a_restart() {
    let (server, folder) = serve(&user("alice")).await;
    assert!(ask_with(&server, &login("bob", "secret")).starts_with("HTTP/1.1 401 "));
    write(folder.path(), &user("bob"));
    let begun = Instant::now();
    while !ask_with(&server, &login("bob", "secret")).ends_with("OK\n") {
        assert!(begun.elapsed() < PATIENCE, "the change is never in use");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = ask_with(&server, &login("alice", "secret"));
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_and_plain_http_is_told_so() {
    let (server, _folder) = serve(&format!("tls_server_config:\n{TLS}")).await;
    let answer = ask_over_tls(&server, false).await.unwrap();
    assert!(answer.ends_with("OK\n"), "{answer}");
    let answer = ask_with(&server, "");
    assert!(answer.starts_with("HTTP/1.0 400 Bad Request"), "{answer}");
    assert!(answer.contains("an HTTPS server"), "{answer}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_needs_a_certificate_where_the_file_says_so() {
    let text = format!(
        "tls_server_config:\n{TLS}  client_ca_file: client-ca.pem\n  \
         client_auth_type: RequireAndVerifyClientCert\n"
    );
    let (server, _folder) = serve(&text).await;
    let answer = ask_over_tls(&server, true).await.unwrap();
    assert!(answer.ends_with("OK\n"), "{answer}");
    assert!(ask_over_tls(&server, false).await.is_err());
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_rate_limit_are_refused() {
    let (server, _folder) = serve("rate_limit: {interval: 1h, burst: 2}\n").await;
    for status in ["200 OK", "200 OK", "429 Too Many Requests"] {
        let answer = ask_with(&server, "");
        let want = format!("HTTP/1.1 {status}\r\n");
        assert!(answer.starts_with(&want), "{answer}");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers_of_the_file() {
    let text = "http_server_config: {headers: {X-Frame-Options: deny}}\n".to_owned();
    let (server, _folder) = serve(&(text + &user("alice"))).await;
    for lines in ["", &login("alice", "secret")] {
        let answer = ask_with(&server, lines);
        assert!(answer.contains("x-frame-options: deny\r\n"), "{answer}");
        assert!(answer.contains("cache-control: no-store\r\n"), "{answer}");
    }
    server.end().await;
}
