//! Changes of a cluster's availability zone: a secondary call, to the path that also tells upgrades.

use super::map::{self, MappingInput, untold};
use super::wire::Details;
use super::{CssProvider, DETAIL};
use crate::cloud::kit::secondary::SecondaryCalls;
use crate::cloud::{Call, Secondary};
use crate::clouds::huawei::offered::CallNotes;
use crate::http::{ApiError, Cause};
use crate::model::{Kind, Observation, Reason, Upgrade, UpgradeStatus};

/// "Obtaining Upgrade Details" with `action_mode=AZ_MIGRATION`.
pub(super) const MOVES: Call = Call::secondary(
    DETAIL.name,
    DETAIL.method,
    DETAIL.path,
    Secondary {
        tells: "changes of the availability zone",
        permission: "css:cluster:get",
    },
);

const KIND: Kind = Kind::AzMigration;

impl CssProvider {
    /// Returns the change of the zone that matters now, beside the cluster's `upgrade`. A failure is
    /// recorded in `calls`.
    ///
    /// # Errors
    /// Fails when the credentials are refused.
    pub(super) async fn zone_change(
        &self,
        input: &MappingInput<'_>,
        upgrade: Option<&Upgrade>,
        (calls, notes): (&mut SecondaryCalls<'_>, &mut CallNotes),
        observation: &mut Observation,
    ) -> Result<Option<Upgrade>, ApiError> {
        if !is_needed(upgrade, input) || notes.is_skipped(&MOVES) {
            return Ok(untold::ended(
                input.memory,
                KIND,
                &mut observation.unconfirmed,
            ));
        }
        let mut words = Vec::new();
        match self.asked(input, calls, &mut words).await {
            Ok(told) => {
                self.offered.answer(&MOVES);
                notes.settle(&MOVES);
                calls.succeed(&MOVES, None);
                observation.unknown_words.append(&mut words);
                let unconfirmed = &mut observation.unconfirmed;
                Ok(told.or_else(|| untold::once_more(input.memory, KIND, unconfirmed)))
            }
            Err(error) => self.failed(error, input, (calls, notes), observation),
        }
    }

    async fn asked(
        &self,
        input: &MappingInput<'_>,
        calls: &SecondaryCalls<'_>,
        words: &mut Vec<String>,
    ) -> Result<Option<Upgrade>, ApiError> {
        let call = (&MOVES, calls.effort(&MOVES));
        let filter = Some(("action_mode", "AZ_MIGRATION"));
        let cluster = [&*input.cluster.id];
        let details = self.pages::<Details>(call, &cluster, filter).await?;
        map::upgrade(KIND, details, input, words).map_err(|error| error.of(MOVES.name))
    }

    /// Records a failure, and returns the change as it was told before.
    fn failed(
        &self,
        error: ApiError,
        input: &MappingInput<'_>,
        (calls, notes): (&mut SecondaryCalls<'_>, &mut CallNotes),
        observation: &mut Observation,
    ) -> Result<Option<Upgrade>, ApiError> {
        let cluster = &*input.cluster.id;
        let is_known = input.memory.last(KIND).is_some_and(|seen| !seen.forgotten);
        if !is_known && error.reason == Reason::Refused && error.status == Some(400) {
            tracing::debug!(cluster, %error, "The cloud does not tell zone changes of this cluster.");
            let has_answered = input
                .memory
                .call(MOVES.name)
                .is_some_and(|c| c.has_answered);
            if notes.doubt(&MOVES) && !has_answered {
                notes.skip(&MOVES);
            }
            return Ok(None);
        }
        notes.settle(&MOVES);
        let is_not_offered =
            error.cause == Cause::NotPublished && !is_known && !self.offered.has_answered(&MOVES);
        if is_not_offered {
            if calls.counts_as_not_offered(&MOVES) {
                notes.skip(&MOVES);
            } else {
                observation.ask_again_soon = true;
            }
        }
        calls.fail(&MOVES, error, is_not_offered)?;
        let now = self.client.clock().now();
        Ok(untold::kept(
            input.memory,
            KIND,
            MOVES.name,
            observation,
            now,
        ))
    }
}

/// A cluster does one thing at a time: while its version changes, a change of its zone that is over
/// stays as it is, and the second call of each poll is saved. A call that failed is made until it is
/// answered.
fn is_needed(upgrade: Option<&Upgrade>, input: &MappingInput<'_>) -> bool {
    let memory = input.memory;
    let goes_on = memory.last(KIND).is_some_and(|seen| !seen.last.is_ended());
    let runs_on = upgrade.is_some_and(|upgrade| {
        upgrade.status == UpgradeStatus::Running
            && memory
                .last(upgrade.kind)
                .is_some_and(|seen| seen.last.is_same(upgrade))
    });
    !runs_on || goes_on || memory.is_failing(MOVES.name)
}
