//! Certificates of a PEM bundle, each whole.

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Place of a certificate that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the certificate at its line {line} is damaged; replace it with a whole one, or remove it")]
pub(crate) struct Damaged {
    line: usize,
}

/// Reads the certificates. Anything between them is left out, as are keys.
///
/// # Errors
/// Rejects a bundle with a certificate that cannot be a trust anchor: a server that needs it would be
/// refused at each connection.
pub(super) fn read(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Damaged> {
    let text = String::from_utf8_lossy(pem);
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text == BEGIN {
            if let Some((line, _)) = open {
                return Err(Damaged { line });
            }
            open = Some((line, String::new()));
        }
        if let Some((_, section)) = &mut open {
            section.push_str(text);
            section.push('\n');
        }
        if text == END {
            let (line, section) = open.take().ok_or(Damaged { line })?;
            found.push(certificate(&section).ok_or(Damaged { line })?);
        }
    }
    open.map_or(Ok(found), |(line, _)| Err(Damaged { line }))
}

fn certificate(section: &str) -> Option<CertificateDer<'static>> {
    let certificate = CertificateDer::from_pem_slice(section.as_bytes()).ok()?;
    X509Certificate::from_der(&certificate).ok()?;
    let added = RootCertStore::empty().add(certificate.clone());
    added.is_ok().then_some(certificate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = include_str!("../../../tests/data/tls/ca.pem");
    const OTHER: &str = include_str!("../../../tests/data/tls/self-signed.pem");

    fn count(pem: &str) -> Result<usize, usize> {
        let read = read(pem.as_bytes());
        read.map(|found| found.len())
            .map_err(|damaged| damaged.line)
    }

    #[test]
    fn reads_whole_certificates_in_any_company() {
        let windows = format!("\u{feff}{ONE}{OTHER}").replace('\n', "\r\n");
        let key = include_str!("../../../tests/data/tls/server.key");
        for pem in [
            format!("{ONE}{OTHER}"),
            format!("# My CA\nsubject=Test\n\n{ONE}\n{key}\n  {OTHER}\nthe end"),
            windows,
        ] {
            assert_eq!(count(&pem), Ok(2), "{pem}");
        }
        assert_eq!(count("hello"), Ok(0));
        assert_eq!(count(""), Ok(0));
    }

    #[test]
    fn names_the_line_of_a_damaged_certificate() {
        let second = ONE.lines().count() + 1;
        let lines: Vec<&str> = OTHER.lines().collect();
        let without = |place: usize| {
            let mut lines = lines.clone();
            lines.remove(place);
            lines.join("\n")
        };
        let last = lines.len() - 1;
        for (what, damaged, line) in [
            ("a line is missing", without(2), second),
            ("not base64", OTHER.replace('M', "!"), second),
            ("cut off", without(last), second),
            ("no beginning", without(0), second + last - 1),
            ("another inside", format!("{BEGIN}\n{OTHER}"), second),
            ("empty", format!("{BEGIN}\n{END}\n"), second),
            ("not DER", format!("{BEGIN}\naGVsbG8=\n{END}\n"), second),
        ] {
            let pem = format!("{ONE}{damaged}");
            assert_eq!(count(&pem), Err(line), "{what}");
        }
        let cut: String = OTHER.chars().take(200).collect();
        assert_eq!(count(&cut), Err(1));
    }
}
