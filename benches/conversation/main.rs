//! Conversations: what a message to many devices costs beside the session's own encryption, how many frames it takes,
//! and how much is stored. `cargo bench --bench conversation`.
//!
//! Counts are exact. Ratios are between processor times of one run, interleaved; what is compared is in the row: a
//! `session encrypt` is one session's encryption of as many bytes as a frame has, without anything else. Each aim that is
//! missed shows a NO.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod cases;
mod counted;
mod lists;
#[allow(dead_code)] // callgrind and allocations, which other benchmarks use
#[path = "../support/mod.rs"]
mod support;

use bisik::device::DeviceList;
use support::interleaved::{median, ratio, sample};
use support::meter::Case;

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    // `cargo test --benches` and `cargo bench -- --test` only check that it runs.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (rounds, devices) = if measured { (200, [1, 5, 31].as_slice()) } else { (1, [1, 2].as_slice()) };
    println!("{:<58} {:>11} {:>7}", "counted", "", "at most");
    counted::print(measured);

    println!("\n{:<58} {:>8} {:>8} {:>6} {:>7}", "what; compared with", "ns", "ns", "ratio", "at most");
    for count in devices {
        let share = f64::from(*count);
        let rounds = rounds.min((1_000 / *count as usize).max(20));
        let title = format!("flush, 8 messages to {count}, each; session encrypt");
        compare(&title, &mut cases::flush(*count), &mut cases::encrypt(1), share, rounds, (*count >= 5).then_some(1.2));
        let aim = [(1, 2.5), (5, 2.0), (31, 1.4)].into_iter().find(|(devices, _)| devices == count);
        let title = format!("send, flush, seal, 8 to {count}, each; session encrypt");
        compare(&title, &mut cases::store(*count), &mut cases::encrypt(1), share, rounds, aim.map(|(_, aim)| aim));
    }
    // The cost of many states by themselves: they do not all stay in the processor's cache.
    let many = if measured { 1_000 } else { 5 };
    let title = format!("encrypt 8 in {many} sessions, each; in one");
    let (rounds, few) = (rounds.min(100), rounds.min(20));
    compare(&title, &mut cases::encrypt(many), &mut cases::encrypt(1), f64::from(many), few, None);
    compare("receive; session decrypt", &mut cases::receive(), &mut cases::decrypt(), 1.0, rounds, None);
    compare(
        "five devices: seal the head; open head and blocks",
        &mut cases::seal(),
        &mut cases::open(),
        1.0,
        rounds,
        None,
    );
    let mut five = lists::first_contact(&[5]);
    let title = "first contact with five devices; five with one each";
    compare(title, &mut five, &mut lists::first_contact(&[1; 5]), 1.0, rounds, Some(0.85));
    compare("the same; five sessions", &mut five, &mut lists::five_sessions(), 1.0, rounds, None);
    let (count, most) = if measured { (300, DeviceList::MOST_DEVICES) } else { (3, 5) };
    let title = format!("follow {count} lists of {most}, from bytes; one list");
    compare(&title, &mut lists::follow(count, most), &mut lists::follow(1, most), 1.0, rounds.min(10), None);
}

fn compare(title: &str, ours: &mut Case, base: &mut Case, share: f64, rounds: usize, aim: Option<f64>) {
    let mut samples = sample(&mut [ours, base], rounds);
    samples[0].iter_mut().for_each(|sample| *sample /= share);
    let ratio = ratio(&samples[0], &samples[1]);
    let [ours, base] = [&samples[0], &samples[1]].map(|times| median(times));
    println!("{title:<58} {ours:>8.0} {base:>8.0} {ratio:>6.2} {}", verdict(ratio, aim));
}

/// The aim, and whether it is missed.
fn verdict(value: f64, aim: Option<f64>) -> String {
    let missed = aim.is_some_and(|aim| value > aim);
    let aim = aim.map_or(String::new(), |aim| if aim < 100.0 { format!("{aim:.2}") } else { format!("{aim:.0}") });
    format!("{aim:>7}{}", if missed { "  NO" } else { "" })
}
