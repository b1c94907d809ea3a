//! The cost of messages in an established session: `cargo bench --bench session`.
//!
//! For a comparison with another library see `versus`.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use bisik::{Accepted, Ciphertext, Identity, PreKeys, Session, StorageKey, Timestamp, Trust};
use criterion::{BatchSize, Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000)
        .configure_from_args();
    messages(&mut criterion);
    turn(&mut criterion);
    criterion.final_summary();
}

/// Messages of one chain, in order, as bytes on the wire.
fn messages(criterion: &mut Criterion) {
    let rng = &mut rand::rng();
    let (_, mut a, bob, mut b) = established();
    let mut group = criterion.benchmark_group("message");
    for (name, length) in LENGTHS {
        let plaintext = vec![7; length];
        group.throughput(Throughput::Bytes(u64::try_from(length).unwrap()));
        group.bench_function(format!("encrypt {name}"), |bencher| {
            let (_, mut a, _, _) = established();
            bencher.iter(|| a.encrypt(black_box(&plaintext), rng).unwrap().into_bytes());
        });
        group.bench_function(format!("decrypt {name}"), |bencher| {
            let next = || a.encrypt(&plaintext, &mut rand::rng()).unwrap().into_bytes();
            let decrypt = |message: Vec<u8>| {
                let message = Ciphertext::from_bytes(black_box(&message)).unwrap();
                b.decrypt(&bob, &message).unwrap()
            };
            bencher.iter_batched(next, decrypt, BatchSize::SmallInput);
        });
    }
    group.bench_function("decrypt 32 B, sealing before it is shown", |bencher| {
        let (_, mut a, bob, mut b) = established();
        let key = StorageKey::generate(rng);
        let next = || a.encrypt(&[7; 32], &mut rand::rng()).unwrap();
        let decrypt = |message: Ciphertext| {
            let mut staged = b.stage(&bob, black_box(&message)).unwrap();
            (staged.seal(&key, b"session", &mut rand::rng()), staged.commit())
        };
        bencher.iter_batched(next, decrypt, BatchSize::SmallInput);
    });
    group.finish();
}

/// A message and its reply: each side makes a DH step.
fn turn(criterion: &mut Criterion) {
    let rng = &mut rand::rng();
    let (alice, mut a, bob, mut b) = established();
    criterion.bench_function("there and back, a DH step each", |bencher| {
        bencher.iter(|| {
            let there = a.encrypt(black_box(&[7; 32]), rng).unwrap();
            _ = b.decrypt(&bob, &there).unwrap();
            let back = b.encrypt(black_box(&[8; 32]), rng).unwrap();
            a.decrypt(&alice, &back).unwrap()
        });
    });
}

fn established() -> (Identity, Session, Identity, Session) {
    let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, now, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now).unwrap();
    let mut a = Session::initiate(&alice, &bundle, now, rng).unwrap();
    let hello = a.encrypt(b"halo", rng).unwrap();
    let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now).unwrap();
    _ = a.decrypt(&alice, &b.encrypt(b"hai", rng).unwrap()).unwrap();
    (alice, a, bob, b)
}

const LENGTHS: [(&str, usize); 4] = [("32 B", 32), ("1 KiB", 1 << 10), ("16 KiB", 16 << 10), ("64 KiB", 64 << 10)];
