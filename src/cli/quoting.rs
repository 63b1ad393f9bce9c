//! Usage errors that quote no password: they end in the logs of systemd, of containers and of CI.

use clap::error::{ContextKind, ContextValue};

/// Stands for a value that may hold a password.
const HIDDEN: &str = "…";

/// Removes from a usage error each value in which a password may stand: of a flag that takes an address,
/// and anything with a user, wherever it was typed.
pub(crate) fn without_passwords(mut error: clap::Error) -> clap::Error {
    let takes_address = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => ["<URL>", "<ADDRESS>"]
            .iter()
            .any(|value| flag.contains(value)),
        _ => false,
    };
    let mut hides = false;
    for kind in [
        ContextKind::InvalidValue,
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
    ] {
        let Some(ContextValue::String(text)) = error.get(kind) else {
            continue;
        };
        let is_value = kind == ContextKind::InvalidValue && takes_address && !text.is_empty();
        if is_value || text.contains('@') {
            error.insert(kind, ContextValue::String(HIDDEN.to_owned()));
            hides = true;
        }
    }
    if hides {
        // Suggestions repeat what was typed.
        error.remove(ContextKind::Suggested);
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn told(words: &[&str]) -> String {
        let words = std::iter::once("rolling-upgrade-exporter").chain(words.iter().copied());
        let error = Cli::try_parse_from(words).expect_err("it is wrong");
        without_passwords(error).to_string()
    }

    #[test]
    fn quotes_no_address_and_nothing_with_a_user() {
        for words in [
            &["--web.external-url=https://user:hunter2@x.example"][..],
            &["--web.external-url=https://user:hunter2"],
            &["serve", "--web.external-url", "user:hunter2@x.example/"],
            &["--web.listen-address=user:hunter2@x.example:1"],
            &["--web.listen-address=hunter2"],
            &["demo", "--web.listen-address=http://user:hunter2@x"],
            &[
                "healthcheck",
                "--web.external-url=https://hunter2@x.example",
            ],
            &["simulate", "--listen-address=user:hunter2@x.example:1"],
            &["--web.route-prefix=https://user:hunter2@x.example/a"],
            &["--web.telemetry-path=https://user:hunter2@x.example/a"],
            &["https://user:hunter2@x.example"],
            &["status", "https://user:hunter2@x.example"],
            &["status", "--uri=https://user:hunter2@x.example"],
            &["--web.enable-lifecycle=https://user:hunter2@x.example"],
        ] {
            let told = told(words);
            assert!(!told.contains("hunter2"), "{words:?}: {told}");
        }
    }

    #[test]
    fn still_tells_the_flag_and_what_it_takes() {
        let text = told(&["--web.external-url=https://user:hunter2@x.example"]);
        for part in [
            "'--web.external-url <URL>'",
            "user or password",
            "write for instance",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(told(&["--log.level=loud"]).contains("'loud'"));
    }
}
