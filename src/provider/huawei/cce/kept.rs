//! What is kept of a cluster between polls so that few calls are made: the upgrade tasks that are
//! known, and what `upgradeinfo` said when they were asked for.
//!
//! `upgradeinfo` names no task, so whether a task that no workflow names is behind it cannot be told
//! from it. But it changes with every task. So the list is asked for
//! - while the cluster, a known task or `upgradeinfo` says that something goes on,
//! - and once more whenever `upgradeinfo` says something new.
//!
//! A cluster that was never upgraded costs no list, one that is idle a single one; and one whose
//! task runs costs no `upgradeinfo`.

use std::sync::Arc;

use super::wire::{Task, TaskStatus, UpgradeInfo};
use super::words::{is_over, is_under_way};

/// What is kept of one cluster.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// The upgrade tasks, as last listed.
    pub(super) tasks: Arc<Vec<Task>>,
    /// What `upgradeinfo` said when they were listed; none when it was not asked then.
    pub(super) info: Option<Said>,
    /// It was told that a node stands twice in an answer.
    pub(super) told_twice: bool,
}

/// Both halves of `upgradeinfo`.
pub(super) type Said = [TaskStatus; 2];

/// What to do about the list of tasks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Ask for it.
    List,
    /// What is kept still holds.
    Nothing,
}

/// What `upgradeinfo` says.
pub(super) fn said(info: UpgradeInfo) -> Said {
    [info.status, info.spec.last_upgrade_info]
}

impl Kept {
    /// Whether the list is needed whatever `upgradeinfo` says.
    pub(super) fn is_moving(&self, is_changing: bool) -> bool {
        is_changing || self.tasks.iter().any(|task| !is_over(&task.status.phase))
    }

    /// Whether the list is needed now that `upgradeinfo` said this.
    pub(super) fn ask(&self, said: &Said) -> Ask {
        let never = said.iter().all(|status| status.phase.is_empty());
        let is_new = self.info.as_ref() != Some(said);
        if said.iter().any(|status| is_under_way(&status.phase)) || (is_new && !never) {
            Ask::List
        } else {
            Ask::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(phase: &str, at: &str) -> Said {
        let status = TaskStatus {
            phase: phase.to_owned(),
            completion_time: at.to_owned(),
            ..TaskStatus::default()
        };
        [status.clone(), status]
    }

    fn kept(phase: &str, info: Option<Said>) -> Kept {
        let mut task = Task::default();
        task.status.phase = phase.to_owned();
        Kept {
            tasks: Arc::new(vec![task]),
            info,
            told_twice: false,
        }
    }

    #[test]
    fn a_cluster_that_was_never_upgraded_costs_no_list() {
        assert_eq!(Kept::default().ask(&said("", "")), Ask::Nothing);
        assert!(!Kept::default().is_moving(false));
    }

    #[test]
    fn an_ended_upgrade_is_listed_once_and_again_when_another_ended() {
        let first = said("Success", "1");
        assert_eq!(Kept::default().ask(&first), Ask::List);
        let kept = kept("Success", Some(first.clone()));
        assert_eq!(kept.ask(&first), Ask::Nothing);
        assert_eq!(kept.ask(&said("Success", "2")), Ask::List);
        assert!(!kept.is_moving(false));
    }

    #[test]
    fn what_goes_on_is_listed_each_time() {
        let running = said("Running", "");
        let idle = kept("Success", Some(running.clone()));
        assert_eq!(idle.ask(&running), Ask::List, "upgradeinfo says so");
        assert!(idle.is_moving(true), "the cluster says so");
        assert!(kept("Running", None).is_moving(false), "a task says so");
        assert!(
            kept("Unheard", None).is_moving(false),
            "not known to be over"
        );
    }

    #[test]
    fn init_is_not_taken_for_something_going_on() {
        let idle = said("Init", "");
        let kept = Kept {
            info: Some(idle.clone()),
            ..Kept::default()
        };
        assert_eq!(kept.ask(&idle), Ask::Nothing);
        assert_eq!(kept.ask(&said("Running", "")), Ask::List);
    }
}
