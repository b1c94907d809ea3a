//! Comparable times of several cases: disturbances of the machine affect all cases alike.

use std::time::Duration;

use super::meter::{Case, time};

/// Returns the nanoseconds of one run, for each case and round.
///
/// Every round takes one sample of each case, starting with another case each time. Criterion measures one case after
/// the other. On a machine that also does other work, a ratio of two such results drifts by more than the difference it
/// should show. The ratio of two samples of one round does not.
pub(crate) fn sample(cases: &mut [&mut Case], rounds: usize) -> Vec<Vec<f64>> {
    let counts: Vec<_> = cases.iter_mut().map(|case| calibrate(case)).collect();
    let mut samples = vec![Vec::with_capacity(rounds); cases.len()];
    for round in 0..rounds {
        for offset in 0..cases.len() {
            let index = (round + offset) % cases.len();
            let elapsed = time(cases[index], counts[index]);
            samples[index].push(elapsed.as_nanos() as f64 / counts[index] as f64);
        }
    }
    samples
}

/// Returns the median of the rounds' own ratios.
pub(crate) fn ratio(ours: &[f64], base: &[f64]) -> f64 {
    let ratios: Vec<_> = ours.iter().zip(base).map(|(ours, base)| ours / base).collect();
    median(&ratios)
}

/// Returns the middle value.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Returns how many runs fill one sample.
fn calibrate(case: &mut Case) -> u64 {
    let mut count = 1;
    while time(case, count) < SAMPLE && count < 1 << 20 {
        count *= 2;
    }
    count
}

/// Long compared with the clock's resolution, short compared with a scheduler's time slice.
const SAMPLE: Duration = Duration::from_micros(300);
