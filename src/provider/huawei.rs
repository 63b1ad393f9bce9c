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

use crate::config::{Cloud, Huawei, HuaweiAuth};
use crate::provider::CloudSpec;

/// This cloud's line of the table.
pub const CLOUD: CloudSpec = CloudSpec {
    name: "huawei",
    sign_in: |account| match &account.cloud {
        Cloud::Huawei(Huawei {
            auth: HuaweiAuth::Token { .. },
            ..
        }) => Some((&token::CREATE, "201")),
        _ => None,
    },
    calls: &[&token::CREATE],
    sim: sim::answer,
};
