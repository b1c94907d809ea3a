//! Deliberate leaks. If valgrind does not report one of these, its silence elsewhere proves nothing.
//! Each is written so that the compiler cannot turn it into constant-time code.

use crate::{Case, valgrind};
use bisik_core::primitives::aead::Aead;
use bisik_core::primitives::secret::Secret;
use curve25519_dalek::{EdwardsPoint, Scalar, constants::ED25519_BASEPOINT_POINT as B};
use std::hint::black_box;

/// Valgrind must report each of these.
pub const ALL: &[Case] = &[
    ("a branch on a secret bit", branch),
    ("a table looked up at a secret place", lookup),
    ("a comparison that stops at the first difference", early_exit),
    ("a scalar multiplication in variable time", vartime_multiplication),
    ("a branch on a ciphertext in new room", ciphertext),
];

fn branch() {
    let key = black_box([0x77_u8; 32]);
    valgrind::secret(&key);
    if key[5] & 1 == 1 {
        black_box(());
    }
    valgrind::public(&key);
}

fn lookup() {
    let table: [u8; 256] = black_box([7; 256]);
    let key = black_box([0x77_u8; 32]);
    valgrind::secret(&key);
    black_box(table[usize::from(key[9])]);
    valgrind::public(&key);
}

fn early_exit() {
    let (tag, given) = (black_box([1_u8; 16]), black_box([1_u8; 16]));
    valgrind::secret(&tag);
    let mut same = 0;
    while same < tag.len() && tag[same] == given[same] {
        same += 1;
    }
    valgrind::public(&same);
    black_box(same);
}

fn vartime_multiplication() {
    let scalar = black_box(Scalar::from(0x1234_5678_9abc_u64));
    valgrind::secret(&scalar);
    let point = EdwardsPoint::vartime_double_scalar_mul_basepoint(&scalar, &B, &Scalar::from(5_u64));
    valgrind::public(&point);
    black_box(point);
}

/// The taint of a plaintext follows it into the ciphertext appended to an output.
fn ciphertext() {
    let text = black_box([3_u8; 100]);
    valgrind::secret(&text);
    let mut output = Vec::new();
    Aead::new(&Secret::new([1; 32])).seal_append(&[9; 24], b"public", &text, &mut output);
    if output[50] & 1 == 1 {
        black_box(());
    }
    valgrind::public(output.as_slice());
}
