//! What a terminal gets to see.

use std::io;
use std::sync::Arc;

use console::strip_ansi_codes;
use indicatif::TermLike;
use parking_lot::Mutex;
use unicode_width::UnicodeWidthStr;

use rolling_upgrade_exporter::model::{NodeStatus, UpgradeStatus};

use super::*;

/// A terminal that keeps what is written, and what stands there now.
#[derive(Debug, Clone, Default)]
struct Fake {
    /// The rows, and the one where the cursor is.
    rows: Arc<Mutex<(Vec<String>, usize)>>,
    width: u16,
}

impl Fake {
    /// A text that goes on in the next row where a row is full.
    fn put(&self, text: &str) {
        let mut rows = self.rows.lock();
        for c in strip_ansi_codes(text).chars() {
            let place = rows.1;
            let row = rows.0.get(place).map_or(0, |row| row.width());
            if row + c.to_string().width() > usize::from(self.width) {
                rows.1 += 1;
            }
            let place = rows.1;
            while rows.0.len() <= place {
                rows.0.push(String::new());
            }
            if c != '\r' {
                rows.0[place].push(c);
            }
        }
    }

    fn text(&self) -> String {
        let rows = self.rows.lock();
        let rows = rows.0.iter().map(|row| row.trim_end());
        rows.filter(|row| !row.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl TermLike for Fake {
    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        100
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        let mut rows = self.rows.lock();
        rows.1 = rows.1.saturating_sub(n);
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.rows.lock().1 += n;
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.put(text);
        self.rows.lock().1 += 1;
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut rows = self.rows.lock();
        let place = rows.1;
        if let Some(row) = rows.0.get_mut(place) {
            row.clear();
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn fleet() -> Report {
    serde_json::from_str(include_str!("../../../../tests/data/status/fleet.json")).unwrap()
}

fn bars(size: fn() -> (u16, u16)) -> (Bars, Fake) {
    let fake = Fake {
        width: size().1,
        ..Fake::default()
    };
    let target = ProgressDrawTarget::term_like(Box::new(fake.clone()));
    (Bars::new(target, size), fake)
}

#[test]
fn a_bar_for_each_upgrade_in_work_and_a_row_for_each_node_in_work() {
    let (mut bars, fake) = bars(|| (50, 100));
    bars.show(&fleet());
    let want = "\
stalled    검색-상점                  ██████▓░░░░░░░░░░░░░  33%  1/3 nodes  nothing moved for 50m
  shop-d-2: upgrading, data, Upgrade_OpenSearch, 50m";
    let text = fake.text();
    assert!(text.contains(want), "{text}");
    assert!(
        text.contains("\n  data are 35m old; throttled: too many calls"),
        "{text}"
    );
    assert!(
        text.contains("events-b-1: upgrading, broker, orange, 10m"),
        "{text}"
    );
    assert!(text.contains("waits for a person"), "{text}");
    assert!(!text.contains("search-logs"), "it ended before: {text}");
    assert!(text.contains("\\u{1b}[31m"), "escaped: {text}");
    assert!(text.lines().all(|row| row.width() <= 100), "{text}");
}

#[test]
fn what_ends_during_the_watch_stays() {
    let (mut bars, fake) = bars(|| (50, 100));
    let mut report = fleet();
    report.clusters.retain(|c| c.cluster_name == "검색-상점");
    bars.show(&report);
    let upgrade = &mut report.clusters[0].upgrades[0];
    upgrade.status = UpgradeStatus::Succeeded.into();
    (upgrade.stalled, upgrade.progress_ratio) = (false, Some(1.0));
    upgrade.ended = Some(report.generated);
    upgrade
        .nodes
        .iter_mut()
        .for_each(|node| node.status = NodeStatus::Succeeded.into());
    bars.show(&report);
    let text = fake.text();
    let full = "█".repeat(20);
    assert!(
        text.starts_with(&format!("succeeded  검색-상점  {full} 100%  3/3 nodes")),
        "{text}"
    );
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("10:00:00 UTC: 1 succeeded."), "{text}");
    bars.clear();
    assert_eq!(fake.text(), "");
}

#[test]
fn a_low_terminal_shows_upgrades_before_nodes() {
    let (mut bars, fake) = bars(|| (5, 80));
    bars.show(&fleet());
    let text = fake.text();
    assert_eq!(text.lines().count(), 4, "{text}");
    let states: Vec<_> = text.lines().map(|row| row.split(' ').next()).collect();
    assert_eq!(
        states[..3],
        [Some("failed"), Some("partiall…"), Some("stalled")],
        "{text}"
    );
    assert!(text.contains("\n4 more. "), "{text}");
    assert!(!text.contains("shop-d-2"), "{text}");
}

#[test]
fn a_narrow_terminal_has_words_instead_of_bars() {
    let (mut bars, fake) = bars(|| (50, 40));
    bars.show(&fleet());
    let text = fake.text();
    assert!(text.starts_with("failed     css-billi"), "{text}");
    assert!(text.contains("\nstalled    검색-상점    33%"), "{text}");
    assert!(!text.contains('█'), "{text}");
    assert!(text.lines().all(|row| row.width() <= 40), "{text}");
}

#[test]
fn a_wrong_clock_of_the_host_stands_above_the_last_row() {
    let mut off = fleet();
    off.products[0].clock_skew_seconds = Some(1200.0);
    let account = off.products[0].account.clone();
    let (screen, fake) = bars(|| (24, 80));
    let text = shown(screen, &fake, &off);
    let note = format!("\n{account}: the clock of the exporter's host is 20m ahead of");
    assert!(text.contains(&note), "{text}");
    assert!(text.lines().count() <= 23, "{text}");
    let (screen, fake) = bars(|| (9, 80));
    assert!(!shown(screen, &fake, &off).contains("the clock of"));
    let (screen, fake) = bars(|| (24, 80));
    assert!(!shown(screen, &fake, &fleet()).contains("the clock of"));
}

#[test]
fn trouble_is_told_once_above_the_bars() {
    let (mut bars, fake) = bars(|| (50, 100));
    bars.show(&fleet());
    bars.trouble("no\nanswer\u{1b}");
    bars.trouble("no\nanswer\u{1b}");
    let text = fake.text();
    assert_eq!(text.matches("no answer\\u{1b}").count(), 1, "{text}");
    assert!(text.contains("검색-상점"), "{text}");
}

#[test]
fn what_failed_before_the_watch_comes_first_with_node_and_task() {
    let (bars, fake) = bars(|| (24, 80));
    let text = shown(bars, &fake, &fleet());
    let want = "\
failed     css-billing           ███▓░░░░░░░░  33%  1/3 nodes  1h45m ago  Node …
  Node replacement: No address is left in subnet 子网-a\\u{1b}[31m: free some,
  and upgrade again. Data of the node are complete on the others.
  css-billing-ess-esn-2-1: failed, ess, Node replacement (2 of 3), 15m
partiall…  css-billing           ██████▓░░░░░  50%  1/2 nodes  7h ago  cn-north…
  css-billing-ess-esn-2-1: failed, ess
stalled    ";
    assert!(text.starts_with(want), "{text}");
    assert!(
        !text.contains("search-logs"),
        "it ended well before: {text}"
    );
}

#[test]
fn a_long_reason_is_told_once_and_cut_after_three_rows() {
    let (bars, fake) = bars(|| (24, 80));
    let mut report = fleet();
    report.clusters[1].upgrades[0].reason = Some("Node replacement: no room. ".repeat(20));
    let text = shown(bars, &fake, &report);
    assert!(!text.lines().next().unwrap().contains("no room"), "{text}");
    let told: Vec<_> = text.lines().filter(|row| row.contains("no room")).collect();
    assert_eq!(told.len(), 3, "{text}");
    assert!(told[2].ends_with('…') && !told[1].ends_with('…'), "{text}");
    assert!(text.lines().all(|row| row.width() <= 80), "{text}");
}

#[test]
fn a_reason_without_spaces_is_told_whole() {
    let (bars, fake) = bars(|| (24, 80));
    let mut report = fleet();
    let reason = format!("{}。", "节点更换失败".repeat(10));
    report.clusters[1].upgrades[0].reason = Some(reason.clone());
    let text = shown(bars, &fake, &report);
    let told: String = text.lines().skip(1).take(2).map(str::trim).collect();
    assert_eq!(told, reason, "{text}");
}

#[test]
fn a_reason_that_fits_is_not_told_twice() {
    let (bars, fake) = bars(|| (24, 160));
    let mut report = fleet();
    report.clusters[1].upgrades[0].reason = Some("Node replacement: no address".into());
    let text = shown(bars, &fake, &report);
    let first = text.lines().next().unwrap();
    assert!(
        first.ends_with("1h45m ago  Node replacement: no address"),
        "{text}"
    );
    assert_eq!(text.matches("no address").count(), 1, "{text}");
}

#[test]
fn an_item_of_a_check_that_is_the_reason_is_told_once() {
    let (bars, fake) = bars(|| (24, 160));
    let document = include_str!("../../../../tests/data/api/upgrades.json");
    let api: Report = serde_json::from_str(document).unwrap();
    let mut precheck = api.clusters[0].upgrades[0].precheck.clone().unwrap();
    let mut other = precheck.findings[0].clone();
    "quota-check".clone_into(&mut other.item);
    precheck.findings.push(other);
    let mut report = fleet();
    let upgrade = &mut report.clusters[1].upgrades[0];
    upgrade.reason = Some(precheck.findings[0].line());
    upgrade.precheck = Some(precheck);
    let text = shown(bars, &fake, &report);
    assert!(text.contains("\n  addon-limit-check (addon"), "{text}");
    assert!(!text.contains("precheck failed: addon-limit"), "{text}");
    let other = "\n  precheck failed: quota-check (addon coredns): ";
    assert!(text.contains(other), "{text}");
}

#[test]
fn a_wide_terminal_has_names_and_tasks() {
    let (bars, fake) = bars(|| (50, 160));
    let mut report = fleet();
    report.clusters[5].upgrades[0].stalled = false;
    let text = shown(bars, &fake, &report);
    assert!(text.contains("  -> OpenSearch 2.14.0 (2140)"), "{text}");
    assert!(
        text.contains("  -> v1.27.16-r0  PostCheck (3 of 3)"),
        "{text}"
    );
    assert!(
        text.contains("  cn-north-4a -> cn-north-4c (ess)"),
        "{text}"
    );
    assert!(text.lines().all(|row| row.width() <= 160), "{text}");
}

fn shown(mut bars: Bars, fake: &Fake, report: &Report) -> String {
    bars.show(report);
    fake.text()
}

#[test]
fn every_row_is_drawn_however_many_change() {
    let size = || (100, 100);
    let fake = Fake {
        width: size().1,
        ..Fake::default()
    };
    // So that a second show at once is too much.
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(fake.clone()), 1);
    let mut bars = Bars::new(target, size);
    let mut report = fleet();
    bars.show(&report);
    for round in 0..5 {
        for cluster in &mut report.clusters {
            for upgrade in &mut cluster.upgrades {
                upgrade.progress_ratio = Some(f64::from(round) / 10.0);
            }
        }
        bars.show(&report);
        let text = fake.text();
        let share = format!(" {round}0% ").replace(" 00%", " 0%");
        assert_eq!(text.matches(&share).count(), 7, "{share}\n{text}");
    }
}
