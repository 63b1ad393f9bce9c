//! Go's names for versions, cipher suites and curves, and what rustls has of them.

use tokio_rustls::rustls::crypto::SupportedKxGroup;
use tokio_rustls::rustls::crypto::aws_lc_rs::{ALL_KX_GROUPS, cipher_suite, kx_group};
use tokio_rustls::rustls::{NamedGroup, SupportedCipherSuite};

use spanned_yaml::{Field, either, quote};

/// The versions that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    Tls12,
    Tls13,
}

pub(super) fn version(field: &Field<'_>) -> Option<Version> {
    const KNOWN: &str = "TLS12 and TLS13 are";
    match field.text()? {
        "TLS12" => Some(Version::Tls12),
        "TLS13" => Some(Version::Tls13),
        old @ ("TLS10" | "TLS11") => {
            let name = &field.name;
            field.wrong(format!(
                "{name}: {old} is not supported here, {KNOWN}: every client of today has them"
            ));
            None
        }
        other => {
            let name = &field.name;
            field.wrong(format!(
                "{name} must be TLS12 or TLS13, not {}",
                quote(other)
            ));
            None
        }
    }
}

/// The suites before TLS 1.3 that are served, strongest first.
const SUITES: [(&str, SupportedCipherSuite); 6] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// The suites of TLS 1.3: they may be listed, and are always served, as in Go.
const SUITES_13: [(&str, SupportedCipherSuite); 3] = [
    (
        "TLS_AES_256_GCM_SHA384",
        cipher_suite::TLS13_AES_256_GCM_SHA384,
    ),
    (
        "TLS_AES_128_GCM_SHA256",
        cipher_suite::TLS13_AES_128_GCM_SHA256,
    ),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ),
];

/// Suites that Go has besides.
const OTHERS: [&str; 4] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
];

/// One suite.
pub(super) fn suite(field: &Field<'_>) -> Option<SupportedCipherSuite> {
    let text = field.text()?;
    let mut known = SUITES.iter().chain(&SUITES_13);
    if let Some((_, suite)) = known.find(|(name, _)| *name == text) {
        return Some(*suite);
    }
    let names: Vec<&str> = SUITES.iter().map(|(name, _)| *name).collect();
    let why = if OTHERS.contains(&text) {
        format!("{text} is not supported here, since it is weak")
    } else {
        format!("unknown cipher suite {}", quote(text))
    };
    field.wrong(format!("{why}: use {}", either(&names)));
    None
}

/// All suites of TLS 1.3.
pub(super) fn suites_13() -> impl Iterator<Item = SupportedCipherSuite> {
    SUITES_13.into_iter().map(|(_, suite)| suite)
}

/// All suites before TLS 1.3.
pub(super) fn suites_12() -> impl Iterator<Item = SupportedCipherSuite> {
    SUITES.into_iter().map(|(_, suite)| suite)
}

/// One curve.
pub(super) fn curve(field: &Field<'_>) -> Option<&'static dyn SupportedKxGroup> {
    match field.text()? {
        "X25519" => Some(kx_group::X25519),
        "CurveP256" => Some(kx_group::SECP256R1),
        "CurveP384" => Some(kx_group::SECP384R1),
        // Newer releases of aws-lc-rs may bring it.
        "CurveP521" => {
            let found = ALL_KX_GROUPS
                .iter()
                .find(|group| group.name() == NamedGroup::secp521r1);
            if found.is_none() {
                field.wrong("CurveP521 is not supported here: use X25519, CurveP256 or CurveP384");
            }
            found.copied()
        }
        other => {
            field.wrong(format!(
                "unknown curve {}: use X25519, CurveP256 or CurveP384",
                quote(other)
            ));
            None
        }
    }
}
