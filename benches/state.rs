//! The cost of sealing and unsealing state: `cargo bench --bench state`.
//!
//! For a comparison with another library see `versus`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use bisik::{Accepted, Identity, PreKeys, Session, StorageKey, Timestamp, Trust};
use criterion::{Criterion, Throughput};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const CONTEXT: &[u8] = b"record";

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000)
        .configure_from_args();
    sessions(&mut criterion);
    pre_keys(&mut criterion);
    criterion.final_summary();
}

fn sessions(criterion: &mut Criterion) {
    let (rng, key) = (&mut rand::rng(), StorageKey::from_bytes([1; 32]));
    let mut group = criterion.benchmark_group("session");
    for kept in [0, 2_000] {
        let mut session = keeping(kept);
        let sealed = session.seal(&key, CONTEXT, rng).unwrap();
        let head = sealed.head().to_vec();
        let blocks: BTreeMap<_, _> =
            sealed.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())).collect();
        sealed.stored();
        let length: usize = blocks.values().chain([&head]).map(Vec::len).sum();
        group.throughput(Throughput::Bytes(u64::try_from(length).unwrap()));
        group.bench_function(format!("seal the head, {kept} skipped keys"), |bencher| {
            bencher.iter(|| session.seal(&key, CONTEXT, rng));
        });
        group.bench_function(format!("unseal, {kept} skipped keys"), |bencher| {
            bencher.iter(|| Session::unseal(&key, CONTEXT, black_box(&head), |id| blocks.get(&id).cloned()).unwrap());
        });
    }
    group.finish();
}

fn pre_keys(criterion: &mut Criterion) {
    let (rng, key) = (&mut rand::rng(), StorageKey::from_bytes([1; 32]));
    let bob = Identity::generate(rng);
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    keys.replenish(&bob, 100, rng).unwrap();
    let record = keys.seal(&key, CONTEXT, rng);
    let mut group = criterion.benchmark_group("pre-keys");
    group.throughput(Throughput::Bytes(u64::try_from(record.len()).unwrap()));
    group.bench_function("seal, 100 one-time pairs", |bencher| bencher.iter(|| keys.seal(&key, CONTEXT, rng)));
    group.bench_function("unseal, 100 one-time pairs", |bencher| {
        bencher.iter(|| PreKeys::unseal(&key, CONTEXT, black_box(&record)).unwrap());
    });
    group.finish();
}

/// Returns an accepted session that has answered and holds `kept` skipped message keys.
fn keeping(kept: usize) -> Session {
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, NOW, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), NOW).unwrap();
    let mut a = Session::initiate(&alice, &bundle, NOW, rng).unwrap();
    let hello = a.encrypt(b"halo", rng).unwrap();
    let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
    _ = a.decrypt(&alice, &b.encrypt(b"hai", rng).unwrap()).unwrap();
    for _ in 0..kept {
        drop(a.encrypt(b"lost", rng).unwrap());
    }
    _ = b.decrypt(&bob, &a.encrypt(b"found", rng).unwrap()).unwrap();
    assert_eq!(b.skipped_keys(), kept);
    b
}
