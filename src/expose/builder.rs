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
    pub(crate) renderer: Renderer,
}

/// Renders clusters and compresses their shards. Each uses the memory of the one before.
#[derive(Debug, Default)]
pub(crate) struct Renderer {
    deflater: Deflater,
    draft: Draft,
    /// Number of clusters rendered so far.
    pub(crate) rendered: u64,
}

/// News of a cluster.
#[derive(Debug, Clone, Copy, Default)]
struct News<'a> {
    /// State; `None` for a cluster that left.
    state: Option<&'a Arc<ClusterState>>,
    /// The clock alone changes its lines, too.
    is_flipped: bool,
}

impl PageBuilder {
    /// Builds the page of these clusters at this moment.
    pub(crate) fn next(&mut self, snapshot: &Snapshot, times: &Times) -> Arc<Page> {
        let mut news: BTreeMap<Key, News<'_>> = BTreeMap::new();
        for key in self.flips.passed(times) {
            let state = snapshot.get(&key);
            let is_flipped = true;
            news.insert(key, News { state, is_flipped });
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
                news.entry(key.clone()).or_default().state = change.now;
            }
        }
        let (tree, changed) = match self.page.tree.clone() {
            Some(tree) if is_same_list => self.renderer.replace(tree, news, times),
            tree => (self.renderer.deal(tree.as_ref(), news, times), Changed::ALL),
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
}

impl Renderer {
    /// Renders a cluster; `before` are its lines on the page before.
    fn render(
        &mut self,
        state: &Arc<ClusterState>,
        before: Option<&Rendered>,
        times: &Times,
    ) -> Arc<Rendered> {
        self.rendered += 1;
        let now = times.of(&state.key.account);
        Arc::new(match before {
            Some(before) => Rendered::after(before, state, now, &mut self.draft),
            None => Rendered::new(state, now, &mut self.draft),
        })
    }

    /// Puts clusters in the place of themselves.
    fn replace(
        &mut self,
        mut tree: Tree,
        news: BTreeMap<Key, News<'_>>,
        times: &Times,
    ) -> (Option<Tree>, Changed) {
        let mut changed = Changed::default();
        let states = news.into_values();
        let mut states = states
            .filter_map(|new| Some((new.state?, new.is_flipped)))
            .peekable();
        while let Some((first, _)) = states.peek() {
            let (place, old) = tree.find(&first.key);
            let old = old.clone();
            let mut clusters = old.clusters.clone();
            while let Some((state, is_flipped)) = states.peek().copied()
                && let Ok(at) = old.place(&state.key)
            {
                states.next();
                let before = Some(&**old.clusters.get(at)).filter(|_| !is_flipped);
                clusters.replace(at, self.render(state, before, times));
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
        news: BTreeMap<Key, News<'_>>,
        times: &Times,
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
        for (key, News { state, .. }) in news {
            while shards
                .get(place + 1)
                .is_some_and(|next| next.starts_by(&key))
            {
                place += 1;
            }
            touched.insert(place);
            let new = state.map(|state| self.render(state, None, times));
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
