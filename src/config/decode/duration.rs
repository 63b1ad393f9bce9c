//! Lengths of time: `30s`, `5m`, `1h 30m`, `7d`.

use crate::text::{exact_length, quote};
use std::time::Duration;

/// A day, in seconds.
const DAY: u64 = 86_400;

/// What a length of time may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    min: Duration,
    max: Duration,
}

impl Bounds {
    const ABOVE_ZERO: Duration = Duration::from_nanos(1);
    /// For a timeout: at most 5 minutes.
    pub(crate) const TIMEOUT: Self = Self::at_most(300);
    /// For an interval: at most a day.
    pub(crate) const INTERVAL: Self = Self::at_most(DAY);
    /// For everything else: at most 366 days.
    pub(crate) const LONG: Self = Self::at_most(366 * DAY);
    /// The same, and it may be zero.
    pub(crate) const FROM_ZERO: Self = Self {
        min: Duration::ZERO,
        ..Self::LONG
    };
    /// Between two posts of an alert: at least a second. At most a quarter of an hour: an alert that
    /// is not renewed lapses after four times as long, which nobody should wait for longer than an
    /// hour.
    pub(crate) const RESEND: Self = Self {
        min: Duration::from_secs(1),
        ..Self::at_most(900)
    };

    const fn at_most(seconds: u64) -> Self {
        Self {
            min: Self::ABOVE_ZERO,
            max: Duration::from_secs(seconds),
        }
    }
}

/// Reads a length of time. The error goes on from its name: `must be …`.
pub(crate) fn read(text: &str, bounds: Bounds) -> Result<Duration, String> {
    let shown = quote(text);
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        let is_amount = text.len() < 10 && text.bytes().any(|b| b.is_ascii_digit() && b != b'0');
        let seconds = if is_amount { text } else { "30" };
        return Err(format!("has no unit: write {seconds}s for seconds"));
    }
    // humantime reads `5M` as five months of 30.44 days.
    for unit in text.split(|c: char| !c.is_alphabetic()) {
        let advice = match unit {
            "M" => {
                let minutes = quote(&text.replace('M', "m"));
                format!("months (M): write {minutes} for minutes, or days, as in 30d")
            }
            "month" | "months" => "months: write days, as in 30d".to_owned(),
            "y" | "yr" | "yrs" | "year" | "years" => "years: write days, as in 365d".to_owned(),
            _ => continue,
        };
        return Err(format!("{shown} is in {advice}"));
    }
    // More digits than any length that makes sense; humantime panics on the largest sums.
    let is_sane = text
        .split(|c: char| !c.is_ascii_digit())
        .all(|digits| digits.len() <= 12);
    let length = Some(text)
        .filter(|_| is_sane)
        .and_then(|text| humantime::parse_duration(text).ok());
    let Some(length) = length else {
        return Err(format!(
            "must be a length of time such as 30s, 5m, 6h or 7d, not {shown}"
        ));
    };
    if length < bounds.min {
        return Err(if bounds.min == Bounds::ABOVE_ZERO {
            "must be above zero".to_owned()
        } else {
            format!("must be at least {}, not {shown}", exact_length(bounds.min))
        });
    }
    if length > bounds.max {
        let max = exact_length(bounds.max);
        return Err(format!("must be at most {max}, not {shown}"));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(text: &str) -> Result<Duration, String> {
        read(text, Bounds::LONG)
    }

    #[test]
    fn usual_lengths_are_read() {
        for (text, seconds) in [
            ("30s", 30),
            ("5m", 300),
            ("1h 30m", 5400),
            ("1h30m", 5400),
            ("366d", 366 * DAY),
            ("2w", 14 * DAY),
        ] {
            assert_eq!(long(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(long("1.5s"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn months_and_years_are_refused_by_name() {
        for text in ["5M", "1 month", "2months", "1h 1M"] {
            assert!(long(text).unwrap_err().contains("in months"), "{text}");
        }
        for text in ["1y", "1yr", "2 years"] {
            assert!(long(text).unwrap_err().contains("in years"), "{text}");
        }
    }

    #[test]
    fn a_number_needs_a_unit() {
        assert_eq!(
            long("45").unwrap_err(),
            "has no unit: write 45s for seconds"
        );
        assert_eq!(long("0").unwrap_err(), "has no unit: write 30s for seconds");
    }

    #[test]
    fn bounds_are_kept() {
        assert_eq!(long("0s").unwrap_err(), "must be above zero");
        assert_eq!(read("0s", Bounds::FROM_ZERO), Ok(Duration::ZERO));
        assert!(read("5m", Bounds::TIMEOUT).is_ok());
        assert_eq!(
            read("5m 1ms", Bounds::TIMEOUT).unwrap_err(),
            "must be at most 5m, not \"5m 1ms\""
        );
        assert!(read("25h", Bounds::INTERVAL).is_err());
        assert!(read("1s", Bounds::RESEND).is_ok());
        assert!(read("15m", Bounds::RESEND).is_ok());
        assert_eq!(
            read("999ms", Bounds::RESEND).unwrap_err(),
            "must be at least 1s, not \"999ms\""
        );
        assert_eq!(
            read("16m", Bounds::RESEND).unwrap_err(),
            "must be at most 15m, not \"16m\""
        );
        assert_eq!(
            long("367d").unwrap_err(),
            "must be at most 366d, not \"367d\""
        );
        let bounds = Bounds {
            min: Duration::from_millis(1500),
            max: Duration::from_secs(5400),
        };
        assert_eq!(
            read("1s", bounds).unwrap_err(),
            "must be at least 1s500ms, not \"1s\""
        );
        assert_eq!(
            read("2h", bounds).unwrap_err(),
            "must be at most 1h30m, not \"2h\""
        );
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in [
            "soon",
            "-5s",
            "5 parsecs",
            "s",
            "18446744073709551615s 1000000000ns",
        ] {
            assert!(long(text).unwrap_err().contains("such as 30s"), "{text}");
        }
    }
}
