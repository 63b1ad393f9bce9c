//! Which of the discovered clusters are watched. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use wildmatch::WildMatchPattern;

use crate::cloud::{Discovered, Discovery};
use crate::config::{ProductConfig, Selection};
use crate::model::Thresholds;
use crate::model::bounds::MAX_CLUSTERS;

/// A cluster to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The vendor's id.
    pub id: Arc<str>,
    /// The name before the first answer; empty when nobody says.
    pub name: String,
    /// The name comes from the config and replaces the vendor's.
    pub named: bool,
    /// The limits in force.
    pub thresholds: Thresholds,
}

/// The clusters that the config lists by id, with the names that the discovery tells where the
/// config has none; none when it watches what discovery finds.
pub fn listed(config: &ProductConfig, discovery: &Discovery) -> Option<Vec<Wanted>> {
    let Selection::Listed(listed) = &config.clusters else {
        return None;
    };
    let found = discovery.clusters.iter();
    let found: HashMap<&str, &str> = found.map(|c| (&*c.id, &*c.name)).collect();
    let wanted = listed.iter().map(|cluster| Wanted {
        id: cluster.id.clone(),
        name: cluster.name.clone().unwrap_or_else(|| {
            let name = found.get(&*cluster.id).copied();
            name.unwrap_or_default().to_owned()
        }),
        named: cluster.name.is_some(),
        thresholds: cluster.thresholds,
    });
    // One that nobody has named yet may turn out to be wanted.
    let only = |w: &Wanted| w.name.is_empty() || is_among(&config.only, &w.id, &w.name);
    Some(wanted.filter(only).collect())
}

/// Returns the clusters of a discovery that the config's `include` and `exclude` leave.
pub fn selected(config: &ProductConfig, discovery: &Discovery) -> Vec<Wanted> {
    let clusters = discovery
        .clusters
        .iter()
        .filter(|cluster| {
            let matches = |patterns: &[String]| {
                patterns
                    .iter()
                    .any(|pattern| glob(pattern, &cluster.id) || glob(pattern, &cluster.name))
            };
            (config.include.is_empty() || matches(&config.include))
                && !matches(&config.exclude)
                && is_among(&config.only, &cluster.id, &cluster.name)
        })
        .map(|cluster| Wanted {
            id: cluster.id.as_str().into(),
            name: cluster.name.clone(),
            named: false,
            thresholds: config.thresholds,
        });
    clusters.collect()
}

/// Clusters to watch of those that the config selects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The clusters, at most [`MAX_CLUSTERS`] unless the config lists them.
    pub clusters: Vec<Wanted>,
    /// Number of clusters beyond.
    pub left_out: u64,
}

/// Chooses the clusters to watch of those that are `selected`: those that are `watched` first, then
/// the first by id, at most [`MAX_CLUSTERS`] with the watched ones that are not selected.
pub fn bounded(mut selected: Vec<Wanted>, watched: &BTreeSet<Arc<str>>) -> Chosen {
    let kept = selected.iter().filter(|one| watched.contains(&one.id));
    let others = watched.len().saturating_sub(kept.count());
    let room = MAX_CLUSTERS.saturating_sub(others);
    let left_out = selected.len().saturating_sub(room);
    if left_out > 0 {
        selected.sort_by_cached_key(|one| (!watched.contains(&one.id), one.id.clone()));
        selected.truncate(room);
    }
    Chosen {
        clusters: selected,
        left_out: u64::try_from(left_out).unwrap_or(u64::MAX),
    }
}

/// The clusters to watch under a new config, before anybody has looked again: of those that are
/// `known`, and those that the last discovery `found`. A known one that it did not find may be there
/// all the same: that is for the next one to tell.
pub fn again(config: &ProductConfig, found: Option<&Discovery>, known: &[Wanted]) -> Chosen {
    let none = Discovery::default();
    let found = found.unwrap_or(&none);
    if let Some(clusters) = listed(config, found) {
        return Chosen {
            clusters,
            left_out: 0,
        };
    }
    let ids: HashSet<&str> = found.clusters.iter().map(|c| &*c.id).collect();
    let not_found = known.iter().filter(|known| !ids.contains(&*known.id));
    let not_found = not_found.map(|known| Discovered {
        id: known.id.to_string(),
        // A name that the config gave it is not the vendor's, which the patterns speak of.
        name: if known.named {
            String::new()
        } else {
            known.name.clone()
        },
    });
    let clusters = found.clusters.iter().cloned().chain(not_found).collect();
    let all = Discovery {
        clusters,
        inaccessible: 0,
    };
    let selected = selected(config, &all);
    let is_known: HashSet<_> = known.iter().map(|known| known.id.clone()).collect();
    let is_selected = |wanted: &&Wanted| is_known.contains(&wanted.id);
    let watched = selected.iter().filter(is_selected);
    let watched = watched.map(|wanted| wanted.id.clone()).collect();
    bounded(selected, &watched)
}

/// Whether the id or the name is one of `patterns`, or there are none.
pub fn is_among(patterns: &[String], id: &str, name: &str) -> bool {
    let is = |pattern: &String| glob(pattern, id) || glob(pattern, name);
    patterns.is_empty() || patterns.iter().any(is)
}

/// Reports whether `text` is `pattern`, in which each `*` stands for any text. A question mark is no
/// wildcard: a NUL is one instead, which no pattern holds.
pub fn glob(pattern: &str, text: &str) -> bool {
    WildMatchPattern::<'*', '\0'>::new(pattern).matches(text)
}

/// How often in a row a complete discovery has missed each watched cluster.
#[derive(Debug, Default)]
pub struct Missing(BTreeMap<Arc<str>, u32>);

impl Missing {
    /// Discoveries in a row that must miss a cluster before it is gone: a list can be short once.
    const GONE_AFTER: u32 = 2;

    /// Whether a cluster was missed that may come back.
    pub fn is_waiting(&self) -> bool {
        !self.0.is_empty()
    }

    /// Takes a complete discovery: which of the watched clusters are gone now.
    pub fn gone<'a>(
        &mut self,
        watched: impl Iterator<Item = &'a Arc<str>>,
        selected: &[Wanted],
    ) -> Vec<Arc<str>> {
        let mut counts = BTreeMap::new();
        let mut gone = Vec::new();
        let selected: HashSet<&str> = selected.iter().map(|wanted| &*wanted.id).collect();
        for id in watched {
            if selected.contains(&**id) {
                continue;
            }
            let count = self.0.get(id).copied().unwrap_or(0) + 1;
            if count >= Self::GONE_AFTER {
                gone.push(id.clone());
            } else {
                counts.insert(id.clone(), count);
            }
        }
        self.0 = counts;
        gone
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clouds::CLOUDS;

    #[test]
    fn patterns() {
        for (pattern, text, want) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("test-*", "test-", true),
            ("test-*", "atest-1", false),
            ("*-b", "a-b", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("A*", "a", false),
            ("a?c", "abc", false),
            ("a?*", "a?c", true),
            ("**b", "ab", true),
            ("", "", true),
            ("", "a", false),
            ("검색-*", "검색-1", true),
        ] {
            assert_eq!(glob(pattern, text), want, "{pattern} {text}");
        }
    }

    /// Compares what stands before and after the first `*`, at each place of the text.
    fn reference(pattern: &str, text: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == text,
            Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
                let ends = rest.char_indices().map(|(at, _)| at);
                let mut ends = ends.chain([rest.len()]);
                ends.any(|at| reference(after, rest.get(at..).unwrap()))
            }),
        }
    }

    proptest! {
        #[test]
        fn a_star_stands_for_any_text(pattern in "[ab?검*]{0,6}", text in "[ab?검*]{0,8}") {
            prop_assert_eq!(glob(&pattern, &text), reference(&pattern, &text));
        }
    }

    fn config(text: &str) -> ProductConfig {
        let text = format!(
            "accounts: [{{name: a, ncloud: {{access_key: x, secret_key: x, ses: {text}}}}}]"
        );
        let config = crate::config::parse(CLOUDS, &text, std::path::Path::new("."), &|_| None);
        config.unwrap().accounts.remove(0).products.remove(0)
    }

    #[test]
    fn a_new_config_chooses_among_what_is_known() {
        let found = Discovery {
            clusters: [("1", "prod-a"), ("2", "test-a"), ("3", "prod-b")]
                .map(|(id, name)| Discovered {
                    id: id.into(),
                    name: name.into(),
                })
                .into(),
            inaccessible: 0,
        };
        let known = |id: &str, name: &str, named| Wanted {
            id: id.into(),
            name: name.into(),
            named,
            thresholds: config("{}").thresholds,
        };
        let known = [
            known("1", "prod-a", false),
            known("8", "test-missed-once", false),
            known("9", "mine", true),
        ];
        let again = |text: &str, found| -> Vec<String> {
            let wanted = again(&config(text), found, &known);
            wanted
                .clusters
                .iter()
                .map(|w| format!("{} {}", w.id, w.name))
                .collect()
        };
        assert_eq!(
            again("{exclude: ['test-*', mine]}", Some(&found)),
            ["1 prod-a", "3 prod-b", "9 "],
            "mine is not the vendor's name"
        );
        assert_eq!(
            again("{clusters: [2, 7]}", Some(&found)),
            ["2 test-a", "7 "],
            "a list is complete"
        );
        assert_eq!(
            again("{}", None),
            ["1 prod-a", "8 test-missed-once", "9 "],
            "nobody has looked yet"
        );
    }

    #[test]
    fn watches_a_bounded_number_of_discovered_clusters() {
        let found = |count: usize| Discovery {
            clusters: (0..count)
                .rev()
                .map(|n| Discovered::new(&format!("{n:06}"), "name"))
                .collect(),
            inaccessible: 0,
        };
        let config = config("{include: ['0*']}");
        let ids = |numbers: std::ops::Range<usize>| -> BTreeSet<Arc<str>> {
            numbers.map(|n| format!("{n:06}").into()).collect()
        };
        let choose = |count, watched| bounded(selected(&config, &found(count)), &ids(watched));
        let chosen = choose(MAX_CLUSTERS, 0..0);
        assert_eq!((chosen.clusters.len(), chosen.left_out), (MAX_CLUSTERS, 0));
        let chosen_ids = |chosen: &Chosen| -> BTreeSet<_> {
            chosen.clusters.iter().map(|c| c.id.clone()).collect()
        };
        let chosen = choose(MAX_CLUSTERS + 3, 0..0);
        assert_eq!(chosen_ids(&chosen), ids(0..MAX_CLUSTERS), "first by id");
        assert_eq!(chosen.left_out, 3);
        let kept = again(&config, None, &chosen.clusters);
        assert_eq!((kept.clusters, kept.left_out), (chosen.clusters, 0));

        let later = 3..MAX_CLUSTERS + 3;
        let chosen = choose(MAX_CLUSTERS + 3, later.clone());
        assert_eq!(chosen_ids(&chosen), ids(later), "watched ones stay");
        assert_eq!(chosen.left_out, 3);
        let kept = again(&config, Some(&found(MAX_CLUSTERS + 3)), &chosen.clusters);
        assert_eq!((chosen_ids(&kept), kept.left_out), (chosen_ids(&chosen), 3));

        // Two watched ones were not found: they keep their places until they are gone.
        let chosen = choose(MAX_CLUSTERS, 10..MAX_CLUSTERS + 2);
        assert_eq!(chosen_ids(&chosen), {
            let mut want = ids(10..MAX_CLUSTERS);
            want.extend(ids(0..8));
            want
        });
        assert_eq!(chosen.left_out, 2);
    }

    #[test]
    fn a_cluster_is_gone_when_two_discoveries_in_a_row_lack_it() {
        let id: Arc<str> = "1".into();
        let watched = [id.clone()];
        let found = [Wanted {
            id: id.clone(),
            name: String::new(),
            named: false,
            thresholds: Thresholds {
                stalled_after: std::time::Duration::ZERO,
                overdue_after: std::time::Duration::ZERO,
                retain_ended: std::time::Duration::ZERO,
            },
        }];
        let mut missing = Missing::default();
        assert!(missing.gone(watched.iter(), &[]).is_empty());
        assert!(missing.gone(watched.iter(), &found).is_empty());
        assert!(missing.gone(watched.iter(), &[]).is_empty(), "not in a row");
        assert_eq!(missing.gone(watched.iter(), &[]), [id]);
    }
}
