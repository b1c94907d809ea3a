//! How costs grow: with the devices, with the messages of a chain and of a conversation, and with skipped keys.

use crate::cases;
use crate::chains::{Chain, RUN, ahead};
use crate::support::growth::{At, Growth, Unit};
use crate::support::meter::Case;
use crate::support::picture::Picture;
use crate::support::report;

pub(crate) fn print(measured: bool) {
    let mut picture = Picture::new("How the cost of conversations grows");
    for (from_zero, [title, across], names, counts, at) in PANELS {
        let growth =
            Growth { title, across, number: report::count, names, unit: Unit::Microseconds, from_zero: *from_zero };
        let counts = if measured { counts } else { &counts[..2] };
        growth.measure(&mut picture, counts, |_| if measured { 31 } else { 1 }, at);
    }
    picture.write("conversation");
}

/// Whether costs are shown from zero, the title and what is counted, what is measured, and at which counts.
type Panel = (bool, [&'static str; 2], &'static [&'static str], &'static [u64], fn(u64) -> At);

const PANELS: &[Panel] = &[
    (
        false,
        ["One message by the number of devices that get it", "devices"],
        &["flush", "send, flush, seal", "session encrypt, for each"],
        &[1, 2, 5, 10, 20, 31, 63],
        devices,
    ),
    (
        false,
        ["A session by its skipped keys: the messages that it waits for", "skipped keys"],
        &["decrypt the next", "decrypt a late one", "the same and seal", "seal", "unseal", "a step, and skip so many"],
        &[1, 8, 24, 100, 300, 1_000, 2_000],
        skipped,
    ),
    (
        true,
        ["A session by the messages of a chain without an answer", "messages before"],
        &["encrypt", "decrypt", "seal", "unseal"],
        &[1, 10, 100, 1_000, 10_000, 100_000],
        chain,
    ),
    (
        true,
        ["A conversation of two devices by the messages that were acknowledged", "messages before"],
        &["send, flush, seal"],
        &[100, 300, 1_000, 3_000, 10_000],
        |count| vec![(cases::store_late(count), cases::ROUND)],
    ),
    (
        true,
        ["The same by the messages that wait for an acknowledgement", "messages that wait"],
        &["send, flush, seal"],
        &[1, 4, 16, 32, 60],
        |count| vec![(cases::store_waiting(count), 1)],
    ),
];

fn devices(count: u64) -> At {
    // One session that encrypts for each device in turn, so that its cost is counted as often.
    let mut one = cases::encrypt(1);
    let encrypt: Case = Box::new(move |runs, meter| one(runs * count, meter));
    let each = |case| (case, cases::ROUND);
    vec![each(cases::flush(count as u32)), each(cases::store(count as u32)), each(encrypt)]
}

fn skipped(count: u64) -> At {
    vec![
        (Chain::skipped(count).decrypt(), RUN),
        Chain::skipped(count).decrypt_late(false),
        Chain::skipped(count).decrypt_late(true),
        (Chain::skipped(count).seal(), 1),
        (Chain::skipped(count).unseal(), 1),
        (ahead(count), 1),
    ]
}

fn chain(count: u64) -> At {
    let [encrypt, decrypt] = [Chain::encrypt, Chain::decrypt].map(|case| (case(Chain::read(count)), RUN));
    let [seal, unseal] = [Chain::seal, Chain::unseal].map(|case| (case(Chain::read(count)), 1));
    vec![encrypt, decrypt, seal, unseal]
}
