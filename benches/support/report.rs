//! What a benchmark prints: the machine, tables in Markdown in which each aim is met or not, and how many are.

use super::interleaved::Compared;
use super::machine;

/// The bound of a figure. What somebody promised, not what was measured.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    None,
    AtMost(f64),
    AtLeast(f64),
}

/// A row of a table.
pub(crate) struct Row {
    name: String,
    cells: Vec<String>,
    /// What the aim is for, as it is shown: a figure of 1.204 meets an aim of 1.20, since more is never printed.
    figure: f64,
    aim: Aim,
}

impl Row {
    /// A row of these cells, of which the last one shows the figure.
    pub(crate) fn new(name: impl Into<String>, cells: Vec<String>, aim: Aim) -> Self {
        let figure = cells.last().and_then(|cell| cell.parse().ok()).unwrap_or(f64::NAN);
        Self { name: name.into(), cells, figure, aim }
    }

    /// A row of two times, the middle half of the rounds' ratios, and their median.
    pub(crate) fn compared(name: impl Into<String>, compared: &Compared, aim: Aim) -> Self {
        let Compared { ours, base, ratio, half } = compared;
        let half = format!("{} to {}", short(half[0]), short(half[1]));
        Self::new(name, vec![duration(*ours), duration(*base), half, short(*ratio)], aim)
    }

    fn is_met(&self) -> Option<bool> {
        match self.aim {
            Aim::None => None,
            Aim::AtMost(bound) => Some(self.figure <= bound),
            Aim::AtLeast(bound) => Some(self.figure >= bound),
        }
    }
}

/// How many aims were met.
pub(crate) struct Report {
    met: usize,
    missed: Vec<String>,
}

impl Report {
    /// Prints what this machine is.
    pub(crate) fn start() -> Self {
        machine::print();
        Self { met: 0, missed: Vec::new() }
    }

    /// Prints a table with these columns, and two more: the aim, and whether it is met.
    pub(crate) fn table(&mut self, title: &str, columns: &[&str], rows: &[Row]) {
        let columns = [columns, &["aim", "met"]].concat();
        let mut lines = Vec::new();
        for row in rows {
            let aim = match row.aim {
                Aim::None => String::from("-"),
                Aim::AtMost(bound) => format!("≤ {}", short(bound)),
                Aim::AtLeast(bound) => format!("≥ {}", short(bound)),
            };
            let met = match row.is_met() {
                None => "-",
                Some(true) => "met",
                Some(false) => "NO",
            };
            match row.is_met() {
                None => {}
                Some(true) => self.met += 1,
                Some(false) => self.missed.push(format!("{title}: {}", row.name)),
            }
            let name = [row.name.clone()];
            lines.push([&name[..], &row.cells, &[aim, met.to_owned()]].concat());
        }
        print(title, &columns, &lines);
    }

    /// Prints a table of [`Row::compared`]: what is measured, and what it is compared with.
    pub(crate) fn comparison(&mut self, title: &str, base: &str, rows: &[Row]) {
        self.table(title, &["operation", "bisik", base, "half of the rounds", "ratio"], rows);
    }

    /// Prints how many aims were met, and which were missed.
    pub(crate) fn end(self) {
        println!("\naims met: {}, missed: {}", self.met, self.missed.len());
        self.missed.iter().for_each(|name| println!("NO: {name}"));
    }
}

/// Prints a table without aims. The first column holds names, all others numbers.
pub(crate) fn print(title: &str, columns: &[&str], lines: &[Vec<String>]) {
    let width = |at: usize| {
        let cells = lines.iter().map(|line| line[at].chars().count());
        cells.chain([columns[at].chars().count(), 3]).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at {
            0 => format!(" {cell:<width$} |"),
            _ => format!(" {cell:>width$} |"),
        });
        println!("|{}", padded.collect::<String>());
    };
    println!("\n### {title}\n");
    line(&columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let rule = |(at, width): (usize, &usize)| format!("{}{}|", "-".repeat(width + 1), if at == 0 { "-" } else { ":" });
    println!("|{}", widths.iter().enumerate().map(rule).collect::<String>());
    lines.iter().for_each(|cells| line(cells));
}

/// A title of a table that says so if the faster back end is on.
pub(crate) fn titled(title: &str) -> String {
    format!("{title}{}", if cfg!(feature = "graviola") { ", with graviola" } else { "" })
}

/// A time in three digits.
pub(crate) fn duration(nanoseconds: f64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")];
    let Some((unit, name)) = units.into_iter().find(|(unit, _)| nanoseconds >= *unit) else {
        return format!("{nanoseconds:.0} ns");
    };
    let number = nanoseconds / unit;
    let digits = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
    format!("{number:.digits$} {name}")
}

/// A number without digits that say nothing.
pub(crate) fn short(number: f64) -> String {
    if number >= 100.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}

/// A count with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", count(number / 1_000), number % 1_000) }
}

/// A number of bytes in the unit in which it is whole.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 30 && bytes % (1 << 30) == 0 => format!("{} GiB", bytes >> 30),
        bytes if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 && bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}
