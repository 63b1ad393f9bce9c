//! The vendor's dates: `yyyy-MM-dd HH:mm:ss` without an offset, in the zone of the account.

use jiff::tz::Offset;
use jiff::{Timestamp, civil};

/// No date of any form is longer.
const LONGEST: usize = 40;

/// A text that is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotADate;

/// Reads a date; empty text is none. The documents' own sample request was signed 9 hours before
/// its answer's dates read as UTC, so they are Korean time, and `offset` is +09:00 unless the
/// account says otherwise. A date that carries an offset, or milliseconds since 1970, as the
/// vendor's server would write a `Date` without its format, is taken as what it says.
pub(super) fn read(text: &str, offset: Offset) -> Result<Option<Timestamp>, NotADate> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > LONGEST {
        return Err(NotADate);
    }
    if (12..=14).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        let millis = text.parse().map_err(|_| NotADate)?;
        return Timestamp::from_millisecond(millis)
            .map(Some)
            .map_err(|_| NotADate);
    }
    if let Ok(absolute) = text.parse::<Timestamp>() {
        return Ok(Some(absolute));
    }
    let local: civil::DateTime = text.parse().map_err(|_| NotADate)?;
    offset.to_timestamp(local).map(Some).map_err(|_| NotADate)
}

/// Writes a date as the vendor does.
pub(super) fn write(at: Timestamp, offset: Offset) -> String {
    offset
        .to_datetime(at)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KST: Offset = Offset::constant(9);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn dates_are_in_the_zone_of_the_account() {
        let text = "2024-03-06 15:01:14";
        assert_eq!(read(text, KST), Ok(Some(at("2024-03-06T06:01:14Z"))));
        assert_eq!(
            read(text, Offset::UTC),
            Ok(Some(at("2024-03-06T15:01:14Z")))
        );
        assert_eq!(write(at("2024-03-06T06:01:14.9Z"), KST), text);
    }

    #[test]
    fn absolute_dates_are_what_they_say() {
        for text in [
            "2024-03-06T06:01:14Z",
            "2024-03-06T15:01:14+09:00",
            "1709704874000",
        ] {
            assert_eq!(
                read(text, Offset::UTC),
                Ok(Some(at("2024-03-06T06:01:14Z"))),
                "{text}"
            );
        }
    }

    #[test]
    fn absent_is_not_bad() {
        assert_eq!(read("", KST), Ok(None));
        assert_eq!(read("  ", KST), Ok(None));
        for bad in ["-", "yesterday", "2024-13-06 15:01:14", "99999999999999999"] {
            assert_eq!(read(bad, KST), Err(NotADate), "{bad}");
        }
        assert_eq!(read(&"1".repeat(1000), KST), Err(NotADate));
    }
}
