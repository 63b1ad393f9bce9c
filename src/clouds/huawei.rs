//! Huawei Cloud, and the clouds with the same API (Open Telekom Cloud, `FlexibleEngine`, Huawei
//! Cloud Stack).

pub mod account;
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

use std::sync::Arc;

use spanned_yaml::Section;

use crate::cloud::{Call, Cloud, CloudAccount, Product};
use crate::fields;
use crate::sim::Gateway;

/// The cloud.
#[derive(Debug)]
pub struct Huawei;

/// Name: the key in the config and the label `cloud`.
const NAME: &str = "huawei";

/// Products, in the order in which they are documented.
const PRODUCTS: &[&dyn Product] = &[&css::PRODUCT, &cce::PRODUCT];

impl Cloud for Huawei {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "Huawei Cloud"
    }

    fn language(&self) -> Option<&'static str> {
        Some("zh-Hans")
    }

    fn products(&self) -> &'static [&'static dyn Product] {
        PRODUCTS
    }

    fn calls(&self) -> &'static [&'static Call] {
        CALLS
    }

    fn accounts(
        &self,
        section: &mut Section<'_>,
        context: &fields::Context<'_>,
    ) -> Option<Vec<Arc<dyn CloudAccount>>> {
        Some(vec![Arc::new(account::read(section, context)?)])
    }

    fn gateway(&self) -> &'static dyn Gateway {
        &sim::ApiGateway
    }
}

/// The call that signs in.
const CALLS: &[&Call] = &[&token::CREATE];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::transport;

    #[test]
    fn what_changes_a_cluster_is_not_sent() {
        use crate::cloud::Method::{Get, Post};
        let is_sent = |call| transport::closed::is_among(PRODUCTS, "", call);
        for call in [
            (Post, "/api/v3/projects/p/clusters/c/operation/upgrade"),
            (
                Post,
                "/api/v3/projects/p/clusters/c/operation/upgrade/tasks",
            ),
            (Post, "/api/v3/projects/p/clusters"),
            (Post, "/v1.0/p/clusters"),
            (Post, "/v1.0/p/clusters/c/inst-type/all/image/upgrade"),
            (Get, "/v1.0/p/clusters/c/restart/../upgrade/detail"),
            (Get, "/v1.0//clusters"),
            (Get, "/a/b/v1.0/p/clusters"),
            (Get, "/clusters"),
            (Get, ""),
        ] {
            assert!(!is_sent(call), "{call:?}");
        }
        let tasks = "/api/v3/projects/p/clusters/a%2Fb/operation/upgrade/tasks";
        for call in [(Get, "/v1.0/p/clusters"), (Get, tasks)] {
            assert!(is_sent(call), "{call:?}");
        }
    }
}
