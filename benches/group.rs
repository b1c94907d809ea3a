//! Chains of keys beside Megolm in vodozemac 0.11: `cargo bench --bench group`.
//!
//! Both sign each message with Ed25519 and verify it. Megolm's messages have no fresh salt, no view, and say nothing of group
//! and sender. Only ratios within one run mean something. Timings are for reading and fail no test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

#[allow(dead_code)] // what other benchmarks use
mod support;

use std::collections::BTreeSet;
use std::hint::black_box;

use bisik::device::AccountKey;
use bisik::group::{
    GroupId, GroupMessage, ListsDigest, Place, ReadyChain, ReceivingChains, Scope, SendPlan, Sender, SendingChain, View,
};
use bisik::{Identity, IdentityKey, SealedRecord, StorageKey, Timestamp};
use vodozemac::megolm::{GroupSession, InboundGroupSession, MegolmMessage, SessionConfig};

use support::Asked;
use support::interleaved::{compare, median, sample};
use support::meter::{Case, pieces, repeated, time};
use support::report::{self, Aim, Report, Row, duration, titled};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const GROUP: GroupId = GroupId::from_bytes([7; 32]);
const PLACE: Place = Place::Group { id: GROUP, origin: [9; 32] };
const VIEW: View = View::from_bytes([3; 8]);
const LISTS: ListsDigest = ListsDigest::from_bytes([4; 32]);
const CONTEXT: &[u8] = b"chain";
/// Messages that a case prepares at a time.
const PREPARED: u64 = 64;
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

/// A sender and one receiver.
struct Pair {
    sender: Sender,
    targets: BTreeSet<IdentityKey>,
    chain: SendingChain,
    chains: ReceivingChains,
}

impl Pair {
    fn new(devices: usize) -> Self {
        let rng = &mut rand::rng();
        let alice = Identity::generate(rng);
        let sender = Sender { account: AccountKey::of(&alice), device: 0, identity: *alice.public() };
        let targets = (0..devices).map(|_| *Identity::generate(rng).public()).collect();
        let chain = SendingChain::begin(PLACE, sender, false, NOW, rng).unwrap();
        let chains = ReceivingChains::new(Scope::Group(GROUP), sender);
        let mut pair = Self { sender, targets, chain, chains };
        pair.give();
        pair
    }

    fn give(&mut self) {
        let devices: Vec<_> = self.targets.iter().copied().collect();
        for device in devices {
            let given = ready(&mut self.chain, &self.targets).distribution_for(&device, VIEW, &LISTS).unwrap();
            if Some(&device) == self.targets.first() {
                let _ = self.chains.take(&given, &self.sender.identity).unwrap();
            }
        }
    }

    /// Begins a new chain if this one has no room for so many messages.
    fn make_room(&mut self, messages: u64) {
        if u64::from(self.chain.index()) + messages > 1_000 {
            self.chain.renew(PLACE, false, NOW, &mut rand::rng()).unwrap();
            self.give();
        }
    }

    fn write(&mut self, body: &[u8]) -> Vec<u8> {
        let message = ready(&mut self.chain, &self.targets).encrypt(VIEW, body, &mut rand::rng());
        message.unwrap().into_bytes()
    }
}

fn ready<'a>(chain: &'a mut SendingChain, targets: &'a BTreeSet<IdentityKey>) -> ReadyChain<'a> {
    match chain.plan(targets, NOW) {
        SendPlan::Ready(ready) => ready,
        SendPlan::Renew(why) => panic!("{why:?}"),
    }
}

fn encrypt(length: usize) -> Case {
    let (mut pair, body) = (Pair::new(1), vec![7; length]);
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            pair.make_room(piece);
            meter.measure(&mut || {
                for _ in 0..piece {
                    black_box(pair.write(black_box(&body)));
                }
            });
        }
    })
}

fn decrypt(length: usize) -> Case {
    let (mut pair, body) = (Pair::new(1), vec![7; length]);
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            pair.make_room(piece);
            let messages: Vec<_> = (0..piece).map(|_| pair.write(&body)).collect();
            meter.measure(&mut || {
                for message in &messages {
                    let message = GroupMessage::from_bytes(black_box(message)).unwrap();
                    black_box(pair.chains.open(&message).unwrap());
                }
            });
        }
    })
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

fn their_encrypt(length: usize) -> Case {
    let mut sender = GroupSession::new(SessionConfig::version_1());
    let body = vec![7; length];
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                black_box(sender.encrypt(black_box(&body)).to_bytes());
            }
        });
    })
}

fn their_decrypt(length: usize) -> Case {
    let mut sender = GroupSession::new(SessionConfig::version_1());
    let mut receiver = InboundGroupSession::new(&sender.session_key(), SessionConfig::version_1());
    let body = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| sender.encrypt(&body).to_bytes()).collect();
            meter.measure(&mut || {
                for message in &messages {
                    let message = MegolmMessage::from_bytes(black_box(message)).unwrap();
                    black_box(receiver.decrypt(&message).unwrap());
                }
            });
        }
    })
}

/// Bytes of a message of each.
fn bytes(length: usize) -> (usize, usize) {
    let body = vec![7; length];
    (Pair::new(1).write(&body).len(), GroupSession::new(SessionConfig::version_1()).encrypt(&body).to_bytes().len())
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
