//! What can be set on several levels, of which the nearest wins: the keys of `polling` and
//! `upgrades`.

use std::time::Duration;

use spanned_yaml::{Bounds, Field, Section};

use super::Polling;
use crate::cloud::Product;
use crate::model::Thresholds;

/// Bounds of an interval between polls.
const INTERVAL: Bounds = Bounds::at_most(Duration::from_secs(86_400));
/// Bounds of a call's timeout.
const TIMEOUT: Bounds = Bounds::at_most(Duration::from_secs(300));

/// The keys of `upgrades`, those given on one level or the levels around it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    stalled_after: Option<Duration>,
    overdue_after: Option<Duration>,
    retain_ended: Option<Duration>,
}

impl Limits {
    /// Takes the keys of `upgrades` from a section; what it does not say comes from around it.
    pub(super) fn take(section: &mut Section<'_>, around: Self) -> Self {
        let mut limit = |key| section.take(key).and_then(|f| f.duration(Bounds::LONG));
        Self {
            stalled_after: limit("stalled_after").or(around.stalled_after),
            overdue_after: limit("overdue_after").or(around.overdue_after),
            retain_ended: limit("retain_ended").or(around.retain_ended),
        }
    }

    /// Takes the section `upgrades`.
    pub(super) fn section(parent: &mut Section<'_>, around: Self) -> Self {
        let Some(field) = parent.take("upgrades") else {
            return around;
        };
        let mut section = field.section();
        let limits = Self::take(&mut section, around);
        section.finish();
        limits
    }

    /// With the defaults for what nobody said.
    pub(super) fn thresholds(self, product: &dyn Product) -> Thresholds {
        Thresholds {
            stalled_after: self.stalled_after.unwrap_or(product.info().stalled_after),
            overdue_after: self.overdue_after.unwrap_or(Duration::from_secs(6 * 3600)),
            retain_ended: self.retain_ended.unwrap_or(Duration::from_secs(7 * 86_400)),
        }
    }
}

impl Polling {
    /// What nobody sets.
    pub(super) const DEFAULT: Self = Self {
        active_interval: Duration::from_secs(30),
        idle_interval: Duration::from_secs(300),
        discovery_interval: Duration::from_secs(600),
        timeout: Duration::from_secs(10),
        rate_limit: 5.0,
        max_concurrency: 4,
    };

    /// Takes the section `polling`; what it does not say comes from around it.
    pub(super) fn section(parent: &mut Section<'_>, around: Self) -> Self {
        let Some(field) = parent.take("polling") else {
            return around;
        };
        let mut section = field.section();
        let mut length = |key, bounds, around| {
            let field: Option<Field<'_>> = section.take(key);
            field.and_then(|f| f.duration(bounds)).unwrap_or(around)
        };
        let mut polling = Self {
            active_interval: length("active_interval", INTERVAL, around.active_interval),
            idle_interval: length("idle_interval", INTERVAL, around.idle_interval),
            discovery_interval: length("discovery_interval", INTERVAL, around.discovery_interval),
            timeout: length("timeout", TIMEOUT, around.timeout),
            ..around
        };
        if let Some(field) = section.take("rate_limit")
            // Fewer than one call in a quarter of an hour would look like a cloud that is gone.
            && let Some(rate) = field.decimal(0.001..=1000.0)
        {
            polling.rate_limit = rate;
        }
        if let Some(field) = section.take("max_concurrency")
            && let Some(calls) = field.integer(1..=1000)
        {
            polling.max_concurrency = usize::try_from(calls).unwrap_or(around.max_concurrency);
        }
        section.finish();
        polling
    }
}
