//! A host whose clock is off.

use super::*;

#[test]
fn wrong_clock_of_the_host_is_a_notice_and_changes_no_age() {
    let right = render(report(), "");
    for (seconds, side) in [(1200.0, "20m ahead of"), (-1200.0, "20m behind")] {
        let mut off = report();
        off.generated += SignedDuration::from_secs_f64(seconds);
        off.products[0].clock_skew_seconds = Some(seconds);
        let html = render(off, "");
        let notice = format!(
            r#"<p class="notice">Account <bdi>cn-prod</bdi>: the clock of the exporter's host is {side} the vendor's. "#
        );
        let (before, after) = html.split_once(&notice).unwrap_or_else(|| panic!("{html}"));
        let (told, after) = after.split_once("</p>").unwrap();
        assert!(told.contains("NTP"), "{told}");
        // Only the time of the page is the host's.
        let without = |text: &str| text.split("As of ").next().map(str::to_owned);
        assert_eq!(without(&format!("{before}{after}")), without(&right));
    }
    assert!(!right.contains("NTP"));
}
