//! Which of the discovered clusters are watched. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{ProductConfig, Selection};
use crate::model::Thresholds;
use crate::provider::Discovery;

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
    let wanted = listed.iter().map(|cluster| Wanted {
        id: cluster.id.clone(),
        name: cluster.name.clone().unwrap_or_else(|| {
            let found = discovery.clusters.iter().find(|c| *c.id == *cluster.id);
            found.map(|c| c.name.clone()).unwrap_or_default()
        }),
        named: cluster.name.is_some(),
        thresholds: cluster.thresholds,
    });
    Some(wanted.collect())
}

/// The clusters of a discovery that the config's `include` and `exclude` leave.
pub fn discovered(config: &ProductConfig, discovery: &Discovery) -> Vec<Wanted> {
    discovery
        .clusters
        .iter()
        .filter(|cluster| {
            let matches = |patterns: &[String]| {
                patterns
                    .iter()
                    .any(|pattern| glob(pattern, &cluster.id) || glob(pattern, &cluster.name))
            };
            (config.include.is_empty() || matches(&config.include)) && !matches(&config.exclude)
        })
        .map(|cluster| Wanted {
            id: cluster.id.as_str().into(),
            name: cluster.name.clone(),
            named: false,
            thresholds: config.thresholds,
        })
        .collect()
}

/// Whether `text` is `pattern`, in which each `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
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
        found: &[Wanted],
    ) -> Vec<Arc<str>> {
        let mut counts = BTreeMap::new();
        let mut gone = Vec::new();
        for id in watched {
            if found.iter().any(|wanted| wanted.id == *id) {
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
    use super::*;

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
            ("검색-*", "검색-1", true),
        ] {
            assert_eq!(glob(pattern, text), want, "{pattern} {text}");
        }
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
