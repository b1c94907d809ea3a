//! The cost of setting up a session, step by step: `cargo bench --bench handshake`.
//!
//! For a comparison with another library see `versus`.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use bisik::handshake::{self, PreKeyHeader};
use bisik::{Identity, PreKeyBundle, PreKeys, Timestamp, Trust};
use criterion::{BatchSize, Criterion};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000)
        .configure_from_args();
    bundles(&mut criterion);
    both_sides(&mut criterion);
    criterion.final_summary();
}

fn bundles(criterion: &mut Criterion) {
    let rng = &mut rand::rng();
    let bob = Identity::generate(rng);
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    let bytes = keys.replenish(&bob, 1, rng).unwrap().remove(0).to_bytes();
    let bundle = PreKeyBundle::from_bytes(&bytes).unwrap();

    criterion.bench_function("parse a bundle", |bencher| {
        bencher.iter(|| PreKeyBundle::from_bytes(black_box(&bytes)).unwrap());
    });
    criterion.bench_function("verify a bundle", |bencher| {
        let verify = |bundle: PreKeyBundle| bundle.verify(Trust::Pinned(bob.public()), NOW).unwrap();
        bencher.iter_batched(|| bundle.clone(), verify, BatchSize::SmallInput);
    });
    criterion.bench_function("replenish 100 one-time pairs", |bencher| {
        let fresh = || PreKeys::generate(&bob, NOW, &mut rand::rng());
        let replenish = |mut keys: PreKeys| keys.replenish(&bob, 100, &mut rand::rng()).unwrap();
        bencher.iter_batched(fresh, replenish, BatchSize::LargeInput);
    });
}

fn both_sides(criterion: &mut Criterion) {
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    let one_time = keys.replenish(&bob, 1, rng).unwrap().remove(0);
    for (kind, bundle) in [("one-time", one_time), ("last resort", keys.bundle())] {
        let bundle = bundle.verify(Trust::Pinned(bob.public()), NOW).unwrap();
        let header = handshake::initiate(&alice, &bundle, None, NOW, rng).unwrap().pre_key_header.to_bytes();
        criterion.bench_function(&format!("initiate, {kind}"), |bencher| {
            bencher.iter(|| handshake::initiate(&alice, black_box(&bundle), None, NOW, rng).unwrap());
        });
        criterion.bench_function(&format!("respond, {kind}"), |bencher| {
            bencher.iter(|| {
                let header = PreKeyHeader::from_bytes(black_box(&header)).unwrap();
                handshake::respond(&bob, &keys, &header, None, Trust::OnFirstUse, NOW).unwrap()
            });
        });
    }
}
