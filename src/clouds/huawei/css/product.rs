//! This product's entry in its cloud's list.

use std::sync::Arc;
use std::time::Duration;

use super::{CssProvider, DETAIL, LIST, sim};
use crate::cloud::{Omission, OpenContext, Product, ProductInfo, Provider};
use crate::fields::id::IdForm;
use crate::http::ApiError;
use crate::sim::Service;

/// Cloud Search Service.
pub struct Css;

/// The product, for its cloud's list.
pub static PRODUCT: Css = Css;

/// Facts of CSS.
pub(super) const INFO: ProductInfo = ProductInfo {
    name: "css",
    title: "Cloud Search Service",
    upgraded: "Elasticsearch, OpenSearch; also moves to another availability zone",
    cloud: super::super::NAME,
    // Its data migration may be silent for hours; the vendor allows it 48 h a node.
    stalled_after: Duration::from_secs(3 * 3600),
    settings: &[],
    ids: IdForm::Word,
    permission: "css:cluster:list and css:cluster:get, as the system policy CSS ReadOnlyAccess has them",
    omissions: &[Omission::Queued],
    calls: &[&LIST, &DETAIL],
};

impl Product for Css {
    fn info(&self) -> &'static ProductInfo {
        &INFO
    }

    fn open(&self, context: OpenContext<'_>) -> Result<Arc<dyn Provider>, ApiError> {
        Ok(Arc::new(CssProvider::new(&context)?))
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
            ("GET", "/v1.0/{}/clusters"),
            ("GET", "/v1.0/{}/clusters/{}/upgrade/detail"),
        ];
        assert_eq!(calls, closed);
    }
}
