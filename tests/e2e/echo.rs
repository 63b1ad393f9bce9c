//! Vendors whose error texts repeat what was sent: no output shows the secrets of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::harness::{PROGRAM, eventually, free_port, get, start_exporter};

const TOKEN: &str = "MIIFtoken/of+iam==";
const PASSWORD: &str = r#"pass"w/rd"#;

/// Secrets of the config; the signatures are those that the server saw.
const SECRETS: &[&str] = &[
    "NCLOUDACCESSKEY0",
    "ncloud-secret-key",
    "HUAWEIACCESSKEY0",
    "huawei-secret-key",
    "security+token/x",
    TOKEN,
    PASSWORD,
    r#"pass\"w/rd"#,
    "pass&quot;w/rd",
];

/// Headers with a secret, beside the body.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "x-security-token",
    "x-auth-token",
    "x-ncp-iam-access-key",
    "x-ncp-apigw-signature-v2",
];

/// A server that repeats each request in its error, except that IAM gives `TOKEN` to the user `good`.
struct Echo {
    url: String,
    signatures: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let signatures: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = signatures.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, kept.clone()));
            }
        });
        Self { url, signatures }
    }
}

async fn answer(mut stream: TcpStream, signatures: Arc<Mutex<Vec<String>>>) {
    let mut request = String::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or_default();
        if read == 0 {
            return;
        }
        request.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            continue;
        };
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            Some(lines.find(|(found, _)| *found == name)?.1)
        };
        let length = header("content-length").map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            break;
        }
    }
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut sent = vec![body.replace('"', "&quot;"), body.to_owned()];
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        if SECRET_HEADERS.contains(&name) {
            sent.push(value.to_owned());
        }
        if let "authorization" | "x-ncp-apigw-signature-v2" = name {
            let signature = value.rsplit("Signature=").next().unwrap();
            signatures.lock().unwrap().push(signature.to_owned());
        }
    }
    let (status, text) = if body.contains(r#""name":"good""#) {
        ("201 Created", "{}".to_owned())
    } else if head.contains("x-ncp-") {
        let refusal = json!({"code": 7, "message": sent.join(" "), "requestId": sent[2]});
        ("200 OK", refusal.to_string())
    } else {
        let error = json!({"error_code": "X.1", "error_msg": tail(&sent)});
        ("400 Bad Request", error.to_string())
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nx-subject-token: {TOKEN}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    drop(stream.write_all(answer.as_bytes()).await);
}

/// The secret part comes first: what is shown of a text is cut.
fn tail(sent: &[String]) -> String {
    let body: Value = serde_json::from_str(&sent[1]).unwrap_or_default();
    let user = &body["auth"]["identity"]["password"]["user"];
    let signatures = sent.iter().skip(2).map(|text| {
        let (_, signature) = text.split_once("Signature=").unwrap_or(("", text));
        signature
    });
    let signatures: Vec<&str> = signatures.collect();
    format!("{} {user} {}", signatures.join(" "), sent[0])
}

fn config(url: &str) -> String {
    let huawei = format!("region: r, project_id: p, css: {{endpoint: '{url}', clusters: [c-1]}}");
    let token = |user: &str| {
        let password = serde_json::Value::from(PASSWORD).to_string();
        format!("token: {{iam_endpoint: '{url}', domain: d, user: {user}, password: {password}}}")
    };
    format!(
        "polling: {{active_interval: 1s, idle_interval: 1s, timeout: 5s, rate_limit: 100}}
accounts:
  - {{name: keys, ncloud: {{access_key: NCLOUDACCESSKEY0, secret_key: ncloud-secret-key, ses: {{endpoint: '{url}', clusters: ['1']}}, cdss: {{endpoint: '{url}'}}}}}}
  - {{name: temporary, huawei: {{{huawei}, access_key: HUAWEIACCESSKEY0, secret_key: huawei-secret-key, security_token: security+token/x}}}}
  - {{name: password, huawei: {{{huawei}, {}}}}}
  - {{name: token, huawei: {{{huawei}, {}}}}}
",
        token("bad"),
        token("good"),
    )
}

#[tokio::test]
async fn shows_no_secret_that_a_vendor_repeats() {
    let echo = Echo::start().await;
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let exporter = start_exporter(folder.path(), port, &config(&echo.url));
    let url = format!("http://127.0.0.1:{port}");
    eventually(
        Duration::from_secs(30),
        "a text of each account",
        || async {
            let api = get(&format!("{url}/api/v1/upgrades")).await?;
            let report: Value = serde_json::from_str(&api).map_err(|e| e.to_string())?;
            let texts = report["clusters"].to_string();
            let told = texts.matches("(HTTP ").count();
            if told >= 4 {
                Ok(())
            } else {
                Err(format!("{report:#}"))
            }
        },
    )
    .await;
    let mut outputs = vec![exporter.output()];
    for path in ["/", "/api/v1/upgrades", "/metrics"] {
        outputs.push(get(&format!("{url}{path}")).await.unwrap());
    }
    let started = ["start", "cdss", "--account=keys", "--cluster=1"];
    let started = Command::new(PROGRAM)
        .args(started)
        .args([
            "--to-version=1",
            "--config-group=1",
            "--yes",
            "--config.file",
        ])
        .arg(format!("config-{port}.yml"))
        .current_dir(folder.path())
        .output()
        .await
        .unwrap();
    let started = String::from_utf8(started.stderr).unwrap();
    outputs.push(started);
    let signatures = echo.signatures.lock().unwrap();
    assert!(signatures.len() > 4, "{signatures:?}");
    let signatures = signatures.iter().map(String::as_str);
    for secret in SECRETS.iter().copied().chain(signatures) {
        for output in &outputs {
            assert!(!output.contains(secret), "{secret} is in {output}");
        }
    }
    for (output, name) in outputs.iter().zip(["log", "page", "API"]) {
        assert!(output.contains("[redacted]"), "{name}: {output}");
    }
}
