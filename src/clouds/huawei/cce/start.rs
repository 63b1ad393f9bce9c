//! The request that starts an upgrade of a CCE cluster, as the vendor documents it.

mod body;
mod command;
mod spec;

use serde_json::Value;

use super::CceProvider;
use crate::cloud::start::{Accepted, Order, Parts, Signer, Signing};
use crate::cloud::transport::Answer;
use crate::cloud::{OpenContext, call};
use crate::http::ApiError;
use crate::model::Reason;
use crate::text::{self, clean};
use body::{Action, Body};

pub(super) use command::StartCce;
use spec::{MOST_STEP, Spec};

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
struct Upgrade {
    cluster: String,
    body: Body,
}

impl Upgrade {
    /// Checks what was typed and puts it over the spec; tells everything that is wrong at once.
    fn new(
        cluster: &str,
        to_version: &str,
        step: Option<u64>,
        spec: Spec,
    ) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let is_id = !cluster.is_empty()
            && cluster.len() <= 64
            && cluster
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_id {
            wrong.push(
                "--cluster must be the cluster's id, letters, digits and -, as the console and the label cluster_id show it".to_owned(),
            );
        }
        if let Some(advice) = spec::version_advice(to_version) {
            wrong.push(format!("--to-version {advice}"));
        }
        if step.is_some_and(|step| !(1..=MOST_STEP).contains(&step)) {
            wrong.push(format!(
                "--step must be a whole number from 1 to {MOST_STEP}: the nodes that are upgraded at the same time, at most"
            ));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            cluster: cluster.to_owned(),
            body: Body::new(spec.into_action(to_version, step)),
        })
    }

    /// Describes the rest of the request, a sentence each.
    fn remarks(&self) -> Vec<String> {
        let action = self.action();
        let step = action.strategy.in_place_rolling_update.user_defined_step;
        let mut remarks = vec![format!("Nodes at the same time: {step} at most.")];
        for addon in &action.addons {
            remarks.push(format!("Add-on {} goes to {}.", addon.name, addon.version));
        }
        if !action.node_pool_order.is_empty() || !action.node_order.is_empty() {
            remarks.push("The order of node pools or nodes is set by the spec.".to_owned());
        }
        if action.is_only_upgrade == Some(true) {
            remarks.push(
                "The vendor's checks before the upgrade are left out (isOnlyUpgrade).".to_owned(),
            );
        }
        remarks
    }

    fn action(&self) -> &Action {
        &self.body.spec.cluster_upgrade_action
    }

    /// Builds the request. Sends nothing.
    fn order(&self, context: &OpenContext<'_>) -> Result<Order, ApiError> {
        let cce = CceProvider::new(context)?;
        let cluster = call::segment(&self.cluster);
        let (base, path) = cce.client.place(|project| {
            format!(
                "/api/v3/projects/{}/clusters/{cluster}/operation/upgrade",
                call::segment(project)
            )
        });
        Ok(Order::new(Parts {
            call: "UpgradeCluster",
            base,
            path,
            body: text::json::to_string_pretty(&self.body).unwrap_or_default(),
            needs: "cce:cluster:upgrade",
            console: "the CCE console: choose the cluster, then Cluster Upgrade",
            refusals: &[],
            read: accepted,
            explain,
            signer: Box::new(cce),
        }))
    }
}

impl Signer for CceProvider {
    fn sign(&self) -> Signing<'_> {
        Box::pin(self.client.vendor())
    }
}

/// `metadata.uid` is the task's id. What lacks it is not the answer that the page documents.
fn accepted(answer: &Answer) -> Result<Accepted, ApiError> {
    let body: Value = answer.json()?;
    let action = &body["spec"]["clusterUpgradeAction"];
    let text = |value: &Value| {
        let text = clean(value.as_str().unwrap_or_default());
        (!text.is_empty()).then_some(text)
    };
    let task_id = text(&body["metadata"]["uid"]);
    if task_id.is_none() {
        let what = "the answer does not say that the upgrade was taken: it names no task";
        let error = ApiError::new(Reason::Protocol, what);
        let code = text(&body["errorCode"]).or_else(|| text(&body["error_code"]));
        return Err(match code {
            Some(code) => error.with_code(code),
            None => error,
        });
    }
    Ok(Accepted {
        task_id,
        from: text(&action["version"]),
        to: text(&action["targetVersion"]),
        platform: text(&action["targetPlatformVersion"]),
        request_id: answer
            .header("x-request-id")
            .map(clean)
            .filter(|id| !id.is_empty()),
    })
}

/// A body of CCE's has codes of two layers, and beside a general text one that says what is really
/// wrong. A gateway's text can hold the key: it has no such field, and is not shown.
fn explain(answer: &Answer, mut error: ApiError) -> ApiError {
    let is_services = error
        .code
        .as_deref()
        .and_then(|code| code.get(..3))
        .is_some_and(|service| service.eq_ignore_ascii_case("CCE"));
    let body: Option<Value> = crate::json::read(&answer.body).ok();
    let detail = body.as_ref().and_then(|body| body["message"].as_str());
    let detail = clean(detail.unwrap_or_default());
    if is_services && !detail.is_empty() && !error.message.contains(&detail) {
        error.message = format!("{}: {detail}", error.message);
    }
    let codes = body
        .as_ref()
        .map(|body| [&body["error_code"], &body["errorCode"]]);
    if let Some([Some(first), Some(second)]) = codes.map(|codes| codes.map(Value::as_str))
        && is_services
        && first != second
    {
        error.code = Some(clean(&format!("{first}, {second}")));
    }
    error
}

#[cfg(test)]
mod tests;
