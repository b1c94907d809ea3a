//! Chains of keys beside Megolm in vodozemac 0.11: `cargo bench --bench group`.
//!
//! Both sign each message with Ed25519 and verify it. Megolm's messages have no fresh salt, no view, and say nothing of
//! group and sender. benches/peers/groups has MLS beside both. Only ratios within one run mean something. Timings are for
//! reading and fail no test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

mod cases;
#[allow(dead_code)] // what other benchmarks use
#[path = "../support/mod.rs"]
mod support;

use std::hint::black_box;

use bisik::group::GroupMessage;
use bisik::{SealedRecord, StorageKey};

use cases::{Pair, bytes, decrypt, encrypt, their_decrypt, their_encrypt};
use support::Asked;
use support::interleaved::{compare, median, sample};
use support::meter::{Case, repeated, time};
use support::report::{self, Aim, Report, Row, duration, titled};

const CONTEXT: &[u8] = b"chain";
/// Messages of a backlog.
const BACKLOG: u64 = 1_000;
const ROUNDS: usize = 101;

fn main() {
    let mut rows = rows();
    match support::asked() {
        Asked::List => {}
        Asked::Run => {
            rows.iter_mut().for_each(|Compare { ours, base, .. }| _ = (time(ours, 1), time(base, 1)));
            records().into_iter().for_each(|mut record| _ = time(&mut record.seal, 1));
        }
        Asked::Measure => {
            let mut report = Report::start();
            measure(&mut rows, &mut report);
            report.end();
        }
    }
}

fn measure(rows: &mut [Compare], report: &mut Report) {
    let lines: Vec<_> = rows
        .iter_mut()
        .map(|Compare { name, aim, ours, base, messages }| {
            Row::compared(*name, &compare(ours, base, *messages as f64, ROUNDS), *aim)
        })
        .collect();
    report.comparison(&titled("Chains of keys beside Megolm in vodozemac 0.11, each message"), "Megolm", &lines);
    let lines = [(32, Aim::AtMost(150.0)), (1_024, Aim::None)].map(|(length, aim)| {
        let (ours, theirs) = bytes(length);
        Row::new(format!("of {length} bytes"), vec![theirs.to_string(), ours.to_string()], aim)
    });
    report.table("Bytes of a message", &["body", "Megolm", "bisik"], &lines);
    let lines: Vec<_> = records()
        .into_iter()
        .map(|Record { name, bytes, mut seal }| {
            let samples = sample(&mut [&mut seal], ROUNDS);
            vec![name, bytes.to_string(), duration(median(&samples[0]))]
        })
        .collect();
    report::print("Records", &["record", "bytes", "sealed in"], &lines);
}

/// One operation, and what it is compared with.
struct Compare {
    name: &'static str,
    aim: Aim,
    ours: Case,
    base: Case,
    /// How many messages one run of `ours` reads.
    messages: u64,
}

fn rows() -> Vec<Compare> {
    let row = |name, ours, base| Compare { name, aim: Aim::None, ours, base, messages: 1 };
    vec![
        row("encrypt 32 B", encrypt(32), their_encrypt(32)),
        row("encrypt 1 KiB", encrypt(1_024), their_encrypt(1_024)),
        row("decrypt 32 B", decrypt(32), their_decrypt(32)),
        row("decrypt 1 KiB", decrypt(1_024), their_decrypt(1_024)),
        Compare {
            name: "decrypt 32 B, in a backlog of 1,000",
            aim: Aim::AtMost(0.6),
            ours: backlog(),
            base: their_decrypt(32),
            messages: BACKLOG,
        },
    ]
}

fn backlog() -> Case {
    let (mut pair, body) = (Pair::new(1), vec![7; 32]);
    Box::new(move |count, meter| {
        for _ in 0..count {
            pair.make_room(BACKLOG);
            let messages: Vec<_> = (0..BACKLOG).map(|_| pair.write(&body)).collect();
            meter.measure(&mut || {
                let messages: Vec<_> =
                    messages.iter().map(|message| GroupMessage::from_bytes(black_box(message)).unwrap()).collect();
                let opened = black_box(pair.chains.open_backlog(&messages));
                assert!(opened.iter().all(Result::is_ok));
            });
        }
    })
}

/// A record, and what it takes to seal it.
struct Record {
    name: String,
    bytes: usize,
    seal: Case,
}

fn records() -> Vec<Record> {
    let own = [1, 10, 100, 1_000].map(|devices| {
        let (mut chain, key) = (Pair::new(devices).chain, StorageKey::generate(&mut rand::rng()));
        record(format!("own chain, given to {devices}"), move || chain.seal(&key, CONTEXT, &mut rand::rng()).unwrap())
    });
    let others = [(0, 0), (1, 0), (100, 0), (100, 100)].map(|(read, missing)| {
        let mut pair = Pair::new(1);
        for _ in 0..missing {
            let _ = pair.write(b"");
        }
        for _ in 0..read {
            let message = GroupMessage::try_from(pair.write(b"")).unwrap();
            let _ = pair.chains.open(&message).unwrap();
        }
        let (mut chains, key) = (pair.chains, StorageKey::generate(&mut rand::rng()));
        let name = format!("another device's chain, {read} read, {missing} missing");
        record(name, move || chains.seal(&key, CONTEXT, &mut rand::rng()).unwrap())
    });
    own.into_iter().chain(others).collect()
}

fn record(name: String, mut seal: impl FnMut() -> SealedRecord + 'static) -> Record {
    Record { name, bytes: seal().as_bytes().len(), seal: repeated(seal) }
}
