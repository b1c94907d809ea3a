//! ML-KEM-768 (FIPS 203) in pieces: most of a ciphertext can be made before most of the key is there.
//!
//! ```text
//! encapsulation key = vector (1,152) ‖ rho (32)        header = rho ‖ SHA3-256(encapsulation key)   (64)
//! ciphertext        = ct1 (960) ‖ ct2 (128)            ct1 and the shared secret need the header and m; ct2 the vector
//! ```
//!
//! Together the pieces are an ordinary key, ciphertext and secret, as the test compares. Whoever encapsulates before
//! the vector is known trusts the header: [`fits`] says later whether the vector belongs to it.

use alloc::boxed::Box;
use core::fmt;

use libcrux_ml_kem::mlkem768::incremental;
use zeroize::Zeroize;

use super::accelerated;
use super::secret::{BoxedSecret, Secret};

/// Length of a header in bytes: `rho`, and the digest of the whole key.
pub const HEADER: usize = 64;
/// Length of a vector in bytes.
pub const VECTOR: usize = 1152;
/// Length of the first part of a ciphertext in bytes.
pub const CT1: usize = 960;
/// Length of the second part of a ciphertext in bytes.
pub const CT2: usize = 128;
/// Length of a seed `d ‖ z` in bytes.
pub const SEED: usize = 64;

/// Length of what an encapsulation keeps between its parts.
const ENCAPSULATION: usize = incremental::encaps_state_len();
/// Length of an expanded key, the `dk` of FIPS 203: secret vector, then vector, `rho`, digest, `z`.
const EXPANDED: usize = 2400;

/// A key pair, expanded from its seed. Wiped on drop.
pub struct Key {
    expanded: BoxedSecret<EXPANDED>,
    accelerated: Option<accelerated::DecapsulationKey>,
}

impl Key {
    /// FIPS 203, algorithm 16: derives the pair from the seed `d ‖ z`.
    #[must_use]
    pub fn from_seed(seed: &Secret<SEED>) -> Self {
        if let Some(key) = accelerated::DecapsulationKey::new(seed) {
            return Self { expanded: key.expanded(), accelerated: Some(key) };
        }
        let mut expanded = Box::new(Secret::zero());
        incremental::generate_key_pair_compressed(*seed.expose(), expanded.expose_mut());
        Self { expanded, accelerated: None }
    }

    /// Returns the public half: header, and vector. They are there always: the layout has constant lengths.
    #[must_use]
    pub fn public(&self) -> Option<(&[u8; HEADER], &[u8; VECTOR])> {
        let (_, public) = self.expanded.expose().split_first_chunk::<VECTOR>()?;
        let (vector, rest) = public.split_first_chunk()?;
        Some((rest.first_chunk()?, vector))
    }

    /// FIPS 203, algorithm 18. Never fails: a ciphertext made for another key gives a secret that no party knows.
    #[must_use]
    pub fn decapsulate(&self, ct1: &[u8; CT1], ct2: &[u8; CT2]) -> Secret<32> {
        if let Some(key) = &self.accelerated {
            let mut ciphertext = [0; CT1 + CT2];
            ciphertext.iter_mut().zip(ct1.iter().chain(ct2)).for_each(|(to, from)| *to = *from);
            return key.decapsulate(&ciphertext);
        }
        let (ct1, ct2) = (incremental::Ciphertext1 { value: *ct1 }, incremental::Ciphertext2 { value: *ct2 });
        let mut shared = incremental::decapsulate_compressed_key(self.expanded.expose(), &ct1, &ct2);
        let secret = Secret::copy_of(&shared);
        shared.zeroize();
        secret
    }
}

/// An encapsulation of which the first part is made. Wiped on drop.
pub struct Encapsulation {
    ct1: Box<[u8; CT1]>,
    state: BoxedSecret<ENCAPSULATION>,
}

impl Encapsulation {
    /// FIPS 203, algorithm 17, as far as the header allows, with `randomness` as `m`. Returns the encapsulation and the
    /// shared secret.
    ///
    /// `None` is a bug of the primitive: every header of this length is good.
    #[must_use]
    pub fn start(header: &[u8; HEADER], randomness: &Secret<32>) -> Option<(Self, Secret<32>)> {
        let mut state = Box::new(Secret::zero());
        let mut shared = Secret::zero();
        let (kept, secret) = (state.expose_mut(), shared.expose_mut());
        let ct1 = incremental::encapsulate1(header, *randomness.expose(), kept, secret).ok()?;
        Some((Self { ct1: Box::new(ct1.value), state }, shared))
    }

    /// Returns the first part of the ciphertext.
    #[must_use]
    pub const fn ct1(&self) -> &[u8; CT1] {
        &self.ct1
    }

    /// Makes the second part of the ciphertext. The caller has checked with [`fits`] that the vector belongs to the
    /// header.
    #[must_use]
    pub fn finish(&self, vector: &[u8; VECTOR]) -> [u8; CT2] {
        incremental::encapsulate2(self.state.expose(), vector).value
    }
}

/// Says whether `vector` and the header make an encapsulation key: every coefficient is reduced (FIPS 203, section 7.2)
/// and the digest in the header is the key's.
#[must_use]
pub fn fits(header: &[u8; HEADER], vector: &[u8; VECTOR]) -> bool {
    incremental::validate_pk_bytes(header, vector).is_ok()
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl fmt::Debug for Encapsulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encapsulation(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::mlkem768;

    #[test]
    fn the_pieces_are_those_of_an_ordinary_key_ciphertext_and_secret() {
        let mut rng = rand::rng();
        let (seed, m) = (Secret::random(&mut rng), Secret::random(&mut rng));
        let (key, whole) = (Key::from_seed(&seed), mlkem768::DecapsulationKey::from_seed(&seed));
        let (header, vector) = key.public().unwrap();
        assert_eq!(whole.public().as_bytes()[..VECTOR], vector[..]);
        assert_eq!(whole.public().as_bytes()[VECTOR..], header[..32]);
        assert!(fits(header, vector));

        let (encapsulation, secret) = Encapsulation::start(header, &m).unwrap();
        let (ciphertext, expected) = whole.public().encapsulate_with(&m);
        let ct2 = encapsulation.finish(vector);
        assert_eq!(ciphertext[..CT1], encapsulation.ct1()[..]);
        assert_eq!(ciphertext[CT1..], ct2[..]);
        assert_eq!(secret.expose(), expected.expose());
        assert_eq!(key.decapsulate(encapsulation.ct1(), &ct2).expose(), expected.expose());
    }

    #[test]
    fn a_vector_of_another_header_or_with_a_coefficient_out_of_range_does_not_fit() {
        let mut rng = rand::rng();
        let (key, other) = (Key::from_seed(&Secret::random(&mut rng)), Key::from_seed(&Secret::random(&mut rng)));
        assert!(!fits(key.public().unwrap().0, other.public().unwrap().1));
        let mut header = *key.public().unwrap().0;
        header[63] ^= 1;
        assert!(!fits(&header, key.public().unwrap().1));

        // The digest is right, so that only the range can refuse.
        let mut vector = *key.public().unwrap().1;
        vector[..2].copy_from_slice(&[0xFF, 0x0F]);
        let mut header = *key.public().unwrap().0;
        header[32..].copy_from_slice(&libcrux_sha3::sha256(&[&vector[..], &key.public().unwrap().0[..32]].concat()));
        assert!(!fits(&header, &vector));
    }
}
