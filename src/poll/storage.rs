//! What lasts of the polls: knowledge of clusters goes to the storage, and what it held at the start comes
//! back when its product starts.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use parking_lot::{Mutex, RwLockReadGuard};

use super::cluster::WatchedCluster;
use super::generation::Generation;
use super::metrics::Counts;
use crate::model::{CallNames, ClusterState, DiscoveryState, PastCluster, PastUpgrade};
use crate::store::disk::database::{Contents, StoredDiscovery, StoredKey};
use crate::store::disk::record::{ClusterRecord, DiscoveryRecord};
use crate::store::disk::{Disk, Known};
use crate::text;

/// Storage of what the polls learn. Without a disk nothing is kept.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    disk: Option<Disk>,
    /// Contents at the start that no product has taken yet.
    contents: Arc<Mutex<Contents>>,
}

impl Storage {
    /// Builds the storage on a disk with these contents.
    pub fn new(disk: Disk, contents: Contents) -> Self {
        Self {
            disk: Some(disk),
            contents: Arc::new(Mutex::new(contents)),
        }
    }

    /// Takes the records of the clusters of a product, by id. One that cannot be read is logged and left out.
    pub(super) fn take(&self, generation: &Generation) -> BTreeMap<Arc<str>, ClusterRecord> {
        let mut contents = self.contents.lock();
        let Contents {
            clusters, polls, ..
        } = &mut *contents;
        let of_product = key(generation, "");
        let mut records = Vec::new();
        clusters.retain(|key, record| {
            let is_of_product = (&key.account, &key.product, &key.location)
                == (
                    &of_product.account,
                    &of_product.product,
                    &of_product.location,
                );
            if is_of_product {
                let polled = polls.remove(key);
                records.push((key.clone(), std::mem::take(record), polled));
            }
            !is_of_product
        });
        let read =
            records.into_iter().filter_map(|(key, record, polled)| {
                match ClusterRecord::read(&record, polled) {
                    Ok(record) => Some((key.id.into(), record)),
                    Err(error) => {
                        tracing::warn!(
                            account = key.account, product = key.product, cluster = key.id, %error,
                            "A stored record cannot be read; the cluster is watched as a new one."
                        );
                        None
                    }
                }
            });
        read.collect()
    }

    /// Takes the record of the discovery of a product. One that cannot be read is logged and left out.
    pub(super) fn take_discovery(&self, generation: &Generation) -> Option<DiscoveryRecord> {
        let key = discovery_key(generation);
        let record = self.contents.lock().discoveries.remove(&key)?;
        let read = serde_json::from_str(&record);
        let unreadable = |error: &serde_json::Error| {
            tracing::warn!(
                account = key.account, product = key.product, %error,
                "The stored record of a discovery cannot be read; it begins anew."
            );
        };
        read.inspect_err(unreadable).ok()
    }

    /// Takes how many upgrades of a product had ended, by outcome. The first product of an account in
    /// several regions takes those of all.
    pub(super) fn take_ended(&self, generation: &Generation) -> BTreeMap<String, u64> {
        let (account, product) = (&*generation.account.name, generation.product().name);
        let mut ended = BTreeMap::new();
        self.contents
            .lock()
            .ended
            .retain(|(of, name, outcome), total| {
                let is_of_product = of == account && name == product;
                if is_of_product {
                    ended.insert(outcome.clone(), *total);
                }
                !is_of_product
            });
        ended
    }

    /// Forgets the contents that no product took: the config does not select those clusters and products any
    /// more.
    pub(super) fn forget_rest(&self) {
        let rest = {
            let mut contents = self.contents.lock();
            // A product that a later config adds goes on with those of all accounts.
            let durations = std::mem::take(&mut contents.durations);
            let later = Contents {
                durations,
                ..Contents::default()
            };
            std::mem::replace(&mut *contents, later)
        };
        if let Some(disk) = &self.disk {
            rest.clusters.into_keys().for_each(|key| disk.remove(key));
            let discoveries = rest.discoveries.into_keys();
            discoveries.for_each(|key| disk.put_discovery(key, None));
            rest.ended
                .into_keys()
                .for_each(|key| disk.remove_ended(key));
        }
    }

    /// Returns a guard: what is stored while it is held is stored as a whole.
    pub(super) fn hold(&self) -> Option<RwLockReadGuard<'_, ()>> {
        self.disk.as_ref().map(Disk::hold)
    }

    /// Stores what is known of a cluster.
    pub(super) fn put(
        &self,
        generation: &Generation,
        cluster: &WatchedCluster,
        state: &Arc<ClusterState>,
        clock_step: SignedDuration,
    ) {
        if let Some(disk) = self.disk.as_ref().filter(|_| cluster.has_times()) {
            let key = key(generation, &state.key.id);
            let known = Known {
                state: state.clone(),
                memory: cluster.memory().clone(),
                clock_step,
                is_named: cluster.wanted().named,
            };
            disk.put(key, known);
        }
    }

    /// Stores how the discovery of a product goes.
    pub(super) fn put_discovery(
        &self,
        generation: &Generation,
        state: &DiscoveryState,
        clock_step: SignedDuration,
    ) {
        let record = DiscoveryRecord::new(state, clock_step);
        if let Some(disk) = &self.disk
            // It cannot fail: they are texts and times.
            && let Ok(record) = text::json::to_string(&record)
        {
            disk.put_discovery(discovery_key(generation), Some(record));
        }
    }

    /// Forgets the discovery of a product.
    pub(super) fn remove_discovery(&self, generation: &Generation) {
        if let Some(disk) = &self.disk {
            disk.put_discovery(discovery_key(generation), None);
        }
    }

    /// Forgets a cluster.
    pub(super) fn remove(&self, generation: &Generation, id: &str) {
        if let Some(disk) = &self.disk {
            disk.remove(key(generation, id));
        }
    }

    /// Takes the durations of ended upgrades of a product by outcome, which all its accounts share. Those that
    /// cannot be read are logged and left out.
    pub(super) fn take_durations(&self, product: &str) -> BTreeMap<String, Counts> {
        let mut durations = BTreeMap::new();
        let mut contents = self.contents.lock();
        contents.durations.retain(|(of, outcome), record| {
            if of != product {
                return true;
            }
            match serde_json::from_str(record) {
                Ok(counts) => drop(durations.insert(outcome.clone(), counts)),
                Err(error) => tracing::warn!(
                    product, outcome, %error,
                    "The stored durations of ended upgrades cannot be read; they begin anew."
                ),
            }
            false
        });
        durations
    }

    /// Stores an upgrade that ended.
    pub(super) fn put_past(&self, upgrade: Arc<PastUpgrade>) {
        if let Some(disk) = &self.disk {
            disk.put_past(upgrade);
        }
    }

    /// Stores the durations of all upgrades of a product that ended in this way.
    pub(super) fn put_durations(&self, generation: &Generation, outcome: &str, all: &Counts) {
        if let Some(disk) = &self.disk
            // It cannot fail: they are numbers.
            && let Ok(all) = text::json::to_string(all)
        {
            disk.put_durations(generation.product().name, outcome, all);
        }
    }

    /// Stores how many upgrades of a product have ended in this way.
    pub(super) fn put_ended(&self, generation: &Generation, outcome: &'static str, total: u64) {
        if let Some(disk) = &self.disk {
            let (account, product) = (&generation.account.name, generation.product().name);
            disk.put_ended(account, product, outcome, total);
        }
    }
}

/// Returns the identity of a cluster in the history.
pub(super) fn cluster(generation: &Generation, id: &str) -> PastCluster {
    let StoredKey {
        account,
        product,
        location,
        id: cluster_id,
    } = key(generation, id);
    PastCluster {
        account,
        product,
        location,
        cluster_id,
    }
}

fn key(generation: &Generation, id: &str) -> StoredKey {
    StoredKey {
        account: generation.account.name.to_string(),
        product: generation.product().name.to_owned(),
        location: generation.account.cloud.place(),
        id: id.to_owned(),
    }
}

fn discovery_key(generation: &Generation) -> StoredDiscovery {
    let StoredKey {
        account,
        product,
        location,
        ..
    } = key(generation, "");
    StoredDiscovery {
        account,
        product,
        location,
    }
}

/// Returns the names of the calls of a product.
pub(super) fn call_names(generation: &Generation) -> Vec<CallNames> {
    let calls = generation.product().calls.iter();
    let names = calls.map(|call| CallNames {
        endpoint: call.name,
        missing: call.secondary.map_or("", |secondary| secondary.tells),
        permission: call.secondary.map_or("", |secondary| secondary.permission),
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::path::Path;

    use tempfile::tempdir;

    use super::*;
    use crate::store::history::History;

    async fn open(folder: &Path) -> (Disk, Contents) {
        Disk::open(folder.to_owned(), History::default()).await
    }

    #[tokio::test]
    async fn forgets_totals_and_discoveries_that_no_product_took() {
        let folder = tempdir().unwrap();
        let (disk, _) = open(folder.path()).await;
        let key = StoredDiscovery {
            account: "old".to_owned(),
            product: "ses".to_owned(),
            location: "KR".to_owned(),
        };
        disk.put_discovery(key, Some("{}".to_owned()));
        disk.put_ended("old", "ses", "failed", 1);
        disk.run(ready(())).await;
        let (disk, contents) = open(folder.path()).await;
        assert_eq!((contents.ended.len(), contents.discoveries.len()), (1, 1));
        Storage::new(disk.clone(), contents).forget_rest();
        disk.run(ready(())).await;
        assert_eq!(open(folder.path()).await.1, Contents::default());
    }
}
