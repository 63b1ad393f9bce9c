//! Huawei Cloud, and the clouds with the same API (Open Telekom Cloud, `FlexibleEngine`, Huawei
//! Cloud Stack).

pub mod cce;
pub(crate) mod client;
pub mod css;
mod error;
mod host;
mod sign;
mod sim;
pub(crate) mod time;
mod token;

use crate::provider::CloudSpec;

/// This cloud's line of the table.
pub const CLOUD: CloudSpec = CloudSpec {
    name: "huawei",
    sim: sim::answer,
};
