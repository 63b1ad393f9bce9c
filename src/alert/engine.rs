//! Which alerts fire and when each is posted: Prometheus's semantics, as a plain function of time.
//!
//! As in Prometheus, an alert is posted when it begins to fire, then at every resend interval with
//! an end that lies four intervals ahead. An end that is not renewed lapses in Alertmanager.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::facts::Facts;
use super::notification::Notification;
use super::peer::Posting;
use super::rule::{Labels, Rule};
use super::rules;
use crate::config::Alerting;

/// An alert is told to fire for this many resend intervals: three posts may be lost.
const AHEAD: u32 = 4;
/// Conditions also come true by the clock alone.
const TICK: Duration = Duration::from_secs(5);
/// For how long a resolved alert is posted again, as in Prometheus.
const RESOLVED_RETENTION: Duration = Duration::from_secs(15 * 60);
/// The label of an alert about an Alertmanager; that one does not get it.
const ABOUT: &str = "alertmanager";

/// The alerts that hold or have just ended.
#[derive(Debug)]
pub(super) struct Engine {
    external_labels: Labels,
    resend: Duration,
    explicit_resolve: bool,
    alerts: BTreeMap<Labels, Active>,
}

/// What follows from one look.
#[derive(Debug)]
pub(super) struct Step {
    /// To be posted.
    pub(super) postings: Vec<Posting>,
    /// The labels of alerts that are over and of which nothing is told: a post that still waits
    /// somewhere is not true any more.
    pub(super) over: Vec<Labels>,
}

/// An alert by what happened to it so far.
#[derive(Debug)]
struct Active {
    rule: &'static Rule,
    /// Since when its condition holds without a break.
    since: Timestamp,
    /// When it began to fire: after its `for`.
    fired: Option<Timestamp>,
    /// When its condition was over.
    resolved: Option<Timestamp>,
    /// When it was last posted.
    sent: Option<Timestamp>,
}

impl Engine {
    /// With nothing known: what fired before a restart is found again, or lapses.
    pub(super) fn new(config: &Alerting) -> Self {
        Self {
            external_labels: config.external_labels.clone(),
            resend: config.resend_interval,
            explicit_resolve: config.explicit_resolve,
            alerts: BTreeMap::new(),
        }
    }

    /// After how long without news the next step is due: often enough that no alert lapses.
    pub(super) fn tick(&self) -> Duration {
        TICK.min(self.resend)
    }

    /// Takes what is true now, and gives what has to be posted now.
    pub(super) fn step(&mut self, facts: &Facts<'_>) -> Step {
        let now = facts.now;
        let holding = holding(facts);
        let explicit = self.explicit_resolve;
        let mut over = Vec::new();
        let external = &self.external_labels;
        self.alerts.retain(|labels, alert| {
            let kept = holding.contains_key(labels) || alert.ends(now, explicit);
            if !kept && alert.fired.is_some() && alert.resolved.is_none() {
                over.push(with_external(labels, external));
            }
            kept
        });
        for (labels, rule) in holding {
            let alert = self
                .alerts
                .entry(labels)
                .and_modify(|alert| alert.begins_again(now))
                .or_insert_with(|| Active::new(rule, now));
            alert.fires_if_due(now);
        }
        let mut postings = Vec::new();
        for (labels, alert) in &mut self.alerts {
            if let Some(times) = alert.post_if_due(now, self.resend) {
                postings.push(posting(alert.rule, labels, &self.external_labels, times));
            }
        }
        Step { postings, over }
    }
}

/// The alerts whose condition is true, by their labels.
fn holding(facts: &Facts<'_>) -> BTreeMap<Labels, &'static Rule> {
    rules::all()
        .filter_map(|rule| Some((rule, rule.holds?)))
        .flat_map(|(rule, holds)| {
            let conditions = holds(facts).into_iter();
            conditions.map(move |condition| (rule.alert_labels(&condition), rule))
        })
        .collect()
}

/// Start and end of an alert that is posted, and whether it is over.
#[derive(Debug, Clone, Copy)]
struct Times {
    starts_at: Timestamp,
    ends_at: Timestamp,
    resolved: bool,
}

fn posting(rule: &Rule, labels: &Labels, external: &Labels, times: Times) -> Posting {
    Posting {
        alert: Notification {
            labels: with_external(labels, external),
            annotations: rule.annotations(labels),
            starts_at: times.starts_at,
            ends_at: times.ends_at,
        },
        resolved: times.resolved,
        except: labels.get(ABOUT).cloned(),
    }
}

/// The labels as they are posted.
fn with_external(labels: &Labels, external: &Labels) -> Labels {
    let mut all = external.clone();
    // As Prometheus does: a label that the alert has itself wins.
    all.extend(labels.clone());
    all
}

impl Active {
    fn new(rule: &'static Rule, now: Timestamp) -> Self {
        Self {
            rule,
            since: now,
            fired: None,
            resolved: None,
            sent: None,
        }
    }

    /// Its condition holds: if it was over, this is a new alert.
    fn begins_again(&mut self, now: Timestamp) {
        // A clock that was set back must not make it wait.
        if self.resolved.is_some() || self.since > now {
            let fired = self.fired.filter(|_| self.resolved.is_none());
            *self = Self {
                fired: fired.map(|at| at.min(now)),
                ..Self::new(self.rule, now)
            };
        }
    }

    fn fires_if_due(&mut self, now: Timestamp) {
        if self.fired.is_none() && is_over(self.since, self.rule.hold, now) {
            self.fired = Some(now);
        }
    }

    /// Its condition is over. Whether it is kept, to tell so.
    fn ends(&mut self, now: Timestamp, explicit: bool) -> bool {
        if self.fired.is_none() || !explicit {
            return false;
        }
        let resolved = *self.resolved.get_or_insert(now);
        !is_over(resolved, RESOLVED_RETENTION, now)
    }

    /// With which times it has to be posted now, if it has to.
    fn post_if_due(&mut self, now: Timestamp, resend: Duration) -> Option<Times> {
        let fired = self.fired?;
        let is_news = self
            .sent
            .is_none_or(|sent| sent > now || self.resolved.is_some_and(|resolved| sent < resolved));
        if !is_news && !self.sent.is_some_and(|sent| is_over(sent, resend, now)) {
            return None;
        }
        self.sent = Some(now);
        let ahead = resend.saturating_mul(AHEAD);
        let ends_at = match self.resolved {
            Some(resolved) => resolved.min(now),
            None => now.checked_add(ahead).unwrap_or(Timestamp::MAX),
        };
        Some(Times {
            // Alertmanager refuses an alert that starts after its end.
            starts_at: fired.min(ends_at),
            ends_at,
            resolved: self.resolved.is_some(),
        })
    }
}

/// Whether `length` has passed since `since`.
fn is_over(since: Timestamp, length: Duration, now: Timestamp) -> bool {
    let end = since.checked_add(length);
    end.is_ok_and(|end| end <= now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::facts::Own;
    use crate::store::Snapshot;

    const START: i64 = 1_700_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(START + seconds).unwrap()
    }

    fn engine(explicit_resolve: bool) -> Engine {
        engine_at(Duration::from_secs(60), explicit_resolve)
    }

    fn engine_at(resend_interval: Duration, explicit_resolve: bool) -> Engine {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Engine::new(&Alerting {
            external_labels: Labels::from([label("site", "kr"), label("severity", "mine")]),
            resend_interval,
            explicit_resolve,
            alertmanagers: Vec::new(),
        })
    }

    /// What is posted at a second when the config could, or could not, be reloaded.
    fn step(engine: &mut Engine, seconds: i64, failed: bool) -> Vec<Posting> {
        let own = Own {
            reload_failed: failed,
            ..Own::default()
        };
        step_with(engine, seconds, own)
    }

    fn step_with(engine: &mut Engine, seconds: i64, own: Own) -> Vec<Posting> {
        looked(engine, seconds, own).postings
    }

    fn looked(engine: &mut Engine, seconds: i64, own: Own) -> Step {
        engine.step(&Facts {
            now: at(seconds),
            clusters: &Snapshot::default(),
            own,
        })
    }

    fn only(postings: Vec<Posting>) -> Posting {
        assert_eq!(postings.len(), 1, "{postings:?}");
        postings.into_iter().next().unwrap()
    }

    #[test]
    fn an_alert_is_posted_at_once_and_then_at_every_interval() {
        let mut engine = engine(false);
        assert!(step(&mut engine, 0, false).is_empty());
        let first = only(step(&mut engine, 1, true));
        assert_eq!(first.alert.starts_at, at(1));
        assert_eq!(first.alert.ends_at, at(1 + 4 * 60));
        assert!(!first.resolved);
        assert!(step(&mut engine, 2, true).is_empty());
        assert!(step(&mut engine, 60, true).is_empty());
        let second = only(step(&mut engine, 61, true));
        assert_eq!(second.alert.starts_at, at(1), "it began then");
        assert_eq!(second.alert.ends_at, at(61 + 4 * 60));
    }

    #[test]
    fn no_alert_lapses_between_two_ticks() {
        for resend in [1, 2, 4, 5, 6, 9, 60, 900] {
            let mut engine = engine_at(Duration::from_secs(resend), false);
            let tick = i64::try_from(engine.tick().as_secs()).unwrap();
            let mut ends_at = at(0);
            for seconds in (0..4000).step_by(usize::try_from(tick).unwrap()) {
                if let [posting] = step(&mut engine, seconds, true).as_slice() {
                    assert!(
                        seconds == 0 || at(seconds) < ends_at,
                        "it lapsed at {ends_at}, resend_interval {resend} s"
                    );
                    ends_at = posting.alert.ends_at;
                }
            }
            assert!(ends_at > at(4000), "resend_interval {resend} s");
        }
    }

    #[test]
    fn labels_are_those_of_the_rule_with_the_external_ones_where_they_are_free() {
        let posting = only(step(&mut engine(false), 0, true));
        let labels: Vec<_> = posting
            .alert
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            labels,
            [
                "alertname=RollingUpgradeConfigReloadFailed",
                "severity=warning",
                "site=kr"
            ]
        );
        let texts: Vec<_> = posting.alert.annotations.keys().collect();
        assert_eq!(texts, ["description", "runbook_url", "summary"]);
    }

    #[test]
    fn an_end_is_left_to_lapse() {
        let mut engine = engine(false);
        let posted = only(step(&mut engine, 0, true));
        let over = looked(&mut engine, 5, Own::default());
        assert!(over.postings.is_empty());
        assert_eq!(over.over, [posted.alert.labels], "what waits is withdrawn");
        assert!(
            looked(&mut engine, 6, Own::default()).over.is_empty(),
            "once"
        );
        assert!(step(&mut engine, 100, false).is_empty());
        let again = only(step(&mut engine, 110, true));
        assert_eq!(again.alert.starts_at, at(110), "it is a new alert");
    }

    #[test]
    fn an_end_is_told_for_a_quarter_of_an_hour_if_wanted() {
        let mut engine = engine(true);
        only(step(&mut engine, 0, true));
        let ended = looked(&mut engine, 5, Own::default());
        assert!(ended.over.is_empty(), "the end itself is told");
        let over = only(ended.postings);
        assert!(over.resolved);
        assert_eq!((over.alert.starts_at, over.alert.ends_at), (at(0), at(5)));
        assert!(step(&mut engine, 6, false).is_empty());
        let again = only(step(&mut engine, 65, false));
        assert_eq!(again.alert.ends_at, at(5), "it ended then");
        only(step(&mut engine, 904, false));
        assert!(step(&mut engine, 905, false).is_empty());
        assert!(engine.alerts.is_empty(), "nothing is kept for ever");
    }

    #[test]
    fn an_alert_that_comes_back_within_that_time_is_a_new_one() {
        let mut engine = engine(true);
        only(step(&mut engine, 0, true));
        only(step(&mut engine, 5, false));
        let again = only(step(&mut engine, 6, true));
        assert!(!again.resolved);
        assert_eq!(again.alert.starts_at, at(6));
        assert_eq!(again.alert.ends_at, at(6 + 4 * 60));
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing_and_starts_nothing_in_the_future() {
        let mut engine = engine(true);
        only(step(&mut engine, 1000, true));
        let back = only(step(&mut engine, 0, true));
        assert!(back.alert.starts_at <= at(0), "{back:?}");
        assert_eq!(back.alert.ends_at, at(4 * 60));
        assert!(step(&mut engine, 1, true).is_empty());
        let over = only(step(&mut engine, -500, false));
        assert!(over.alert.starts_at <= over.alert.ends_at, "{over:?}");
    }

    #[test]
    fn an_alert_about_an_alertmanager_is_not_for_that_one() {
        let own = Own {
            unreachable: vec![("http://am:9093".to_owned(), at(-600))],
            ..Own::default()
        };
        let posting = only(step_with(&mut engine(false), 0, own));
        assert_eq!(posting.except.as_deref(), Some("http://am:9093"));
    }

    #[test]
    fn a_rule_with_for_waits_and_starts_anew_after_a_break() {
        let mut alert = Active::new(
            rules::all().find(|rule| !rule.hold.is_zero()).unwrap(),
            at(0),
        );
        let hold = i64::try_from(alert.rule.hold.as_secs()).unwrap();
        alert.fires_if_due(at(hold - 1));
        assert!(alert.fired.is_none());
        assert!(!alert.ends(at(hold - 1), true), "it never fired");
        alert.fires_if_due(at(hold));
        assert_eq!(alert.fired, Some(at(hold)));
    }
}
