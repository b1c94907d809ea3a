//! [`Case`]: an operation that can be run any number of times under any [`Meter`].
//!
//! Does not know the operation. What a case has to prepare, it prepares outside the meter.

use std::time::Duration;

use cpu_time::ThreadTime;

/// Runs an operation this many times, and only the operation inside the meter.
pub(crate) type Case = Box<dyn FnMut(u64, &mut dyn Meter)>;

/// Measures the pieces of work that it is handed, and adds them up.
pub(crate) trait Meter {
    fn measure(&mut self, work: &mut dyn FnMut());
}

/// Processor time of this thread: it stands still while other programs have the processor.
#[derive(Default)]
struct Stopwatch(Duration);

impl Meter for Stopwatch {
    fn measure(&mut self, work: &mut dyn FnMut()) {
        // Opted out of counting, an allocation costs a look at one thread-local number more than it would without.
        allocation_counter::opt_out(|| {
            let start = ThreadTime::now();
            work();
            self.0 += start.elapsed();
        });
    }
}

/// Calls of the allocator, growth among them.
#[derive(Default)]
struct Allocations(u64);

impl Meter for Allocations {
    fn measure(&mut self, work: &mut dyn FnMut()) {
        self.0 += allocation_counter::measure(work).count_total;
    }
}

/// How long `count` runs take.
pub(crate) fn time(case: &mut Case, count: u64) -> Duration {
    let mut stopwatch = Stopwatch::default();
    case(count, &mut stopwatch);
    stopwatch.0
}

/// Allocations of one run, on average over `count`.
pub(crate) fn allocations(case: &mut Case, count: u64) -> f64 {
    let mut allocations = Allocations::default();
    case(count, &mut allocations);
    allocations.0 as f64 / count as f64
}

/// `count`, in pieces of at most `size`: what a case prepares at a time.
pub(crate) fn pieces(count: u64, size: u64) -> impl Iterator<Item = u64> {
    (0..count.div_ceil(size)).map(move |index| size.min(count - index * size))
}
