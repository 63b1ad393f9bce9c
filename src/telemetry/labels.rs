//! The label sets of the exporter's own metrics.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

use crate::http::Reason;
use crate::model::UpgradeStatus;
use crate::model::bounds::Truncated;
use crate::text;

/// An account's name, escaped when it is written, as in the series of its clusters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Account(pub(super) String);

impl From<&str> for Account {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl EncodeLabelValue for Account {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(&text::escaped(&self.0))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ProductLabels {
    pub(super) account: Account,
    pub(super) product: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReasonLabels {
    pub(super) account: Account,
    pub(super) product: &'static str,
    pub(super) reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) account: Account,
    pub(super) product: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub(super) account: Account,
    pub(super) product: &'static str,
    pub(super) endpoint: &'static str,
    pub(super) code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OnlyProduct {
    pub(super) product: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OnlyAlertmanager {
    pub(super) alertmanager: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub(super) version: &'static str,
    pub(super) revision: &'static str,
    pub(super) rustversion: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TruncatedLabels {
    pub(super) account: Account,
    pub(super) product: &'static str,
    pub(super) what: &'static str,
}

pub(super) fn product_labels(account: &str, product: &'static str) -> ProductLabels {
    ProductLabels {
        account: account.into(),
        product,
    }
}

pub(super) fn alertmanager_label(alertmanager: &str) -> OnlyAlertmanager {
    OnlyAlertmanager {
        alertmanager: alertmanager.to_owned(),
    }
}

pub(super) fn reason_labels(account: &str, product: &'static str, reason: Reason) -> ReasonLabels {
    ReasonLabels {
        account: account.into(),
        product,
        reason: reason.as_str(),
    }
}

pub(super) fn truncated_labels(
    account: &str,
    product: &'static str,
    what: Truncated,
) -> TruncatedLabels {
    TruncatedLabels {
        account: account.into(),
        product,
        what: what.as_str(),
    }
}

pub(super) fn outcome_labels(
    account: &str,
    product: &'static str,
    outcome: UpgradeStatus,
) -> OutcomeLabels {
    OutcomeLabels {
        account: account.into(),
        product,
        outcome: outcome.as_str(),
    }
}
