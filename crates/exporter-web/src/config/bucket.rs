//! The section `rate_limit`: a token bucket over all requests.

use std::time::Duration;

use super::given;
use spanned_yaml::{Field, quote};

/// Rate limit: a request every `interval`, and up to `burst` of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Time between two requests.
    pub(crate) interval: Duration,
    /// Requests at once after a time without any.
    pub(crate) burst: u32,
}

/// Reads the section. An interval of 0 is no limit.
pub(super) fn read(field: &Field<'_>) -> Option<RateLimit> {
    let mut section = field.section();
    let interval = match given(&mut section, "interval") {
        Some(field) => interval(&field),
        None => Some(Duration::ZERO),
    };
    let burst_field = given(&mut section, "burst");
    let burst = match &burst_field {
        Some(field) => field.integer(0..=u64::from(u32::MAX)),
        None => Some(0),
    };
    section.finish();
    let (interval, burst) = (interval?, u32::try_from(burst?).ok()?);
    if burst == 0 && !interval.is_zero() {
        let message = "burst must be at least 1, or every request would be refused";
        match burst_field {
            Some(field) => field.wrong(message),
            None => field.problems.add(field.at, message),
        }
        return None;
    }
    Some(RateLimit { interval, burst })
}

fn interval(field: &Field<'_>) -> Option<Duration> {
    let text = field.text()?;
    let length = go_duration(text);
    if length.is_none() {
        field.wrong(format!(
            "{} must be a length of time such as 1s, 100ms or 1m30s, not {}",
            field.name,
            quote(text)
        ));
    }
    length
}

/// Reads a length of time as Go writes it: numbers with units from `ns` to `h`; a number without a
/// unit counts nanoseconds, as the exporters' own reader takes it.
fn go_duration(text: &str) -> Option<Duration> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_nanos(text.parse().ok()?));
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at_checked(digits)?;
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(end)?;
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        let part = Duration::try_from_secs_f64(number * seconds).ok()?;
        sum = sum.checked_add(part)?;
        rest = next;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_gos() {
        for (text, want) in [
            ("0", Some(Duration::ZERO)),
            ("0s", Some(Duration::ZERO)),
            ("1s", Some(Duration::from_secs(1))),
            ("1m30s", Some(Duration::from_secs(90))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("100ms", Some(Duration::from_millis(100))),
            ("250µs", Some(Duration::from_micros(250))),
            ("1000000", Some(Duration::from_millis(1))),
            ("-1s", None),
            ("1d", None),
            ("s", None),
            ("1", Some(Duration::from_nanos(1))),
            ("1s2", None),
            ("1..2s", None),
            ("1 s", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(go_duration(text), want, "{text}");
        }
    }
}
