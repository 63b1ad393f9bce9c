//! Steps of the vendor's clock: times that were noted before one are shifted along with it.

use jiff::SignedDuration;

use super::{Course, Fleet};
use crate::model::shifted;
use crate::poll::Deps;
use crate::poll::worker::Worker;

impl Fleet {
    /// Keeps the noted times of the product and its clusters right when the vendor's clock steps.
    pub(super) async fn follow_steps(&self) {
        // An account that stays in its place keeps its clock.
        let mut steps = self.course.lock().watch.clock.steps();
        loop {
            let stepped = *steps.borrow_and_update();
            {
                let mut course = self.course.lock();
                if !course.is_gone {
                    course.apply_step(&self.deps, stepped);
                }
            }
            // The clock, held by the product, holds the sender: this never fails.
            if steps.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Course {
    /// Shifts the noted times by the steps that they do not have yet.
    pub(super) fn apply_step(&mut self, deps: &Deps, stepped: SignedDuration) {
        let by = stepped - self.stepped;
        self.stepped = stepped;
        if by.is_zero() {
            return;
        }
        let shown = &mut self.shown;
        shown.last_success = shown.last_success.map(|at| shifted(at, by));
        if let Some(error) = &mut shown.last_error {
            error.shift_noted(by);
        }
        deps.store.put_discovery(shown.clone());
        let workers = self.workers.values().map(|(worker, _)| worker);
        Worker::apply_step(workers, stepped, &deps.store);
    }
}
