//! `check --live` against the simulator: each thing that can be wrong, what is said of it, and the
//! exit code.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::harness::{PROGRAM, free_port, get, refused, start_simulator};

const SCENARIO: &str = r#"
clusters:
  - {product: ses, id: "3427188", name: search, versions: ["290"]}
  - {product: ses, id: "3427189", name: hidden, versions: ["290"], listed: disallowed}
  - {product: cdss, id: "3432149", name: events, versions: ["2.8.2"]}
  - {product: css, id: ea244205-d641-45d9-9dcb-ab2236bcd07e, name: logs, versions: ["7.10.2"]}
  - {product: cce, id: b4b9e60f-8aa2-11ee-af09-0255ac10004f, name: shop, versions: [v1.27]}
"#;

const PROJECT: &str = "6204a5bd270343b5885144cf9c8c158d";

/// What no output may hold.
const SECRETS: &[&str] = &[
    "sim-ncloud-secret-key",
    "sim-huawei-secret-key",
    "sim-password",
    "wrong-secret",
    "hunter2",
];

fn ncloud(name: &str, secret: &str, keys: &str) -> String {
    format!(
        "  - {{name: {name}, ncloud: {{access_key: SIMNCLOUDACCESSKEY00, secret_key: {secret}, {keys}}}}}\n"
    )
}

fn huawei(name: &str, secret: &str, project: &str, keys: &str) -> String {
    format!(
        "  - {{name: {name}, huawei: {{region: cn-north-4, project_id: {project}, access_key: SIMHUAWEIACCESSKEY00, secret_key: {secret}, {keys}}}}}\n"
    )
}

fn good(url: &str) -> String {
    let products =
        |a: &str, b: &str| format!("{a}: {{endpoint: '{url}'}}, {b}: {{endpoint: '{url}'}}");
    ncloud("kr", "sim-ncloud-secret-key", &products("ses", "cdss"))
        + &huawei(
            "cn",
            "sim-huawei-secret-key",
            PROJECT,
            &products("css", "cce"),
        )
}

/// What a check printed and how it ended.
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    /// The table's row of this account and product, with single spaces.
    fn row(&self, account: &str, product: &str) -> String {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let table = self
            .out
            .split("\n\n")
            .find(|part| part.starts_with("ACCOUNT"));
        let table = table.unwrap_or_else(|| panic!("no table: {}\n{}", self.out, self.err));
        let begin = format!("{account} {product} ");
        let mut rows = table.lines().map(words);
        rows.find(|row| row.starts_with(&begin))
            .unwrap_or_else(|| panic!("no row {begin}: {table}"))
    }

    /// The sentences, as one text with single spaces.
    fn notes(&self) -> String {
        self.out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn says(&self, part: &str) {
        assert!(
            self.notes().contains(part),
            "{part} is not in\n{}",
            self.out
        );
    }
}

/// Runs `check --live` on these accounts.
async fn check(folder: &Path, accounts: &str) -> Told {
    let polling = "polling: {timeout: 1s, rate_limit: 100}\naccounts:\n";
    std::fs::write(folder.join("c.yml"), format!("{polling}{accounts}")).unwrap();
    let mut command = Command::new(PROGRAM);
    for name in ["HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = command
        .args(["check", "--live", "--config.file", "c.yml"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let told = Told {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    for secret in SECRETS {
        let all = format!("{}{}", told.out, told.err);
        assert!(!all.contains(secret), "{secret} is told:\n{all}");
    }
    assert!(
        told.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        told.out
    );
    told
}

#[tokio::test]
async fn one_call_a_product_when_all_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, url) = start_simulator(folder.path(), SCENARIO).await;
    let before = requests(&url).await;
    let token = format!(
        "  - {{name: token, huawei: {{region: cn-north-4, project_id: {PROJECT}, token: {{iam_endpoint: '{url}', domain: sim-domain, user: sim-user, password: sim-password}}, css: {{endpoint: '{url}'}}}}}}\n"
    );
    let told = check(folder.path(), &format!("{}{token}", good(&url))).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    assert_eq!(told.row("kr", "ses"), "kr ses public/KR ok - 1 of 2");
    assert_eq!(told.row("kr", "cdss"), "kr cdss public/KR ok - 1 of 1");
    assert_eq!(told.row("cn", "css"), "cn css cn-north-4 ok - 1 of 1");
    assert_eq!(told.row("cn", "cce"), "cn cce cn-north-4 ok - 1 of 1");
    assert_eq!(told.row("token", "css"), "token css cn-north-4 ok - 1 of 1");
    told.says("Warning: 1 more of its clusters may not be read");
    told.says("NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER");
    assert_eq!(told.err, "");
    let made = requests(&url).await - before;
    assert_eq!(made, 6, "five lists and one token");
    assert_eq!(refused(&url).await, Vec::<String>::new());
}

async fn requests(url: &str) -> u64 {
    let seen = get(&format!("{url}/-/seen")).await.unwrap();
    let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
    seen["requests"].as_u64().unwrap()
}

#[tokio::test]
async fn keys_regions_projects_and_clusters_that_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, url) = start_simulator(folder.path(), SCENARIO).await;
    let both = |a: &str, b: &str| format!("{a}: {{endpoint: '{url}'}}, {b}: {{endpoint: '{url}'}}");
    let (kr, cn) = ("sim-ncloud-secret-key", "sim-huawei-secret-key");
    let other_project = "6204a5bd270343b5885144cf9c8c158e";
    let accounts = [
        ncloud("bad-key", "wrong-secret", &both("ses", "cdss")),
        ncloud(
            "sgn",
            kr,
            &format!("region: SGN, ses: {{endpoint: '{url}'}}"),
        ),
        ncloud(
            "id",
            kr,
            &format!("ses: {{endpoint: '{url}', clusters: [3427188, 99]}}"),
        ),
        huawei("bad-sk", "wrong-secret", PROJECT, &both("css", "cce")),
        huawei("project", cn, other_project, &both("css", "cce")),
        huawei(
            "bad-ak",
            cn,
            PROJECT,
            &format!("cce: {{endpoint: '{url}'}}"),
        )
        .replace("SIMHUAWEIACCESSKEY00", "SIMHUAWEIACCESSKEY99"),
        format!(
            "  - {{name: password, huawei: {{region: cn-north-4, project_id: {PROJECT}, token: {{iam_endpoint: '{url}', domain: sim-domain, user: sim-user, password: hunter2}}, {}}}}}\n",
            both("css", "cce")
        ),
    ];
    let told = check(folder.path(), &accounts.concat()).await;
    assert_eq!(told.code, Some(1));
    assert!(
        told.err.contains("11 of 11 products failed the live check"),
        "{}",
        told.err
    );
    for (account, product, want) in [
        ("bad-key", "ses", "public/KR credentials 200 -"),
        ("bad-key", "cdss", "public/KR not tried - -"),
        ("sgn", "ses", "public/SGN region 300 -"),
        ("id", "ses", "public/KR cluster - 1 of 2"),
        ("bad-sk", "css", "cn-north-4 credentials APIGW.0301 -"),
        ("bad-sk", "cce", "cn-north-4 not tried - -"),
        ("project", "css", "cn-north-4 permission APIGW.0302 -"),
        ("project", "cce", "cn-north-4 permission APIGW.0302 -"),
        ("bad-ak", "cce", "cn-north-4 credentials APIGW.0301 -"),
        ("password", "css", "cn-north-4 credentials HTTP 401 -"),
        ("password", "cce", "cn-north-4 not tried - -"),
    ] {
        assert_eq!(
            told.row(account, product),
            format!("{account} {product} {want}")
        );
    }
    told.says("check access_key, secret_key and zone");
    told.says("no such API in zone public, region SGN");
    told.says("lacks 99");
    told.says("The signature does not fit; check secret_key");
    told.says("check that project_id is a project of this region");
    told.says("This cloud does not know the access key");
    told.says("IAM refused domain, user or password");
    let refused = refused(&url).await;
    let bad = refused
        .iter()
        .filter(|why| why.contains("signature"))
        .count();
    assert_eq!(bad, 2, "one for each wrong secret: {refused:?}");
}

#[tokio::test]
async fn a_clock_that_is_off() {
    for (ahead, is_refused) in [("20m", true), ("90s", false)] {
        let folder = tempfile::tempdir().unwrap();
        let scenario = format!("clock_ahead: {ahead}\n{SCENARIO}");
        let (_simulator, url) = start_simulator(folder.path(), &scenario).await;
        let told = check(folder.path(), &good(&url)).await;
        if is_refused {
            assert_eq!(told.code, Some(1));
            assert_eq!(told.row("kr", "ses"), "kr ses public/KR clock 200 -");
            assert_eq!(told.row("kr", "cdss"), "kr cdss public/KR clock 200 -");
            assert_eq!(
                told.row("cn", "css"),
                "cn css cn-north-4 clock APIGW.0301 -"
            );
            told.says(" behind that of the vendor, who refuses 5m and more; set the clock");
            told.says("behind the vendor's, which allows 15m; set it");
            assert!(!told.notes().contains(" s behind"), "{}", told.out);
        } else {
            assert_eq!(told.code, Some(0), "{}", told.out);
            assert_eq!(told.row("cn", "cce"), "cn cce cn-north-4 ok - 1 of 1");
            assert_eq!(told.notes().matches("Warning: The clock").count(), 2);
            told.says("The clock of this machine is 1m");
            told.says("s behind the vendor's; set it");
        }
    }
}

#[tokio::test]
async fn what_the_vendor_does_not_give() {
    let folder = tempfile::tempdir().unwrap();
    let faults = "faults:
  - {path: /api/v2/cluster/getClusterInfoList, answer: forbidden}
  - {path: /api/v1/cluster/getClusterInfoList, answer: throttled}
  - {path: /v1.0/, answer: forbidden}
  - {path: /api/v3/, answer: not_published}
";
    let (_simulator, url) = start_simulator(folder.path(), &format!("{SCENARIO}{faults}")).await;
    let before = requests(&url).await;
    let told = check(folder.path(), &good(&url)).await;
    assert_eq!(told.code, Some(1));
    assert_eq!(told.row("kr", "ses"), "kr ses public/KR permission 210 -");
    assert_eq!(told.row("kr", "cdss"), "kr cdss public/KR throttled 410 -");
    assert_eq!(
        told.row("cn", "css"),
        "cn css cn-north-4 permission APIGW.0302 -"
    );
    assert_eq!(
        told.row("cn", "cce"),
        "cn cce cn-north-4 region APIGW.0101 -"
    );
    told.says("It needs the policy NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER");
    told.says("It needs css:cluster:list and css:cluster:get");
    told.says("This cloud does not publish the call at this address; check region");
    assert_eq!(requests(&url).await - before, 4, "nothing is repeated");
}

#[tokio::test]
async fn where_the_way_ends() {
    let folder = tempfile::tempdir().unwrap();
    let faults = "faults:
  - {path: /api/v2/, answer: hang}
  - {path: /api/v1/, answer: html}
  - {path: /v1.0/, answer: close}
  - {path: /api/v3/, answer: redirect}
";
    let (_simulator, url) = start_simulator(folder.path(), &format!("{SCENARIO}{faults}")).await;
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls/ca.pem");
    let ca = format!("ca_file: '{}'", ca.display());
    let free = free_port();
    let secret = "sim-huawei-secret-key";
    let accounts = [
        good(&url),
        huawei(
            "name",
            secret,
            PROJECT,
            &format!("domain: invalid, {ca}, css: {{}}"),
        ),
        huawei(
            "nobody",
            secret,
            PROJECT,
            &format!("css: {{endpoint: 'http://127.0.0.1:{free}'}}"),
        ),
        huawei(
            "tls",
            secret,
            PROJECT,
            &format!(
                "{ca}, css: {{endpoint: '{}'}}",
                url.replace("http:", "https:")
            ),
        ),
        huawei(
            "proxy",
            secret,
            PROJECT,
            &format!("{ca}, proxy_url: 'http://user:hunter2@127.0.0.1:{free}', css: {{}}"),
        ),
    ];
    let told = check(folder.path(), &accounts.concat()).await;
    assert_eq!(told.code, Some(1));
    for (account, product, want) in [
        ("kr", "ses", "public/KR network: timeout - -"),
        ("kr", "cdss", "public/KR vendor HTTP 500 -"),
        ("cn", "css", "cn-north-4 network - -"),
        ("cn", "cce", "cn-north-4 answer HTTP 302 -"),
        ("name", "css", "cn-north-4 network: name - -"),
        ("nobody", "css", "cn-north-4 network: route - -"),
        ("tls", "css", "cn-north-4 network: tls - -"),
        ("proxy", "css", "cn-north-4 network: proxy - -"),
    ] {
        assert_eq!(
            told.row(account, product),
            format!("{account} {product} {want}")
        );
    }
    told.says("No complete answer within 1s");
    told.says("There is no address for css.cn-north-4.invalid");
    told.says("check region");
    told.says("Connection refused");
    told.says("Cannot trust 127.0.0.1");
    told.says(&format!("The proxy 127.0.0.1:{free} gives no connection"));
    told.says("Account proxy: the password in proxy_url is sent");
}
