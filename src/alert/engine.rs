//! Which alerts fire and when each is posted: Prometheus's semantics, as a plain function of time.
//!
//! As in Prometheus, an alert is posted when it begins to fire, then at every resend interval with
//! an end that lies four intervals ahead. An end that is not renewed lapses in Alertmanager.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::conditions::Conditions;
use super::notification::Notification;
use super::peer::Posting;
use super::rule::{Labels, Rule, Severity};
use super::sights::Sight;
use crate::clock;
use crate::config::Alerting;
use crate::store::{ExporterHealth, Snapshot};
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
    conditions: Conditions,
    alerts: BTreeMap<Arc<Labels>, Active>,
    /// Alerts that fire, or whose end is told, in the order in which they are posted.
    queue: BTreeSet<(Due, Severity, Arc<Labels>)>,
    /// Alerts that time alone changes, with the instant: those that wait for their `for`, and those whose
    /// end is told.
    timers: BTreeSet<(Timestamp, Arc<Labels>)>,
    /// Moment of the last step; `None` when every alert has to be looked at.
    last: Option<Timestamp>,
    /// Sights of an earlier process, for conditions that have not come up yet.
    earlier: BTreeMap<Labels, Sight>,
    /// Time until which those count: what was posted has lapsed then.
    earlier_until: Option<Timestamp>,
}

/// What follows from one look.
#[derive(Debug)]
pub(super) struct Step {
    /// To be posted.
    pub(super) postings: Vec<Posting>,
    /// The labels of alerts that are over and of which nothing is told: a post that still waits
    /// somewhere is not true any more.
    pub(super) over: Vec<Labels>,
    /// Sights that changed; `None` for an alert that is over.
    pub(super) sights: Vec<(Arc<Labels>, Option<Sight>)>,
}

/// An alert by what happened to it so far.
#[derive(Debug)]
struct Active {
    rule: &'static Rule,
    /// Set while its condition holds.
    holds: bool,
    /// Since when its condition holds without a break.
    since: Timestamp,
    /// When it began to fire: after its `for`.
    fired: Option<Timestamp>,
    /// When its condition was over.
    resolved: Option<Timestamp>,
    /// When it was last posted.
    sent: Option<Timestamp>,
    /// Place in [`Engine::queue`].
    due: Option<Due>,
    /// Place in [`Engine::timers`].
    timer: Option<Timestamp>,
}

impl Engine {
    /// Builds an engine that goes on with the sights of an earlier process: what fired is found again, or
    /// lapses.
    pub(super) fn new(
        config: &Alerting,
        page: Option<ExternalUrl>,
        earlier: BTreeMap<Labels, Sight>,
    ) -> Self {
        Self {
            external_labels: config.external_labels.clone(),
            page,
            resend: config.resend_interval,
            explicit_resolve: config.explicit_resolve,
            conditions: Conditions::default(),
            alerts: BTreeMap::new(),
            queue: BTreeSet::new(),
            timers: BTreeSet::new(),
            last: None,
            earlier,
            earlier_until: None,
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
        self.last = None;
    }

    /// Takes what is true now, and gives what has to be posted now, at most so many: the rest is
    /// due at the next step. Looks only at alerts that change.
    pub(super) fn step(
        &mut self,
        times: clock::Times,
        snapshot: &Snapshot,
        health: ExporterHealth,
        most: usize,
    ) -> Step {
        let now = times.local();
        let difference = self.conditions.update(times, snapshot, health);
        let mut touched: BTreeSet<Arc<Labels>> = if self.last.is_some_and(|last| last <= now) {
            let due = self.timers.iter().take_while(|(at, _)| *at <= now);
            due.map(|(_, labels)| labels.clone()).collect()
        } else {
            // A clock that was set back may change each.
            self.alerts.keys().cloned().collect()
        };
        self.last = Some(now);
        for labels in difference.over {
            if let Some(alert) = self.alerts.get_mut(&labels) {
                alert.holds = false;
            }
            touched.insert(labels);
        }
        let mut sights = self.lapse_earlier(now);
        for (labels, rule) in difference.begun {
            let earlier = self.earlier.remove(&*labels);
            let alerts = self.alerts.entry(labels.clone());
            let alert = alerts.or_insert_with(|| Active::new(rule, now).seen(earlier));
            alert.holds = true;
            touched.insert(labels);
        }
        let over = touched.iter().filter(|labels| self.look(labels, now));
        let over: Vec<_> = over.cloned().collect();
        sights.extend(touched.into_iter().map(|labels| {
            let sight = self.alerts.get(&labels).and_then(Active::sight);
            (labels, sight)
        }));
        let over = over
            .iter()
            .map(|labels| with_external(labels, &self.external_labels));
        Step {
            sights,
            over: over.collect(),
            postings: self.post(now, most),
        }
    }

    /// Returns every alert as one that is over, for an engine that is let go.
    pub(super) fn forgotten(&self) -> Vec<(Arc<Labels>, Option<Sight>)> {
        let earlier = self.earlier.keys().cloned().map(Arc::new);
        let all = self.alerts.keys().cloned().chain(earlier);
        all.map(|labels| (labels, None)).collect()
    }

    /// Forgets the sights of an earlier process once they do not count any more, and returns them.
    fn lapse_earlier(&mut self, now: Timestamp) -> Vec<(Arc<Labels>, Option<Sight>)> {
        if self.earlier.is_empty() {
            return Vec::new();
        }
        let ahead = self.resend.saturating_mul(AHEAD);
        let end = now.checked_add(ahead).unwrap_or(Timestamp::MAX);
        // A clock that was set back must not keep them for as long.
        let until = self.earlier_until.map_or(end, |until| until.min(end));
        self.earlier_until = Some(until);
        if now < until {
            return Vec::new();
        }
        let lapsed = std::mem::take(&mut self.earlier).into_keys();
        lapsed.map(|labels| (Arc::new(labels), None)).collect()
    }

    /// Brings an alert up to the moment. Returns whether it is over and nothing is told of that.
    fn look(&mut self, labels: &Arc<Labels>, now: Timestamp) -> bool {
        let Some(alert) = self.alerts.get_mut(labels) else {
            return false;
        };
        if alert.holds {
            alert.begins_again(now);
            alert.fires_if_due(now);
        } else if !alert.ends(now, self.explicit_resolve) {
            let is_untold = alert.fired.is_some() && alert.resolved.is_none();
            self.place(labels, None, None);
            self.alerts.remove(labels);
            return is_untold;
        }
        let (due, timer) = (alert.due(now), alert.timer());
        self.place(labels, due, timer);
        false
    }

    /// Puts an alert at its places in the queue and among the timers; `None` for none.
    fn place(&mut self, labels: &Arc<Labels>, due: Option<Due>, timer: Option<Timestamp>) {
        let Some(alert) = self.alerts.get_mut(labels) else {
            return;
        };
        let severity = alert.rule.severity;
        if alert.due != due {
            if let Some(old) = alert.due {
                self.queue.remove(&(old, severity, labels.clone()));
            }
            if let Some(due) = due {
                self.queue.insert((due, severity, labels.clone()));
            }
            alert.due = due;
        }
        if alert.timer != timer {
            if let Some(old) = alert.timer {
                self.timers.remove(&(old, labels.clone()));
            }
            if let Some(timer) = timer {
                self.timers.insert((timer, labels.clone()));
            }
            alert.timer = timer;
        }
    }

    /// Posts the first alerts of the queue: news, then what was renewed longest ago, so that nothing is
    /// left out for ever; what is worst goes first.
    fn post(&mut self, now: Timestamp, most: usize) -> Vec<Posting> {
        let due = self.queue.iter().take_while(|(due, ..)| match due {
            Due::News => true,
            Due::Renewal(sent) => is_over(*sent, self.resend, now),
        });
        let due: Vec<_> = due.take(most).map(|(.., labels)| labels.clone()).collect();
        let mut postings = Vec::with_capacity(due.len());
        for labels in due {
            let Some(alert) = self.alerts.get_mut(&labels) else {
                continue;
            };
            let posted = alert.post(now, self.resend);
            let timer = alert.timer;
            let notification = Notification {
                labels: with_external(&labels, &self.external_labels),
                annotations: alert.rule.annotations(&labels),
                starts_at: posted.starts_at,
                ends_at: posted.ends_at,
                generator_url: self.page.as_ref().map(|page| link(page, &labels)),
            };
            postings.push(Posting {
                alert: notification,
                resolved: posted.resolved,
                except: labels.get(ABOUT).cloned(),
            });
            self.place(&labels, Some(Due::Renewal(now)), timer);
        }
        postings
    }
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
            holds: true,
            since: now,
            fired: None,
            resolved: None,
            sent: None,
            due: None,
            timer: None,
        }
    }

    /// Goes on with an earlier sight.
    fn seen(mut self, earlier: Option<Sight>) -> Self {
        if let Some(earlier) = earlier {
            let now = self.since;
            self.since = earlier.since.min(now);
            self.fired = earlier.fired.map(|fired| fired.min(now));
        }
        self
    }

    /// Returns since when it holds, and fires; `None` once its condition is over.
    fn sight(&self) -> Option<Sight> {
        self.holds.then_some(Sight {
            since: self.since,
            fired: self.fired,
        })
    }

    /// Its condition holds: if it was over, this is a new alert.
    fn begins_again(&mut self, now: Timestamp) {
        // A clock that was set back must not make it wait.
        if self.resolved.is_some() || self.since > now {
            let fired = self.fired.filter(|_| self.resolved.is_none());
            *self = Self {
                fired: fired.map(|at| at.min(now)),
                due: self.due,
                timer: self.timer,
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

    /// Returns why it has to be posted next.
    fn due(&self, now: Timestamp) -> Option<Due> {
        self.fired?;
        Some(match self.sent {
            Some(sent) if sent <= now && self.resolved.is_none_or(|resolved| resolved <= sent) => {
                Due::Renewal(sent)
            }
            _ => Due::News,
        })
    }

    /// Returns the instant at which time alone changes it.
    fn timer(&self) -> Option<Timestamp> {
        let (since, length) = match (self.resolved, self.fired) {
            (Some(resolved), _) => (resolved, RESOLVED_RETENTION),
            (None, None) => (self.since, self.rule.hold),
            (None, Some(_)) => return None,
        };
        since.checked_add(length).ok()
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
