//! Source and target of an upgrade: versions, or availability zones.

use super::super::wire::{Detail, Names};
use super::MappingInput;
use crate::model::bounds::MAX_NODES;
use crate::model::{Kind, MAX_ZONES, Upgrade, UpgradeStatus, ZoneMove, ZonePlan};
use crate::text::non_empty;

/// Returns the version, or the zone, before and after this upgrade.
pub(super) fn versions(
    upgrade: &Upgrade,
    detail: &Detail,
    input: &MappingInput<'_>,
) -> (Option<String>, Option<String>) {
    match upgrade.kind {
        Kind::Version => {
            let from = from_version(upgrade, input);
            let to = to_version(detail, from.as_deref());
            (from, to)
        }
        Kind::AzMigration => zones(detail),
    }
}

/// Returns the version before: as it was first seen, since the list tells the version before only
/// while the upgrade runs.
fn from_version(upgrade: &Upgrade, input: &MappingInput<'_>) -> Option<String> {
    let before = input.memory.last(upgrade.kind).map(|seen| &seen.last);
    let remembered = before
        .filter(|before| before.is_same(upgrade))
        .and_then(|before| before.from_version.clone());
    remembered.or_else(|| match upgrade.status {
        UpgradeStatus::Running => non_empty(&input.cluster.datastore.version),
        _ => None,
    })
}

/// Returns the version after. Within one version only the image's name tells one state from the
/// other; between versions its users ask for the version.
fn to_version(detail: &Detail, from: Option<&str>) -> Option<String> {
    let image = &detail.image_info;
    let version = non_empty(&image.datastore_version);
    let name = non_empty(&image.display_name);
    if version.is_some() && version.as_deref() == from {
        name.or(version)
    } else {
        version.or(name)
    }
}

/// Returns the zones before and after. Of a move within several zones only the result is told.
fn zones(detail: &Detail) -> (Option<String>, Option<String>) {
    let param = &detail.migrate_param;
    let target = non_empty(&param.target_az.joined());
    (
        non_empty(&param.source_az.joined()),
        target.or_else(|| non_empty(&detail.final_az_info_map.joined())),
    )
}

/// Returns the move from zone to zone with the plan of each zone's nodes; `None` when nothing is told
/// of it. No more is read than is kept: an answer has room for millions of names.
pub(super) fn zone_move(detail: &Detail) -> Option<ZoneMove> {
    let param = &detail.migrate_param;
    let mut left = MAX_NODES;
    let plan = detail.final_az_info_map.iter().take(MAX_ZONES);
    let plan: Vec<ZonePlan> = plan
        .map(|(zone, nodes)| {
            let nodes = names(nodes, left);
            left -= nodes.len();
            ZonePlan {
                zone: zone.to_owned(),
                nodes,
            }
        })
        .collect();
    let mut to = names(&param.target_az, MAX_ZONES);
    if to.is_empty() {
        to.extend(plan.iter().map(|plan| plan.zone.clone()));
    }
    let zones = ZoneMove {
        instance_type: non_empty(&param.inst_type.joined()),
        from: names(&param.source_az, MAX_ZONES),
        to,
        plan,
    };
    (zones != ZoneMove::default()).then_some(zones)
}

/// Returns the first names, at most so many.
fn names(names: &Names, most: usize) -> Vec<String> {
    names.iter().take(most).map(str::to_owned).collect()
}
