//! Upgrades while their tasks cannot be listed.

use super::super::wire::Task;
use super::super::words::ClusterPhase;
use super::{Current, MappingInput, Stage, since_first_seen};
use crate::model::{Kind, Untold, Upgrade, UpgradeStatus};

/// Upgrade tasks of a cluster, and where they come from.
#[derive(Debug, Default)]
pub(in super::super) struct Tasks {
    pub(in super::super) list: Vec<Task>,
    pub(in super::super) source: Source,
    /// `upgradeinfo` said at this poll that something goes on.
    pub(in super::super) is_under_way: bool,
}

/// Origin of the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) enum Source {
    /// Listed at this poll, or known not to have changed.
    #[default]
    Current,
    /// Listed earlier: the call fails.
    Kept,
    /// Listed too long ago for their progress to be shown: the call fails.
    Lapsed,
    /// The cloud does not offer the list.
    NotOffered,
}

impl Source {
    /// Returns whether the list could not be had although the cloud offers it.
    pub(in super::super) const fn is_failing(self) -> bool {
        matches!(self, Self::Kept | Self::Lapsed)
    }
}

/// Marks what the tasks would have told of an upgrade that a workflow tells.
pub(super) fn of_workflow(upgrade: &mut Upgrade, source: Source) {
    upgrade.untold.progress = source.is_failing();
}

/// Changes an upgrade that only its task tells: one that had ended stays, one that had not follows the
/// cluster, and once the last list is too old its state is unknown.
pub(super) fn of_task(upgrade: &mut Upgrade, source: Source, phase: ClusterPhase) {
    if !source.is_failing() {
        return;
    }
    upgrade.untold = Untold {
        all: true,
        ..Untold::default()
    };
    if upgrade.status.is_final() {
        return;
    }
    if source == Source::Lapsed {
        (upgrade.ratio, upgrade.own_progress) = (None, None);
        upgrade.status = UpgradeStatus::Unknown;
    }
    if phase.is_changing() && upgrade.status != UpgradeStatus::Paused {
        upgrade.status = UpgradeStatus::Running;
    }
}

/// Returns what is shown where nothing known is in work: a task that cannot be listed may be. The
/// cluster's phase tells so, or `upgradeinfo` does.
///
/// A workflow that waits is shown in that state: the task may be its own, and a call that fails must not
/// change which upgrade is current.
pub(super) fn unseen(
    chosen: Option<Current>,
    input: &MappingInput<'_>,
    phase: ClusterPhase,
) -> Option<Current> {
    if input.tasks.source == Source::Current || chosen.as_ref().is_some_and(|c| explains(c, input))
    {
        return chosen;
    }
    let status = if phase.is_changing() {
        UpgradeStatus::Running
    } else if input.tasks.is_under_way {
        UpgradeStatus::Unknown
    } else {
        return chosen;
    };
    if let Some(mut waiting) = chosen
        && waiting.upgrade.status == UpgradeStatus::Pending
    {
        waiting.upgrade.status = status;
        waiting.upgrade.untold.status = true;
        return Some(waiting);
    }
    let mut upgrade = Upgrade::new(Kind::Version, status);
    upgrade.requested = since_first_seen(input.memory, input.now);
    Some(Current::new(upgrade, Stage::At))
}

/// Returns whether an upgrade can be what the cluster is busy with: one in work, or one that failed and
/// is not history yet.
fn explains(current: &Current, input: &MappingInput<'_>) -> bool {
    let upgrade = &current.upgrade;
    let seen = input.memory.last(Kind::Version);
    let is_forgotten = seen.is_some_and(|seen| seen.forgotten && seen.last.is_same(upgrade));
    match upgrade.status {
        UpgradeStatus::Running | UpgradeStatus::Paused | UpgradeStatus::Unknown => true,
        UpgradeStatus::Failed => !is_forgotten,
        // A task in the queue is known not to have ended.
        UpgradeStatus::Pending => upgrade.untold.all,
        _ => false,
    }
}
