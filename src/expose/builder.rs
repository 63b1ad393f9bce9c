//! From one page to the next: only the clusters that changed are rendered, and only their shards compressed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use super::degraded;
use super::gzip::Deflater;
use super::page::Page;
use super::series::Draft;
use super::shard::{Changed, Rendered, Shard, deal};
use super::tree::Tree;
use crate::clock::{Timers, Times};
use crate::model::{ClusterState, FailingCalls, Key};
use crate::store::Snapshot;

/// Builds each page from the one before.
#[derive(Debug, Default)]
pub(crate) struct PageBuilder {
    /// Snapshot that the page shows.
    seen: Snapshot,
    page: Arc<Page>,
    /// Instants at which the clock alone makes lines wrong.
    flips: Timers<Key>,
    failing: FailingCalls,
    deflater: Deflater,
    draft: Draft,
    /// Number of clusters rendered so far.
    pub(crate) rendered: u64,
}

impl PageBuilder {
    /// Builds the page of these clusters at this moment.
    pub(crate) fn next(&mut self, snapshot: &Snapshot, times: &Times) -> Arc<Page> {
        let mut states: BTreeMap<Key, Option<&Arc<ClusterState>>> = BTreeMap::new();
        for key in self.flips.passed(times) {
            let state = snapshot.get(&key);
            states.insert(key, state);
        }
        let mut is_same_list = true;
        for change in snapshot.changes(&self.seen) {
            self.failing
                .replace(change.before.map(|s| &**s), change.now.map(|s| &**s));
            is_same_list &= change.before.is_some() && change.now.is_some();
            if let Some(state) = change.now.or(change.before) {
                let key = &state.key;
                let [old, new] = [change.before, change.now]
                    .map(|state| state.into_iter().flat_map(|state| state.flips()));
                self.flips.replace(&key.account, key, old, new);
                states.insert(key.clone(), change.now);
            }
        }
        let rendered: BTreeMap<Key, Option<Arc<Rendered>>> = states
            .into_iter()
            .map(|(key, state)| {
                let now = times.of(&key.account);
                let rendered =
                    state.map(|state| Arc::new(Rendered::new(state, now, &mut self.draft)));
                (key, rendered)
            })
            .collect();
        self.rendered += rendered.values().flatten().count() as u64;
        let (tree, changed) = match &self.page.tree {
            Some(tree) if is_same_list => self.replace(tree.clone(), rendered),
            tree => (self.deal(tree.clone().as_ref(), rendered), Changed::ALL),
        };
        self.seen = snapshot.clone();
        let degraded = degraded::family(&self.failing);
        let page = Page::next(&self.page, tree, changed, degraded);
        self.page = Arc::new(page);
        self.page.clone()
    }

    /// Returns the time until the clock alone changes the page, live lines aside.
    pub(crate) fn until_next_flip(&self, times: &Times) -> Option<SignedDuration> {
        self.flips.until_next(times)
    }

    /// Puts clusters in the place of themselves.
    fn replace(
        &mut self,
        mut tree: Tree,
        rendered: BTreeMap<Key, Option<Arc<Rendered>>>,
    ) -> (Option<Tree>, Changed) {
        let mut changed = Changed::default();
        let mut rendered = rendered.into_values().flatten().peekable();
        while let Some(first) = rendered.peek() {
            let (place, old) = tree.find(&first.state.key);
            let old = old.clone();
            let mut clusters = old.clusters.clone();
            while let Some(new) = rendered.peek()
                && let Ok(at) = old.place(&new.state.key)
                && let Some(new) = rendered.next()
            {
                clusters.replace(at, new);
            }
            let (shard, differs) = Shard::next(Some(&old), clusters, &mut self.deflater);
            tree = tree.with(place, shard, differs);
            changed = changed.or(differs);
        }
        (Some(tree), changed)
    }

    /// Puts clusters, removes those that left, and deals all to shards again.
    fn deal(
        &mut self,
        tree: Option<&Tree>,
        rendered: BTreeMap<Key, Option<Arc<Rendered>>>,
    ) -> Option<Tree> {
        let shards = tree.map(Tree::shards).unwrap_or_default();
        let mut groups: Vec<_> = shards
            .iter()
            .enumerate()
            .map(|(place, shard)| {
                (
                    Some(place),
                    shard.clusters.iter().cloned().collect::<Vec<_>>(),
                )
            })
            .collect();
        if groups.is_empty() {
            groups.push((None, Vec::new()));
        }
        let mut touched = BTreeSet::new();
        let mut place = 0;
        for (key, new) in rendered {
            while shards
                .get(place + 1)
                .is_some_and(|next| next.starts_by(&key))
            {
                place += 1;
            }
            touched.insert(place);
            let clusters = &mut groups[place].1;
            match (clusters.binary_search_by(|c| c.state.key.cmp(&key)), new) {
                (Ok(at), Some(new)) => clusters[at] = new,
                (Ok(at), None) => drop(clusters.remove(at)),
                (Err(at), Some(new)) => clusters.insert(at, new),
                (Err(_), None) => {}
            }
        }
        let shards = deal(groups)
            .into_iter()
            .map(|(origin, clusters)| match origin {
                Some(place) if !touched.contains(&place) => shards[place].clone(),
                origin => {
                    let old = origin.map(|place| shards[place]);
                    Shard::next(old, clusters.into(), &mut self.deflater).0
                }
            });
        Tree::new(shards.collect())
    }
}
