//! Steps of the vendor's clock: times that were noted before one are shifted along with it.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{Course, Worker};
use crate::store::Store;

impl Worker {
    /// Takes a step of the vendor's clock into the states of these workers, as one change of the store.
    pub(in crate::poll) fn apply_step<'a>(
        workers: impl Iterator<Item = &'a Arc<Self>>,
        stepped: SignedDuration,
        store: &Store,
    ) {
        // All are held until the states are put: a worker never puts one while another is newer.
        let mut courses: Vec<_> = workers.map(|worker| worker.course.lock()).collect();
        let shifted = courses.iter_mut().filter_map(|course| {
            let is_shifted = !course.is_gone && course.apply_step(stepped);
            is_shifted.then(|| course.state.clone())
        });
        store.put_all(shifted);
    }
}

impl Course {
    /// Shifts the noted times by the steps that they do not have yet; returns whether there was one.
    pub(super) fn apply_step(&mut self, stepped: SignedDuration) -> bool {
        let by = stepped - self.stepped;
        self.stepped = stepped;
        if by.is_zero() {
            return false;
        }
        self.state.shift_noted(by);
        Arc::make_mut(&mut self.memory).shift_noted(by);
        true
    }
}
