//! Pages of the node list.

use std::collections::BTreeSet;
use std::future::Future;

use super::LIST_NODES;
use super::wire::{self, Node};
use crate::cloud::kit::paginate::{List, Next, Page, paginate};
use crate::http::ApiError;

/// Nodes asked for at once: of 2000, which is the most, an answer could be over the body cap.
pub(super) const NODES_A_PAGE: &str = "500";

/// Nodes of the pages so far.
#[derive(Default)]
struct Nodes {
    nodes: Vec<Node>,
    uids: BTreeSet<String>,
}

impl List for Nodes {
    type Entries = Vec<Node>;
    const NOUN: &'static str = "nodes";
    const ADVICE: &'static str = "tell the maintainers";
    const MAX_PAGES: u32 = 100;
    /// Far more nodes than a cluster can have, should a cloud not keep to the size of a page.
    const MAX_ENTRIES: usize = 500_000;

    /// Adds the nodes that no page before had: an API that does not know markers gives the first page
    /// again.
    fn add(&mut self, nodes: Vec<Node>) {
        let begin = self.nodes.len();
        let is_new = |node: &Node| !self.uids.contains(&node.metadata.uid);
        self.nodes.extend(nodes.into_iter().filter(is_new));
        let fresh = self.nodes.iter().skip(begin).map(|n| &n.metadata.uid);
        self.uids
            .extend(fresh.filter(|uid| !uid.is_empty()).cloned());
    }

    fn len(&self) -> usize {
        self.nodes.len()
    }
}

/// Reads pages until there is no next marker.
pub(super) async fn pages<F>(fetch: impl Fn(Option<String>) -> F) -> Result<Vec<Node>, ApiError>
where
    F: Future<Output = Result<wire::List<Node>, ApiError>>,
{
    let nodes = paginate::<Nodes, _>(|place| {
        let page = fetch(place.marker);
        async move {
            let page = page.await?;
            Ok(Page {
                received: page.items.len(),
                entries: page.items,
                left_out: 0,
                bytes: 0,
                total: None,
                next: Next::Marker(page.next_marker),
            })
        }
    });
    match nodes.await {
        Ok(nodes) => Ok(nodes.nodes),
        Err(error) if error.call.is_empty() => Err(error.of(LIST_NODES.name)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
