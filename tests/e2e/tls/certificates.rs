//! Whose certificates are good enough, and which versions, suites and curves are.

use tokio_rustls::rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{CipherSuite, SupportedCipherSuite};

use super::exporter::{Asked, CERTIFICATE, Client, Exporter};

fn shows(certificate: Option<&str>) -> Vec<Client<'_>> {
    [&TLS12, &TLS13]
        .into_iter()
        .map(|version| Client {
            provider: aws_lc_rs::default_provider(),
            versions: vec![version],
            certificate,
        })
        .collect()
}

/// Asserts who comes in: nobody's certificate, the client's, the stranger's; in both versions.
async fn lets_in(exporter: &Exporter, what: &str, want: [bool; 3]) {
    let shown = [None, Some("client"), Some("stranger")];
    for (certificate, want) in shown.into_iter().zip(want) {
        for client in shows(certificate) {
            let asked = exporter.ask(&client).await;
            let version = client.versions[0].version;
            let came = asked
                .as_ref()
                .is_ok_and(|asked| asked.answer.contains(" 200 OK"));
            assert_eq!(
                came, want,
                "{what}: {certificate:?}, {version:?}: {asked:?}"
            );
        }
    }
}

#[tokio::test]
async fn each_client_auth_type_lets_in_whom_go_lets_in() {
    let exporter = Exporter::start(CERTIFICATE).await;
    lets_in(&exporter, "nothing said", [true, true, true]).await;
    for (policy, ca, want) in [
        ("NoClientCert", "", [true, true, true]),
        ("RequestClientCert", "", [true, true, true]),
        ("RequireAnyClientCert", "", [false, true, true]),
        ("RequireClientCert", "", [false, true, true]),
        (
            "VerifyClientCertIfGiven",
            "client-ca.pem",
            [true, true, false],
        ),
        (
            "RequireAndVerifyClientCert",
            "client-ca.pem",
            [false, true, false],
        ),
        // A certificate that is trusted itself, although it is a CA.
        (
            "RequireAndVerifyClientCert",
            "stranger.pem",
            [false, false, true],
        ),
    ] {
        let ca = if ca.is_empty() {
            String::new()
        } else {
            format!("  client_ca_file: {ca}\n")
        };
        exporter
            .change(&format!("{CERTIFICATE}  client_auth_type: {policy}\n{ca}"))
            .await;
        lets_in(&exporter, &format!("{policy} {ca}"), want).await;
    }
    let told = exporter.process.output();
    assert!(
        told.contains("this client_auth_type does not verify certificates"),
        "{told}"
    );
    assert!(told.contains("A TLS handshake failed."), "{told}");
}

#[tokio::test]
async fn a_list_of_names_lets_in_who_has_one_of_them() {
    let with = |policy: &str, names: &str| {
        format!(
            "{CERTIFICATE}  client_auth_type: {policy}\n  client_ca_file: client-ca.pem\n  client_allowed_sans: {names}\n"
        )
    };
    let exporter = Exporter::start(&with("RequireAndVerifyClientCert", "[nobody.example]")).await;
    lets_in(&exporter, "nobody.example", [false, false, false]).await;
    for name in [
        "scraper.example",
        "ops@example.com",
        "192.0.2.7",
        "spiffe://example.com/prometheus",
    ] {
        let names = format!("[other.example, '{name}']");
        exporter
            .change(&with("VerifyClientCertIfGiven", &names))
            .await;
        // Without a certificate there is no name either.
        lets_in(&exporter, name, [false, true, false]).await;
    }
    let any =
        "  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [stranger.example]\n";
    exporter.change(&format!("{CERTIFICATE}{any}")).await;
    lets_in(&exporter, "stranger.example", [false, false, true]).await;
}

fn offers(suites: &[SupportedCipherSuite]) -> Client<'static> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = suites.to_vec();
    Client {
        provider,
        versions: vec![&TLS12],
        certificate: None,
    }
}

fn suite(asked: Result<Asked, String>) -> Option<CipherSuite> {
    asked.ok().map(|asked| asked.suite)
}

#[tokio::test]
async fn versions_suites_and_curves_are_those_of_the_file() {
    let exporter = Exporter::start(&format!("{CERTIFICATE}  max_version: TLS12\n")).await;
    let come = async || {
        let mut come = Vec::new();
        for client in shows(None) {
            come.push(exporter.ask(&client).await.is_ok());
        }
        come
    };
    assert_eq!(come().await, [true, false]);
    exporter
        .change(&format!("{CERTIFICATE}  min_version: TLS13\n"))
        .await;
    assert_eq!(come().await, [false, true]);

    let (strong, quick, other) = (
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    );
    let suites = "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n";
    exporter.change(&format!("{CERTIFICATE}{suites}")).await;
    let both = offers(&[strong, quick]);
    // The server's order counts, unless the file says otherwise.
    assert_eq!(suite(exporter.ask(&both).await), Some(quick.suite()));
    assert_eq!(suite(exporter.ask(&offers(&[other])).await), None);
    exporter
        .change(&format!(
            "{CERTIFICATE}{suites}  prefer_server_cipher_suites: false\n"
        ))
        .await;
    assert_eq!(suite(exporter.ask(&both).await), Some(strong.suite()));

    exporter
        .change(&format!("{CERTIFICATE}  curve_preferences: [CurveP384]\n"))
        .await;
    for (group, want) in [(kx_group::SECP384R1, true), (kx_group::X25519, false)] {
        for mut client in shows(None) {
            client.provider.kx_groups = vec![group];
            assert_eq!(exporter.ask(&client).await.is_ok(), want, "{group:?}");
        }
    }
}
