//! What the feature `graviola` gains: the library's primitives beside the crates of the default code, in one process.
//!
//! A row without an aim says why something is routed to the faster back end, or is not.

use std::hint::black_box;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use bisik_core::primitives::ed25519::SignatureKeyPair;
use bisik_core::primitives::mlkem768::DecapsulationKey;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::sframe::FrameAead;
use bisik_core::primitives::x25519::{Point, agree, pair_from_secret};
use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::{Signer, SigningKey};
use libcrux_ml_kem::mlkem768;
use libcrux_ml_kem::mlkem768::incremental::{self, Ciphertext1, Ciphertext2};

use crate::support::interleaved::compare;
use crate::support::meter::{Case, repeated as case};
use crate::support::report::{self, Aim, Report};
use crate::support::{Asked, asked};

/// Name, aim, default code, library.
type Row = (String, Aim, Case, Case);

/// Prints the table.
pub(crate) fn print() {
    let rounds = if asked() == Asked::Measure { 201 } else { 1 };
    let mut report = Report::start();
    let mut rows = Vec::new();
    for (name, aim, mut base, mut ours) in curves().into_iter().chain(kem()).chain(frames()) {
        rows.push(report::Row::compared(name, &compare(&mut ours, &mut base, 1.0, rounds), aim));
    }
    report.comparison("The feature graviola beside the default code", "default code", &rows);
    report.end();
    println!(
        "\nXEdDSA signs with a scalar, and Graviola's Ed25519 with a seed alone: it signs nothing of `interop`, where the aim of 0.55 is missed.\nSignatures \
         are verified by the default code. A ratio of one everywhere: the processor lacks instructions."
    );
}

fn curves() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for length in LISTS {
        let (default, ours) = (SigningKey::from_bytes(&[7; 32]), SignatureKeyPair::from_secret(&Secret::new([7; 32])));
        let (text, same) = (vec![3; length], vec![3; length]);
        rows.push((
            format!("list of {length} B, signed"),
            Aim::AtMost(0.55),
            case(move || default.sign(black_box(&text)).to_bytes()),
            case(move || ours.sign(black_box(&same))),
        ));
    }
    rows.push((
        "signing key, expanded".into(),
        Aim::None,
        case(|| SigningKey::from_bytes(black_box(&[7; 32]))),
        case(|| SignatureKeyPair::from_secret(&Secret::new(black_box([7; 32])))),
    ));
    rows.push((
        "key pair of X25519".into(),
        Aim::AtMost(0.50),
        case(|| MontgomeryPoint::mul_base_clamped(black_box([7; 32]))),
        case(|| pair_from_secret(Secret::new(black_box([7; 32])))),
    ));
    let (ours, theirs) = (pair_from_secret(Secret::new([5; 32])), pair_from_secret(Secret::new([9; 32])));
    let edwards = MontgomeryPoint(*theirs.public().as_bytes()).to_edwards(0).unwrap();
    let point = Point::decode(*theirs.public()).unwrap();
    rows.push((
        "agreement of X25519, point decoded".into(),
        Aim::None,
        case(move || black_box(edwards).mul_clamped([5; 32]).to_montgomery()),
        case(move || agree(&ours, black_box(&point)).unwrap()),
    ));
    rows
}

fn kem() -> Vec<Row> {
    let key = || DecapsulationKey::from_seed(&Secret::new([5; 64]));
    let (ciphertext, _) = key().public().encapsulate_with(&Secret::new([1; 32]));
    let (mut ct1, mut ct2) = (Ciphertext1 { value: [0; 960] }, Ciphertext2 { value: [0; 128] });
    ct1.value.copy_from_slice(&ciphertext[..960]);
    ct2.value.copy_from_slice(&ciphertext[960..]);
    let (encapsulated_to, default_public) = (key().public().clone(), *key().public().as_bytes());
    let default = || mlkem768::generate_key_pair(black_box([5; 64]));
    let kept = default();
    let (ours, same, again) = (key(), ciphertext.clone(), ciphertext);
    let (same_ct1, same_ct2) = (Ciphertext1 { value: ct1.value }, Ciphertext2 { value: ct2.value });
    vec![
        ("key of ML-KEM-768".into(), Aim::None, case(default), case(key)),
        (
            "encapsulation".into(),
            Aim::None,
            case(move || mlkem768::encapsulate(&black_box(&default_public).into(), [1; 32])),
            case(move || encapsulated_to.encapsulate_with(&Secret::new([1; 32]))),
        ),
        (
            "decapsulation".into(),
            Aim::None,
            case(move || incremental::decapsulate_compressed_key(kept.sk(), black_box(&ct1), &ct2)),
            case(move || ours.decapsulate(black_box(&same))),
        ),
        (
            "key and decapsulation".into(),
            Aim::None,
            case(move || incremental::decapsulate_compressed_key(default().sk(), &same_ct1, &same_ct2)),
            case(move || key().decapsulate(black_box(&again))),
        ),
    ]
}

fn frames() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for length in [60, 1200, 16384] {
        let (default, ours) = (Aes256Gcm::new(&[7; 32].into()), FrameAead::aes_256_gcm(&Secret::new([7; 32])));
        let (mut buffer, plaintext, mut sealed) = (vec![7; length], vec![7; length], Vec::with_capacity(length + 16));
        rows.push((
            format!("AES-256-GCM, {length} B, sealed"),
            Aim::None,
            case(move || {
                default.encrypt_inout_detached(black_box(&[3; 12]).into(), b"", buffer.as_mut_slice().into()).unwrap()
            }),
            case(move || {
                sealed.clear();
                ours.seal_append(black_box(&[3; 12]), b"", &plaintext, &mut sealed).unwrap();
            }),
        ));
    }
    rows.push((
        "key of AES-256-GCM".into(),
        Aim::None,
        case(|| Aes256Gcm::new(black_box(&[7; 32]).into())),
        case(|| FrameAead::aes_256_gcm(&Secret::new(black_box([7; 32])))),
    ));
    rows
}

/// Signed texts of lists of one device, and of five.
const LISTS: [usize; 2] = [380, 1050];
