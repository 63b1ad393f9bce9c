//! The forms of time in Huawei Cloud's answers: Go's `Time.String()` (CCE), and dates without a
//! zone (CSS). A time before the year 2000 means "not yet" and is absent.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Longer than any time that a vendor writes.
const LONGEST: usize = 100;

/// First year of a time that means one; the cloud is younger.
const FIRST_YEAR: u16 = 2000;

/// Text that is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotATime;

/// Reads the form `2022-12-16 13:40:20.75671 +0800 CST`, with 0 to 9 digits of fraction, and RFC
/// 3339. The numeric offset counts, not the abbreviation, which means several zones; a monotonic
/// reading (` m=+0.5`) is passed over. Returns `None` for a time before the year 2000, as Go's zero
/// time is, and for what cannot be read.
pub(crate) fn go_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if is_not_yet(text) {
        return None;
    }
    zoned(text)
}

/// Reads a date without a zone of its own as [`strict_naive`] does; `None` also for what cannot be
/// read.
pub(crate) fn naive(text: &str, zone: Offset) -> Option<Timestamp> {
    strict_naive(text, zone).ok().flatten()
}

/// Reads a date that has no zone of its own, with or without a fraction, as one in `zone`. A zone in
/// the text wins. Returns `None` for no text and for a time before the year 2000.
///
/// # Errors
/// Rejects any other text, a date without a time of day included.
pub(crate) fn strict_naive(text: &str, zone: Offset) -> Result<Option<Timestamp>, NotATime> {
    let text = text.trim();
    if is_not_yet(text) {
        return Ok(None);
    }
    if let Some(at) = zoned(text) {
        return Ok(Some(at));
    }
    if text.len() > LONGEST || !text.contains(':') {
        return Err(NotATime);
    }
    let civil: DateTime = text.parse().map_err(|_| NotATime)?;
    zone.to_timestamp(civil).map(Some).map_err(|_| NotATime)
}

/// Returns whether the text is empty, or begins with a year before 2000: the month of a zero date
/// can be 0, too.
fn is_not_yet(text: &str) -> bool {
    let is_early = |year: &str| {
        let is_year = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
        is_year && year.parse().is_ok_and(|year: u16| year < FIRST_YEAR)
    };
    let year = text.split_once('-').map(|(year, _)| year);
    text.is_empty() || text.eq_ignore_ascii_case("null") || year.is_some_and(is_early)
}

fn zoned(text: &str) -> Option<Timestamp> {
    if text.len() > LONGEST {
        return None;
    }
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let zone = match zone {
        "UTC" | "GMT" => "Z",
        numeric => numeric,
    };
    format!("{date}T{time}{zone}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn go_times() {
        for (text, want) in [
            (
                "2023-11-24 08:39:15.894417 +0000 UTC",
                "2023-11-24T08:39:15.894417Z",
            ),
            (
                "2020-02-02 03:48:58.968214406 +0000 UTC",
                "2020-02-02T03:48:58.968214406Z",
            ),
            (
                "2022-12-16 13:40:20.75671 +0800 CST",
                "2022-12-16T05:40:20.75671Z",
            ),
            ("2022-12-16 13:40:20 -0330 NST", "2022-12-16T17:10:20Z"),
            ("2022-12-16 13:40:20 +0300 +03", "2022-12-16T10:40:20Z"),
            (
                "2022-12-16 13:40:20.5 +0800 CST m=+0.000000001",
                "2022-12-16T05:40:20.5Z",
            ),
            ("2022-12-16 13:40:20 UTC", "2022-12-16T13:40:20Z"),
            ("2022-12-16T13:40:20.5+08:00", "2022-12-16T05:40:20.5Z"),
            (" 2022-12-16T13:40:20Z ", "2022-12-16T13:40:20Z"),
        ] {
            assert_eq!(go_time(text), Some(at(want)), "{text}");
        }
    }

    #[test]
    fn what_is_no_go_time_is_absent() {
        for text in [
            "",
            "0001-01-01 00:00:00 +0000 UTC",
            "0001-01-01T00:00:00Z",
            "2022-12-16 13:40:20",
            "2022-13-16 13:40:20 +0000 UTC",
            "yesterday at noon",
            "-",
        ] {
            assert_eq!(go_time(text), None, "{text}");
        }
        assert_eq!(go_time(&"9".repeat(10_000)), None);
    }

    #[test]
    fn naive_times_are_in_the_zone_given() {
        let utc = Offset::UTC;
        let china = Offset::constant(8);
        for (text, zone, want) in [
            ("2023-01-05T02:23:39", utc, "2023-01-05T02:23:39Z"),
            ("2023-01-05T02:23:39", china, "2023-01-04T18:23:39Z"),
            ("2023-01-05 02:23:39.5", utc, "2023-01-05T02:23:39.5Z"),
            ("2023-01-05T02:23:39Z", china, "2023-01-05T02:23:39Z"),
            ("2023-01-05T02:23:39+09:00", china, "2023-01-04T17:23:39Z"),
        ] {
            assert_eq!(naive(text, zone), Some(at(want)), "{text}");
        }
        for text in [
            "",
            "null",
            "2023-01-05",
            "2023-02-30T00:00:00",
            "0001-01-01T00:00:00",
        ] {
            assert_eq!(naive(text, utc), None, "{text}");
        }
    }

    #[test]
    fn times_before_the_year_2000_are_not_yet() {
        for text in [
            "1970-01-01T00:00:00",
            "1999-12-31T23:59:59",
            "1970-01-01T00:00:00Z",
            "0000-00-00 00:00:00",
            "1970-01-01 08:00:00 +0800 CST",
            " ",
            "null",
        ] {
            assert_eq!(strict_naive(text, Offset::UTC), Ok(None), "{text}");
            assert_eq!(go_time(text), None, "{text}");
        }
        let first = strict_naive("2000-01-01T00:00:00", Offset::UTC);
        assert_eq!(first, Ok(Some(at("2000-01-01T00:00:00Z"))));
    }

    #[test]
    fn strict_reading_rejects_what_is_no_time() {
        for text in ["2023-01-05", "2023-02-30T00:00:00", "soon", "1", "-"] {
            assert_eq!(strict_naive(text, Offset::UTC), Err(NotATime), "{text}");
        }
    }
}
