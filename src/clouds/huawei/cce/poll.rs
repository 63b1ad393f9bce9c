//! One poll of a cluster: its calls in turn, and what is made of their answers and failures.

mod check;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::map::{self, Current, MappingInput, Source, Stage, Tasks};
use super::nodes::{self, NodeList};
use super::pages::{NODES_A_PAGE, pages};
use super::product::INFO;
use super::task_cache::{Info, TaskCache};
use super::wire::{Cluster, List, Node, Task, UpgradeInfo, Workflow};
use super::words::{ClusterPhase, cluster_phase};
use super::{CceProvider, LIST_NODES, LIST_TASKS, LIST_WORKFLOWS, SHOW_INFO, available};
use crate::cloud::kit::secondary::SecondaryCalls;
use crate::cloud::transport::Effort;
use crate::cloud::{Call, check_id};
use crate::clouds::huawei::offered::CallNotes;
use crate::http::{ApiError, Cause};
use crate::model::{
    AvailableVersion, FirstSight, Kind, Memory, Observation, Remark, Remarks, Upgrade,
};
use crate::text::clean;

/// A poll that is under way.
pub(super) struct Poll<'a> {
    cce: &'a CceProvider,
    /// The cluster's id.
    id: &'a str,
    memory: &'a Memory,
    notes: &'a mut CallNotes,
    now: Timestamp,
    calls: SecondaryCalls<'a>,
    words: Vec<String>,
    remarks: Remarks,
    /// Versions that the cloud offers; `None` while `upgradeinfo` is not asked, or is missed for a
    /// short time only.
    available: Option<Vec<AvailableVersion>>,
    ask_again_soon: bool,
}

/// Outcome of a secondary call.
enum Told<T> {
    Answer(T),
    Failed,
    NotOffered,
}

/// Publication of a call by the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Published {
    Yes,
    /// One poll was told that it does not.
    Doubted,
    No,
}

impl<'a> Poll<'a> {
    pub(super) fn new(
        cce: &'a CceProvider,
        id: &'a str,
        memory: &'a Memory,
        notes: &'a mut CallNotes,
    ) -> Self {
        let now = cce.client.clock().now();
        Self {
            cce,
            id,
            memory,
            notes,
            now,
            calls: SecondaryCalls::new(memory, now),
            words: Vec::new(),
            remarks: Remarks::default(),
            available: None,
            ask_again_soon: false,
        }
    }

    pub(super) async fn run(mut self, cluster: &Cluster) -> Result<Observation, ApiError> {
        let phase = cluster.status.phase.as_str();
        let is_changing = cluster_phase(phase).is_some_and(ClusterPhase::is_changing);
        // Tasks first: a task that is listed then has its workflow listed too, and the workflow
        // names it. The other way round a new task could pass for one without a workflow.
        let tasks = self.tasks(cluster, is_changing).await?;
        let workflows = self.workflows().await?;
        let input = MappingInput {
            cluster_phase: phase,
            workflows: workflows.as_deref().unwrap_or_default(),
            tasks: &tasks,
            memory: self.memory,
            // After the answers: the first ones tell the vendor's time.
            now: self.cce.client.clock().now(),
        };
        let current = map::current(&input, &mut self.words);
        let last = self.memory.last(Kind::Version);
        let mut unconfirmed = BTreeSet::new();
        let upgrade = match current {
            // Where only the phase tells of upgrades, its word is enough.
            None if workflows.is_none() && last.is_none_or(|seen| seen.last.id.is_none()) => None,
            None => {
                let seen = self.memory.once_more(Kind::Version, &mut unconfirmed);
                seen.map(|seen| (*seen.last).clone())
            }
            Some(current) => {
                if let Some(id) = &current.upgrade.id {
                    check_uid(id, &LIST_WORKFLOWS)?;
                }
                Some(self.with_nodes(current, tasks.source).await?)
            }
        };
        Ok(Observation {
            name: cluster.metadata.name.clone(),
            version: cluster.spec.version.clone(),
            version_name: None,
            status_meaning: None,
            available: self.available,
            raw_status: clean(phase),
            changing: is_changing,
            upgrades: upgrade.into_iter().collect(),
            unconfirmed,
            unknown_words: self.words,
            remarks: self.remarks,
            refused: None,
            secondary: self.calls.finish(),
            ask_again_soon: self.ask_again_soon,
            notes: None,
        })
    }

    /// Returns the workflows; `None` where the cloud does not publish them.
    async fn workflows(&mut self) -> Result<Option<Vec<Workflow>>, ApiError> {
        let call = &LIST_WORKFLOWS;
        if self.notes.is_skipped(call) {
            return Ok(None);
        }
        let answer = self.read::<List<Workflow>>(Effort::Normal, call).await;
        match (self.published(call, &answer), answer) {
            (_, Ok(list)) => {
                self.calls.succeed(call, None);
                Ok(Some(list.items))
            }
            (Published::No, Err(_)) if !self.knows_a_workflow() => {
                self.skip(call);
                Ok(None)
            }
            (_, Err(error)) => Err(error),
        }
    }

    /// Returns whether an upgrade is known that a workflow told: that the call is not published does
    /// not take it back.
    fn knows_a_workflow(&self) -> bool {
        let seen = self.memory.last(Kind::Version);
        seen.is_some_and(|seen| {
            let has_points = seen.last.starts_with_a_task || !seen.last.tasks.is_empty();
            has_points && !seen.forgotten
        })
    }

    /// Returns the upgrade tasks: listed when [`TaskCache`] says so, else as they were.
    async fn tasks(&mut self, cluster: &Cluster, is_changing: bool) -> Result<Tasks, ApiError> {
        let remembered = self.memory.call(LIST_TASKS.name);
        let answer = remembered.and_then(|call| call.answer.as_deref());
        let cache = TaskCache::read(answer);
        let mut info = None;
        if !cache.is_moving(is_changing)
            && let Some(answer) = self.upgrade_info(cluster).await?
        {
            let said = Info::new(answer);
            if !cache.needs_list(&said, self.notes.is_answered(&LIST_TASKS)) {
                return Ok(Tasks {
                    list: cache.tasks,
                    ..Tasks::default()
                });
            }
            info = Some(said);
        }
        let is_under_way = info.as_ref().is_some_and(Info::is_under_way);
        let (list, source) = match self.list_tasks().await? {
            Told::Answer(tasks) => {
                let tasks = map::foremost_tasks(tasks);
                let cache = TaskCache { tasks, info };
                self.calls.succeed(&LIST_TASKS, cache.write());
                self.notes.set_answered(&LIST_TASKS);
                (cache.tasks, Source::Current)
            }
            Told::Failed if self.calls.remembered(&LIST_TASKS).is_some() => {
                (cache.tasks, Source::Kept)
            }
            Told::Failed => (cache.tasks, Source::Lapsed),
            Told::NotOffered => (Vec::new(), Source::NotOffered),
        };
        Ok(Tasks {
            list,
            source,
            is_under_way,
        })
    }

    /// Asks `upgradeinfo`, which tells the versions that the cloud offers, too.
    async fn upgrade_info(&mut self, cluster: &Cluster) -> Result<Option<UpgradeInfo>, ApiError> {
        match self.ask::<UpgradeInfo>(&SHOW_INFO).await? {
            Told::Answer(answer) => {
                self.calls.succeed(&SHOW_INFO, None);
                let offered = available::versions(&answer.versions, &cluster.spec.version);
                self.available = Some(offered);
                return Ok(Some(answer));
            }
            Told::Failed if self.is_shown(&SHOW_INFO) => {}
            Told::Failed | Told::NotOffered => self.available = Some(Vec::new()),
        }
        Ok(None)
    }

    async fn list_tasks(&mut self) -> Result<Told<Vec<Task>>, ApiError> {
        if self.notes.is_skipped(&LIST_TASKS) {
            return Ok(Told::NotOffered);
        }
        let effort = self.calls.effort(&LIST_TASKS);
        let answer = self.read::<List<Task>>(effort, &LIST_TASKS).await;
        let answer = answer.and_then(|list| {
            let uids = list.items.iter().map(|task| &*task.metadata.uid);
            uids.filter(|uid| !uid.is_empty())
                .try_for_each(|uid| check_uid(uid, &LIST_TASKS))?;
            Ok(list.items)
        });
        self.told(&LIST_TASKS, answer)
    }

    /// Returns the current upgrade with its nodes.
    async fn with_nodes(
        &mut self,
        mut current: Current,
        tasks: Source,
    ) -> Result<Upgrade, ApiError> {
        if !self.lacks_findings(&current)
            && let Some(last) = nodes::remembered(&current.upgrade, self.memory)
        {
            let mut upgrade = current.upgrade;
            if current.failed_precheck.is_some() {
                let precheck = &last.details.precheck;
                upgrade.details.precheck.clone_from(precheck);
            }
            upgrade.nodes.clone_from(&last.nodes);
            let left_out = &mut upgrade.left_out;
            (left_out.nodes, left_out.latest) = (last.left_out.nodes, last.left_out.latest);
            return Ok(upgrade);
        }
        let listed = self.list_nodes().await?;
        let are_nodes_failing = matches!(listed, Told::Failed);
        let list = match listed {
            Told::Answer(nodes) => NodeList::new(nodes),
            Told::Failed if self.is_shown(&LIST_NODES) => {
                NodeList::kept(&current.upgrade, self.memory)
            }
            Told::Failed | Told::NotOffered => NodeList::default(),
        };
        let (check, is_check_told) = self.check(&current).await?;
        // Once the nodes are touched, a check before that tells nothing of them; and one that passed
        // refuses none, whatever its items say.
        let has_failed = current.failed_precheck.is_some();
        let stage = current.stage;
        let refused = if has_failed && stage == Stage::Before {
            check.nodes.as_slice()
        } else {
            &[]
        };
        let found = nodes::nodes(&list, refused, &current, self.memory, &mut self.words);
        if let Some(name) = &found.twice {
            self.remarks.add(|| Remark::NodeTwice(name.clone()));
        }
        check::tell(&check, &mut current.upgrade.details, has_failed);
        let mut upgrade = current.upgrade;
        found.put_into(&mut upgrade);
        if current.is_in_work {
            upgrade.first_sight = FirstSight::Progress;
        }
        let is_check_missed = !is_check_told && stage == Stage::Before;
        upgrade.untold.nodes = are_nodes_failing || is_check_missed;
        // Nodes that were never readable are not missed while tasks tell of progress.
        let are_nodes_missed =
            are_nodes_failing && (tasks != Source::Current || self.has_answered(&LIST_NODES));
        upgrade.is_stall_suspended = current.is_in_work && (tasks.is_failing() || are_nodes_missed);
        Ok(upgrade)
    }

    async fn list_nodes(&mut self) -> Result<Told<Vec<Node>>, ApiError> {
        let (cce, id, effort) = (self.cce, self.id, self.calls.effort(&LIST_NODES));
        if self.notes.is_skipped(&LIST_NODES) {
            return Ok(Told::NotOffered);
        }
        let answer = pages(|marker| async move {
            let mut query = vec![("limit", NODES_A_PAGE)];
            query.extend(marker.as_deref().map(|marker| ("marker", marker)));
            cce.read(effort, &LIST_NODES, &[id], &query).await
        });
        let told = self.told(&LIST_NODES, answer.await)?;
        if matches!(told, Told::Answer(_)) {
            self.calls.succeed(&LIST_NODES, None);
        }
        Ok(told)
    }

    /// Makes a secondary call; its failure is recorded.
    async fn ask<T: DeserializeOwned>(&mut self, call: &'static Call) -> Result<Told<T>, ApiError> {
        if self.notes.is_skipped(call) {
            return Ok(Told::NotOffered);
        }
        let answer = self.read(self.calls.effort(call), call).await;
        self.told(call, answer)
    }

    async fn read<T: DeserializeOwned>(
        &self,
        effort: Effort,
        call: &'static Call,
    ) -> Result<T, ApiError> {
        self.cce.read(effort, call, &[self.id], &[]).await
    }

    /// Records a failure of a secondary call. Refused credentials fail the poll.
    fn told<T>(&mut self, call: &Call, answer: Result<T, ApiError>) -> Result<Told<T>, ApiError> {
        match (self.published(call, &answer), answer) {
            (_, Ok(answer)) => Ok(Told::Answer(answer)),
            (Published::No, Err(_)) => {
                self.skip(call);
                Ok(Told::NotOffered)
            }
            (published, Err(error)) => {
                let is_doubted = published == Published::Doubted;
                self.ask_again_soon |= is_doubted;
                self.calls.fail(call, error, is_doubted)?;
                Ok(Told::Failed)
            }
        }
    }

    /// Returns whether the cloud publishes the call: two polls in a row must be told that it does not,
    /// of a call that never answered in this process.
    fn published<T>(&mut self, call: &Call, answer: &Result<T, ApiError>) -> Published {
        let offered = &self.cce.offered;
        let Err(error) = answer else {
            offered.answer(call);
            self.notes.settle(call);
            return Published::Yes;
        };
        if error.cause != Cause::NotPublished || offered.has_answered(call) {
            self.notes.settle(call);
            return Published::Yes;
        }
        if self.notes.doubt(call) || self.calls.counts_as_not_offered(call) {
            Published::No
        } else {
            Published::Doubted
        }
    }

    fn skip(&mut self, call: &Call) {
        self.notes.skip(call);
        if self.cce.offered.is_first_log() {
            tracing::warn!(
                account = %self.cce.account,
                product = INFO.name,
                call = call.name,
                "This cloud does not publish all upgrade calls; less is known of upgrades. They are tried again at each discovery."
            );
        }
    }

    fn has_answered(&self, call: &Call) -> bool {
        let memory = self.memory.call(call.name);
        memory.is_some_and(|memory| memory.has_answered)
    }

    /// Returns whether what a failing call told last may be shown.
    fn is_shown(&self, call: &Call) -> bool {
        let expires = self
            .memory
            .call(call.name)
            .and_then(|memory| memory.expires);
        expires.is_none_or(|expires| self.now < expires)
    }
}

/// Checks the id of an entry of the history, which becomes a label. Those of tasks are checked when they
/// are listed.
fn check_uid(uid: &str, call: &Call) -> Result<(), ApiError> {
    check_id("metadata.uid of an upgrade", uid).map_err(|error| error.of(call.name))
}
