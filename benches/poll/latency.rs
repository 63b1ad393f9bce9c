//! Time of a read of memory that stands in no cache of the processor: what a poll among many clusters costs more
//! than one among few is mostly such reads, and on a machine that others use, too, they differ much.

use std::hint::black_box;
use std::time::Duration;

use tokio::time::Instant;

/// Number of cells: 256 MiB, about the memory of 10,000 clusters.
const CELLS: usize = 4 << 20;
/// Number of reads that are measured.
const READS: u32 = 1 << 20;

/// Cells of a cache line each, that name one another in a circle without an order.
#[derive(Debug)]
pub(crate) struct Circle(Vec<[usize; 8]>);

impl Circle {
    pub(crate) fn new() -> Self {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut cells: Vec<_> = (0..CELLS).map(|cell| [cell; 8]).collect();
        // Sattolo's shuffle leaves one circle of all.
        for last in (1..CELLS).rev() {
            cells.swap(last, rng.usize(..last));
        }
        Self(cells)
    }

    /// Returns the time of a read.
    pub(crate) fn read(&self) -> Duration {
        let begun = Instant::now();
        let mut cell = 0;
        for _ in 0..READS {
            cell = self.0[cell][0];
        }
        black_box(cell);
        begun.elapsed() / READS
    }
}
