//! Files change under the running program.

use std::os::unix::fs::symlink;
use std::time::Duration;

use super::exporter::{CERTIFICATE, Exporter, folder};
use crate::harness::eventually;

async fn is_trusted(exporter: &Exporter, ca: &str) -> Result<(), String> {
    let client = exporter.client(ca);
    let asked = client.get(exporter.url("/-/healthy")).send().await;
    asked
        .map(drop)
        .map_err(|e| format!("{e:?}\n{}", exporter.process.output()))
}

/// As the kubelet does it: the files are links through `..data`, which is replaced.
#[tokio::test]
async fn a_certificate_is_replaced_as_kubernetes_replaces_secrets() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    for (version, name) in [("..1", "server"), ("..2", "second")] {
        std::fs::create_dir(at(version)).unwrap();
        for (from, to) in [("pem", "tls.crt"), ("key", "tls.key")] {
            std::fs::copy(at(&format!("{name}.{from}")), at(version).join(to)).unwrap();
        }
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/tls.crt", at("tls.crt")).unwrap();
    symlink("..data/tls.key", at("tls.key")).unwrap();
    let web = "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n";
    let exporter = Exporter::start_in(folder, web).await;
    is_trusted(&exporter, "ca.pem").await.unwrap();
    let kept = exporter.client("ca.pem");
    kept.get(exporter.url("/")).send().await.unwrap();

    let at = |name: &str| exporter.folder.path().join(name);
    symlink("..2", at("..data_tmp")).unwrap();
    std::fs::rename(at("..data_tmp"), at("..data")).unwrap();
    eventually(Duration::from_secs(20), "the new certificate", || {
        is_trusted(&exporter, "second-ca.pem")
    })
    .await;
    assert!(is_trusted(&exporter, "ca.pem").await.is_err());
    // Whoever is connected stays so.
    kept.get(exporter.url("/")).send().await.unwrap();
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_is_told_once() {
    let exporter = Exporter::start(CERTIFICATE).await;
    let broken = "cannot be used; what was read before stays in use.";
    exporter.write("web.yml", &CERTIFICATE.replace("key_file", "kee_file"));
    exporter.until_told(broken, 1).await;
    is_trusted(&exporter, "ca.pem").await.unwrap();
    assert!(exporter.process.output().contains("did you mean key_file?"));
    // Half of a pair is broken, too, until the other half comes.
    exporter.change(CERTIFICATE).await;
    let read = |name: &str| std::fs::read_to_string(exporter.folder.path().join(name)).unwrap();
    let (certificate, key) = (read("second.pem"), read("second.key"));
    exporter.write("server.pem", &certificate);
    exporter.until_told(broken, 2).await;
    is_trusted(&exporter, "ca.pem").await.unwrap();
    exporter.write("server.key", &key);
    eventually(Duration::from_secs(20), "the new pair", || {
        is_trusted(&exporter, "second-ca.pem")
    })
    .await;
    // A file that is gone is as broken.
    std::fs::remove_file(exporter.folder.path().join("web.yml")).unwrap();
    exporter.until_told(broken, 3).await;
    is_trusted(&exporter, "second-ca.pem").await.unwrap();
    assert_eq!(exporter.told(broken), 3);
}

#[tokio::test]
async fn plain_http_stays_plain_until_a_restart() {
    let exporter = Exporter::start("").await;
    let url = exporter.url("/-/healthy").replace("https:", "http:");
    exporter.write(
        "web.yml",
        &format!("{CERTIFICATE}http_server_config: {{headers: {{X-Frame-Options: deny}}}}\n"),
    );
    exporter.until_told("which takes a restart", 1).await;
    let answer = crate::harness::client().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("x-frame-options"));
}
