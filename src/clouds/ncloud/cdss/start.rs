//! The request that starts a rolling upgrade of a CDSS cluster, as the vendor documents it.

mod command;

use serde::Serialize;

use super::{CdssProvider, SERVICE};
use crate::cloud::OpenContext;
use crate::cloud::start::{Accepted, Order, Parts, Signer, Signing};
use crate::cloud::transport::{Answer, Vendor};
use crate::http::ApiError;
use crate::json;
use crate::model::Reason;
use crate::text::{self, clean};

pub(super) use command::StartCdss;

/// After the prefix of version and region.
const PATH: &str = "/cluster/rollingUpgrade";

/// The target is not later than the version that runs: the one refusal in the vendor's page.
const REFUSALS: &[&str] = &["10153"];

/// The largest number that every reader of JSON reads right.
const MOST: u64 = (1 << 53) - 1;

/// The service's integers are of 32 bits.
const INTEGER: u64 = 0x7fff_ffff;

/// What is asked for: the body, with the fields in the order of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Upgrade {
    /// The cluster's number: an integer, although the list gives it as text.
    service_group_instance_no: u64,
    /// The code of the Kafka version to go to.
    #[serde(rename = "upgradeKafkaVersionCode")]
    version_code: u64,
    /// The number of a config group that was made for that version.
    #[serde(rename = "upgradeConfigGroupNo")]
    config_group: u64,
}

impl Upgrade {
    /// Checks what was typed; tells everything that is wrong at once.
    fn new(cluster: &str, to_version: &str, config_group: &str) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let mut read = |flag: &str, text: &str, most, advice: &str| {
            let number = number(text, most);
            if number.is_none() {
                wrong.push(format!("{flag} must be a whole number, {advice}"));
            }
            number.unwrap_or_default()
        };
        let upgrade = Self {
            service_group_instance_no: read(
                "--cluster",
                cluster,
                MOST,
                "the cluster's as the console and the label cluster_id show it",
            ),
            version_code: read(
                "--to-version",
                to_version,
                INTEGER,
                "the code that getCDSSVersionList gives for a Kafka version, such as 2823006 for 2.8.2",
            ),
            config_group: read(
                "--config-group",
                config_group,
                INTEGER,
                "that of a config group made for the Kafka version to go to, as getKafkaVersionConfigGroupList gives it",
            ),
        };
        if wrong.is_empty() {
            Ok(upgrade)
        } else {
            Err(wrong)
        }
    }

    /// Builds the request. Sends nothing.
    fn order(&self, context: OpenContext<'_>) -> Result<Order, ApiError> {
        let cdss = CdssProvider::open(context)?;
        let client = &cdss.client;
        Ok(Order::new(Parts {
            call: "rollingUpgrade",
            base: client.base.clone(),
            path: format!("{}{PATH}", client.prefix),
            body: text::json::to_string_pretty(self).unwrap_or_default(),
            needs: "a policy that may change clusters, such as NCP_VPC_CLOUD_DATA_STREAMING_SERVICE_MANAGER for its sub-account",
            console: "the console under Big Data & Analytics > Cloud Data Streaming Service > Cluster",
            refusals: REFUSALS,
            read: accepted,
            explain: |_, error| error,
            signer: Box::new(cdss),
        }))
    }
}

impl Signer for CdssProvider {
    fn sign(&self) -> Signing<'_> {
        Box::pin(async { Ok(Box::new(self.client.clone()) as Box<dyn Vendor + '_>) })
    }
}

/// Digits and nothing else, without a zero before them.
fn number(text: &str, most: u64) -> Option<u64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|_| is_plain);
    number.filter(|number| *number <= most)
}

/// `{"code": 0, "message": "SUCCESS", "result": true, "requestId": …}`. A code of 0 with another
/// result is nothing that the vendor documents.
fn accepted(answer: &Answer) -> Result<Accepted, ApiError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        #[serde(default)]
        result: serde_json::Value,
        #[serde(default, deserialize_with = "json::text")]
        request_id: String,
    }
    let body: Body = answer.json()?;
    if body.result != true {
        let what = format!(
            "{} does not say that the upgrade was taken: its result is not true",
            SERVICE.host
        );
        return Err(ApiError::new(Reason::Protocol, what));
    }
    Ok(Accepted {
        request_id: Some(clean(&body.request_id)).filter(|id| !id.is_empty()),
        ..Accepted::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::start::StartRequest as _;

    /// The body of the vendor's example, as it stands in its page.
    const EXAMPLE: &str = r#"{
  "serviceGroupInstanceNo": 3432149,
  "upgradeKafkaVersionCode": 2823006,
  "upgradeConfigGroupNo": 170
}"#;

    fn answer(body: &str) -> Answer {
        Answer {
            status: 200,
            headers: reqwest::header::HeaderMap::new(),
            body: body.to_owned().into(),
            skew: None,
        }
    }

    #[test]
    fn the_vendors_example_comes_from_the_flags() {
        let upgrade = Upgrade::new("3432149", "2823006", "170").unwrap();
        assert_eq!(text::json::to_string_pretty(&upgrade).unwrap(), EXAMPLE);
        assert_eq!(upgrade.cluster(), "3432149");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = Upgrade::new("events", "2.8.2", "").unwrap_err();
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert!(wrong[0].starts_with("--cluster must be a whole number"));
        assert!(wrong[1].contains("such as 2823006 for 2.8.2"), "{wrong:?}");
        for bad in ["0", "-1", "+1", "1.0", "01", "1e3", "2147483648", "٣", " 1"] {
            let wrong = Upgrade::new("1", "1", bad).unwrap_err();
            assert!(wrong[0].starts_with("--config-group"), "{bad}");
        }
        assert!(Upgrade::new("9007199254740991", "1", "1").is_ok());
        assert!(Upgrade::new("9007199254740992", "1", "1").is_err());
    }

    #[test]
    fn the_vendors_answer_is_read() {
        let read = accepted(&answer(
            r#"{"code":0,"message":"SUCCESS","result":true,"requestId":"ec3559a4-00c8-42c7-ac87-6a60ba4df08e"}"#,
        ));
        let id = read.unwrap().request_id;
        assert_eq!(id.as_deref(), Some("ec3559a4-00c8-42c7-ac87-6a60ba4df08e"));
        for odd in [
            r#"{"code":0,"result":false}"#,
            r#"{"code":0}"#,
            "",
            "<html>",
        ] {
            let error = accepted(&answer(odd)).unwrap_err();
            assert_eq!(error.reason, Reason::Protocol, "{odd}");
        }
    }
}
