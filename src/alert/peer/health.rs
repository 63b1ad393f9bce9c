//! How an Alertmanager does: whether it takes alerts, and the few lines about it in the log.

use std::time::Duration;

use tokio::time::Instant;

use super::metrics::Record;
use crate::alert::alertmanager::{Failure, Remedy};
use crate::clock::Clock;
use crate::telemetry::log::LogOnce;

/// Different troubles that are told in one outage: their texts are foreign.
const TOLD: usize = 8;

/// The health of one Alertmanager.
#[derive(Debug)]
pub(super) struct Health {
    record: Record,
    clock: Clock,
    /// Lines about this outage, by trouble.
    logged: LogOnce<String, TOLD>,
    /// It took no post from then.
    began: Option<Instant>,
    /// When it last left out an alert that was not good.
    left_out: Option<Instant>,
    /// For so long after that it is not well: the alert comes again with its next renewal.
    quarantine: Duration,
}

impl Health {
    pub(super) fn new(record: Record, clock: Clock, resend: Duration) -> Self {
        Self {
            record,
            clock,
            logged: LogOnce::default(),
            began: None,
            left_out: None,
            quarantine: quarantine(resend),
        }
    }

    /// Alerts are renewed at another pace.
    pub(super) fn resend(&mut self, resend: Duration) {
        self.quarantine = quarantine(resend);
    }

    /// A post of so many alerts was taken; `lapsed` ended since the outage began.
    pub(super) fn well(&mut self, alerts: usize, lapsed: &mut usize) {
        self.record.took(alerts);
        if self
            .left_out
            .is_some_and(|at| at.elapsed() < self.quarantine)
        {
            return;
        }
        self.record.recovered();
        let ended_meanwhile = std::mem::take(lapsed);
        if let Some(began) = self.began.take() {
            let after = Duration::from_secs(began.elapsed().as_secs());
            tracing::info!(
                alertmanager = self.record.label,
                after = %crate::text::exact_length(after),
                ended_meanwhile,
                "The Alertmanager takes alerts again."
            );
        }
        self.left_out = None;
        self.logged.clear();
    }

    /// A post of so many alerts was not taken, or not all of it.
    pub(super) fn ill(&mut self, alerts: usize, failure: &Failure) {
        self.record.refused(alerts, self.clock.now());
        self.began.get_or_insert_with(Instant::now);
        let about_alerts = matches!(failure.remedy, Remedy::Leave | Remedy::Split);
        if about_alerts {
            self.left_out = Some(Instant::now());
        }
        // One that is away can be so in many ways, by turns.
        let trouble = match failure.remedy {
            Remedy::Wait | Remedy::Doubt => "",
            Remedy::Change | Remedy::Leave | Remedy::Split => &failure.text,
        };
        if !self.logged.is_new(trouble.to_owned()) {
            return;
        }
        let (alertmanager, error) = (&*self.record.label, &*failure.text);
        if about_alerts {
            tracing::warn!(
                alertmanager,
                error,
                "The Alertmanager does not take every alert."
            );
        } else {
            tracing::warn!(alertmanager, error, "The Alertmanager takes no alerts.");
        }
    }
}

fn quarantine(resend: Duration) -> Duration {
    resend.saturating_mul(3) / 2
}
