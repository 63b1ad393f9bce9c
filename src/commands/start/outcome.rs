//! What became of the request, and what to do next.

use jiff::Timestamp;
use rolling_upgrade_exporter::cloud::start::{Accepted, Failed};
use rolling_upgrade_exporter::http::Cause;

use super::plan::Plan;
use crate::cli::How;

/// What the order knows of its product.
pub(super) struct Ways {
    /// The permission that it takes.
    pub(super) needs: &'static str,
    /// Where the vendor's console shows the upgrade.
    pub(super) console: &'static str,
}

/// The command that shows the cluster's upgrade, ready to be copied.
pub(super) fn follow(how: &How, plan: &Plan) -> String {
    let file = how.config.file.display().to_string();
    let words = [
        ("config.file", file.as_str()),
        ("account", &how.account),
        ("product", plan.product),
        ("cluster", &plan.cluster),
    ];
    let flags: Vec<String> = words
        .iter()
        .map(|(flag, value)| format!("--{flag}={}", quoted(value)))
        .collect();
    format!(
        "rolling-upgrade-exporter status --watch {}",
        flags.join(" ")
    )
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-._/:@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The vendor took it.
pub(super) fn accepted(accepted: &Accepted, how: &How, plan: &Plan) -> String {
    let mut text = format!(
        "The vendor took the request: the upgrade of {} begins.",
        plan.what()
    );
    let versions = [
        ("from", &accepted.from),
        ("to", &accepted.to),
        ("platform version", &accepted.platform),
    ];
    let facts: Vec<String> = [("task", &accepted.task_id)]
        .into_iter()
        .chain(versions)
        .chain([("request", &accepted.request_id)])
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)))
        .collect();
    if !facts.is_empty() {
        text = format!("{text} ({})", facts.join(", "));
    }
    if how.watch {
        text
    } else {
        format!("{text}\nFollow it with\n  {}", follow(how, plan))
    }
}

/// Nobody can say that it was started. `sent` is when it went out.
pub(super) fn failed(
    failed: &Failed,
    sent: Timestamp,
    how: &How,
    plan: &Plan,
    ways: &Ways,
) -> String {
    let error = failed.error();
    match failed {
        Failed::NotSent(_) => format!("nothing was sent: {error}"),
        Failed::Refused(_) if matches!(error.cause, Cause::Permission | Cause::Subscription) => {
            format!(
                "the vendor refused, and nothing was started: {error}. Starting needs {}",
                ways.needs
            )
        }
        Failed::Refused(_) => {
            format!("the vendor refused, and nothing was started: {error}")
        }
        Failed::Unknown(_) => format!(
            "nobody knows whether the upgrade of {} was started: {error}\n\
             The request went out once, at {sent:.0}, and is not repeated. Before you send it again, find out\n\
             whether it arrived, now and in some minutes:\n  {}\n\
             or look into {}.",
            plan.what(),
            follow(how, plan),
            ways.console,
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rolling_upgrade_exporter::http::ApiError;
    use rolling_upgrade_exporter::model::Reason;

    use super::super::plan::tests::{plan, seen};
    use super::*;
    use crate::cli::ConfigFile;

    fn how(account: &str) -> How {
        How {
            config: ConfigFile {
                file: PathBuf::from("/etc/x.yml"),
            },
            account: account.to_owned(),
            dry_run: false,
            yes: false,
            watch: false,
        }
    }

    #[test]
    fn every_end_says_what_is_known_and_what_to_do() {
        let plan = plan(seen("events"));
        let ways = Ways {
            needs: "a policy",
            console: "the console",
        };
        let told = |outcome: Failed| {
            failed(
                &outcome,
                Timestamp::UNIX_EPOCH,
                &how("kr it's"),
                &plan,
                &ways,
            )
        };
        let error = |reason| {
            ApiError::new(reason, "why")
                .of("rollingUpgrade")
                .with_code("10153")
        };
        assert_eq!(
            told(Failed::NotSent(error(Reason::Network))),
            "nothing was sent: rollingUpgrade: why (code 10153)"
        );
        assert_eq!(
            told(Failed::Refused(error(Reason::Refused))),
            "the vendor refused, and nothing was started: rollingUpgrade: why (code 10153)"
        );
        let denied = told(Failed::Refused(error(Reason::Permission)));
        assert!(denied.ends_with("Starting needs a policy"), "{denied}");
        let unknown = told(Failed::Unknown(error(Reason::Timeout)));
        for part in [
            "nobody knows whether the upgrade of events (cdss 3432149) was started",
            "at 1970-01-01T00:00:00Z",
            r"status --watch --config.file=/etc/x.yml --account='kr it'\''s' --product=cdss --cluster=3432149",
            "or look into the console.",
        ] {
            assert!(unknown.contains(part), "{part}: {unknown}");
        }
    }

    #[test]
    fn what_the_vendor_told_is_shown() {
        let taken = Accepted {
            task_id: Some("976a33e2".to_owned()),
            from: Some("v1.19.16-r20".to_owned()),
            to: Some("v1.23.8-r0".to_owned()),
            platform: Some("cce.10".to_owned()),
            request_id: None,
        };
        let text = accepted(&taken, &how("kr"), &plan(seen("")));
        assert_eq!(
            text,
            "The vendor took the request: the upgrade of cdss 3432149 begins. (task 976a33e2, from v1.19.16-r20, to v1.23.8-r0, platform version cce.10)\n\
             Follow it with\n  rolling-upgrade-exporter status --watch --config.file=/etc/x.yml --account=kr --product=cdss --cluster=3432149"
        );
    }
}
