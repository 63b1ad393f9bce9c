//! Which alerts fire and when each is posted: Prometheus's semantics, as a plain function of time.
//!
//! As in Prometheus, an alert is posted when it begins to fire, then at every resend interval with
//! an end that lies four intervals ahead. An end that is not renewed lapses in Alertmanager.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::input::AlertInput;
use super::notification::Notification;
use super::peer::Posting;
use super::rule::{Labels, Rule};
use super::rules;
use crate::config::Alerting;
use exporter_web::ExternalUrl;

/// An alert is told to fire for this many resend intervals: three posts may be lost.
const AHEAD: u32 = 4;
/// For how long a resolved alert is posted again, as in Prometheus.
const RESOLVED_RETENTION: Duration = Duration::from_secs(15 * 60);
/// The label of an alert about an Alertmanager; that one does not get it.
const ABOUT: &str = "alertmanager";
/// The labels that the page can be filtered by, with the names of its filters.
const FILTERS: [(&str, &str); 4] = [
    ("account", "account"),
    ("product", "product"),
    ("cluster_id", "q"),
    ("endpoint", "q"),
];

/// The alerts that hold or have just ended.
#[derive(Debug)]
pub(super) struct Engine {
    external_labels: Labels,
    /// Where people reach the page, if that is known.
    page: Option<ExternalUrl>,
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
    pub(super) fn new(config: &Alerting, page: Option<ExternalUrl>) -> Self {
        Self {
            external_labels: config.external_labels.clone(),
            page,
            resend: config.resend_interval,
            explicit_resolve: config.explicit_resolve,
            alerts: BTreeMap::new(),
        }
    }

    /// Goes on under another config: conditions hold since when they held. What fires is due at once,
    /// since a longer interval would let it lapse before its renewal, and who is new has not heard of
    /// it.
    pub(super) fn replace(&mut self, config: &Alerting) {
        self.external_labels.clone_from(&config.external_labels);
        self.resend = config.resend_interval;
        self.explicit_resolve = config.explicit_resolve;
        for alert in self.alerts.values_mut() {
            alert.sent = None;
        }
    }

    /// Takes what is true now, and gives what has to be posted now, at most so many: the rest is
    /// due at the next step.
    pub(super) fn step(&mut self, input: &AlertInput<'_>, most: usize) -> Step {
        let now = input.times.local();
        let holding = holding(input);
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
        let mut due: Vec<_> = self
            .alerts
            .iter_mut()
            .filter_map(|(labels, alert)| Some((alert.due(now, self.resend)?, labels, alert)))
            .collect();
        // News, then what was renewed longest ago, so that nothing is left out for ever; what is
        // worst goes first.
        due.sort_by_key(|(due, _, alert)| (*due, alert.rule.severity));
        due.truncate(most);
        let post = |(_, labels, alert): (_, &Labels, &mut Active)| {
            let times = alert.post(now, self.resend);
            let alert = Notification {
                labels: with_external(labels, &self.external_labels),
                annotations: alert.rule.annotations(labels),
                starts_at: times.starts_at,
                ends_at: times.ends_at,
                generator_url: self.page.as_ref().map(|page| link(page, labels)),
            };
            Posting {
                alert,
                resolved: times.resolved,
                except: labels.get(ABOUT).cloned(),
            }
        };
        let postings = due.into_iter().map(post).collect();
        Step { postings, over }
    }
}

/// The alerts whose condition is true, by their labels.
fn holding(input: &AlertInput<'_>) -> BTreeMap<Labels, &'static Rule> {
    rules::all()
        .filter_map(|rule| Some((rule, rule.holds?)))
        .flat_map(|(rule, holds)| {
            let conditions = holds(input).into_iter();
            conditions.map(move |condition| (rule.alert_labels(&condition), rule))
        })
        .collect()
}

/// Why an alert has to be posted; the order is that of haste.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// It began or ended.
    News,
    /// It was last posted then.
    Renewal(Timestamp),
}

/// Start and end of an alert that is posted, and whether it is over.
#[derive(Debug, Clone, Copy)]
struct Times {
    starts_at: Timestamp,
    ends_at: Timestamp,
    resolved: bool,
}

/// The page, filtered to what an alert is about.
fn link(page: &ExternalUrl, labels: &Labels) -> String {
    let filter: Vec<(&str, &str)> = FILTERS
        .iter()
        .filter_map(|(label, filter)| Some((*filter, labels.get(*label)?.as_str())))
        .collect();
    page.page(&filter).into()
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
        // A clock that was set back must not keep it for as long.
        let resolved = self.resolved.map_or(now, |resolved| resolved.min(now));
        self.resolved = Some(resolved);
        !is_over(resolved, RESOLVED_RETENTION, now)
    }

    /// Whether it has to be posted now.
    fn due(&self, now: Timestamp, resend: Duration) -> Option<Due> {
        self.fired?;
        match self.sent {
            Some(sent) if sent <= now && self.resolved.is_none_or(|resolved| resolved <= sent) => {
                is_over(sent, resend, now).then_some(Due::Renewal(sent))
            }
            _ => Some(Due::News),
        }
    }

    /// It is posted now: with which times.
    fn post(&mut self, now: Timestamp, resend: Duration) -> Times {
        self.sent = Some(now);
        let ahead = resend.saturating_mul(AHEAD);
        let ends_at = match self.resolved {
            Some(resolved) => resolved.min(now),
            None => now.checked_add(ahead).unwrap_or(Timestamp::MAX),
        };
        Times {
            // Alertmanager refuses an alert that starts after its end.
            starts_at: self.fired.map_or(ends_at, |fired| fired.min(ends_at)),
            ends_at,
            resolved: self.resolved.is_some(),
        }
    }
}

/// Whether `length` has passed since `since`.
fn is_over(since: Timestamp, length: Duration, now: Timestamp) -> bool {
    let end = since.checked_add(length);
    end.is_ok_and(|end| end <= now)
}

#[cfg(test)]
mod tests;
