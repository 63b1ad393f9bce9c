//! This product's entry in its cloud's list.

use std::sync::Arc;
use std::time::Duration;

use super::start::StartCce;
use super::{
    CceProvider, LIST_CLUSTERS, LIST_NODES, LIST_PRECHECKS, LIST_TASKS, LIST_WORKFLOWS, SHOW_INFO,
    sim,
};
use crate::cloud::start::StartCommand;
use crate::cloud::{OpenContext, Product, ProductInfo, Provider};
use crate::fields::id::IdForm;
use crate::http::ApiError;
use crate::sim::Service;

/// Cloud Container Engine.
pub struct Cce;

/// The product, for its cloud's list.
pub static PRODUCT: Cce = Cce;

/// Facts of CCE. The calls have the names of the vendor's Go SDK.
pub(super) const INFO: ProductInfo = ProductInfo {
    name: "cce",
    title: "Cloud Container Engine",
    upgraded: "Kubernetes",
    cloud: super::super::NAME,
    stalled_after: Duration::from_secs(30 * 60),
    settings: &[],
    ids: IdForm::Word,
    permission: "cce:cluster:list, cce:cluster:get and cce:node:list, as the system policy CCE ReadOnlyAccess has them",
    omissions: &[],
    calls: &[
        &LIST_CLUSTERS,
        &LIST_WORKFLOWS,
        &SHOW_INFO,
        &LIST_TASKS,
        &LIST_NODES,
        &LIST_PRECHECKS,
    ],
};

impl Product for Cce {
    fn info(&self) -> &'static ProductInfo {
        &INFO
    }

    fn open(&self, context: OpenContext<'_>) -> Result<Arc<dyn Provider>, ApiError> {
        Ok(Arc::new(CceProvider::new(&context)?))
    }

    fn start(&self) -> Option<&'static dyn StartCommand> {
        Some(&StartCce)
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
            ("GET", "/api/v3/projects/{}/clusters"),
            (
                "GET",
                "/api/v3/projects/{}/clusters/{}/operation/upgradeworkflows",
            ),
            ("GET", "/api/v3/projects/{}/clusters/{}/upgradeinfo"),
            (
                "GET",
                "/api/v3/projects/{}/clusters/{}/operation/upgrade/tasks",
            ),
            ("GET", "/api/v3/projects/{}/clusters/{}/nodes"),
            (
                "GET",
                "/api/v3/projects/{}/clusters/{}/operation/precheck/tasks",
            ),
        ];
        assert_eq!(calls, closed);
    }
}
