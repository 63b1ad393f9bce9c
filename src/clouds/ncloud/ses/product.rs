//! This product's entry in its cloud's list.

use std::sync::Arc;
use std::time::Duration;

use super::{LIST, NODES, PROGRESS, REGION_NO, SesProvider, VERSIONS, sim};
use crate::cloud::{OpenContext, Product, ProductInfo, Provider};
use crate::fields::id::IdForm;
use crate::http::ApiError;
use crate::sim::Service;

/// Search Engine Service.
pub struct Ses;

/// The product, for its cloud's list.
pub static PRODUCT: Ses = Ses;

/// Facts of SES.
pub(super) const INFO: ProductInfo = ProductInfo {
    name: "ses",
    title: "Search Engine Service",
    upgraded: "OpenSearch",
    cloud: super::super::NAME,
    stalled_after: Duration::from_secs(30 * 60),
    settings: &[REGION_NO],
    ids: IdForm::Number,
    permission: "the policy NCP_VPC_SEARCH_ENGINE_SERVICE_VIEWER for its sub-account",
    omissions: &[],
    calls: &[&LIST, &PROGRESS, &VERSIONS, &NODES],
};

impl Product for Ses {
    fn info(&self) -> &'static ProductInfo {
        &INFO
    }

    fn open(&self, context: OpenContext<'_>) -> Result<Arc<dyn Provider>, ApiError> {
        Ok(Arc::new(SesProvider::open(context)?))
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
            ("GET", "/cluster/getClusterInfoList"),
            ("POST", "/cluster/getRollingUpgradeProgress"),
            ("GET", "/cluster/getSearchEngineVersionList"),
            ("GET", "/cluster/getClusterNodeList/{}"),
        ];
        assert_eq!(calls, closed);
    }
}
