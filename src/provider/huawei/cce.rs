//! Placeholder.

use std::time::Duration;

use crate::provider::{ApiError, Product, Reason};

/// This product's line of the table.
pub const PRODUCT: Product = Product {
    name: "cce",
    cloud: "huawei",
    stalled_after: Duration::from_secs(1800),
    settings: &[],
    numeric_ids: false,
    calls: &[],
    sim: |_, _| None,
    open: |_| Err(ApiError::new(Reason::Protocol, "not written")),
};
