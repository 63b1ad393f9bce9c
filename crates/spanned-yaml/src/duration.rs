//! Lengths of time: `30s`, `5m`, `1h 30m`, `7d`.

use std::time::Duration;

use crate::quote::quote;

/// A day, in seconds.
const DAY: u64 = 86_400;

/// Bounds of a length of time, both inclusive.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Shortest length.
    pub min: Duration,
    /// Longest length.
    pub max: Duration,
}

impl Bounds {
    const ABOVE_ZERO: Duration = Duration::from_nanos(1);
    /// Above zero, at most 366 days.
    pub const LONG: Self = Self::at_most(Duration::from_secs(366 * DAY));
    /// Zero, or at most 366 days.
    pub const FROM_ZERO: Self = Self {
        min: Duration::ZERO,
        ..Self::LONG
    };

    /// Returns the bounds of a length above zero.
    pub const fn at_most(max: Duration) -> Self {
        Self {
            min: Self::ABOVE_ZERO,
            max,
        }
    }
}

/// Reads a length of time.
///
/// # Errors
/// Says what is wrong in words that go on from the key's name: `must be …`.
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
    // Longer, or with more digits, than any length that makes sense; humantime panics on the largest sums.
    let digits = text.split(|c: char| !c.is_ascii_digit());
    let is_sane = text.len() <= 64 && digits.map(str::len).all(|length| length <= 12);
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

/// Writes a configured length, such as a limit or an interval, with all of its units down to the
/// millisecond: `1h30m`, `1s500ms`.
pub fn exact_length(length: Duration) -> String {
    let seconds = length.as_secs();
    let parts = [
        (seconds / DAY, "d"),
        (seconds % DAY / 3600, "h"),
        (seconds % 3600 / 60, "m"),
        (seconds % 60, "s"),
        (length.subsec_millis().into(), "ms"),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let texts: Vec<String> = parts
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if texts.is_empty() {
        "0s".to_owned()
    } else {
        texts.concat()
    }
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
        assert!(read("5m", Bounds::at_most(Duration::from_secs(300))).is_ok());
        assert_eq!(
            read("5m 1ms", Bounds::at_most(Duration::from_secs(300))).unwrap_err(),
            "must be at most 5m, not \"5m 1ms\""
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
        // Together one second beyond what fits, in parts of few digits.
        let weeks = "999999999999w ".repeat(30);
        let sum = format!("{weeks}500568904973w 0d 25215s 1000000000ns");
        assert!(long(&sum).unwrap_err().contains("such as 30s"));
    }

    #[test]
    fn writes_limits_whole() {
        for (millis, want) in [
            (0, "0s"),
            (500, "500ms"),
            (1_500, "1s500ms"),
            (90_000, "1m30s"),
            (5_400_000, "1h30m"),
            (90_061_000, "1d1h1m1s"),
        ] {
            assert_eq!(exact_length(Duration::from_millis(millis)), want);
        }
    }
}
