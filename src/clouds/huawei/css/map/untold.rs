//! Upgrades of which an answer tells nothing: because a call failed, was not needed, or told of none.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{Kind, LeftOut, Memory, Observation, Seen, Untold, Upgrade, UpgradeStatus};

/// Returns an upgrade of this kind as it was last told, if it had ended: such a one stays as it is.
pub(in super::super) fn ended(
    memory: &Memory,
    kind: Kind,
    unconfirmed: &mut BTreeSet<Kind>,
) -> Option<Upgrade> {
    let seen = memory.last(kind)?;
    let ended = seen.last.is_ended().then(|| last_told(seen))?;
    carry_over(memory, kind, unconfirmed);
    Some(ended)
}

/// Returns the upgrade of this kind once more, the first time that the vendor does not tell of it.
pub(in super::super) fn once_more(
    memory: &Memory,
    kind: Kind,
    unconfirmed: &mut BTreeSet<Kind>,
) -> Option<Upgrade> {
    memory.once_more(kind, unconfirmed).map(last_told)
}

/// Leaves an upgrade unconfirmed that was it before: this poll did not ask for it, or was not answered.
fn carry_over(memory: &Memory, kind: Kind, unconfirmed: &mut BTreeSet<Kind>) {
    unconfirmed.extend(memory.unconfirmed.get(&kind));
}

/// Returns the upgrade of this kind while the call `endpoint`, which alone tells of it, fails. One that
/// had ended stays as it was. One that had not is kept for a while, then without its nodes and tasks
/// in the state that the cluster itself tells.
pub(in super::super) fn kept(
    memory: &Memory,
    kind: Kind,
    endpoint: &str,
    observation: &mut Observation,
    now: Timestamp,
) -> Option<Upgrade> {
    let seen = memory.last(kind)?;
    carry_over(memory, kind, &mut observation.unconfirmed);
    let mut upgrade = Upgrade {
        untold: Untold {
            all: true,
            ..Untold::default()
        },
        ..last_told(seen)
    };
    if upgrade.is_ended() {
        return Some(upgrade);
    }
    upgrade.is_stall_suspended = true;
    let expires = memory.call(endpoint).and_then(|call| call.expires);
    if expires.is_some_and(|expires| expires <= now) {
        upgrade.status = if observation.changing {
            UpgradeStatus::Running
        } else {
            UpgradeStatus::Unknown
        };
        upgrade.nodes = Vec::new();
        upgrade.tasks = Vec::new();
        upgrade.left_out = LeftOut::default();
    }
    Some(upgrade)
}

/// Returns the upgrade by the last good answer.
fn last_told(seen: &Seen) -> Upgrade {
    let told = seen.fully_told.as_deref().unwrap_or(&seen.last);
    Upgrade {
        untold: Untold::default(),
        is_stall_suspended: false,
        ..told.clone()
    }
}
