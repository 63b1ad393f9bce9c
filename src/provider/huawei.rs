//! Huawei Cloud.

pub mod cce;
pub mod css;

use crate::provider::CloudSpec;

/// This cloud's line of the table.
pub const CLOUD: CloudSpec = CloudSpec {
    name: "huawei",
    sim: |_, _| None,
};
