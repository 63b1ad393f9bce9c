//! Cache of a cluster's upgrade tasks, which a poll leaves to the next one so that few calls are made:
//! the tasks as last listed, and what `upgradeinfo` said when they were listed.
//!
//! `upgradeinfo` names no task, so whether a task that no workflow names is behind it cannot be told
//! from it. But it changes with every task. So the list is asked for
//! - while the cluster, a known task or `upgradeinfo` says that something goes on,
//! - once more whenever `upgradeinfo` says something new,
//! - and at every poll while `upgradeinfo` fails.
//!
//! A cluster that was never upgraded costs no list, one that is idle a single one; and one whose
//! task runs costs no `upgradeinfo`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::wire::{Task, TaskStatus, UpgradeInfo};
use super::words::{is_over, is_under_way};
use crate::text;

/// Upgrade tasks of a cluster as last listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskCache {
    pub(super) tasks: Vec<Task>,
    /// Answer of `upgradeinfo` at that poll; `None` when it was not asked, or failed.
    pub(super) info: Option<Info>,
}

/// Both halves of `upgradeinfo`: the current task's status, and the last one's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Info([TaskStatus; 2]);

impl Info {
    pub(super) fn new(answer: UpgradeInfo) -> Self {
        Self([answer.current, answer.last])
    }

    /// Returns whether something goes on.
    pub(super) fn is_under_way(&self) -> bool {
        self.0.iter().any(|status| is_under_way(&status.phase))
    }

    /// Returns whether there was never a task.
    fn is_empty(&self) -> bool {
        self.0.iter().all(|status| status.phase.is_empty())
    }
}

impl TaskCache {
    /// Reads what an earlier poll left; empty where there is nothing.
    pub(super) fn read(left: Option<&str>) -> Self {
        let cache = left.map(serde_json::from_str::<Self>);
        cache.and_then(Result::ok).unwrap_or_default()
    }

    /// Writes the cache for the next poll.
    pub(super) fn write(&self) -> Option<Arc<str>> {
        text::json::to_string(self).ok().map(Arc::from)
    }

    /// Returns whether the list is needed whatever `upgradeinfo` says.
    pub(super) fn is_moving(&self, is_changing: bool) -> bool {
        is_changing || self.tasks.iter().any(|task| !is_over(&task.status.phase))
    }

    /// Returns whether the list is needed now that `upgradeinfo` said this. `is_fresh` tells that the
    /// list was asked for since the last discovery.
    pub(super) fn needs_list(&self, info: &Info, is_fresh: bool) -> bool {
        let is_known = is_fresh && self.info.as_ref() == Some(info);
        info.is_under_way() || !(is_known || info.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(phase: &str, at: &str) -> Info {
        let status = TaskStatus {
            phase: phase.to_owned(),
            completion_time: at.to_owned(),
            ..TaskStatus::default()
        };
        Info([status.clone(), status])
    }

    fn cache(phase: &str, info: Option<Info>) -> TaskCache {
        let mut task = Task::default();
        task.metadata.uid = "t".to_owned();
        task.status.phase = phase.to_owned();
        task.status.progress = "0.5".to_owned();
        TaskCache {
            tasks: vec![task],
            info,
        }
    }

    #[test]
    fn a_cluster_that_was_never_upgraded_costs_no_list() {
        let cache = TaskCache::default();
        assert!(!cache.needs_list(&info("", ""), false));
        assert!(!cache.is_moving(false));
    }

    #[test]
    fn an_ended_upgrade_is_listed_once_and_again_when_another_ended() {
        let first = info("Success", "1");
        assert!(TaskCache::default().needs_list(&first, false));
        let cache = cache("Success", Some(first.clone()));
        assert!(!cache.needs_list(&first, true));
        assert!(cache.needs_list(&first, false), "after a discovery");
        assert!(cache.needs_list(&info("Success", "2"), true));
        assert!(!cache.is_moving(false));
    }

    #[test]
    fn what_goes_on_is_listed_each_time() {
        let running = info("Running", "");
        let idle = cache("Success", Some(running.clone()));
        assert!(idle.needs_list(&running, true), "upgradeinfo says so");
        assert!(idle.is_moving(true), "the cluster says so");
        assert!(cache("Running", None).is_moving(false), "a task says so");
        assert!(
            cache("Unheard", None).is_moving(false),
            "not known to be over"
        );
    }

    #[test]
    fn init_is_not_taken_for_something_going_on() {
        let idle = info("Init", "");
        let cache = TaskCache {
            info: Some(idle.clone()),
            ..TaskCache::default()
        };
        assert!(!cache.needs_list(&idle, true));
        assert!(cache.needs_list(&info("Running", ""), true));
    }

    #[test]
    fn reads_what_it_wrote() {
        let cache = cache(
            "Running",
            Some(info("Success", "2025-05-01 03:00:00 +0000 UTC")),
        );
        let left = cache.write().unwrap();
        assert_eq!(TaskCache::read(Some(&left)), cache);
        assert_eq!(TaskCache::read(Some("{")), TaskCache::default());
        assert_eq!(TaskCache::read(None), TaskCache::default());
    }
}
