use super::*;

/// Returns the problems of a text that lies next to the certificates for tests.
fn wrong(text: &str) -> Vec<String> {
    match parse(text, &folder(), &files()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn good(text: &str) -> WebConfig {
    parse(text, &folder(), &files()).unwrap_or_else(|p| panic!("{text}\n{p:?}"))
}

fn files() -> Reader {
    Reader::until(Instant::now() + watched_file::LIMIT)
}

fn is_over(seen: &watched_file::Seen) -> bool {
    seen.has_changed(Instant::now() + watched_file::LIMIT)
        .unwrap()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls")
}

/// A good section, with more keys.
fn tls(more: &str) -> String {
    format!("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n{more}")
}

#[test]
fn an_empty_file_is_plain_http_for_everybody() {
    for text in [
        "",
        "# nothing\n\n",
        "---\n",
        "{}\n",
        "tls_server_config:\n",
        "basic_auth_users:\n",
        "tls_server_config: {cert_file: '', key_file: ~}",
    ] {
        assert_eq!(good(text).summary(), "plain HTTP", "{text:?}");
    }
}

#[test]
fn the_whole_file_is_read() {
    let config = good(&format!(
        "{}\
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000; includeSubDomains
    X-Content-Type-Options: nosniff
    X-XSS-Protection: 1
    Content-Security-Policy: \"default-src 'self' *.test.example.net\"
basic_auth_users:
  alice: $2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby
  bob: $2y$18$4VeFDzXIoPHKnKTU3O3GH.N.vZu06CVqczYZ8WvfzrddFU6tGqjR.
rate_limit: {{interval: 1s, burst: 20}}
",
        tls("  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [one, 127.0.0.1]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP256, X25519, CurveP384]
")
    ));
    assert_eq!(config.summary(), "TLS, 2 users, a rate limit");
    assert_eq!(config.headers.len(), 5);
    let tls = config.tls.unwrap();
    assert_eq!(tls.alpn_protocols, [b"http/1.1"]);
    assert!(!tls.ignore_client_order);
    let limit = config.rate_limit.unwrap();
    assert_eq!((limit.interval.as_secs(), limit.burst), (1, 20));
}

#[test]
fn certificates_may_stand_in_the_file() {
    let inline = |name: &str| {
        let pem = std::fs::read_to_string(folder().join(name)).unwrap();
        pem.lines()
            .fold(String::new(), |all, line| format!("{all}    {line}\n"))
    };
    let config = good(&format!(
        "tls_server_config:\n  cert: |\n{}  key: |\n{}  client_ca: |\n{}  client_auth_type: RequireAndVerifyClientCert\n",
        inline("server.pem"),
        inline("server.key"),
        inline("ca.pem"),
    ));
    assert_eq!(config.summary(), "TLS");
}

/// The bad examples of the exporter-toolkit's own tests, and what is told of each.
#[test]
fn the_toolkits_bad_examples_are_bad_here_too() {
    for (text, want) in [
        ("hWkNKCp3fvIx3jKnsaBI\n", "1:1: the file must be a mapping"),
        (
            "tls_server_config:\n  cert_filse: server.crt\n",
            "2:3: unknown key \"cert_filse\": did you mean cert_file?",
        ),
        (
            "tls_server_config:\n  cert_file: ''\n  key_file: server.key\n",
            "1:1: tls_server_config needs a certificate: add cert_file (or cert)",
        ),
        (
            "tls_server_config:\n  cert: ''\n  key_file: server.key\n",
            "1:1: tls_server_config needs a certificate",
        ),
        (
            "tls_server_config:\n  cert_file: server.pem\n  key_file: ''\n",
            "1:1: tls_server_config needs a key: add key_file (or key)",
        ),
        (
            "tls_server_config:\n  cert_file: server.pem\n  key: ''\n",
            "1:1: tls_server_config needs a key",
        ),
        (
            "tls_server_config:\n  cert_file: ''\n  key_file: ''\n  client_auth_type: x\n",
            "1:1: tls_server_config needs a certificate",
        ),
        (
            "tls_server_config:\n  cert_file: somefile\n  key_file: server.key\n",
            "2:14: cannot read the file of cert_file: No such file",
        ),
        (
            "tls_server_config:\n  cert_file: server.pem\n  key_file: somefile\n",
            "3:13: cannot read the file of key_file: No such file",
        ),
        (
            &tls("  client_ca_file: ca.pem\n"),
            "4:3: client_ca is given, and no client is asked for a certificate: set client_auth_type",
        ),
        (
            &tls("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: somefile\n"),
            "5:19: cannot read the file of client_ca_file: No such",
        ),
        (
            &tls("basic_auth_users:\n  john: doe\n"),
            "5:9: the password of \"john\" is no bcrypt hash: make one with htpasswd -nBC 10 USER",
        ),
        (
            &tls("  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048]\n"),
            "4:19: unknown cipher suite \"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048\": use TLS_",
        ),
        (
            &tls("  curve_preferences: [CurveP257]\n"),
            "4:23: unknown curve \"CurveP257\"",
        ),
        (
            &tls("  min_version: TLS111\n"),
            "4:16: min_version must be TLS12 or TLS13, not \"TLS111\"",
        ),
        (
            &tls(
                "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n  max_version: TLS12\n",
            ),
            "4:18: cipher_suites lacks what HTTP/2 needs",
        ),
        (
            "http_server_config: {headers: {X-Content-Type-Options: sniff}}",
            "1:56: X-Content-Type-Options must be nosniff, not \"sniff\"",
        ),
        (
            "http_server_config: {headers: {Content-Type: foo}}",
            "1:32: unknown key \"Content-Type\": headers takes",
        ),
        (
            "http_server_config: {headers: {X-Frame-Options: foo}}",
            "1:49: X-Frame-Options must be deny or sameorigin",
        ),
    ] {
        let found = wrong(text);
        assert!(
            found.iter().any(|line| line.starts_with(want)),
            "{text}\n{found:#?}"
        );
    }
}

#[test]
fn what_rustls_does_not_have_is_named() {
    for (more, want) in [
        (
            "  min_version: TLS10\n",
            "4:16: min_version: TLS10 is not supported here",
        ),
        (
            "  max_version: TLS11\n",
            "4:16: max_version: TLS11 is not supported here",
        ),
        (
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n",
            "4:19: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not supported here",
        ),
        (
            "  curve_preferences: [CurveP521]\n",
            "4:23: CurveP521 is not supported here",
        ),
    ] {
        let found = wrong(&tls(more));
        assert!(found.len() == 1 && found[0].starts_with(want), "{found:#?}");
    }
}

#[test]
fn contradictions_name_the_key() {
    for (text, want) in [
        (
            tls("  cert: x\n"),
            "4:3: cert and cert_file are both given: keep one",
        ),
        (
            tls("  key: x\n"),
            "4:3: key and key_file are both given: keep one",
        ),
        (
            tls("  client_allowed_sans: [a]\n"),
            "4:3: client_allowed_sans is given, and no client is asked",
        ),
        (
            tls("  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: []\n"),
            "5:24: client_allowed_sans is empty: no client could connect",
        ),
        (
            tls("  min_version: TLS13\n  max_version: TLS12\n"),
            "5:16: max_version is older than min_version",
        ),
        (
            tls("http_server_config: {http2: false}\n").replace(
                "server.key\n",
                "server.key\n  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
            ),
            "5:18: cipher_suites has none for TLS 1.2",
        ),
        (
            tls("").replace("server.key", "client.key"),
            "3:3: this key and the certificate cannot be used together",
        ),
        (
            tls("").replace("server.key", "server.pem"),
            "3:13: key_file \"server.pem\" holds no private key",
        ),
        (
            tls("").replace("server.pem", "server.key"),
            "2:14: cert_file \"server.key\" holds no certificate",
        ),
        (
            "tls_server_config: {min_version: TLS13}".to_owned(),
            "1:1: tls_server_config needs a certificate",
        ),
        (
            "rate_limit: {interval: 1s}".to_owned(),
            "1:1: burst must be at least 1",
        ),
        (
            "rate_limit: {interval: 1s, burst: 0}".to_owned(),
            "1:35: burst must be at least 1",
        ),
        (
            "rate_limit: {interval: 1d, burst: 1}".to_owned(),
            "1:24: interval must be a length of time",
        ),
        (
            "basic_auth_users: {'a:b': x}".to_owned(),
            "1:20: \"a…\" holds a colon",
        ),
        (
            "http_server_config: {http2: maybe}".to_owned(),
            "1:29: http2 must be true or false",
        ),
    ] {
        let found = wrong(&text);
        assert!(
            found.iter().any(|line| line.starts_with(want)),
            "{text}\n{found:#?}"
        );
    }
}

#[test]
fn all_problems_come_at_once_and_show_no_hash() {
    let hash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
    let found = wrong(&format!(
        "tls_server_config: {{cert_file: none, key_file: none, min_version: TLS10}}\n\
         basic_auth_users:\n  alice: {hash}x\n  bob:{hash}: \n  eve: hunter2\nrate_limt: {{}}\n"
    ));
    assert!(found.len() >= 6, "{found:#?}");
    let told = found.join("\n");
    assert!(
        !told.contains("QOauh") && !told.contains("hunter2"),
        "{told}"
    );
    assert!(told.contains("did you mean rate_limit?"), "{told}");
}

#[test]
fn no_debug_shows_a_hash() {
    let hash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
    let config = good(&format!("basic_auth_users: {{alice: {hash}}}"));
    let shown = format!("{config:?} {:?}", config.users);
    assert!(!shown.contains("QOauh"), "{shown}");
}

#[test]
fn verifying_without_a_ca_takes_the_systems_and_says_so() {
    let text = tls("  client_auth_type: RequireAnyClientCert\n");
    assert!(good(&text).hints[0].contains("does not verify"));
    if let Ok(config) = parse(
        &tls("  client_auth_type: VerifyClientCertIfGiven\n"),
        &folder(),
        &files(),
    ) {
        assert!(
            config.hints[0].contains("the system's CAs"),
            "{:?}",
            config.hints
        );
    }
}

#[test]
fn a_file_is_over_once_it_or_what_it_links_to_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("one"), "a").unwrap();
    std::fs::write(path("two"), "a").unwrap();
    std::os::unix::fs::symlink("one", path("link")).unwrap();
    let files = files();
    assert!(files.read(&path("none"), FileKind::PEM).is_err());
    files.read(&path("link"), FileKind::PEM).unwrap();
    let seen = files.into_seen();
    assert!(!is_over(&seen));
    std::fs::remove_file(path("link")).unwrap();
    std::os::unix::fs::symlink("two", path("link")).unwrap();
    assert!(is_over(&seen));
    std::fs::remove_file(path("link")).unwrap();
    std::os::unix::fs::symlink("one", path("link")).unwrap();
    assert!(!is_over(&seen));
    std::fs::write(path("none"), "now it is there").unwrap();
    assert!(is_over(&seen));
}

#[test]
fn a_blank_version_is_the_default() {
    for text in ["  min_version:\n", "  max_version: ''\n  min_version: ~\n"] {
        assert_eq!(good(&tls(text)).summary(), "TLS", "{text}");
    }
}

#[test]
fn an_unusable_file_is_named_with_its_flag_or_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.yml");
    let error = || load(&path).unwrap_err().to_string();
    let shown = path.display();
    assert!(error().starts_with(&format!("cannot read {shown}: ")));
    assert!(error().ends_with(": name an existing file with --web.config.file"));
    std::fs::write(&path, b"\xff").unwrap();
    let told = "1:1: this file is not UTF-8: save it in that encoding";
    assert_eq!(error(), format!("{shown}:{told}"));
    std::fs::write(&path, "users: {}\nbasic_auth_users: []\n").unwrap();
    let lines = error();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(
        lines
            .lines()
            .all(|line| line.starts_with(&format!("{shown}:")))
    );
}
