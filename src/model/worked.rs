//! Work on nodes as a list: a key of two parts is no key of JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{NodeKey, Span};

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    node: &'a NodeKey,
    #[serde(flatten)]
    work: &'a Span,
}

#[derive(Deserialize)]
struct Read {
    #[serde(flatten)]
    node: NodeKey,
    #[serde(flatten)]
    work: Span,
}

pub(super) fn serialize<S: Serializer>(
    worked: &BTreeMap<NodeKey, Span>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(worked.iter().map(|(node, work)| Written { node, work }))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<BTreeMap<NodeKey, Span>>, D::Error> {
    let worked = Vec::<Read>::deserialize(deserializer)?;
    let worked = worked.into_iter().map(|read| (read.node, read.work));
    Ok(Arc::new(worked.collect()))
}
