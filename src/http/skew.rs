//! The vendor's clock, as an answer shows it.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AGE, DATE, HeaderMap};
use tokio::time::Instant;

use crate::clock::Reading;

/// Returns the local clock minus the server's; `None` when the answer does not tell the time.
pub(crate) fn skew(
    headers: &HeaderMap,
    sent: Timestamp,
    received: Timestamp,
) -> Option<SignedDuration> {
    let local = sent
        .checked_add(received.duration_since(sent) / 2)
        .unwrap_or(sent);
    Some(local.duration_since(server_time(headers)?))
}

/// Returns the vendor's time, as an answer tells it that came at `received`; `None` when it does not.
pub(crate) fn vendor_time(
    headers: &HeaderMap,
    sent: Instant,
    received: Instant,
) -> Option<Reading> {
    let half = received.duration_since(sent) / 2;
    Some(Reading {
        time: server_time(headers)?,
        at: sent + half,
        precision: SignedDuration::try_from(half).ok()?,
    })
}

/// Returns the server's time in the middle of the exchange.
///
/// A cache gives the `Date` at which the answer was made, and in `Age` how long ago that was (RFC 9111,
/// section 5.1). `Date` is cut to the second, so half of one is added to it.
fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let made = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let age = age(headers)?.checked_add(SignedDuration::from_millis(500))?;
    made.checked_add(age).ok()
}

/// Returns the age of an answer, zero when it has none; `None` when it cannot be read. Of several the
/// first counts.
fn age(headers: &HeaderMap) -> Option<SignedDuration> {
    let Some(age) = headers.get(AGE) else {
        return Some(SignedDuration::ZERO);
    };
    let first = age.to_str().ok()?.split(',').next()?.trim();
    let is_number = first.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u32 = is_number.then(|| first.parse().ok())??;
    Some(SignedDuration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(headers: &[(&'static str, &'static str)]) -> Option<f64> {
        let sent = "2026-11-21T10:00:10Z".parse().unwrap();
        let received = "2026-11-21T10:00:11Z".parse().unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        skew(&headers, sent, received).map(|skew| skew.as_secs_f64())
    }

    #[test]
    fn skew_is_local_minus_server() {
        for (date, want) in [
            ("Sat, 21 Nov 2026 10:00:10 GMT", Some(0.0)),
            ("Sat, 21 Nov 2026 09:54:10 GMT", Some(360.0)),
            ("yesterday", None),
        ] {
            assert_eq!(seconds(&[("date", date)]), want, "{date}");
        }
        assert_eq!(seconds(&[]), None);
        assert_eq!(seconds(&[("age", "7")]), None);
    }

    #[test]
    fn an_answer_of_a_cache_shows_no_skew() {
        let date = ("date", "Sat, 21 Nov 2026 09:50:10 GMT");
        for (age, want) in [
            ("600", Some(0.0)),
            (" 0600 ", Some(0.0)),
            ("600, 7", Some(0.0)),
            ("0", Some(600.0)),
            ("", None),
            ("-600", None),
            ("+600", None),
            ("10m", None),
            ("600.5", None),
            ("99999999999", None),
        ] {
            assert_eq!(seconds(&[date, ("age", age)]), want, "{age}");
        }
    }
}
