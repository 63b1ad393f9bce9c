//! The web config in front of the real program: TLS, logins, headers, limits, and their files while
//! they change.

mod certificates;
pub(crate) mod exporter;
mod logins;
mod rotation;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{PROGRAM, Process, eventually, free_port, get};
use exporter::{CERTIFICATE, Exporter};

#[tokio::test]
async fn tls_is_spoken_in_the_newest_http_that_is_allowed() {
    let exporter = Exporter::start(CERTIFICATE).await;
    let answer = exporter
        .client("ca.pem")
        .get(exporter.url("/metrics"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("rolling_upgrade_exporter_build_info")
    );
    // An idle connection stays, and so does what a client sends on it between requests.
    let client = exporter.client("ca.pem");
    for _ in 0..3 {
        let answer = client.get(exporter.url("/-/healthy")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "OK\n");
    }
    exporter
        .change(&format!(
            "{CERTIFICATE}http_server_config: {{http2: false}}\n"
        ))
        .await;
    let answer = exporter
        .client("ca.pem")
        .get(exporter.url("/"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (reqwest::Version::HTTP_11, 200)
    );
    assert!(
        exporter
            .process
            .output()
            .contains("Listening: page at https://127.0.0.1:")
    );
    // Nobody else is trusted, so this must be the certificate of the file.
    assert!(
        exporter
            .client("other-ca.pem")
            .get(exporter.url("/"))
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn status_trusts_a_self_signed_exporter_that_it_is_given() {
    let web = CERTIFICATE.replace("server.", "self-signed.");
    let exporter = Exporter::start(&web).await;
    let status = async |ca: &str| {
        let args = ["status", "--url", &exporter.url(""), "--ca-file", ca];
        let mut status = Process::start(exporter.folder.path(), PROGRAM, &args);
        let code = status.child.wait().await.unwrap().code();
        (code, status.output())
    };
    let (_, told) = status("self-signed.pem").await;
    assert!(told.contains("No cluster is watched"), "{told}");
    let (code, told) = status("ca.pem").await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("certificate"), "{told}");
}

#[tokio::test]
async fn head_over_http2_gets_the_length_alone() {
    let exporter = Exporter::start(CERTIFICATE).await;
    let client = exporter.client("ca.pem");
    for path in ["/", "/metrics", "/-/healthy", "/nowhere"] {
        let answer = client.head(exporter.url(path)).send().await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        assert_ne!(answer.headers()["content-length"], "0", "{path}");
        let body = answer
            .bytes()
            .await
            .unwrap_or_else(|e| panic!("{path}: {e:?}"));
        assert!(body.is_empty(), "{path}: {body:?}");
    }
}

#[tokio::test]
async fn who_speaks_plain_http_is_told_to_speak_tls_and_lives_for_the_healthcheck() {
    let exporter = Exporter::start(&format!(
        "{CERTIFICATE}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client-ca.pem\n"
    ))
    .await;
    let url = exporter.url("/").replace("https:", "http:");
    let answer = crate::harness::client().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let told = answer.text().await.unwrap();
    assert_eq!(told, "Client sent an HTTP request to an HTTPS server.\n");
    let address = format!("127.0.0.1:{}", exporter.port);
    let args = [
        "healthcheck",
        "--web.listen-address",
        &address,
        "--web.config.file",
        "web.yml",
    ];
    let mut check = Process::start(exporter.folder.path(), PROGRAM, &args);
    let status = check.child.wait().await.unwrap();
    assert!(status.success(), "{}", check.output());
}

#[tokio::test]
async fn a_bad_file_stops_the_start_and_the_check_with_every_problem() {
    let folder = exporter::folder();
    let bad = "tls_server_config:\n  cert_file: none.pem\n  key_file: server.key\n  min_version: TLS10\nbasic_auth_users: {eve: hunter2}\n";
    std::fs::write(folder.path().join("web.yml"), bad).unwrap();
    for command in ["serve", "check"] {
        let args = [
            command,
            "--config.file=config.yml",
            "--web.config.file=web.yml",
        ];
        let mut run = Process::start(folder.path(), PROGRAM, &args);
        let status = tokio::time::timeout(Duration::from_secs(20), run.child.wait()).await;
        let told = run.output();
        assert_eq!(status.unwrap().unwrap().code(), Some(2), "{told}");
        for problem in [
            "web.yml:2:14: cannot read the file of cert_file: No such file",
            "web.yml:4:16: min_version: TLS10 is not supported here",
            "web.yml:5:25: the password of \"eve\" is no bcrypt hash",
        ] {
            assert!(told.contains(problem), "{told}");
        }
        assert!(!told.contains("hunter2"), "{told}");
    }
    // An empty name is no file.
    let args = ["check", "--config.file=config.yml", "--web.config.file="];
    let mut run = Process::start(folder.path(), PROGRAM, &args);
    let status = run.child.wait().await.unwrap();
    assert!(status.success(), "{}", run.output());
    let args = [
        "check",
        "--config.file=config.yml",
        "--web.config.file=none.yml",
    ];
    let mut run = Process::start(folder.path(), PROGRAM, &args);
    assert_eq!(run.child.wait().await.unwrap().code(), Some(2));
    assert!(
        run.output().contains("--web.config.file"),
        "{}",
        run.output()
    );
}

/// The file in docs/web-config.md, as it stands there, passes the check.
#[tokio::test]
async fn the_example_of_the_docs_is_good() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/web-config.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let (_, rest) = docs.split_once("```yaml\n# web-config.yml").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let folder = exporter::folder();
    std::fs::write(folder.path().join("web.yml"), example).unwrap();
    let args = [
        "check",
        "--config.file=config.yml",
        "--web.config.file=web.yml",
    ];
    let mut run = Process::start(folder.path(), PROGRAM, &args);
    let status = run.child.wait().await.unwrap();
    let told = run.output();
    assert!(
        status.success() && told.contains("web.yml: ok, TLS, 2 users, a rate limit"),
        "{told}"
    );
}

#[tokio::test]
async fn prometheus_scrapes_over_tls_with_a_password_and_a_certificate() {
    let hash = bcrypt::hash("secret", 4).unwrap();
    let exporter = Exporter::start(&format!(
        "{CERTIFICATE}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client-ca.pem\n\
         basic_auth_users: {{prometheus: {hash}}}\n"
    ))
    .await;
    let folder = exporter.folder.path();
    let target = exporter.port;
    std::fs::write(
        folder.join("prometheus.yml"),
        format!(
            "global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: rolling-upgrade-exporter
    scheme: https
    tls_config: {{ca_file: ca.pem, cert_file: client.pem, key_file: client.key}}
    basic_auth: {{username: prometheus, password: secret}}
    static_configs: [{{targets: ['localhost:{target}']}}]
"
        ),
    )
    .unwrap();
    let port = free_port();
    let server = Process::start(
        folder,
        "prometheus",
        &[
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            &format!("--web.listen-address=127.0.0.1:{port}"),
        ],
    );
    let url =
        format!("http://127.0.0.1:{port}/api/v1/query?query=rolling_upgrade_exporter_build_info");
    eventually(Duration::from_secs(60), "a scrape", || async {
        let answer = get(&url)
            .await
            .map_err(|e| format!("{e}\n{}", server.output()))?;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let result = answer["data"]["result"].as_array().unwrap().len();
        if result == 1 {
            return Ok(());
        }
        Err(format!("{answer}\n{}", exporter.process.output()))
    })
    .await;
}
