//! The forms of time in Huawei Cloud's answers: Go's `Time.String()` (CCE), and dates without a
//! zone (CSS). What says "not yet", and what cannot be read, is absent.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Longer than any time that a vendor writes.
const LONGEST: usize = 100;

/// Reads the form `2022-12-16 13:40:20.75671 +0800 CST`, with 0 to 9 digits of fraction, and RFC
/// 3339. The numeric offset counts, not the abbreviation, which means several zones; a monotonic
/// reading (` m=+0.5`) is passed over. Go's zero time means "not set".
pub(crate) fn go_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > LONGEST || text.starts_with("0001-01-01") {
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

/// Reads a date that has no zone of its own, with or without a fraction, as one in `zone`. A zone in
/// the text wins.
pub(crate) fn naive(text: &str, zone: Offset) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > LONGEST || text.starts_with("0001-01-01") {
        return None;
    }
    if let Some(at) = go_time(text) {
        return Some(at);
    }
    // A date alone is not a time.
    if !text.contains(':') {
        return None;
    }
    zone.to_timestamp(text.parse::<DateTime>().ok()?).ok()
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
}
