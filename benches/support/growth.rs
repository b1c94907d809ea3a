//! How a cost grows with a count: a table, and a panel of a picture.

use super::interleaved::{median, sample};
use super::meter::Case;
use super::picture::{Lines, Picture};
use super::report::{self, duration};

/// What grows with what.
pub(crate) struct Growth<'a> {
    pub(crate) title: &'a str,
    /// What is counted, and how a count is written.
    pub(crate) across: &'a str,
    pub(crate) number: fn(u64) -> String,
    pub(crate) names: &'a [&'a str],
    pub(crate) unit: Unit,
    /// Where hardly anything grows: a logarithm would make much of it.
    pub(crate) from_zero: bool,
}

/// What is shown of a time.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Nanoseconds,
    Microseconds,
    /// Gigabytes in a second, of as many bytes as the count is.
    Speed,
}

/// A case for each name, and for how many of it one run counts.
pub(crate) type At = Vec<(Case, u64)>;

impl Growth<'_> {
    /// Measures `at` each count, prints a table, and adds a panel.
    pub(crate) fn measure(
        &self,
        picture: &mut Picture,
        counts: &[u64],
        rounds: impl Fn(u64) -> usize,
        at: impl Fn(u64) -> At,
    ) {
        let mut lines: Vec<_> = self.names.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
        let mut rows = Vec::new();
        for count in counts.iter().copied() {
            let (mut cases, shares): (Vec<_>, Vec<_>) = at(count).into_iter().unzip();
            let samples = sample(&mut cases.iter_mut().collect::<Vec<_>>(), rounds(count));
            let mut row = vec![(self.number)(count)];
            for ((times, share), (_, points)) in samples.iter().zip(shares).zip(&mut lines) {
                let (shown, point) = self.unit.show(count, median(times) / share as f64);
                row.push(shown);
                points.push((count, point));
            }
            rows.push(row);
        }
        report::print(self.title, &[&[self.across], self.names].concat(), &rows);
        let Self { title, across, number, from_zero, .. } = *self;
        picture.lines(&Lines { title, across, number, up: self.unit.name(), from_zero, lines });
    }
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Microseconds => "µs",
            Self::Speed => "GB/s",
        }
    }

    /// A time as it is in the table, and as it is in the picture.
    fn show(self, count: u64, nanoseconds: f64) -> (String, f64) {
        match self {
            Self::Nanoseconds => (duration(nanoseconds), nanoseconds),
            Self::Microseconds => (duration(nanoseconds), nanoseconds / 1e3),
            Self::Speed => (format!("{:.2}", count as f64 / nanoseconds), count as f64 / nanoseconds),
        }
    }
}
