use serde_json::json;

use super::*;

const KST: Offset = Offset::constant(9);

/// Reads a date in this zone; the error is that it is no date.
fn read(value: &Value, zone: Offset) -> Result<Option<Timestamp>, ()> {
    let date: Result<Date, _> = serde_json::from_value(value.clone());
    date.map(|date| date.at(zone)).map_err(|_| ())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn dates_are_in_the_zone_of_the_account() {
    let text = "2024-03-06 15:01:14";
    for form in [
        json!(text),
        json!(" 2024-03-06T15:01:14 "),
        json!("2024-03-06 15:01:14.0"),
        json!("20240306T150114"),
        json!("2024-03-06 15:01:14 000000"),
        json!("20240306150114"),
        json!(20_240_306_150_114_i64),
        json!([2024, 3, 6, 15, 1, 14]),
        json!([2024, 3, 6, 15, 1, 14, 0]),
        json!({"formattedDate": "2024-03-06", "formattedDateTime": "2024-03-06 15:01:14 000000"}),
        json!({"utc": null, "formattedDateTime": text}),
    ] {
        assert_eq!(
            read(&form, KST),
            Ok(Some(at("2024-03-06T06:01:14Z"))),
            "{form}"
        );
        let utc = read(&form, Offset::UTC);
        assert_eq!(utc, Ok(Some(at("2024-03-06T15:01:14Z"))), "{form}");
    }
    for minute in [json!([2024, 3, 6, 15, 1]), json!("2024-03-06T15:01")] {
        assert_eq!(read(&minute, KST), Ok(Some(at("2024-03-06T06:01:00Z"))));
    }
    let fraction = json!([2024, 3, 6, 15, 1, 14, 500_000_000]);
    assert_eq!(read(&fraction, KST), Ok(Some(at("2024-03-06T06:01:14.5Z"))));
    assert_eq!(write(at("2024-03-06T06:01:14.9Z"), KST), text);
}

#[test]
fn absolute_dates_mean_what_they_say() {
    for form in [
        json!("2024-03-06T06:01:14Z"),
        json!("2024-03-06T15:01:14+09:00"),
        json!("2024-03-06T15:01:14.000+0900"),
        json!("1709704874000"),
        json!(1_709_704_874_000_i64),
        json!(1_709_704_874_000.0),
        json!(1_709_704_874),
        json!({"formattedDateTime": "2024-03-06 15:01:14 000000", "utc": 1_709_704_874_000_i64}),
        json!({"utc": "1709704874000"}),
    ] {
        let read = read(&form, Offset::UTC);
        assert_eq!(read, Ok(Some(at("2024-03-06T06:01:14Z"))), "{form}");
    }
}

#[test]
fn a_date_of_the_form_utc_is_utc_in_every_zone() {
    for form in [
        json!({"utc": "2024-03-06 06:01:14"}),
        json!({"utc": "2024-03-06T06:01:14"}),
        json!({"utc": "2024-03-06 06:01:14 000000"}),
        json!({"utc": "20240306060114"}),
        json!({"utc": [2024, 3, 6, 6, 1, 14]}),
        json!({"utc": "2024-03-06T15:01:14+09:00"}),
        json!({"utc": "2024-03-06 06:01:14", "formattedDateTime": "2024-03-06 15:01:14"}),
        json!({"utc": "2024-03-06", "formattedDateTime": "2024-03-06 15:01:14"}),
    ] {
        let read = read(&form, KST);
        assert_eq!(read, Ok(Some(at("2024-03-06T06:01:14Z"))), "{form}");
    }
}

#[test]
fn dates_before_2000_and_nothing_are_not_yet() {
    for form in [
        json!(null),
        json!(""),
        json!("  "),
        json!("null"),
        json!({}),
        json!([]),
        json!({"formattedDateTime": "", "utc": 0}),
        json!([0, 0, 0, 0, 0, 0]),
        json!(0),
        json!(-1),
        json!(-62_135_596_800_000_i64),
        json!("0000-00-00 00:00:00"),
        json!("0001-01-01T00:00:00Z"),
        json!("1970-01-01 09:00:00"),
        json!("1999-12-31 23:59:59"),
        json!([1, 1, 1, 0, 0]),
    ] {
        assert_eq!(read(&form, KST), Ok(None), "{form}");
    }
}

#[test]
fn rejects_what_is_no_date() {
    for form in [
        json!("-"),
        json!("yesterday"),
        json!("06/03/2024"),
        json!("2024-13-06 15:01:14"),
        json!("2024-03-06"),
        json!(" 2024-03-06 "),
        json!("2024-03-06T15"),
        json!("2024-03-06 15"),
        json!("2024-03-06 000000"),
        json!("2024-03-06+09:00"),
        json!("2024-03-06T15:01:14[America/New_York]"),
        json!("99999999999999999"),
        json!("1".repeat(1000)),
        json!(true),
        json!(false),
        json!(5),
        json!(20_240_306),
        json!(1.5),
        json!(1e300),
        json!([2024, 3, 6]),
        json!([2024, 13, 6, 15, 1]),
        json!([2024, 3, 6, 15, "one"]),
        json!(["2024-03-06 15:01:14"]),
        json!({"formattedDate": "2024-03-06"}),
        json!({"formattedDateTime": "soon"}),
        json!({"formattedDateTime": "2024-03-06"}),
        json!({"utc": "2024-03-06"}),
        json!({"year": 2024}),
    ] {
        assert_eq!(read(&form, KST), Err(()), "{form}");
    }
}
