//! Logins, headers and the limit of requests stand before every path.

use reqwest::{Client, Method, Response};

use super::exporter::{CERTIFICATE, Exporter};

const HEADERS: &str = "http_server_config:
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000
    Content-Security-Policy: default-src 'self'
";

fn users(users: &[(&str, &str)]) -> String {
    let lines = users.iter().map(|(user, password)| {
        let hash = bcrypt::hash(password, 4).unwrap();
        format!("  {user}: {hash}\n")
    });
    "basic_auth_users:\n".to_owned() + &lines.collect::<String>()
}

async fn ask(
    exporter: &Exporter,
    client: &Client,
    path: &str,
    login: Option<(&str, &str)>,
) -> Response {
    let request = client.get(exporter.url(path));
    let request = match login {
        Some((user, password)) => request.basic_auth(user, Some(password)),
        None => request,
    };
    request.send().await.unwrap()
}

#[tokio::test]
async fn every_path_asks_for_the_login_and_carries_the_headers() {
    let web = format!("{CERTIFICATE}{HEADERS}{}", users(&[("alice", "secret")]));
    let exporter = Exporter::start(&web).await;
    let client = exporter.client("ca.pem");
    for path in [
        "/",
        "/metrics",
        "/api/v1/upgrades",
        "/-/healthy",
        "/-/ready",
        "/-/reload",
        "/nowhere",
        "/%2e%2e/metrics",
    ] {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
            let request = client.request(method.clone(), exporter.url(path));
            let refused = request.try_clone().unwrap().send().await.unwrap();
            assert_eq!(refused.status(), 401, "{method} {path}");
            assert_eq!(refused.headers()["www-authenticate"], "Basic");
            let let_in = request
                .basic_auth("alice", Some("secret"))
                .send()
                .await
                .unwrap();
            assert_ne!(let_in.status(), 401, "{method} {path}");
            for answer in [refused, let_in] {
                assert_eq!(
                    answer.headers()["x-frame-options"],
                    "deny",
                    "{method} {path}"
                );
                assert_eq!(
                    answer.headers()["strict-transport-security"],
                    "max-age=31536000"
                );
                assert_eq!(
                    answer
                        .headers()
                        .get_all("content-security-policy")
                        .iter()
                        .count(),
                    1
                );
            }
        }
    }
    // The page brings a policy that lets its own style in.
    let page = ask(&exporter, &client, "/", Some(("alice", "secret"))).await;
    assert_ne!(
        page.headers()["content-security-policy"],
        "default-src 'self'"
    );
    let body = ask(&exporter, &client, "/metrics", None)
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(body, "Unauthorized\n");
    for login in [("alice", "wrong"), ("nobody", "secret"), ("", "")] {
        assert_eq!(
            ask(&exporter, &client, "/metrics", Some(login))
                .await
                .status(),
            401
        );
    }
    assert!(!exporter.process.output().contains("secret"));
}

#[tokio::test]
async fn users_come_and_go_while_connections_stay() {
    let exporter = Exporter::start(&(CERTIFICATE.to_owned() + &users(&[("alice", "one")]))).await;
    let client = exporter.client("ca.pem");
    let status = async |user, password| {
        let answer = ask(&exporter, &client, "/metrics", Some((user, password))).await;
        answer.status().as_u16()
    };
    assert_eq!(status("alice", "one").await, 200);
    assert_eq!(status("bob", "two").await, 401);
    exporter
        .change(&(CERTIFICATE.to_owned() + &users(&[("bob", "two")])))
        .await;
    assert_eq!(status("alice", "one").await, 401);
    assert_eq!(status("bob", "two").await, 200);
    // A file that was cut off lets nobody in.
    exporter.write("web.yml", "");
    exporter.until_told("has nothing in it", 1).await;
    assert_eq!(status("alice", "one").await, 401);
    assert_eq!(status("bob", "two").await, 200);
    exporter.change(CERTIFICATE).await;
    assert_eq!(
        ask(&exporter, &client, "/metrics", None).await.status(),
        200
    );
}

#[tokio::test]
async fn more_requests_than_the_limit_are_refused() {
    let exporter = Exporter::start(&format!(
        "{CERTIFICATE}{HEADERS}rate_limit: {{interval: 1h, burst: 3}}\n"
    ))
    .await;
    let client = exporter.client("ca.pem");
    for want in [200, 200, 200, 429, 429] {
        let answer = ask(&exporter, &client, "/-/healthy", None).await;
        assert_eq!(answer.status(), want);
        assert_eq!(answer.headers()["x-frame-options"], "deny");
        if want == 429 {
            assert_eq!(answer.text().await.unwrap(), "Too Many Requests\n");
        }
    }
    exporter
        .change(&format!(
            "{CERTIFICATE}rate_limit: {{interval: 0, burst: 0}}\n"
        ))
        .await;
    assert_eq!(
        ask(&exporter, &client, "/-/healthy", None).await.status(),
        200
    );
}
