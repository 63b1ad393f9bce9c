//! The page for people: every cluster with its state, those in trouble first.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::model::{ClusterState, Kind, UpgradeStatus, UpgradeView};
use crate::store::Snapshot;

const STYLE: &str = include_str!("style.css");

/// No script, no image, no frame: the page's own style and nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// A page and the policy that it needs.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) html: String,
    /// `Content-Security-Policy`.
    pub(super) policy: &'static str,
}

/// A part of the page, in the order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Trouble,
    Silent,
    Moving,
    Quiet,
}

impl Part {
    const ALL: [Self; 4] = [Self::Trouble, Self::Silent, Self::Moving, Self::Quiet];

    fn title(self) -> &'static str {
        match self {
            Self::Trouble => "Failed or stalled",
            Self::Silent => "No answer from the cloud",
            Self::Moving => "In progress",
            Self::Quiet => "Nothing to do",
        }
    }
}

/// One line of a table: a cluster with one of its upgrades, if it has any.
struct Row<'a> {
    cluster: &'a ClusterState,
    view: Option<&'a UpgradeView>,
    now: Timestamp,
}

/// Renders the page as of `now`.
pub(super) fn page(snapshot: &Snapshot, now: Timestamp, telemetry_path: &str, ready: bool) -> Page {
    let rows: Vec<Row<'_>> = snapshot.values().flat_map(|c| rows(c, now)).collect();
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "rolling-upgrade-exporter" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Rolling upgrades" }
                // Relative, so that they hold behind a proxy that adds a prefix.
                nav {
                    a href={ "." (telemetry_path) } { "Metrics" }
                    a href="./-/healthy" { "Healthy" }
                    a href="./-/ready" { "Ready" }
                }
                @if !ready { p { "The first poll round has not ended yet." } }
                @else if rows.is_empty() { p { "No cluster is watched." } }
                @for part in Part::ALL {
                    @let those: Vec<_> = rows.iter().filter(|r| r.part() == part).collect();
                    @if !those.is_empty() {
                        h2 { (part.title()) " (" (those.len()) ")" }
                        (table(&those))
                    }
                }
                p { small {
                    "Version " (env!("CARGO_PKG_VERSION")) ", " (now.strftime("%Y-%m-%d %H:%M:%S")) " UTC"
                } }
            }
        }
    };
    Page {
        html: markup.into_string(),
        policy: &POLICY,
    }
}

fn rows(cluster: &ClusterState, now: Timestamp) -> Vec<Row<'_>> {
    let row = |view| Row { cluster, view, now };
    let rows: Vec<_> = cluster.shown(now).map(|view| row(Some(view))).collect();
    if rows.is_empty() {
        vec![row(None)]
    } else {
        rows
    }
}

impl Row<'_> {
    fn part(&self) -> Part {
        let status = self.status();
        let failed = matches!(
            status,
            UpgradeStatus::Failed | UpgradeStatus::PartiallyFailed
        );
        if failed || self.view.is_some_and(|v| v.stalled) {
            Part::Trouble
        } else if !self.cluster.up {
            Part::Silent
        } else if status.is_active() {
            Part::Moving
        } else {
            Part::Quiet
        }
    }

    fn status(&self) -> UpgradeStatus {
        self.view
            .map_or(UpgradeStatus::None, |view| view.upgrade.status)
    }

    fn state(&self) -> Markup {
        let stalled = self.view.is_some_and(|v| v.stalled);
        let word = if self.cluster.answered {
            self.status().as_str()
        } else {
            "not known yet"
        };
        html! {
            span class=[(self.part() == Part::Trouble).then_some("bad")] {
                (word) @if stalled { ", stalled" }
            }
            @if self.view.is_some_and(|v| v.upgrade.kind == Kind::AzMigration) {
                small { "moves to another zone" }
            }
        }
    }

    fn version(&self) -> Markup {
        let upgrade = self.view.map(|v| &v.upgrade);
        let to = upgrade.and_then(|u| u.to_version.as_deref());
        let from = upgrade.and_then(|u| u.from_version.as_deref());
        html! {
            (self.cluster.version)
            @if let Some(to) = to {
                small { @if let Some(from) = from { (from) " " } "to " (to) }
            }
        }
    }

    fn progress(&self) -> Markup {
        let ratio = self.view.and_then(|view| view.ratio);
        html! {
            @if let Some(ratio) = ratio {
                progress max="1" value=(format!("{ratio:.3}")) {} " " (percent(ratio))
            }
        }
    }

    fn age(&self) -> Markup {
        let error = self.cluster.last_error.as_ref();
        html! {
            @if self.cluster.answered { (ago(self.cluster.last_success, self.now)) } @else { "never" }
            @if let Some(error) = error {
                small { (ago(error.at, self.now)) ": " (error.reason) ", " (error.message) }
            }
        }
    }
}

fn table(rows: &[&Row<'_>]) -> Markup {
    html! {
        table {
            thead { tr {
                th { "Cluster" } th { "Account" } th { "State" } th { "Progress" } th { "Version" }
                th { "Last answer" }
            } }
            tbody { @for row in rows { tr {
                td { (row.cluster.name) small { (row.cluster.key.id) } }
                td { (row.cluster.key.account) small { (row.cluster.key.product) } }
                td { (row.state()) }
                td { (row.progress()) }
                td { (row.version()) }
                td { (row.age()) }
            } } }
        }
    }
}

/// Rounded down, so that 100% is only what has ended.
fn percent(ratio: f64) -> String {
    format!("{:.0}%", (ratio * 100.0).clamp(0.0, 100.0).floor())
}

/// How long ago, in the largest unit that gives at least 2 of it.
fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    let (number, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{number} {unit} ago")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::model::{Key, LastError, Thresholds, Upgrade};

    fn now() -> Timestamp {
        Timestamp::from_second(1_000_000).unwrap()
    }

    fn cluster(id: &str, status: UpgradeStatus, stalled: bool) -> ClusterState {
        let mut upgrades = Vec::new();
        if status != UpgradeStatus::None {
            let mut upgrade = Upgrade::new(Kind::Version, status);
            upgrade.to_version = Some("2.9".to_owned());
            upgrades.push(UpgradeView {
                upgrade,
                status_since: now(),
                ended: status.is_final().then(now),
                last_progress: now(),
                stalled,
                ratio: Some(0.999),
                estimated_end: None,
                task_order: None,
                node_work: Vec::new(),
            });
        }
        ClusterState {
            key: Key {
                account: "kr-prod".into(),
                product: "ses",
                id: id.into(),
            },
            cloud: "ncloud",
            cloud_region: "KR".into(),
            name: format!("name of {id}"),
            version: "2.7".to_owned(),
            raw_status: String::new(),
            up: true,
            answered: true,
            last_success: now(),
            last_error: None,
            poll_interval: Duration::from_secs(30),
            thresholds: Thresholds {
                stalled_after: Duration::from_secs(1800),
                overdue_after: Duration::from_secs(21_600),
                retain_ended: Duration::from_secs(604_800),
            },
            upgrades,
        }
    }

    fn render(clusters: Vec<ClusterState>, telemetry_path: &str) -> String {
        let snapshot: Snapshot = clusters
            .into_iter()
            .map(|c| (c.key.clone(), Arc::new(c)))
            .collect();
        page(&snapshot, now(), telemetry_path, true).html
    }

    #[test]
    fn trouble_comes_first() {
        let mut dark = cluster("b-dark", UpgradeStatus::Running, false);
        dark.up = false;
        let page = render(
            vec![
                cluster("a-idle", UpgradeStatus::None, false),
                dark,
                cluster("c-running", UpgradeStatus::Running, false),
                cluster("d-stalled", UpgradeStatus::Running, true),
                cluster("e-failed", UpgradeStatus::Failed, false),
                cluster("f-done", UpgradeStatus::Succeeded, false),
            ],
            "/metrics",
        );
        let places: Vec<usize> = [
            "d-stalled",
            "e-failed",
            "b-dark",
            "c-running",
            "a-idle",
            "f-done",
        ]
        .iter()
        .map(|id| page.find(&format!("name of {id}")).unwrap())
        .collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(page.contains("Failed or stalled (2)"));
        assert!(page.contains(r#"<span class="bad">running, stalled</span>"#));
        assert!(page.contains("<span>succeeded</span>"));
        assert!(page.contains("2.7<small>to 2.9</small>"));
    }

    #[test]
    fn foreign_text_stays_text() {
        let evil = "<script>alert(1)</script>\"'&";
        let mut one = cluster(evil, UpgradeStatus::Running, false);
        one.name = evil.to_owned();
        one.version = evil.to_owned();
        one.key.account = evil.into();
        one.upgrades[0].upgrade.to_version = Some(evil.to_owned());
        one.upgrades[0].upgrade.from_version = Some(evil.to_owned());
        one.last_error = Some(LastError {
            reason: "server",
            message: evil.to_owned(),
            at: now(),
        });
        let page = render(vec![one], "/m\"><script>");
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(1)").count(), 7);
        assert!(page.contains(r#"href="./m&quot;&gt;&lt;script&gt;""#));
    }

    #[test]
    fn says_when_nothing_is_known() {
        let empty = BTreeMap::new();
        let early = page(&empty, now(), "/metrics", false).html;
        assert!(early.contains("first poll round"));
        assert!(!early.contains("No cluster"));
        assert!(render(Vec::new(), "/metrics").contains("No cluster is watched."));
        let mut new = cluster("new", UpgradeStatus::None, false);
        (new.up, new.answered) = (false, false);
        let page = render(vec![new], "/metrics");
        assert!(page.contains("not known yet"));
        assert!(page.contains("<td>never</td>"));
        assert!(page.contains("No answer from the cloud (1)"));
    }

    #[test]
    fn an_upgrade_past_its_time_is_not_shown() {
        let mut old = cluster("old", UpgradeStatus::Failed, false);
        old.upgrades[0].ended = Timestamp::from_second(1_000_000 - 604_800).ok();
        let page = render(vec![old], "/metrics");
        assert!(!page.contains("failed"), "{page}");
        assert!(page.contains("<span>none</span>"));
    }

    #[test]
    fn rounds_progress_down_and_ages_to_their_unit() {
        assert_eq!(percent(0.999), "99%");
        assert_eq!(percent(1.0), "100%");
        let at = |seconds: i64| ago(Timestamp::from_second(1_000_000 - seconds).unwrap(), now());
        assert_eq!(at(-5), "0 s ago");
        assert_eq!(at(119), "119 s ago");
        assert_eq!(at(120), "2 min ago");
        assert_eq!(at(7_200), "2 h ago");
        assert_eq!(at(200_000), "2 d ago");
    }

    #[test]
    fn the_policy_names_the_hash_of_the_style_in_the_page() {
        let page = page(&BTreeMap::new(), now(), "/metrics", true);
        let (_, rest) = page.html.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = STANDARD.encode(Sha256::digest(style));
        assert!(page.policy.contains(&format!("'sha256-{hash}'")));
    }
}
