//! Why the suite uses these primitives: the choices of docs/spec/conventions.md, section 1, beside the alternatives.
//!
//! The library's primitives are private, so each choice is rebuilt here from the underlying crates.
//! `cargo bench --bench primitives`. With `--features graviola` it ends with a table of what the faster back end gains.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

#[cfg(all(feature = "graviola", feature = "call"))]
mod back_end;
#[cfg(all(feature = "graviola", feature = "call"))]
#[allow(dead_code)] // what other benchmarks use
mod support;

use std::hint::black_box;
use std::time::Duration;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use criterion::{Criterion, Throughput};
use curve25519_dalek::montgomery::MontgomeryPoint;
use hmac::{Hmac, Mac};
use sha2::Sha256;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .nresamples(10_000)
        .configure_from_args();
    ciphers(&mut criterion);
    agreement(&mut criterion);
    criterion.final_summary();
    #[cfg(all(feature = "graviola", feature = "call"))]
    back_end::print();
}

/// Messages are short, so the first kibibyte decides: there the set-up of `poly1305` costs more than it saves later.
fn ciphers(criterion: &mut Criterion) {
    for (name, length) in LENGTHS {
        let mut group = criterion.benchmark_group(format!("seal {name}"));
        group.throughput(Throughput::Bytes(u64::try_from(length).unwrap()));
        let mut buffer = vec![7; length];
        group.bench_function("ChaCha20-HMAC-SHA256", |bencher| {
            bencher.iter(|| chacha20_hmac(black_box(&[1; 32]), &[2; 24], &[3; 32], &mut buffer));
        });
        group.bench_function("XChaCha20-Poly1305", |bencher| {
            bencher.iter(|| {
                let cipher = XChaCha20Poly1305::new(black_box(&[1; 32]).into());
                cipher.encrypt_inout_detached(&[2; 24].into(), &[3; 32], buffer.as_mut_slice().into()).unwrap()
            });
        });
        group.finish();
    }
}

/// The construction of docs/spec/conventions.md, section 1.3: stream key and tag from one HMAC key whose pads are
/// hashed once.
fn chacha20_hmac(key: &[u8; 32], nonce: &[u8; 24], associated: &[u8], buffer: &mut [u8]) -> [u8; 16] {
    let hash = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    let stream_key = hash.clone().chain_update([1]).chain_update(nonce).finalize().into_bytes();
    ChaCha20::new(&stream_key, &[0; 12].into()).apply_keystream(buffer);
    let tag = hash.chain_update([2]).chain_update(associated).chain_update(nonce).chain_update(&*buffer).finalize();
    *tag.into_bytes().first_chunk().unwrap()
}

/// In curve25519-dalek, multiplication in Edwards form has vector code and the Montgomery ladder has none. A point that
/// is already in Edwards form can be used for every further agreement.
fn agreement(criterion: &mut Criterion) {
    let (ours, theirs) = ([5; 32], MontgomeryPoint::mul_base_clamped([9; 32]));
    let point = theirs.to_edwards(0).unwrap();
    let mut group = criterion.benchmark_group("X25519");
    group.bench_function("Montgomery ladder", |bencher| bencher.iter(|| black_box(theirs).mul_clamped(ours)));
    group.bench_function("through Edwards", |bencher| {
        bencher.iter(|| black_box(theirs).to_edwards(0).unwrap().mul_clamped(ours).to_montgomery());
    });
    group.bench_function("Edwards form kept", |bencher| {
        bencher.iter(|| black_box(point).mul_clamped(ours).to_montgomery());
    });
    group.finish();
}

const LENGTHS: [(&str, usize); 6] =
    [("32 B", 32), ("128 B", 128), ("512 B", 512), ("1 KiB", 1 << 10), ("4 KiB", 4 << 10), ("64 KiB", 64 << 10)];
