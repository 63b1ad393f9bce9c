//! This product's entry in its cloud's list.

use std::sync::Arc;
use std::time::Duration;

use super::start::StartCdss;
use super::{CdssProvider, LIST, PROGRESS, sim};
use crate::cloud::start::StartCommand;
use crate::cloud::{Omission, OpenContext, Product, ProductInfo, Provider};
use crate::fields::id::IdForm;
use crate::http::ApiError;
use crate::sim::Service;

/// Cloud Data Streaming Service.
pub struct Cdss;

/// The product, for its cloud's list.
pub static PRODUCT: Cdss = Cdss;

/// Facts of CDSS.
pub(super) const INFO: ProductInfo = ProductInfo {
    name: "cdss",
    title: "Cloud Data Streaming Service",
    upgraded: "Kafka",
    cloud: super::super::NAME,
    stalled_after: Duration::from_secs(30 * 60),
    settings: &[],
    ids: IdForm::Number,
    permission: "the policy NCP_VPC_CLOUD_DATA_STREAMING_SERVICE_VIEWER for its sub-account",
    omissions: &[Omission::Ended],
    calls: &[&LIST, &PROGRESS],
};

impl Product for Cdss {
    fn info(&self) -> &'static ProductInfo {
        &INFO
    }

    fn open(&self, context: OpenContext<'_>) -> Result<Arc<dyn Provider>, ApiError> {
        Ok(Arc::new(CdssProvider::open(context)?))
    }

    fn start(&self) -> Option<&'static dyn StartCommand> {
        Some(&StartCdss)
    }

    fn simulator(&self) -> &'static dyn Service {
        &sim::Simulator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every call that it can make: a new one is a decision, not an accident.
    #[test]
    fn the_list_of_calls_is_closed() {
        let calls = INFO.calls.iter();
        let calls: Vec<_> = calls
            .map(|call| (call.method.as_str(), call.path))
            .collect();
        let closed = [
            ("POST", "/cluster/getClusterInfoList"),
            ("POST", "/cluster/rollingUpgradeProgressCheck"),
        ];
        assert_eq!(calls, closed);
    }
}
