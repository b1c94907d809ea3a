//! Conversations: what a message to many devices costs beside the session's own encryption, how many frames it takes,
//! how much is stored, and how all of it grows. `cargo bench --bench conversation`.
//!
//! Counts are exact. Ratios are between processor times of one run, interleaved; what is compared is in the row: a
//! `session encrypt` is one session's encryption of as many bytes as a frame has, without anything else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod cases;
mod chains;
mod counted;
mod growth;
mod lists;
#[allow(dead_code)] // what other benchmarks use
#[path = "../support/mod.rs"]
mod support;

use bisik::device::DeviceList;
use support::Asked;
use support::interleaved::compare;
use support::meter::Case;
use support::report::{Aim, Report, Row};

fn main() {
    let measured = match support::asked() {
        Asked::List => return,
        Asked::Run => false,
        Asked::Measure => true,
    };
    let mut report = Report::start();
    counted::print(measured, &mut report);
    timed(measured, &mut report);
    growth::print(measured);
    report.end();
}

fn timed(measured: bool, report: &mut Report) {
    let (rounds, devices) = if measured { (200, [1, 5, 31].as_slice()) } else { (1, [1, 2].as_slice()) };
    let mut rows = Vec::new();
    // With `messages` in a run, of which each goes to `devices`.
    let mut each = |title: &str, messages, devices: u32, [mut ours, mut base]: [Case; 2], rounds, aim| {
        let compared = compare(&mut ours, &mut base, f64::from(devices), rounds).each(messages);
        rows.push(Row::compared(title, &compared, aim));
    };
    for count in devices.iter().copied() {
        let rounds = rounds.min((1_000 / count as usize).max(20));
        let title = format!("flush to {count}, each; session encrypt");
        let aim = if count >= 5 { Aim::AtMost(1.2) } else { Aim::None };
        each(&title, cases::ROUND, count, [cases::flush(count), cases::encrypt(1)], rounds, aim);
        let aim = [(1, 2.5), (5, 2.0), (31, 1.4)].into_iter().find(|(devices, _)| *devices == count);
        let title = format!("send, flush, seal to {count}, each; session encrypt");
        let aim = aim.map_or(Aim::None, |(_, bound)| Aim::AtMost(bound));
        each(&title, cases::ROUND, count, [cases::store(count), cases::encrypt(1)], rounds, aim);
    }
    // The cost of many states by themselves: they do not all stay in the processor's cache.
    let many = if measured { 1_000 } else { 5 };
    let title = format!("encrypt in {many} sessions, each; in one");
    each(&title, cases::ROUND, many, [cases::encrypt(many), cases::encrypt(1)], rounds.min(20), Aim::None);
    let rounds = rounds.min(100);
    let mut row = |title: &str, ours, base, aim| each(title, 1, 1, [ours, base], rounds, aim);
    row("receive; session decrypt", cases::receive(false), cases::decrypt(), Aim::None);
    row("receive, seal; session decrypt", cases::receive(true), cases::decrypt(), Aim::None);
    row("five devices: seal the head; open head and blocks", cases::seal(), cases::open(), Aim::None);
    let (five, ones) = (lists::first_contact(&[5]), lists::first_contact(&[1; 5]));
    row("first contact with five devices; five with one each", five, ones, Aim::AtMost(0.85));
    row("the same; five sessions", lists::first_contact(&[5]), lists::five_sessions(), Aim::None);
    let (count, most) = if measured { (300, DeviceList::MOST_DEVICES) } else { (3, 5) };
    let title = format!("follow {count} lists of {most}, from bytes; one list");
    each(&title, 1, 1, [lists::follow(count, most), lists::follow(1, most)], rounds.min(10), Aim::None);
    report.comparison("Conversations beside sessions", "beside", &rows);
}
