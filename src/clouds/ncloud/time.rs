//! The vendor's dates: `yyyy-MM-dd HH:mm:ss` without an offset, in the zone of the account, and the
//! other forms in which the vendor's server may write a date.

use jiff::tz::Offset;
use jiff::{Timestamp, civil};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::json;

/// No date of any form is longer.
const LONGEST: usize = 40;

/// Start of the year 2000. An earlier date stands for "not yet": the services are younger.
const FIRST: Timestamp = Timestamp::constant(946_684_800, 0);

/// A date as the vendor wrote it.
///
/// The documents' own sample request was signed 9 hours before its answer's dates read as UTC, so they
/// are Korean time, and the zone is +09:00 unless the account says otherwise. A date that carries an
/// offset of its own or is named `utc`, or a number of seconds or milliseconds since 1970, means what it
/// says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Date {
    /// Nothing was written, or a placeholder for it.
    #[default]
    Absent,
    Absolute(Timestamp),
    /// Local time, in the zone of the account.
    Local(civil::DateTime),
}

impl Date {
    /// Returns the time of the date in this zone; `None` for a date that is absent or before 2000.
    pub(super) fn at(self, zone: Offset) -> Option<Timestamp> {
        let at = match self {
            Self::Absent => None,
            Self::Absolute(at) => Some(at),
            // Only the first and the last day of all time have no time in every zone.
            Self::Local(local) => zone.to_timestamp(local).ok(),
        };
        at.filter(|at| *at >= FIRST)
    }

    /// Reads any form of a date; `None` for what is no date.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Absent),
            Value::Bool(_) => None,
            Value::Number(number) => Self::of_number(&number.to_string()),
            Value::String(text) => Self::of_text(text),
            nothing if json::is_nothing(nothing) => Some(Self::Absent),
            Value::Array(parts) => Self::of_parts(parts),
            Value::Object(forms) => {
                // As node lists write their dates: one of them is enough.
                let form = |name| {
                    let form = forms.get(name).and_then(Self::of);
                    form.filter(|date| *date != Self::Absent)
                };
                let utc = form("utc").and_then(Self::in_utc);
                utc.or_else(|| form("formattedDateTime"))
            }
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_placeholder =
            text.is_empty() || text.eq_ignore_ascii_case("null") || text.starts_with("0000-00-00");
        if is_placeholder {
            return Some(Self::Absent);
        }
        if text.len() > LONGEST {
            return None;
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Self::of_number(text);
        }
        if let Ok(absolute) = text.parse() {
            return Some(Self::Absolute(absolute));
        }
        // Node lists put a space before the fraction: `2024-03-06 15:01:14 000000`.
        let text = match text.rsplit_once(' ') {
            Some((time, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) => {
                format!("{time}.{fraction}")
            }
            _ => text.to_owned(),
        };
        let (_, time) = text.split_once(['T', 't', ' '])?;
        let local = text.parse().ok().filter(|_| is_time(time));
        local.map(Self::Local)
    }

    /// Takes a date without an offset for one in UTC.
    fn in_utc(self) -> Option<Self> {
        match self {
            Self::Local(utc) => Offset::UTC.to_timestamp(utc).ok().map(Self::Absolute),
            date => Some(date),
        }
    }

    /// Reads seconds or milliseconds since 1970, told apart by their length, or `yyyyMMddHHmmss`.
    fn of_number(text: &str) -> Option<Self> {
        let number: i64 = match text.parse() {
            Ok(number) => number,
            Err(_) => json::whole(text.parse().ok()?)?,
        };
        match number {
            ..=0 => Some(Self::Absent),
            100_000_000..100_000_000_000 => Timestamp::from_second(number).ok().map(Self::Absolute),
            100_000_000_000..10_000_000_000_000 => {
                let at = Timestamp::from_millisecond(number);
                at.ok().map(Self::Absolute)
            }
            10_000_000_000_000..100_000_000_000_000 => {
                let date = civil::DateTime::strptime("%Y%m%d%H%M%S", number.to_string());
                date.ok().map(Self::Local)
            }
            _ => None,
        }
    }

    /// Reads year, month, day, hour, minute, and where they are told second and nanosecond.
    fn of_parts(parts: &[Value]) -> Option<Self> {
        if !(5..=7).contains(&parts.len()) {
            return None;
        }
        let part = |place: usize| parts.get(place).map_or(Some(0), Value::as_i64);
        let small = |place| i8::try_from(part(place)?).ok();
        let year = i16::try_from(part(0)?).ok()?;
        let nanosecond = i32::try_from(part(6)?).ok()?;
        let (month, day) = (small(1)?, small(2)?);
        let (hour, minute, second) = (small(3)?, small(4)?, small(5)?);
        civil::DateTime::new(year, month, day, hour, minute, second, nanosecond)
            .ok()
            .map(Self::Local)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(de)?;
        Self::of(&value)
            .ok_or_else(|| json::fault("is not a date; look for a newer version of this program"))
    }
}

/// Returns whether a text has the form of a time of day with at least hour and minute, and no zone. The
/// parser would take a date without a time for midnight, and would skip the name of a zone.
fn is_time(text: &str) -> bool {
    let whole = text.split(['.', ',']).next().unwrap_or_default();
    let digits = whole.bytes().filter(u8::is_ascii_digit).count();
    let is_known = |b: u8| b.is_ascii_digit() || b":.,".contains(&b);
    digits >= 4 && text.bytes().all(is_known)
}

/// Writes a date as the vendor does.
pub(super) fn write(at: Timestamp, offset: Offset) -> String {
    offset
        .to_datetime(at)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests;
