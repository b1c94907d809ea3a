//! The primitives alone: what the same build of libcrux, curve25519-dalek and chacha20 takes of the stack when it
//! is called directly.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use libcrux_ml_kem::mlkem768::{self, incremental};

use crate::Failure;
use crate::operations::Work;

/// The functions that bisik calls: of ML-KEM, of which those `InPieces` are the post-quantum ratchet's; and on points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primitive {
    Generate,
    Validate,
    Encapsulate,
    Decapsulate,
    GenerateInPieces,
    ValidateInPieces,
    EncapsulateFirst,
    EncapsulateSecond,
    DecapsulateInPieces,
    /// An agreement.
    Multiply,
    /// The equation of one signature.
    MultiplyTwo,
    /// The equation of several.
    MultiplyMany,
    /// Encryption of a file's chunk.
    Seal,
}

use Primitive::*;

impl Primitive {
    pub const ALL: [Self; 13] = [
        Generate,
        Validate,
        Encapsulate,
        Decapsulate,
        GenerateInPieces,
        ValidateInPieces,
        EncapsulateFirst,
        EncapsulateSecond,
        DecapsulateInPieces,
        Multiply,
        MultiplyTwo,
        MultiplyMany,
        Seal,
    ];

    /// Makes the arguments. The function that is returned calls the primitive once, with nothing else in its frame than
    /// what the primitive takes and returns by value.
    pub fn prepare(self) -> Result<Work, Failure> {
        let pair = mlkem768::generate_key_pair([7; 64]);
        let (ciphertext, _) = mlkem768::encapsulate(pair.public_key(), [8; 32]);
        let mut key = Box::new([0; 2400]);
        incremental::generate_key_pair_compressed([7; 64], &mut key);
        // Secret vector, then vector, seed and digest of the public half.
        let (vector, header) = key[1152..2368].split_at(1152);
        let (vector, header): (Box<[u8; 1152]>, _) = (Box::new(vector.try_into()?), header.to_vec());
        let (mut state, mut shared) = (Box::new([0; incremental::encaps_state_len()]), [0; 32]);
        let ct1 = incremental::encapsulate1(&header, [8; 32], state.as_mut_slice(), &mut shared).map(Box::new);
        let pair = Box::new(pair);
        let (point, scalar) = (ED25519_BASEPOINT_POINT, Scalar::from(u64::MAX));
        Ok(match self {
            Generate => Box::new(|| done(&mlkem768::generate_key_pair([7; 64]))),
            Validate => Box::new(move || fits(mlkem768::validate_public_key(pair.public_key()))),
            Encapsulate => Box::new(move || done(&mlkem768::encapsulate(pair.public_key(), [8; 32]))),
            Decapsulate => Box::new(move || done(&mlkem768::decapsulate(pair.private_key(), &ciphertext))),
            GenerateInPieces => Box::new(move || done(&incremental::generate_key_pair_compressed([7; 64], &mut key))),
            ValidateInPieces => Box::new(move || fits(incremental::validate_pk_bytes(&header, &*vector).is_ok())),
            EncapsulateFirst => Box::new(move || {
                fits(incremental::encapsulate1(&header, [8; 32], state.as_mut_slice(), &mut shared).is_ok())
            }),
            EncapsulateSecond => Box::new(move || done(&incremental::encapsulate2(&state, &vector))),
            DecapsulateInPieces => Box::new(move || {
                let ct1 = ct1.map_err(|_| "no ciphertext")?;
                let ct2 = Box::new(incremental::encapsulate2(&state, &vector));
                done(&incremental::decapsulate_compressed_key(&key, &ct1, &ct2))
            }),
            Multiply => Box::new(move || done(&point.mul_clamped([7; 32]))),
            MultiplyTwo => {
                Box::new(move || done(&EdwardsPoint::vartime_double_scalar_mul_basepoint(&scalar, &point, &scalar)))
            }
            MultiplyMany => Box::new(move || {
                let (scalars, points) = (vec![scalar; 7], vec![point; 7]);
                done(&EdwardsPoint::vartime_multiscalar_mul(scalars, points))
            }),
            Seal => Box::new(move || {
                let mut chunk = vec![7; 65_536];
                let sealed = ChaCha20::new(&[7; 32].into(), &[7; 12].into()).try_apply_keystream(&mut chunk);
                fits(sealed.is_ok())
            }),
        })
    }
}

/// Takes a reference, so that the value is not copied.
fn done<T>(value: &T) -> Result<(), Failure> {
    std::hint::black_box(value);
    Ok(())
}

fn fits(fits: bool) -> Result<(), Failure> {
    if fits { Ok(()) } else { Err("the arguments do not fit".into()) }
}
