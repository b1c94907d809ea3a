//! Pictures of figures, as SVG: bars of ratios, and lines that show how a cost grows. Nothing in them is drawn by hand.
//!
//! With `BISIK_PICTURES=DIR` a benchmark writes one to `DIR/performance-NAME.svg`. It brings its own background, so that
//! it can be read on a dark page too, and no style sheet, script or font.

use std::fmt::Write;
use std::path::Path;

use super::machine;

/// A picture: panels, one below the other.
pub(crate) struct Picture {
    body: String,
    height: f64,
}

/// A ratio by name. The aim is marked on its bar.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) ratio: f64,
    pub(crate) at_most: Option<f64>,
}

/// How a cost grows. Both axes are logarithmic, unless `from_zero`: then that of the cost begins at zero.
pub(crate) struct Lines<'a> {
    pub(crate) title: &'a str,
    /// What the horizontal axis counts, and how it is written.
    pub(crate) across: &'a str,
    pub(crate) number: fn(u64) -> String,
    /// What the vertical axis counts.
    pub(crate) up: &'a str,
    pub(crate) from_zero: bool,
    pub(crate) lines: Vec<(String, Vec<(u64, f64)>)>,
}

impl Picture {
    pub(crate) fn new(title: &str) -> Self {
        let mut picture = Self { body: format!("<title>{}</title>\n", escaped(title)), height: 30.0 };
        picture.text(LEFT, 24.0, "start", "font-size=\"15\" font-weight=\"bold\"", title);
        picture
    }

    /// Adds a bar for each ratio, and a line at one, where both sides cost the same.
    pub(crate) fn bars(&mut self, title: &str, bars: &[Bar]) {
        let (top, left) = (self.heading(title), 290.0);
        let most = bars.iter().flat_map(|bar| [bar.ratio, bar.at_most.unwrap_or(0.0)]).fold(1.0, f64::max);
        let scale = (WIDTH - left - 70.0) / most;
        for (number, Bar { name, ratio, at_most }) in bars.iter().enumerate() {
            let (y, length) = (top + 20.0 * number as f64, ratio * scale);
            let colour = if *ratio <= 1.0 { COLOURS[0] } else { COLOURS[1] };
            self.text(left - 8.0, y + 14.0, "end", "", name);
            self.path(&format!("M{left} {}h{length:.1}", y + 10.0), colour, 14.0, "");
            if let Some(bound) = at_most {
                self.path(&format!("M{:.1} {y}v20", left + bound * scale), INK, 2.0, "");
            }
            self.text(WIDTH - LEFT, y + 14.0, "end", "", &format!("{ratio:.2}"));
        }
        let bottom = top + 20.0 * bars.len() as f64;
        self.path(
            &format!("M{:.1} {}V{}", left + scale, top - 2.0, bottom + 2.0),
            INK,
            1.0,
            "stroke-dasharray=\"3 3\"",
        );
        self.text(left + scale, bottom + 14.0, "middle", "", "1: the same cost");
        self.height = bottom + 20.0;
    }

    /// Adds a panel of lines. Each point that was measured has a dot.
    pub(crate) fn lines(&mut self, Lines { title, across, number, up, from_zero, lines }: &Lines<'_>) {
        let top = self.heading(title);
        for (at, ((name, _), colour)) in lines.iter().zip(COLOURS).enumerate() {
            let (x, y) = (LEFT + 230.0 * (at % 3) as f64, top + 16.0 * (at / 3) as f64 + 4.0);
            self.path(&format!("M{x} {y}h18"), colour, 3.0, "");
            self.text(x + 24.0, y + 4.0, "start", "", name);
        }
        let top = top + 16.0 * lines.len().div_ceil(3) as f64 + 22.0;
        let (left, bottom) = (LEFT + 50.0, top + 150.0);
        self.text(LEFT, top - 10.0, "start", "", up);

        let points = || lines.iter().flat_map(|(_, points)| points);
        let mut counts: Vec<_> = points().map(|(count, _)| *count).collect();
        counts.sort_unstable();
        counts.dedup();
        let [first, last] = [counts[0] as f64, counts[counts.len() - 1] as f64];
        let x = |count: u64| left + (WIDTH - left - 30.0) * (count as f64 / first).ln() / (last / first).ln();
        let least = points().map(|(_, cost)| *cost).fold(f64::INFINITY, f64::min);
        let most = points().map(|(_, cost)| *cost).fold(0.0, f64::max);
        let ticks = if *from_zero { even(most) } else { decades(least, most) };
        let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
        let y = |cost: f64| {
            let share = if *from_zero { cost / high } else { (cost / low).ln() / (high / low).ln() };
            bottom - (bottom - top) * share
        };
        let mut grid = String::new();
        for tick in &ticks {
            _ = write!(grid, "M{left} {:.0}H{}", y(*tick), WIDTH - 20.0);
            self.text(left - 6.0, y(*tick) + 4.0, "end", "", &tick.to_string());
        }
        self.path(&grid, INK, 1.0, "stroke-opacity=\"0.2\"");
        let mut free = f64::NEG_INFINITY;
        for count in counts.iter().filter(|count| number_fits(&mut free, x(**count))) {
            self.text(x(*count), bottom + 16.0, "middle", "", &number(*count));
        }
        self.text((left + WIDTH) / 2.0, bottom + 32.0, "middle", "", across);
        for ((_, points), colour) in lines.iter().zip(COLOURS) {
            let (mut path, mut dots) = (String::new(), String::new());
            for (count, cost) in points {
                let (x, y) = (x(*count), y(*cost));
                _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
                _ = write!(dots, "M{x:.1} {y:.1}h0");
            }
            self.path(&path, colour, 2.0, "");
            self.path(&dots, colour, 6.0, "stroke-linecap=\"round\"");
        }
        self.height = bottom + 38.0;
    }

    /// Writes it, if somebody wants pictures.
    pub(crate) fn write(mut self, name: &str) {
        let Some(folder) = std::env::var_os("BISIK_PICTURES") else { return };
        self.height += 22.0;
        let by = format!("cargo bench --bench {name}: {}", machine::line());
        self.text(LEFT, self.height - 8.0, "start", "font-size=\"10\" fill-opacity=\"0.7\"", &by);
        let (body, height) = (&self.body, self.height);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
             height=\"{height:.0}\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\" fill=\"{INK}\">\n\
             <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#fff\"/>\n{body}</svg>\n"
        );
        std::fs::create_dir_all(&folder).unwrap();
        let file = Path::new(&folder).join(format!("performance-{name}.svg"));
        std::fs::write(&file, svg).unwrap();
        println!("\npicture: {}", file.display());
    }

    /// Adds the title of a panel, and returns where the panel begins.
    fn heading(&mut self, title: &str) -> f64 {
        self.text(LEFT, self.height + 20.0, "start", "font-weight=\"bold\"", title);
        self.height + 32.0
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, more: &str, text: &str) {
        let anchor = if anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
        let more = if more.is_empty() { String::new() } else { format!(" {more}") };
        self.add(format!("<text x=\"{x:.0}\" y=\"{y:.0}\"{anchor}{more}>{}</text>", escaped(text)));
    }

    fn path(&mut self, path: &str, colour: &str, width: f64, more: &str) {
        let more = if more.is_empty() { String::new() } else { format!(" {more}") };
        let width = if width == 1.0 { String::new() } else { format!(" stroke-width=\"{width}\"") };
        self.add(format!("<path fill=\"none\" d=\"{path}\" stroke=\"{colour}\"{width}{more}/>"));
    }

    fn add(&mut self, element: String) {
        self.body += &element;
        self.body.push('\n');
    }
}

/// Whether there is room for a number here, beside those before it.
fn number_fits(free: &mut f64, x: f64) -> bool {
    let fits = x >= *free;
    if fits {
        *free = x + 46.0;
    }
    fits
}

/// Steps from zero up to `most`, or just beyond, that are easy to read.
fn even(most: f64) -> Vec<f64> {
    let ten = 10_f64.powf((most / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * ten).into_iter().find(|step| step * 5.0 >= most);
    let (step, mut ticks) = (step.unwrap_or(ten), vec![0.0]);
    while ticks[ticks.len() - 1] < most {
        // Not a sum of steps, which would have digits at its end.
        ticks.push(((ticks.len() as f64 * step) * 1e6).round() / 1e6);
    }
    ticks
}

/// The numbers 1, 2 and 5 of each power of ten, from below `least` to beyond `most`; of many powers, 1 alone.
fn decades(least: f64, most: f64) -> Vec<f64> {
    let factors: &[f64] = if most / least > 300.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let (first, last) = (least.log10().floor() as i32, most.log10().ceil() as i32);
    let powers = (first..=last).map(|power| 10_f64.powi(power));
    let all: Vec<f64> = powers.flat_map(|ten| factors.iter().map(move |factor| factor * ten)).collect();
    let below = all.iter().rposition(|tick| *tick <= least).unwrap_or_default();
    let beyond = all.iter().position(|tick| *tick >= most).unwrap_or(all.len() - 1);
    all[below..=beyond].to_vec()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const WIDTH: f64 = 720.0;
const LEFT: f64 = 16.0;
const INK: &str = "#222";

/// Colours that differ for everybody, in grey too.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#222"];
