//! How many cryptographic operations a session takes, counted in the running program: `cargo bench --bench operations`.
//!
//! Nothing is derived from lengths or from the source: valgrind says how often each instruction ran. A function was called
//! as often as its first instruction ran, and SHA-256, whose rounds are written out, took as many blocks as most of its
//! instructions ran. Needs valgrind, which hides SHA-NI; with it the numbers are the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

#[allow(dead_code)] // what other benchmarks use
mod support;

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::process::ExitCode;

use bisik::{Accepted, Ciphertext, Identity, PreKeyBundle, PreKeys, Session, Timestamp, Trust};

use support::callgrind;
use support::meter::{Case, time};

/// The operations, and the functions that are one each.
const COLUMNS: [(&str, &[&str]); 7] = [
    ("X25519 key", &["BasepointTable>::mul_base"]),
    (
        "X25519 agreement",
        &[
            "<&curve25519_dalek::edwards::EdwardsPoint as core::ops::arith::Mul<&curve25519_dalek::scalar::Scalar>>::mul",
        ],
    ),
    ("signature verified", &["EdwardsPoint::vartime_double_scalar_mul_basepoint"]),
    ("ML-KEM key", &["mlkem768::generate_key_pair", "mlkem768::incremental::generate_key_pair_compressed"]),
    ("encapsulation", &["mlkem768::encapsulate", "mlkem768::incremental::encapsulate1"]),
    ("its second part", &["mlkem768::incremental::encapsulate2"]),
    ("decapsulation", &["mlkem768::decapsulate", "mlkem768::incremental::decapsulate_compressed_key"]),
];

fn main() -> ExitCode {
    let mut rows = rows();
    if callgrind::is_child() {
        rows.iter_mut().for_each(|(_, case)| callgrind::count(case, 1));
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        rows.iter_mut().for_each(|(_, case)| _ = time(case, 1));
        return ExitCode::SUCCESS;
    }
    let Some(dumps) = callgrind::instructions(rows.len()) else {
        println!("No counts: valgrind is not on the path.");
        return ExitCode::FAILURE;
    };
    println!("\n| operation | SHA-256 blocks |{}", COLUMNS.map(|(name, _)| format!(" {name} |")).concat());
    println!("|---|---:|{}", COLUMNS.map(|_| "---:|").concat());
    let mut met = [0; COLUMNS.len()];
    for ((name, _), functions) in rows.iter().zip(&dumps) {
        let counts = COLUMNS.map(|(_, of)| of.iter().map(|name| calls(functions, name)).sum::<u64>());
        println!("| {name} | {} |{}", blocks(functions), counts.map(|count| format!(" {count} |")).concat());
        met.iter_mut().zip(counts).for_each(|(met, count)| *met += count);
    }
    for ((name, _), met) in COLUMNS.iter().zip(met) {
        assert!(met > 0, "{name}: its function is not found under this name any more");
    }
    ExitCode::SUCCESS
}

/// How often the functions whose name ends like this were called.
fn calls(functions: &HashMap<String, BTreeMap<u64, u64>>, name: &str) -> u64 {
    let named = functions.iter().filter(|(function, _)| function.ends_with(name));
    named.filter_map(|(_, instructions)| instructions.first_key_value()).map(|(_, count)| count).sum()
}

/// How many blocks SHA-256 compressed: how often most instructions of its function ran.
fn blocks(functions: &HashMap<String, BTreeMap<u64, u64>>) -> u64 {
    let mut times = BTreeMap::<u64, usize>::new();
    let compress = functions.iter().filter(|(function, _)| function.ends_with("sha256::compress256"));
    compress
        .flat_map(|(_, instructions)| instructions.values())
        .for_each(|count| *times.entry(*count).or_default() += 1);
    let (count, instructions) = times.iter().max_by_key(|(_, instructions)| **instructions).expect("SHA-256 runs");
    assert!(*instructions > 1_000, "64 rounds are written out");
    *count
}

/// Two devices, one pre-key store.
struct Pair {
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
    now: Timestamp,
}

impl Pair {
    fn new() -> Self {
        let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
        let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
        let keys = PreKeys::generate(&bob, now, rng);
        Self { alice, bob, keys, now }
    }

    fn initiate(&self, bundle: &PreKeyBundle) -> Session {
        let bundle = bundle.clone().verify(Trust::Pinned(self.bob.public()), self.now).unwrap();
        Session::initiate(&self.alice, &bundle, self.now, &mut rand::rng()).unwrap()
    }

    fn accept(&self, hello: &Ciphertext) -> Session {
        let trust = Trust::Pinned(self.alice.public());
        let Accepted { session, .. } = Session::accept(&self.bob, &self.keys, hello, trust, self.now).unwrap();
        session
    }

    /// Both sessions; the last message was Bob's, so that a step of Alice's is next.
    fn established(&self) -> [Session; 2] {
        let rng = &mut rand::rng();
        let mut a = self.initiate(&self.keys.bundle());
        let mut b = self.accept(&a.encrypt(b"halo", rng).unwrap());
        _ = a.decrypt(&self.alice, &b.encrypt(b"hai", rng).unwrap()).unwrap();
        [a, b]
    }
}

/// Each operation, prepared anew for each run. In the steps of single messages the braid makes no key and encapsulates
/// nothing; the last row has what it does in an epoch.
fn rows() -> Vec<(&'static str, Case)> {
    vec![
        ("encrypt 32 B", case(established_and_stepped, |(_, [a, _])| drop(a.encrypt(&[7; 32], &mut rand::rng())))),
        ("decrypt 32 B", case(|| with_message(established_and_stepped()), read)),
        ("encrypt 32 B with a step", case(about_to_step, |(_, [a, _])| drop(a.encrypt(&[7; 32], &mut rand::rng())))),
        ("decrypt 32 B with a step", case(|| with_message(about_to_step()), read)),
        (
            "verify a bundle, initiate, encrypt 32 B",
            case(
                || {
                    let pair = Pair::new();
                    let bundle = pair.keys.bundle();
                    (pair, bundle)
                },
                |(pair, bundle)| drop(pair.initiate(bundle).encrypt(&[7; 32], &mut rand::rng())),
            ),
        ),
        (
            "accept, decrypt 32 B",
            case(
                || {
                    let pair = Pair::new();
                    let hello = pair.initiate(&pair.keys.bundle()).encrypt(&[7; 32], &mut rand::rng()).unwrap();
                    (pair, hello)
                },
                |(pair, hello)| drop(pair.accept(hello)),
            ),
        ),
        (
            "two epochs: 174 messages in turn, encrypt and decrypt",
            case(
                || {
                    let pair = Pair::new();
                    let sessions = pair.established();
                    (pair, sessions)
                },
                |talk| messages(talk, 174),
            ),
        ),
    ]
}

type Talk = (Pair, [Session; 2]);

/// Runs of `work`, each on what `prepare` makes.
fn case<T: 'static>(prepare: impl Fn() -> T + 'static, work: impl Fn(&mut T) + 'static) -> Case {
    Box::new(move |count, meter| {
        for _ in 0..count {
            let mut prepared = prepare();
            meter.measure(&mut || work(black_box(&mut prepared)));
        }
    })
}

/// Messages in turn, each read at once. Side 0 or 1 goes on where the talk is.
fn messages((pair, sessions): &mut Talk, count: usize) {
    let [a, b] = sessions;
    for turn in 0..count {
        let (from, to, identity) =
            if turn % 2 == 0 { (&mut *a, &mut *b, &pair.bob) } else { (&mut *b, &mut *a, &pair.alice) };
        let message = from.encrypt(&[7; 32], &mut rand::rng()).unwrap();
        _ = to.decrypt(identity, &message).unwrap();
    }
}

/// Alice has sent in her chain, and Bob has read it.
fn established_and_stepped() -> Talk {
    let mut talk = about_to_step();
    messages(&mut talk, 1);
    talk
}

/// Ten turns in, between a key and an encapsulation of the braid.
fn about_to_step() -> Talk {
    let pair = Pair::new();
    let sessions = pair.established();
    let mut talk = (pair, sessions);
    messages(&mut talk, 20);
    talk
}

fn with_message(mut talk: Talk) -> (Talk, Ciphertext) {
    let message = talk.1[0].encrypt(&[7; 32], &mut rand::rng()).unwrap();
    (talk, message)
}

fn read(((pair, [_, b]), message): &mut (Talk, Ciphertext)) {
    _ = b.decrypt(&pair.bob, message).unwrap();
}
