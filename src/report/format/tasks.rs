//! Tasks by name and place.

use crate::report::{Steps, TaskReport, UpgradeReport};

/// Writes the current task and its place among all tasks: `Node replacement (2 of 4)`; `None` when no
/// task is current, or the current one is not listed.
pub fn current_task(upgrade: &UpgradeReport) -> Option<String> {
    listed(upgrade.into(), upgrade.task_order?)
}

/// Writes the task of this order and its place among all tasks; its order when it is not listed.
pub fn task<'a>(steps: impl Into<Steps<'a>>, order: u32) -> String {
    listed(steps.into(), order).unwrap_or_else(|| format!("task {order}"))
}

/// Returns the name of the task of this order; `None` when it is not listed.
pub fn task_name<'a>(steps: impl Into<Steps<'a>>, order: u32) -> Option<&'a str> {
    find(steps.into(), order).map(|(_, task)| task.task.as_str())
}

/// Writes the place of the task of this order among all tasks: `2 of 4`; `None` when it is not listed.
pub fn task_place<'a>(steps: impl Into<Steps<'a>>, order: u32) -> Option<String> {
    let steps = steps.into();
    let (place, _) = find(steps, order)?;
    Some(format!("{place} of {}", steps.all_tasks()))
}

fn listed(steps: Steps<'_>, order: u32) -> Option<String> {
    let (name, place) = task_name(steps, order).zip(task_place(steps, order))?;
    Some(format!("{name} ({place})"))
}

/// Returns the task of this order and its place from 1.
fn find(steps: Steps<'_>, order: u32) -> Option<(usize, &TaskReport)> {
    let mut tasks = (1..).zip(steps.tasks);
    tasks.find(|(_, task)| task.order == order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::testing::upgrade;

    #[test]
    fn tasks_have_a_place_among_all() {
        let upgrade = upgrade(|u| u.tasks_left_out = 2);
        assert_eq!(current_task(&upgrade).as_deref(), Some("restart (1 of 3)"));
        assert_eq!(task(&upgrade, 4), "restart (1 of 3)");
        assert_eq!(task(&upgrade, 7), "task 7");
    }
}
