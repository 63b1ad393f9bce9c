use std::path::PathBuf;

use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConnection,
};

use super::*;
use crate::config::parse;

fn files() -> Reader {
    Reader::until(tokio::time::Instant::now() + watched_file::LIMIT)
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/tls")
        .join(name)
}

fn server(more: &str) -> Arc<ServerConfig> {
    let text =
        format!("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n{more}");
    let config = parse(&text, &data(""), &files()).unwrap();
    config.tls.unwrap()
}

fn client(version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let certificate = |name| CertificateDer::from_pem_file(data(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate("ca.pem")).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![certificate("client.pem")],
            PrivateKeyDer::from_pem_file(data("client.key")).unwrap(),
        );
    Arc::new(config.unwrap())
}

/// Shakes hands without a socket.
fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> HandshakeKind {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(client.clone(), name).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    while client.wants_write() || server.wants_write() {
        let mut sent = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut sent).unwrap();
        }
        let mut rest = sent.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut sent = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut sent).unwrap();
        }
        let mut rest = sent.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    server.handshake_kind().unwrap()
}

/// Resuming does not look at the certificate again, which may have expired.
#[test]
fn a_client_that_shows_a_certificate_shows_it_each_time() {
    for (more, again) in [
        ("", HandshakeKind::Resumed),
        (
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client-ca.pem\n",
            HandshakeKind::Full,
        ),
        (
            "  client_auth_type: RequireAnyClientCert\n",
            HandshakeKind::Full,
        ),
    ] {
        for version in [&version::TLS12, &version::TLS13] {
            let (server, client) = (server(more), client(version));
            assert_eq!(shake(&client, &server), HandshakeKind::Full);
            assert_eq!(shake(&client, &server), again, "{version:?} {more}");
        }
    }
}

/// A certificate of X.509 version 1 for the key of the tests.
const OLD: &str = "    -----BEGIN CERTIFICATE-----
    MIIBJDCBywIUd1Aap7jZwj1GKU7I0qax85X7uAowCgYIKoZIzj0EAwIwFDESMBAG
    A1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODE5MDgwM1oYDzIxMjYxMTA0MTkwODAz
    WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
    AARCySJ5k2ph7xChwvjGclgONhNkw5xgHesz2DK6vpu3FxAVM/3TFgjGOMGCbdOK
    6DMYiq5WxFZ+E5TBgyXfiL1zMAoGCCqGSM49BAMCA0gAMEUCIB3PuxnnevwZni4R
    PzSQkvHjZmL/tu5GdZyRYMpXQ0VUAiEA92gYozb4Zvf/EuSLOyBIQWyixJapK36/
    d8Oa58MLcws=
    -----END CERTIFICATE-----
";

#[test]
fn an_old_certificate_is_told_from_one_that_does_not_fit() {
    let text = format!("tls_server_config:\n  key_file: server.key\n  cert: |\n{OLD}");
    let problems = parse(&text, &data(""), &files()).unwrap_err();
    let told = problems[0].to_string();
    assert!(told.contains("is X.509 version 1: make one"), "{told}");
}
