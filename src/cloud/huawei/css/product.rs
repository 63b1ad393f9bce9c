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

/// What the program has to know of it.
pub(super) const INFO: ProductInfo = ProductInfo {
    name: "css",
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
