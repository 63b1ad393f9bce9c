//! The precheck of the current upgrade: why it failed, or until when it is good.

use super::super::LIST_PRECHECKS;
use super::super::map::Current;
use super::super::precheck::Checked;
use super::super::wire::{List, Precheck as WirePrecheck};
use super::{Poll, Told};
use crate::http::ApiError;
use crate::model::{Details, Precheck};

impl Poll<'_> {
    /// Returns the result of the precheck, as far as only its list tells it, and whether that could be
    /// had where nodes depend on it.
    ///
    /// A failed precheck is listed at every poll: it may be run again under its id. One that passed is
    /// listed only where its point does not tell until when it is good, and until the list tells that it
    /// passed.
    pub(super) async fn check(&mut self, current: &Current) -> Result<(Checked, bool), ApiError> {
        let has_failed = current.failed_precheck.is_some();
        let named = current.failed_precheck.as_ref();
        let Some(id) = named.or(current.undated_precheck.as_ref()) else {
            return Ok((Checked::default(), true));
        };
        let memory = self.memory.call(LIST_PRECHECKS.name);
        let left = memory.and_then(|memory| memory.answer.as_deref());
        // What is left of a run that failed before is not the result of the one that passed.
        if !has_failed
            && let Some(known) = Checked::remembered(left, id)
            && !known.has_failed()
        {
            return Ok((known, true));
        }
        match self.ask::<List<WirePrecheck>>(&LIST_PRECHECKS).await? {
            Told::Answer(list) => {
                let checked = Checked::of(&list.items, id);
                self.calls.succeed(&LIST_PRECHECKS, checked.write());
                Ok((checked, true))
            }
            Told::Failed => {
                let left = self.calls.remembered(&LIST_PRECHECKS);
                let checked = Checked::remembered(left.map(|left| &**left), id);
                Ok((checked.unwrap_or_default(), !has_failed))
            }
            Told::NotOffered => Ok((Checked::default(), true)),
        }
    }

    /// Returns whether the reasons of a failed precheck are missing because their call fails: then they
    /// are asked for even where everything else of the upgrade is known.
    pub(super) fn lacks_findings(&self, current: &Current) -> bool {
        current.failed_precheck.is_some() && self.memory.is_failing(LIST_PRECHECKS.name)
    }
}

/// Puts the result into the details of the upgrade.
pub(super) fn tell(checked: &Checked, details: &mut Details, has_failed: bool) {
    if has_failed {
        details.precheck = checked.failure();
    } else if let Some(until) = checked.valid_until {
        details.precheck = Some(Precheck {
            valid_until: Some(until),
            ..Precheck::default()
        });
    }
}
