//! Tasks by name and place.

use crate::report::{TaskReport, UpgradeReport};

/// Writes the current task and its place among all tasks: `Node replacement (2 of 4)`; `None` when no
/// task is current, or the current one is not listed.
pub fn current_task(upgrade: &UpgradeReport) -> Option<String> {
    listed(upgrade, upgrade.task_order?)
}

/// Writes the task of this order and its place among all tasks; its order when it is not listed.
pub fn task(upgrade: &UpgradeReport, order: u32) -> String {
    listed(upgrade, order).unwrap_or_else(|| format!("task {order}"))
}

/// Returns the name of the task of this order; `None` when it is not listed.
pub fn task_name(upgrade: &UpgradeReport, order: u32) -> Option<&str> {
    find(upgrade, order).map(|(_, task)| task.task.as_str())
}

/// Writes the place of the task of this order among all tasks: `2 of 4`; `None` when it is not listed.
pub fn task_place(upgrade: &UpgradeReport, order: u32) -> Option<String> {
    let (place, _) = find(upgrade, order)?;
    Some(format!("{place} of {}", upgrade.all_tasks()))
}

fn listed(upgrade: &UpgradeReport, order: u32) -> Option<String> {
    let (name, place) = task_name(upgrade, order).zip(task_place(upgrade, order))?;
    Some(format!("{name} ({place})"))
}

/// Returns the task of this order and its place from 1.
fn find(upgrade: &UpgradeReport, order: u32) -> Option<(usize, &TaskReport)> {
    let mut tasks = (1..).zip(&upgrade.tasks);
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
