//! Clock of the exporter's host against those of the vendors.

use std::time::Duration;

use jiff::SignedDuration;

use super::Report;
use crate::clock::Times;
use crate::text::exact_length;

/// Largest difference that is no trouble: that of the alert `RollingUpgradeClockSkew`.
const TOLERATED: SignedDuration = SignedDuration::from_secs(60);

/// Returns a difference of clocks in seconds, to the millisecond.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds fit 53 bits for 280,000 years"
)]
pub(super) fn seconds(skew: SignedDuration) -> f64 {
    skew.as_millis() as f64 / 1000.0
}

/// Account whose vendor's clock and the host's differ by more than a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkewedClock<'a> {
    /// The account's name in the config.
    pub account: &'a str,
    /// Language of the cloud's texts, as an HTML `lang`.
    pub language: Option<&'static str>,
    /// Host's clock minus the vendor's.
    skew: SignedDuration,
}

impl SkewedClock<'_> {
    /// Writes what is wrong and what to do, as the end of a sentence that begins with the account.
    pub fn notice(&self) -> String {
        let length = exact_length(Duration::from_secs(self.skew.unsigned_abs().as_secs()));
        let side = if self.skew.is_negative() {
            "behind"
        } else {
            "ahead of"
        };
        format!(
            "the clock of the exporter's host is {length} {side} the vendor's. Times are the vendor's, so ages and stalls are right. Fix the host's time synchronization (NTP)."
        )
    }
}

impl Report {
    /// Returns the moment of the report by the clocks of the accounts' vendors: times of an account are
    /// measured by its own.
    pub fn times(&self) -> Times {
        let mut times = Times::at(self.generated);
        for product in &self.products {
            // A foreign number is no reason to fail.
            let skew = product.clock_skew_seconds.and_then(read);
            if let Some(now) = skew.and_then(|skew| self.generated.checked_sub(skew).ok()) {
                times = times.with(&product.account, now);
            }
        }
        times
    }

    /// Returns the accounts whose clock differs by more than a minute from the host's, each once.
    pub fn skewed_clocks(&self) -> Vec<SkewedClock<'_>> {
        let mut skewed: Vec<SkewedClock<'_>> = Vec::new();
        for product in &self.products {
            let skew = product.clock_skew_seconds.and_then(read);
            let Some(skew) = skew.filter(|skew| skew.abs() > TOLERATED) else {
                continue;
            };
            if skewed.iter().all(|one| one.account != product.account) {
                skewed.push(SkewedClock {
                    account: &product.account,
                    language: product.language,
                    skew,
                });
            }
        }
        skewed
    }
}

fn read(seconds: f64) -> Option<SignedDuration> {
    SignedDuration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ProductReport;

    fn report(skews: &[(&str, Option<f64>)]) -> Report {
        let golden = include_str!("../../tests/data/api/upgrades.json");
        let mut report: Report = serde_json::from_str(golden).unwrap();
        let product = report.products.remove(0);
        report.products = skews
            .iter()
            .map(|(account, skew)| ProductReport {
                account: (*account).to_owned(),
                clock_skew_seconds: *skew,
                ..product.clone()
            })
            .collect();
        report
    }

    #[test]
    fn account_is_told_once_and_from_a_minute_on() {
        let report = report(&[
            ("a", Some(-1200.4)),
            ("a", Some(-1200.5)),
            ("b", Some(60.0)),
            ("c", Some(60.5)),
            ("d", None),
        ]);
        let skewed = report.skewed_clocks();
        let accounts: Vec<_> = skewed.iter().map(|one| one.account).collect();
        assert_eq!(accounts, ["a", "c"]);
        let begin = "the clock of the exporter's host is 20m behind the vendor's. ";
        assert!(
            skewed[0].notice().starts_with(begin),
            "{}",
            skewed[0].notice()
        );
        assert!(
            skewed[1]
                .notice()
                .contains(" is 1m ahead of the vendor's. ")
        );
    }

    #[test]
    fn ages_are_measured_by_the_vendors_clock() {
        let report = report(&[("a", Some(1200.0)), ("b", None), ("c", Some(f64::NAN))]);
        let times = report.times();
        let passed = report.generated.duration_since(times.of("a"));
        assert_eq!(passed, SignedDuration::from_mins(20));
        for account in ["b", "c", "d"] {
            assert_eq!(times.of(account), report.generated, "{account}");
        }
    }
}
