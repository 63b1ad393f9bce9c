//! Steps at which a cluster hangs or fails.

use super::super::{Hang, Place};
use spanned_yaml::{Bounds, Field, Section};

/// Number of nodes, and of the steps that each has; `None` where that is not known.
type Size = Option<(usize, usize)>;

/// Reads the step at which a cluster fails, one of a node or (`before: N`) one before the nodes, and of
/// how many runs the first one does.
pub(super) fn failure(
    field: &Field<'_>,
    size: Size,
    before: Option<usize>,
) -> Option<(Place, u32)> {
    let mut section = field.section();
    let place = match section.take("before") {
        Some(step) => number(&step, ("step before its nodes", "before"), before)
            .map(|step| Place { node: 0, step }),
        None => place(&mut section, size),
    };
    let period = match section.take("every") {
        Some(every) => every.integer(1..=1000).and_then(|n| u32::try_from(n).ok()),
        None => Some(1),
    };
    section.finish();
    Some((place?, period?))
}

/// Reads the step at which a cluster hangs.
pub(super) fn hang(field: &Field<'_>, size: Size) -> Option<Hang> {
    let mut section = field.section();
    let place = place(&mut section, size);
    let lasts = section.need("lasts");
    let lasts = lasts.and_then(|field| field.duration(Bounds::LONG));
    section.finish();
    Some(Hang {
        place: place?,
        lasts: lasts?,
    })
}

fn place(section: &mut Section<'_>, size: Size) -> Option<Place> {
    let node = section.need("node");
    let node =
        node.and_then(|field| number(&field, ("node", "nodes"), size.map(|(nodes, _)| nodes)));
    let step = section.need("step");
    let step =
        step.and_then(|field| number(&field, ("step", "steps"), size.map(|(_, steps)| steps)));
    Some(Place {
        node: node?,
        step: step?,
    })
}

/// Reads a number from 1 to `count`, the number of things that `key` adds to a cluster.
fn number(field: &Field<'_>, (what, key): (&str, &str), count: Option<usize>) -> Option<usize> {
    let count = count?;
    if count == 0 {
        field.wrong(format!("this cluster has no {what}: add {key}"));
        return None;
    }
    let number = field.integer(1..=u64::try_from(count).ok()?)?;
    usize::try_from(number).ok()
}
