//! Calls: the cost of SFrame beside its cipher and beside the crate `sframe` on ring, and the cost of call setup.
//! `cargo bench --bench call`, with `--features graviola` for the faster back end.
//!
//! Ratios are between samples of one run. The table shows their aims.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

#[allow(dead_code)] // callgrind, which other benchmarks use
mod support;

use std::hint::black_box;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use bisik::call::{
    Answer, BaseKey, CallId, Calling, FrameOpener, FrameSealer, FrameSuite, Offer, Participant, SenderKey,
};
use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
use support::interleaved::{median, ratio, sample};
use support::meter::{Case, pieces};

use sframe::CipherSuite;
use sframe::frame::validation::{ReplayAttackProtection, Tolerance};
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::key::{DecryptionKey, EncryptionKey};

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    // `cargo test --benches` and `cargo bench -- --test` only check that it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 1_000 } else { 1 };
    frames(rounds);
    beside_sframe(rounds);
    set_up(rounds.min(100));
}

/// Bytes in a frame: a packet of video, and one of sound, in which header and metadata weigh more.
const FRAMES: [usize; 2] = [1200, 60];

/// Compares every operation with the bare cipher of RustCrypto, whose key is set up once and whose buffer exists.
fn frames(rounds: usize) {
    heading("bare AEAD");
    for length in FRAMES {
        for suite in [FrameSuite::Aes256Gcm, FrameSuite::Aes128Gcm] {
            let aim = (length == 1200).then_some(1.30);
            row(&format!("seal, {length} B, {suite:?}"), bare_seal(suite, length), seal(suite, length), aim, rounds);
            row(&format!("open, {length} B, {suite:?}"), bare_open(suite, length), open(suite, length), aim, rounds);
        }
    }
}

/// Compares with the crate `sframe`, which has the same format and ring's AES-GCM. Both keep their keys and their
/// buffers, and both refuse frames that were received before.
fn beside_sframe(rounds: usize) {
    println!();
    heading("sframe");
    for length in FRAMES {
        for (suite, theirs) in [
            (FrameSuite::Aes256Gcm, CipherSuite::AesGcm256Sha512),
            (FrameSuite::Aes128Gcm, CipherSuite::AesGcm128Sha256),
        ] {
            let aim = (cfg!(feature = "graviola") && length == 1200).then_some(0.95);
            row(&format!("seal, {length} B, {suite:?}"), their_seal(theirs, length), seal(suite, length), aim, rounds);
            row(&format!("open, {length} B, {suite:?}"), their_open(theirs, length), open(suite, length), aim, rounds);
        }
    }
}

fn heading(base: &str) {
    println!("{:<36} {base:>10} {:>10} {:>8} {:>6} {:>4}", "one frame, ns", "bisik", "ratio", "aim", "met");
}

/// Measures and prints one row. The aim is the greatest ratio that is promised, if any.
fn row(title: &str, mut base: Case, mut ours: Case, aim: Option<f64>, rounds: usize) {
    let samples = sample(&mut [&mut base, &mut ours], rounds);
    let ratio = ratio(&samples[1], &samples[0]);
    let [base, ours] = [&samples[0], &samples[1]].map(|times| median(times));
    let (aim, met) = match aim {
        Some(aim) => (format!("{aim:.2}"), if ratio <= aim { "yes" } else { "NO" }),
        None => (String::from("-"), ""),
    };
    println!("{title:<36} {base:>10.0} {ours:>10.0} {ratio:>8.2} {aim:>6} {met:>4}");
}

/// Encrypts or decrypts a buffer; writes or reads the tag.
type Bare = Box<dyn Fn(bool, &mut [u8], &mut [u8; 16])>;

fn bare(suite: FrameSuite) -> Bare {
    const NONCE: [u8; 12] = [3; 12];
    fn with<C: AeadInOut + 'static>(cipher: C) -> Bare
    where
        for<'a> &'a aes_gcm::aead::Nonce<C>: From<&'a [u8; 12]>,
        for<'a> &'a aes_gcm::aead::Tag<C>: From<&'a [u8; 16]>,
        [u8; 16]: From<aes_gcm::aead::Tag<C>>,
    {
        Box::new(move |seal, buffer, tag| {
            let nonce = black_box(&NONCE).into();
            if seal {
                *tag = cipher.encrypt_inout_detached(nonce, b"", buffer.into()).unwrap().into();
            } else {
                cipher.decrypt_inout_detached(nonce, b"", buffer.into(), (&*tag).into()).unwrap();
            }
        })
    }
    if suite == FrameSuite::Aes128Gcm {
        with(Aes128Gcm::new(&[7; 16].into()))
    } else {
        with(Aes256Gcm::new(&[7; 32].into()))
    }
}

fn bare_seal(suite: FrameSuite, length: usize) -> Case {
    let (cipher, mut buffer, mut tag) = (bare(suite), vec![7; length], [0; 16]);
    Box::new(move |count, meter| {
        meter.measure(&mut || (0..count).for_each(|_| cipher(true, black_box(&mut buffer), &mut tag)));
    })
}

/// Decrypts each ciphertext once, as with frames: decryption in place turns it into the plaintext.
fn bare_open(suite: FrameSuite, length: usize) -> Case {
    let cipher = bare(suite);
    let (mut sealed, mut tag) = (vec![7; length], [0; 16]);
    cipher(true, &mut sealed, &mut tag);
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let mut buffers = vec![sealed.clone(); piece as usize];
            meter.measure(&mut || buffers.iter_mut().for_each(|buffer| cipher(false, black_box(buffer), &mut tag)));
        }
    })
}

fn ends(suite: FrameSuite) -> (FrameSealer, FrameOpener) {
    let key = || SenderKey::new(suite, Participant(3), 1, BaseKey::from_bytes(&[7; 32]).unwrap());
    let mut opener = FrameOpener::new();
    opener.install(key()).unwrap();
    (FrameSealer::new(key()), opener)
}

fn seal(suite: FrameSuite, length: usize) -> Case {
    let ((mut sealer, _), plaintext, mut frame) = (ends(suite), vec![7; length], Vec::with_capacity(length + 64));
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                frame.clear();
                sealer.seal(b"", black_box(&plaintext), &mut frame).unwrap();
                black_box(&mut frame);
            }
        });
    })
}

fn open(suite: FrameSuite, length: usize) -> Case {
    let ((mut sealer, mut opener), plaintext) = (ends(suite), vec![7; length]);
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let mut frames: Vec<_> = (0..piece)
                .map(|_| {
                    let mut frame = Vec::new();
                    sealer.seal(b"", &plaintext, &mut frame).unwrap();
                    frame
                })
                .collect();
            meter.measure(&mut || {
                for frame in &mut frames {
                    black_box(opener.open(b"", black_box(frame)).unwrap());
                }
            });
        }
    })
}

/// The number of a key, which is in the header of each frame: one byte here as there.
const KEY_ID: u64 = 3 << 4 | 1;

fn their_seal(suite: CipherSuite, length: usize) -> Case {
    let key = EncryptionKey::derive_from(suite, KEY_ID, [7; 32]).unwrap();
    let (mut counter, plaintext, mut frame) =
        (MonotonicCounter::default(), vec![7; length], Vec::with_capacity(length + 64));
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                let media = MediaFrameView::try_new(&mut counter, black_box(&plaintext)).unwrap();
                black_box(media.encrypt_into(&key, &mut frame).unwrap());
            }
        });
    })
}

fn their_open(suite: CipherSuite, length: usize) -> Case {
    let sealing = EncryptionKey::derive_from(suite, KEY_ID, [7; 32]).unwrap();
    let key = DecryptionKey::derive_from(suite, KEY_ID, [7; 32]).unwrap();
    let mut received = ReplayAttackProtection::new(KEY_ID, Tolerance::new(1024));
    let (mut counter, plaintext, mut buffer) =
        (MonotonicCounter::default(), vec![7; length], Vec::with_capacity(length + 64));
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let frames: Vec<_> = (0..piece)
                .map(|_| {
                    let mut frame = Vec::new();
                    MediaFrameView::try_new(&mut counter, &plaintext)
                        .unwrap()
                        .encrypt_into(&sealing, &mut frame)
                        .unwrap();
                    frame
                })
                .collect();
            meter.measure(&mut || {
                for frame in &frames {
                    let frame = EncryptedFrameView::try_new(black_box(frame)).unwrap();
                    black_box(frame.validated_decrypt_into(&key, &mut buffer, &mut received).unwrap());
                }
            });
        }
    })
}

/// Measures offer, answer and completion.
fn set_up(rounds: usize) {
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let keys = PreKeys::generate(&bob, now, rng);
    let bundle = keys.bundle().verify(Trust::OnFirstUse, now).unwrap();
    let mut a = Session::initiate(&alice, &bundle, now, rng).unwrap();
    let hello = a.encrypt(b"halo", rng).unwrap();
    let Accepted { session: b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now).unwrap();
    let mut case: Case = Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                let rng = &mut rand::rng();
                let (calling, offer) = Calling::start(CallId::generate(rng), alice.public(), &a, rng);
                let offer = Offer::from_bytes(&offer.to_bytes()).unwrap();
                let (_, answer) = offer.accept(bob.public(), &b, rng).unwrap();
                let answer = Answer::from_bytes(&answer.to_bytes()).unwrap();
                black_box(calling.complete(&answer, &a).unwrap());
            }
        });
    });
    let samples = sample(&mut [&mut case], rounds);
    println!("\noffer, answer and completion, both sides: {:.0} us", median(&samples[0]) / 1e3);
}

/// Frames that a case prepares at a time.
const PREPARED: u64 = 64;
