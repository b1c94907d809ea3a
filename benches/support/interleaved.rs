//! Comparable times of several cases: disturbances of the machine affect all cases alike.

use std::time::Duration;

use super::meter::{Case, elapsed, time};

/// Two cases beside each other: medians in nanoseconds, and of the rounds' ratios the median and the middle half.
pub(crate) struct Compared {
    pub(crate) ours: f64,
    pub(crate) base: f64,
    pub(crate) ratio: f64,
    pub(crate) half: [f64; 2],
}

impl Compared {
    /// Takes the samples of two cases, of which one run of the first counts for `share` runs of the second.
    pub(crate) fn new(ours: &[f64], base: &[f64], share: f64) -> Self {
        let ours: Vec<_> = ours.iter().map(|sample| sample / share).collect();
        let ratios: Vec<_> = ours.iter().zip(base).map(|(ours, base)| ours / base).collect();
        let [first, ratio, third] = [1, 2, 3].map(|quarter| quantile(&ratios, quarter));
        Self { ours: median(&ours), base: median(base), ratio, half: [first, third] }
    }

    /// The same for one of so many messages, of which one run of either case has as many.
    pub(crate) fn each(self, messages: u64) -> Self {
        let messages = messages as f64;
        Self { ours: self.ours / messages, base: self.base / messages, ..self }
    }
}

/// Samples two cases, of which one run of the first counts for `share` runs of the second.
pub(crate) fn compare(ours: &mut Case, base: &mut Case, share: f64, rounds: usize) -> Compared {
    let samples = sample(&mut [ours, base], rounds);
    Compared::new(&samples[0], &samples[1], share)
}

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

/// Returns for each case the least time of one run that passed on the clock, in nanoseconds. For cases that use several
/// cores: other programs use them too, so that only the fastest round says something.
pub(crate) fn fastest(cases: &mut [&mut Case], rounds: usize) -> Vec<f64> {
    let mut fastest = vec![f64::INFINITY; cases.len()];
    for _ in 0..rounds {
        for (case, fastest) in cases.iter_mut().zip(&mut fastest) {
            *fastest = fastest.min(elapsed(case, 1).as_nanos() as f64);
        }
    }
    fastest
}

/// Returns the median of the rounds' own ratios.
pub(crate) fn ratio(ours: &[f64], base: &[f64]) -> f64 {
    Compared::new(ours, base, 1.0).ratio
}

/// Returns the middle value.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 2)
}

/// Returns the value below which so many quarters of all values are.
fn quantile(values: &[f64], quarter: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() * quarter / 4]
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
