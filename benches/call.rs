//! Calls: the cost of SFrame beside its cipher and beside the crate `sframe` on ring, and the cost of call setup.
//! `cargo bench --bench call`, with `--features graviola` for the faster back end.
//!
//! Only ratios within one run mean something. Timings are for reading and fail no test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

#[allow(dead_code)] // what other benchmarks use
mod support;

use std::hint::black_box;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use bisik::call::{
    Answer, BaseKey, CallId, Calling, FrameOpener, FrameSealer, FrameSuite, Offer, Participant, SenderKey,
};
use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
use support::Asked;
use support::growth::{Growth, Unit};
use support::interleaved::{compare, median, sample};
use support::meter::{Case, pieces, repeated};
use support::picture::Picture;
use support::report::{Aim, Report, Row, count, duration, titled};

use sframe::CipherSuite;
use sframe::frame::validation::{ReplayAttackProtection, Tolerance};
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::key::{DecryptionKey, EncryptionKey};

fn main() {
    let rounds = match support::asked() {
        Asked::List => return,
        Asked::Run => 1,
        Asked::Measure => 1_000,
    };
    let mut report = Report::start();
    frames(&mut report, rounds);
    beside_sframe(&mut report, rounds);
    growth(rounds.min(100));
    set_up(rounds.min(100));
    report.end();
}

/// Bytes in a frame: a packet of video, and one of sound, in which header and metadata weigh more.
const FRAMES: [usize; 2] = [1200, 60];

/// A case of a suite and a length.
type Make = fn(FrameSuite, usize) -> Case;

/// Compares every operation with the bare cipher of RustCrypto, whose key is set up once and whose buffer exists.
fn frames(report: &mut Report, rounds: usize) {
    let aim = |length| if length == 1200 { Aim::AtMost(1.30) } else { Aim::None };
    beside("A frame beside the bare cipher", "AES-GCM", [bare_seal, bare_open], aim, report, rounds);
}

/// Compares with the crate `sframe`, which has the same format and ring's AES-GCM. Both keep their keys and their
/// buffers, and both refuse frames that were received before.
fn beside_sframe(report: &mut Report, rounds: usize) {
    let aim = |length| if cfg!(feature = "graviola") && length == 1200 { Aim::AtMost(0.95) } else { Aim::None };
    beside("A frame beside sframe 2.1 on ring", "sframe", [their_seal, their_open], aim, report, rounds);
}

fn beside(title: &str, name: &str, base: [Make; 2], aim: fn(usize) -> Aim, report: &mut Report, rounds: usize) {
    let mut rows = Vec::new();
    for length in FRAMES {
        for suite in [FrameSuite::Aes256Gcm, FrameSuite::Aes128Gcm] {
            for (way, ours, base) in [("seal", seal as Make, base[0]), ("open", open, base[1])] {
                let compared = compare(&mut ours(suite, length), &mut base(suite, length), 1.0, rounds);
                rows.push(Row::compared(format!("{way}, {length} B, {suite:?}"), &compared, aim(length)));
            }
        }
    }
    report.comparison(&titled(title), name, &rows);
}

/// How the cost grows with the frame, from silence to a picture.
fn growth(rounds: usize) {
    let mut picture = Picture::new("A frame of a call, AES-256-GCM");
    let ways: [(&str, [Make; 3]); 2] = [
        ("Time to seal a frame", [seal, their_seal, bare_seal]),
        ("Time to open a frame", [open, their_open, bare_open]),
    ];
    for (title, makes) in ways {
        let growth = Growth {
            title,
            across: "bytes of the frame",
            number: count,
            names: &["bisik", "sframe 2.1 on ring", "bare AES-256-GCM (RustCrypto)"],
            unit: Unit::Nanoseconds,
            from_zero: false,
        };
        let make = |length| makes.iter().map(|make| (make(FrameSuite::Aes256Gcm, length as usize), 1)).collect();
        growth.measure(&mut picture, &[20, 60, 160, 480, 1_200, 4_096, 16_384, 65_536], |_| rounds, make);
    }
    picture.write("call");
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
    repeated(move || cipher(true, black_box(&mut buffer), &mut tag))
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
    repeated(move || {
        frame.clear();
        sealer.seal(b"", black_box(&plaintext), &mut frame).unwrap();
        black_box(&mut frame);
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

/// The suite by its name there.
fn theirs(suite: FrameSuite) -> CipherSuite {
    if suite == FrameSuite::Aes128Gcm { CipherSuite::AesGcm128Sha256 } else { CipherSuite::AesGcm256Sha512 }
}

fn their_seal(suite: FrameSuite, length: usize) -> Case {
    let suite = theirs(suite);
    let key = EncryptionKey::derive_from(suite, KEY_ID, [7; 32]).unwrap();
    let (mut counter, plaintext, mut frame) =
        (MonotonicCounter::default(), vec![7; length], Vec::with_capacity(length + 64));
    repeated(move || {
        let media = MediaFrameView::try_new(&mut counter, black_box(&plaintext)).unwrap();
        black_box(media.encrypt_into(&key, &mut frame).unwrap());
    })
}

fn their_open(suite: FrameSuite, length: usize) -> Case {
    let suite = theirs(suite);
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
    let mut case = repeated(move || {
        let rng = &mut rand::rng();
        let (calling, offer) = Calling::start(CallId::generate(rng), alice.public(), &a, rng);
        let offer = Offer::from_bytes(&offer.to_bytes()).unwrap();
        let (_, answer) = offer.accept(bob.public(), &b, rng).unwrap();
        let answer = Answer::from_bytes(&answer.to_bytes()).unwrap();
        calling.complete(&answer, &a).unwrap()
    });
    let samples = sample(&mut [&mut case], rounds);
    println!("\noffer, answer and completion, both sides: {}", duration(median(&samples[0])));
}

/// Frames that a case prepares at a time.
const PREPARED: u64 = 64;
