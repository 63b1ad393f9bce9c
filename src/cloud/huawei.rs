//! Huawei Cloud, and the clouds with the same API (Open Telekom Cloud, `FlexibleEngine`, Huawei
//! Cloud Stack).

pub mod cce;
pub(crate) mod client;
pub mod css;
mod error;
mod host;
mod offered;
mod sign;
mod sim;
pub(crate) mod time;
mod token;

use crate::cloud::CloudSpec;
use crate::config::{Cloud, Huawei, HuaweiAuth};

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every call that this cloud and its products can make: a new one is a decision, not an accident.
    #[test]
    fn the_list_of_calls_is_closed() {
        let products = [&css::PRODUCT, &cce::PRODUCT];
        let calls: Vec<(&str, &str)> = CLOUD
            .calls
            .iter()
            .chain(products.iter().flat_map(|product| product.calls))
            .map(|call| (call.method.as_str(), call.path))
            .collect();
        let cluster = "/api/v3/projects/{}/clusters/{}";
        assert_eq!(
            calls,
            [
                ("POST", "/v3/auth/tokens"),
                ("GET", "/v1.0/{}/clusters"),
                ("GET", "/v1.0/{}/clusters/{}/upgrade/detail"),
                ("GET", "/api/v3/projects/{}/clusters"),
                ("GET", &format!("{cluster}/operation/upgradeworkflows")),
                ("GET", &format!("{cluster}/upgradeinfo")),
                ("GET", &format!("{cluster}/operation/upgrade/tasks")),
                ("GET", &format!("{cluster}/nodes")),
                ("GET", &format!("{cluster}/operation/precheck/tasks")),
            ]
        );
    }
}
