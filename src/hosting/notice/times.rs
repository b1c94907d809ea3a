//! A number of seconds in plain units: rounded up where no unit fits, and the exact number beside it. P-11.25.

use alloc::format;
use alloc::string::{String, ToString};

use super::texts::{Texts, fill};
use crate::hosting::disclosure::Retention;

/// How long, with its preposition: "for 30 days", "for ever", "not at all". Different numbers have different words.
pub(super) fn span(seconds: u64, texts: &Texts) -> String {
    match seconds {
        0 => return texts.not_at_all.to_string(),
        Retention::FOREVER => return texts.forever.to_string(),
        _ if seconds > AGES => return fill(texts.ages, &[("seconds", &seconds.to_string())]),
        _ => {}
    }
    let mut units = UNITS.iter().zip(&texts.units);
    let plain = units.find_map(|((unit, most), names)| {
        let count = seconds.checked_div(*unit).filter(|count| (1..=*most).contains(count))?;
        (seconds.checked_rem(*unit) == Some(0)).then(|| counted(count, names))
    });
    if let Some(time) = plain {
        return fill(texts.exactly, &[("time", &time)]);
    }
    // Rounded up, never down, in the largest unit of which there are three.
    let mut units = UNITS.iter().zip(&texts.units);
    let rounded = units.find_map(|((unit, _), names)| {
        let count = seconds.checked_add(unit.saturating_sub(1))?.checked_div(*unit)?;
        (count >= 3).then(|| counted(count, names))
    });
    let time = rounded.unwrap_or_else(|| counted(seconds, &["", ""]));
    fill(texts.at_most, &[("time", &time), ("seconds", &seconds.to_string())])
}

fn counted(count: u64, [one, several]: &[&str; 2]) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// Years, days, hours, minutes, seconds, and how many of each are still easy to read.
const UNITS: [(u64, u64); 5] = [(365 * 86_400, 1_000), (86_400, 999), (3_600, 72), (60, 120), (1, 120)];

/// A thousand years, in seconds: beyond that no number helps.
const AGES: u64 = 1_000 * 365 * 86_400;

#[cfg(test)]
mod tests {
    use super::super::{english, indonesian};
    use super::*;
    use alloc::collections::BTreeMap;

    /// P-11.25.
    #[test]
    fn times_are_said_in_plain_units_and_rounded_up() {
        let day = 86_400;
        for (seconds, english_text, indonesian_text) in [
            (0, "not at all", "tidak sama sekali"),
            (1, "for 1 second", "selama 1 detik"),
            (90, "for 90 seconds", "selama 90 detik"),
            (3_600, "for 1 hour", "selama 1 jam"),
            (5_400, "for 90 minutes", "selama 90 menit"),
            (36 * 3_600, "for 36 hours", "selama 36 jam"),
            (30 * day, "for 30 days", "selama 30 hari"),
            (365 * day, "for 1 year", "selama 1 tahun"),
            (3_650 * day, "for 10 years", "selama 10 tahun"),
            (
                30 * day + 1,
                "for up to 31 days (exactly 2592001 seconds)",
                "paling lama 31 hari (tepatnya 2592001 detik)",
            ),
            (121, "for up to 3 minutes (exactly 121 seconds)", "paling lama 3 menit (tepatnya 121 detik)"),
            (u64::MAX, "for ever", "tanpa batas waktu"),
            (
                u64::MAX - 1,
                "for more than 1000 years (exactly 18446744073709551614 seconds)",
                "lebih dari 1000 tahun (tepatnya 18446744073709551614 detik)",
            ),
        ] {
            assert_eq!(span(seconds, &english::TEXTS), english_text);
            assert_eq!(span(seconds, &indonesian::TEXTS), indonesian_text);
        }
    }

    /// P-11.25. All up to a day, and all around every multiple of every unit.
    #[test]
    fn no_two_times_are_said_alike() {
        let around = UNITS.iter().flat_map(|(unit, most)| {
            (1..=most + 1).flat_map(move |count| [unit * count - 1, unit * count, unit * count + 1])
        });
        let all = (0..=86_400).chain(around).chain([u64::MAX - 2, u64::MAX - 1, u64::MAX]);
        let mut said = [BTreeMap::new(), BTreeMap::new()];
        for seconds in all {
            for (said, texts) in said.iter_mut().zip([&english::TEXTS, &indonesian::TEXTS]) {
                let before = said.insert(span(seconds, texts), seconds);
                assert!(before.is_none_or(|before| before == seconds), "{seconds} and {before:?}");
            }
        }
    }
}
