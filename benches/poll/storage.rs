//! Storage beside the exporter's tasks, as the pollers use it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use rolling_upgrade_exporter::model::{ClusterState, Memory, NodeKey, Seen, Span, UpgradeView};
use rolling_upgrade_exporter::store::disk::database::StoredKey;
use rolling_upgrade_exporter::store::disk::{Disk, Known};
use rolling_upgrade_exporter::store::history::History;
use tempfile::TempDir;

/// Storage in a folder that is removed with it.
#[derive(Debug)]
pub(crate) struct Storage {
    disk: Disk,
    _folder: TempDir,
}

impl Storage {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (disk, _) = Disk::open(folder.path().to_owned(), History::default()).await;
        Self {
            disk,
            _folder: folder,
        }
    }

    /// Starts to write changes.
    pub(crate) fn start(&self) {
        tokio::spawn(self.disk.clone().run(std::future::pending()));
    }

    /// Takes what a poll found.
    pub(crate) fn put(&self, state: &Arc<ClusterState>, memory: Arc<Memory>) {
        let key = StoredKey {
            account: state.key.account.to_string(),
            product: state.key.product.to_owned(),
            location: "public/KR".to_owned(),
            id: state.key.id.to_string(),
        };
        let known = Known {
            state: state.clone(),
            memory,
            clock_step: SignedDuration::ZERO,
            is_named: false,
        };
        self.disk.put(key, known);
    }
}

/// Returns the memory of the worker of a cluster.
pub(crate) fn memory(state: &ClusterState) -> Memory {
    let mut memory = Memory::default();
    take(&mut memory, state);
    memory
}

/// Takes a good poll into the memory, which shares what did not change, as that of a poller does.
pub(crate) fn take(memory: &mut Memory, state: &ClusterState) {
    memory.last_success = Some(state.last_success);
    for view in &state.upgrades {
        let known = memory.last(view.upgrade.kind);
        let unchanged = known.filter(|seen| Arc::ptr_eq(&seen.last, &view.upgrade));
        let worked = unchanged.map_or_else(|| worked(view), |seen| seen.worked.clone());
        let seen = Seen {
            started: view.started,
            changed: Some(view.last_progress),
            worked,
            node_work: Some(view.node_work.clone()),
            ..Seen::new(view.upgrade.clone(), view.status_since)
        };
        if known != Some(&seen) {
            memory.upgrades.insert(view.upgrade.kind, Arc::new(seen));
        }
    }
}

fn worked(view: &UpgradeView) -> Arc<BTreeMap<NodeKey, Span>> {
    let nodes = view.upgrade.nodes.iter().zip(&*view.node_work);
    let worked = nodes.filter_map(|(node, work)| Some((node.key.clone(), (*work)?)));
    Arc::new(worked.collect())
}
