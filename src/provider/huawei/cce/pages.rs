//! Pages of the node list.

use std::collections::BTreeSet;
use std::future::Future;

use super::LIST_NODES;
use super::wire::{List, Node};
use crate::http::{ApiError, Reason};

/// Nodes asked for at once: of 2000, which is the most, an answer could be over the body cap.
pub(super) const NODES_A_PAGE: &str = "500";

/// Pages of nodes; together far more nodes than a cluster can have.
const MAX_PAGES: usize = 100;

/// Nodes of all pages, should a cloud not keep to the size of a page.
const MAX_LISTED: usize = 500_000;

/// Reads pages until there is no next marker. A marker that comes again ends it too: an API that
/// does not know `marker` gives the first page each time, whose nodes then count once.
pub(super) async fn pages<F>(page: impl Fn(Option<String>) -> F) -> Result<Vec<Node>, ApiError>
where
    F: Future<Output = Result<List<Node>, ApiError>>,
{
    let mut nodes = Vec::new();
    let (mut markers, mut uids) = (BTreeSet::new(), BTreeSet::new());
    let mut marker = None;
    for _ in 0..MAX_PAGES {
        let list = page(marker).await?;
        let begin = nodes.len();
        let is_new = |node: &Node| !uids.contains(&node.metadata.uid);
        nodes.extend(list.items.into_iter().filter(is_new));
        let next = list.next_marker;
        if nodes.len() > MAX_LISTED {
            break;
        }
        if next.is_empty() || !markers.insert(next.clone()) {
            return Ok(nodes);
        }
        let fresh = nodes.iter().skip(begin).map(|node| &node.metadata.uid);
        uids.extend(fresh.filter(|uid| !uid.is_empty()).cloned());
        marker = Some(next);
    }
    Err(ApiError::new(
        Reason::Protocol,
        format!("the list of nodes does not end after {MAX_PAGES} pages or {MAX_LISTED} nodes; tell the maintainers"),
    )
    .of(LIST_NODES.name))
}

#[cfg(test)]
mod tests;
