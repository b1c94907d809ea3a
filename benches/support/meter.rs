//! [`Case`]: an operation that can be run any number of times under any [`Meter`].
//!
//! A case does its preparation outside the meter.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

/// Runs an operation this many times. Only the operation itself runs inside the meter.
pub(crate) type Case = Box<dyn FnMut(u64, &mut dyn Meter)>;

/// Measures the pieces of work that it is given, and adds them up.
pub(crate) trait Meter {
    fn measure(&mut self, work: &mut dyn FnMut());
}

/// Processor time of this thread: it does not advance while other programs have the processor.
#[derive(Default)]
struct Stopwatch(Duration);

impl Meter for Stopwatch {
    fn measure(&mut self, work: &mut dyn FnMut()) {
        // With counting opted out, an allocation reads one more thread-local number than it otherwise would.
        allocation_counter::opt_out(|| {
            let start = ThreadTime::now();
            work();
            self.0 += start.elapsed();
        });
    }
}

/// The time that passes, whoever has the processor.
#[derive(Default)]
struct Clock(Duration);

impl Meter for Clock {
    fn measure(&mut self, work: &mut dyn FnMut()) {
        let start = Instant::now();
        work();
        self.0 += start.elapsed();
    }
}

/// Calls of the allocator, including growth.
#[derive(Default)]
struct Allocations(u64);

impl Meter for Allocations {
    fn measure(&mut self, work: &mut dyn FnMut()) {
        self.0 += allocation_counter::measure(work).count_total;
    }
}

/// A case that needs no preparation.
pub(crate) fn repeated<T>(mut run: impl FnMut() -> T + 'static) -> Case {
    Box::new(move |count, meter| meter.measure(&mut || (0..count).for_each(|_| _ = black_box(run()))))
}

/// Returns how much processor time of this thread `count` runs take.
pub(crate) fn time(case: &mut Case, count: u64) -> Duration {
    let mut stopwatch = Stopwatch::default();
    case(count, &mut stopwatch);
    stopwatch.0
}

/// Returns how much time passes in `count` runs.
pub(crate) fn elapsed(case: &mut Case, count: u64) -> Duration {
    let mut clock = Clock::default();
    case(count, &mut clock);
    clock.0
}

/// Returns the allocations of one run, averaged over `count`.
pub(crate) fn allocations(case: &mut Case, count: u64) -> f64 {
    let mut allocations = Allocations::default();
    case(count, &mut allocations);
    allocations.0 as f64 / count as f64
}

/// Splits `count` into pieces of at most `size`: what a case prepares at a time.
pub(crate) fn pieces(count: u64, size: u64) -> impl Iterator<Item = u64> {
    (0..count.div_ceil(size)).map(move |index| size.min(count - index * size))
}
