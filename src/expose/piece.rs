//! Lines of one family in a shard, compressed in runs of neighbouring clusters. A cluster that changes is
//! compressed again with the others of its run only: most of the shard stand in no cache of the processor.

use std::ops::Range;
use std::sync::Arc;

use crc32fast::Hasher;

use super::checksum;
use super::gzip::{Block, Deflater};
use super::shard::Rendered;
use super::shared_list::SharedList;

/// Length of the text from which a run is full: longer ones compress little better.
const FULL: usize = 32 << 10;

/// Longest text of a new run of more than one cluster. One that changes may grow to twice that.
const MOST: usize = 2 * FULL;

/// Longest text that is taken from a compressed run: that of a family with few lines of each cluster. To write a
/// longer one anew is faster.
const MOST_INFLATED: u64 = 16 << 10;

/// Lines of one family in a shard.
#[derive(Debug)]
pub(crate) struct Piece {
    /// In the order of the clusters.
    runs: Box<[Arc<Run>]>,
    /// Checksum of the whole text.
    pub(crate) sum: Hasher,
}

/// Lines of neighbouring clusters.
#[derive(Debug)]
struct Run {
    block: Block,
    /// By cluster: length of its lines.
    lengths: Box<[u32]>,
}

impl Piece {
    /// Builds the piece of a family.
    pub(crate) fn new(
        family: usize,
        clusters: &SharedList<Rendered>,
        deflater: &mut Deflater,
    ) -> Self {
        let (mut runs, mut lengths) = (Vec::new(), Vec::new());
        let mut text = deflater.take_text();
        for cluster in clusters.iter() {
            let start = text.len();
            let length = write(cluster, family, &mut text);
            if !lengths.is_empty() && text.len() > MOST {
                let full = std::mem::take(&mut lengths);
                let next = text.split_off(start);
                runs.push(Arc::new(Run::new(&text, full, deflater)));
                text = next;
            }
            lengths.push(length);
            if text.len() >= FULL {
                let full = std::mem::take(&mut lengths);
                runs.push(Arc::new(Run::new(&text, full, deflater)));
                text.clear();
            }
        }
        if !lengths.is_empty() {
            runs.push(Arc::new(Run::new(&text, lengths, deflater)));
        }
        deflater.keep_text(text);
        Self {
            sum: checksum::join(runs.iter().map(|run| &run.block.sum)),
            runs: runs.into(),
        }
    }

    /// Builds the piece of a family with other clusters at the places that `differ`, which are in order.
    pub(crate) fn with(
        &self,
        differ: &[usize],
        family: usize,
        clusters: &SharedList<Rendered>,
        deflater: &mut Deflater,
    ) -> Self {
        let mut end = 0;
        let runs = self.runs.iter().map(|run| {
            let places = end..end + run.lengths.len();
            end = places.end;
            if differ.iter().any(|place| places.contains(place)) {
                Arc::new(run.with(differ, places, family, clusters, deflater))
            } else {
                run.clone()
            }
        });
        let runs: Box<_> = runs.collect();
        if is_uneven(&runs) {
            return Self::new(family, clusters, deflater);
        }
        Self {
            sum: checksum::rejoin(&self.sum, sums(&self.runs), sums(&runs)),
            runs,
        }
    }

    /// Returns the compressed lines, in parts.
    pub(crate) fn deflated(&self) -> impl Iterator<Item = &[u8]> {
        self.runs.iter().map(|run| &*run.block.deflated)
    }
}

impl Run {
    fn new(text: &str, lengths: Vec<u32>, deflater: &mut Deflater) -> Self {
        Self {
            block: Block::new(text, deflater),
            lengths: lengths.into(),
        }
    }

    /// Builds the run of the clusters at these places, of which some `differ`. Short lines of the others are taken
    /// from here.
    fn with(
        &self,
        differ: &[usize],
        places: Range<usize>,
        family: usize,
        clusters: &SharedList<Rendered>,
        deflater: &mut Deflater,
    ) -> Self {
        let is_short = self.lengths.len() > 1 && self.block.sum.total_len() <= MOST_INFLATED;
        let known = is_short.then(|| deflater.inflate(&self.block)).flatten();
        let mut text = deflater.take_text();
        let mut read = 0;
        let lengths = places.zip(&self.lengths).map(|(place, length)| {
            let from = read;
            read += *length as usize;
            let known = known.as_ref().and_then(|known| known.get(from..read));
            match known.filter(|_| !differ.contains(&place)) {
                Some(lines) => {
                    text.push_str(lines);
                    *length
                }
                None => write(clusters.get(place), family, &mut text),
            }
        });
        let lengths = lengths.collect();
        let run = Self::new(&text, lengths, deflater);
        deflater.keep_text(text);
        if let Some(known) = known {
            deflater.keep_inflated(known);
        }
        run
    }
}

/// Writes the lines of a cluster, and returns their length.
fn write(cluster: &Rendered, family: usize, text: &mut String) -> u32 {
    let start = text.len();
    cluster.series.write(family, text);
    u32::try_from(text.len() - start).unwrap_or(u32::MAX)
}

/// Returns whether runs have grown or shrunk so far that other clusters belong together.
fn is_uneven(runs: &[Arc<Run>]) -> bool {
    let length = |run: &Arc<Run>| run.block.sum.total_len();
    let is_long = |run: &Arc<Run>| run.lengths.len() > 1 && length(run) > 2 * MOST as u64;
    let all: u64 = runs.iter().map(length).sum();
    let is_short = runs.len() > 1 && all < runs.len() as u64 * FULL as u64 / 4;
    is_short || runs.iter().any(is_long)
}

fn sums(runs: &[Arc<Run>]) -> impl ExactSizeIterator<Item = &Hasher> + Clone {
    runs.iter().map(|run| &run.block.sum)
}

#[cfg(test)]
mod tests {
    use super::super::check::{at, cluster, view};
    use super::super::family::FAMILIES;
    use super::super::series::Draft;
    use super::*;
    use crate::model::{ClusterState, Kind, Node, NodeStatus, Upgrade, UpgradeStatus};

    /// Returns the place of the family that has most lines.
    fn node_status() -> usize {
        let name = "rolling_upgrade_node_status";
        FAMILIES.iter().position(|f| f.name == name).unwrap()
    }

    fn rendered(number: usize, nodes: usize, status: NodeStatus) -> Arc<Rendered> {
        let mut upgrade = Upgrade::new(Kind::Version, UpgradeStatus::Running);
        let node = |place| Node::new(&format!("node-{place}"), "data", status, "x");
        upgrade.nodes = (0..nodes).map(node).collect();
        let state = ClusterState {
            upgrades: vec![view(upgrade)],
            ..cluster(&format!("{number:04}"))
        };
        let state = Arc::new(state);
        Arc::new(Rendered::new(&state, at(0), &mut Draft::default()))
    }

    fn text(piece: &Piece) -> String {
        let mut deflater = Deflater::new();
        let texts = piece.runs.iter().map(|run| deflater.inflate(&run.block));
        texts.map(Option::unwrap).collect()
    }

    #[test]
    fn a_cluster_that_changes_is_compressed_with_its_run_only() {
        let (family, mut deflater) = (node_status(), Deflater::new());
        let waiting = |number| rendered(number, 20, NodeStatus::Waiting);
        let clusters: Vec<_> = (0..40).map(waiting).collect();
        let mut clusters = SharedList::from(clusters);
        let before = Piece::new(family, &clusters, &mut deflater);
        assert!((10..=40).contains(&before.runs.len()));
        clusters.replace(17, rendered(17, 20, NodeStatus::Failed));
        let now = before.with(&[17], family, &clusters, &mut deflater);
        let pairs = before.runs.iter().zip(&now.runs);
        let differ = pairs.filter(|(before, now)| !Arc::ptr_eq(before, now));
        assert_eq!((differ.count(), now.runs.len()), (1, before.runs.len()));
        let anew = Piece::new(family, &clusters, &mut deflater);
        assert!(text(&now) == text(&anew));
        assert_eq!(now.sum.clone().finalize(), anew.sum.clone().finalize());
    }

    #[test]
    fn short_lines_of_other_clusters_are_taken_from_the_run() {
        let (family, mut deflater) = (node_status(), Deflater::new());
        let clusters: Vec<_> = (0..10)
            .map(|n| rendered(n, 1, NodeStatus::Waiting))
            .collect();
        let mut clusters = SharedList::from(clusters);
        let before = Piece::new(family, &clusters, &mut deflater);
        assert!((1..MOST_INFLATED).contains(&before.sum.total_len()));
        for (place, nodes) in [(4, 2), (0, 0), (9, 3)] {
            clusters.replace(place, rendered(place, nodes, NodeStatus::Failed));
        }
        let now = before.with(&[0, 4, 9], family, &clusters, &mut deflater);
        // Those that are said to be unchanged are not written again.
        let other = rendered(7, 1, NodeStatus::Failed);
        let mut others = SharedList::from(clusters.iter().cloned().collect::<Vec<_>>());
        others.replace(7, other);
        let taken = before.with(&[0, 4, 9], family, &others, &mut deflater);
        let anew = Piece::new(family, &clusters, &mut deflater);
        assert_eq!((text(&now), text(&taken)), (text(&anew), text(&anew)));
    }

    #[test]
    fn runs_are_made_anew_where_lines_become_many_or_few() {
        let (family, mut deflater) = (node_status(), Deflater::new());
        let clusters: Vec<_> = (0..30)
            .map(|n| rendered(n, 1, NodeStatus::Waiting))
            .collect();
        let mut clusters = SharedList::from(clusters);
        let mut piece = Piece::new(family, &clusters, &mut deflater);
        let mut lengths = Vec::new();
        for nodes in [60, 1, 300, 0] {
            for place in 0..clusters.len() {
                clusters.replace(place, rendered(place, nodes, NodeStatus::Waiting));
                piece = piece.with(&[place], family, &clusters, &mut deflater);
                let anew = Piece::new(family, &clusters, &mut deflater);
                assert!(text(&piece) == text(&anew), "{nodes} nodes, {place}");
                let long = piece.runs.iter().filter(|run| {
                    run.lengths.len() > 1 && run.block.sum.total_len() > 2 * MOST as u64
                });
                assert_eq!(long.count(), 0);
            }
            lengths.push(piece.runs.len());
        }
        assert_eq!(lengths, [30, 1, 30, 1]);
    }
}
