//! ChaCha20 (RFC 8439) and HMAC-SHA256 (RFC 2104) over the numbered chunks of a long file.
//!
//! Encrypt-then-MAC with a whole tag, which is also what names the chunk's ciphertext (docs/spec/attachments.md, section
//! 8.1). The caller authenticates which chunk is the last, and how long each is.

use alloc::boxed::Box;
use core::fmt;
use core::num::NonZeroUsize;

use chacha20::ChaCha20;
use chacha20::cipher::inout::InOutBuf;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use subtle::ConstantTimeEq;

use super::aead::Forged;
use super::kdf::{HmacSha256, HmacSha256Stream};
use super::secret::Secret;
use crate::convert::widened;
use crate::internal::InternalError;

/// Length of a chunk's tag in bytes.
pub const CHUNK_TAG: usize = 32;

/// The cipher of one file's chunks, under a key for ChaCha20 and another for HMAC. No number may be used for two
/// plaintexts.
pub struct ChunkCipher {
    key: Box<Secret<32>>,
    mac: Box<HmacSha256>,
}

impl ChunkCipher {
    /// Creates the cipher with the two keys.
    #[must_use]
    pub fn new(key: Box<Secret<32>>, mac: &Secret<32>) -> Self {
        Self { key, mac: Box::new(HmacSha256::new(mac)) }
    }

    /// Encrypts chunk `number` from `from` into `to`, which has its length, and returns the tag.
    ///
    /// # Errors
    ///
    /// [`InternalError`] if the two differ in length, or above 256 GiB. `to` then holds nothing of the plaintext.
    pub fn seal(&self, number: u64, from: &[u8], to: &mut [u8]) -> Result<[u8; CHUNK_TAG], InternalError> {
        if from.len() != to.len() {
            return Err(InternalError);
        }
        let (mut stream, mut mac) = (self.stream(number), self.mac.start());
        for (from, to) in from.chunks(PIECE).zip(to.chunks_mut(PIECE)) {
            let piece = InOutBuf::new(from, &mut *to).map_err(|_| InternalError)?;
            stream.try_apply_keystream_inout(piece).map_err(|_| InternalError)?;
            mac.update(to);
        }
        Ok(*finish(mac, number).expose())
    }

    /// Verifies chunk `number` in constant time, and only then decrypts it from `from` into `to`.
    ///
    /// # Errors
    ///
    /// [`Forged`] if the tag does not verify, or the two differ in length. On error `to` is unchanged.
    pub fn open(&self, number: u64, from: &[u8], to: &mut [u8], tag: &[u8; CHUNK_TAG]) -> Result<(), Forged> {
        let mut mac = self.mac.start();
        mac.update(from);
        if !fits(mac, number, tag) {
            return Err(Forged);
        }
        let buffer = InOutBuf::new(from, to).map_err(|_| Forged)?;
        self.stream(number).try_apply_keystream_inout(buffer).map_err(|_| Forged)
    }

    /// Opens the chunks of `sealed`, the first of which has the number `first`, into `to`, up to the first that does not
    /// verify. Each has `length` bytes and its tag. Returns how many were opened; of the others `to` is unchanged.
    ///
    /// As with [`open`](Self::open), a chunk is decrypted only after its own tag has verified. While it is, the next
    /// one is hashed, which together takes little more time than the slower of the two.
    #[must_use]
    pub fn open_each(&self, first: u64, length: NonZeroUsize, sealed: &[u8], to: &mut [u8]) -> usize {
        let Some(step) = length.checked_add(CHUNK_TAG) else { return 0 };
        let mut chunks = sealed.chunks_exact(step.get()).enumerate();
        let mut chunks = core::iter::from_fn(|| {
            let (at, sealed) = chunks.next()?;
            let number = first.checked_add(widened(at))?;
            let (body, tag) = sealed.split_last_chunk::<CHUNK_TAG>()?;
            Some((at, number, body, tag))
        });
        let mut rooms = to.chunks_exact_mut(length.get());
        let Some((mut at, mut number, mut body, tag)) = chunks.next() else { return 0 };
        let mut mac = self.mac.start();
        mac.update(body);
        if !fits(mac, number, tag) {
            return at;
        }
        loop {
            // The chunk `at` has verified.
            let (next, Some(room)) = (chunks.next(), rooms.next()) else { return at };
            let (mut stream, mut mac) = (self.stream(number), self.mac.start());
            let mut hashed = next.into_iter().flat_map(|(_, _, body, _)| body.chunks(PIECE));
            for (from, to) in body.chunks(PIECE).zip(room.chunks_mut(PIECE)) {
                let applied = InOutBuf::new(from, to).map(|piece| stream.try_apply_keystream_inout(piece));
                if !matches!(applied, Ok(Ok(()))) {
                    return at;
                }
                hashed.next().into_iter().for_each(|piece| mac.update(piece));
            }
            match next {
                None => return at.saturating_add(1),
                Some((next, number, _, tag)) if !fits(mac, number, tag) => return next,
                Some(next) => (at, number, body, _) = next,
            }
        }
    }

    /// The nonce is the number, in twelve bytes.
    fn stream(&self, number: u64) -> ChaCha20 {
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()) {
            *to = *from;
        }
        ChaCha20::new(self.key.expose().into(), &nonce.into())
    }
}

impl fmt::Debug for ChunkCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkCipher(..)")
    }
}

/// Compares in constant time the tag of the ciphertext that was added to `mac`.
fn fits(mac: HmacSha256Stream, number: u64, tag: &[u8; CHUNK_TAG]) -> bool {
    finish(mac, number).expose().as_slice().ct_eq(tag.as_slice()).into()
}

/// Completes the tag of the ciphertext that was added to `mac`. The number has one length, so that it is told from the
/// ciphertext, and comes last, so that the ciphertext begins at a block of the hash.
fn finish(mut mac: HmacSha256Stream, number: u64) -> Secret<32> {
    mac.update(&number.to_be_bytes());
    mac.finish()
}

/// Bytes to encrypt before they are hashed; a multiple of the blocks of both. Four blocks of ChaCha20 are what its AVX2
/// code makes at once. The processor then encrypts the next piece while it hashes this one: SHA-256 instructions wait
/// for one another, and leave the vector units free. Elsewhere a call for each four blocks only costs, so there a piece
/// is what stays in the processor's first cache.
const PIECE: usize = if cfg!(target_arch = "x86_64") { 256 } else { 4_096 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::kdf::digest;

    fn cipher(key: [u8; 32], mac: &[u8]) -> ChunkCipher {
        let mut padded = Secret::zero();
        padded.expose_mut()[..mac.len()].copy_from_slice(mac);
        ChunkCipher::new(Box::new(Secret::new(key)), &padded)
    }

    fn sealed(number: u64, plaintext: &[u8]) -> (alloc::vec::Vec<u8>, [u8; CHUNK_TAG]) {
        let mut sealed = alloc::vec![0; plaintext.len()];
        let tag = cipher([7; 32], &[9; 32]).seal(number, plaintext, &mut sealed).unwrap();
        (sealed, tag)
    }

    /// RFC 8439, appendix A.1, test vectors 1, 2 (the block after it) and 5: key zero, nonces 0 and 2.
    #[test]
    fn chunks_are_encrypted_with_chacha20_of_rfc_8439() {
        let first: [u8; 128] = hex("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
              da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586\
              9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed\
              29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f");
        let third: [u8; 64] = hex("c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c7\
              8a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d");
        let (cipher, mut long, mut short) = (cipher([0; 32], &[9; 32]), [0; 128], [0; 64]);
        cipher.seal(0, &[0; 128], &mut long).unwrap();
        cipher.seal(2, &[0; 64], &mut short).unwrap();
        assert_eq!((long, short), (first, third));
    }

    /// RFC 4231, test cases 1 and 2. HMAC pads keys with zeros, and the last eight bytes of the data are the number.
    #[test]
    fn tags_are_whole_hmac_sha256_of_ciphertext_and_number() {
        let hi_there: [u8; 32] = hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let nothing: [u8; 32] = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let tag = cipher([7; 32], &[0x0b; 20]).seal(u64::from_be_bytes(*b"Hi There"), &[], &mut []);
        assert_eq!(tag, Ok(hi_there));
        let (number, mut opened) = (u64::from_be_bytes(*b"nothing?"), [0; 20]);
        assert_eq!(cipher([7; 32], b"Jefe").open(number, b"what do ya want for ", &mut opened, &nothing), Ok(()));
    }

    /// SHA-256 of ciphertext and tag, computed independently in Python, at lengths around a piece, and of a whole chunk.
    #[test]
    fn chunks_agree_with_an_independent_computation() {
        let known: [(usize, [u8; 32]); 8] = [
            (0, hex("62e05f757e530fac0c1da5ccd684cf3e3cb6664689c38d7ef73e13459ae38b49")),
            (1, hex("f6c0b6f6e178c5c8c6b984d52470b17a49cff96996e32b2d5e533d0a8cac98ab")),
            (255, hex("534c26a49a3c024c64adc76d95f0e93629dd68351176dd3c75d05c22cd2a742a")),
            (257, hex("29105c7540dee5be23d2abe85bc055e9844b89289c4c1f967932bc7a68cc8d9c")),
            (4_095, hex("177965d92423d4091f53f5b74b6e3476fc9c7658c4d01ef250943f9c097ba5db")),
            (4_097, hex("7bd05ad4f32f05fac20ac8076bb8b45173b31cd6dac44e47f79bd76b318a00ae")),
            (65_535, hex("51352df332a4038af8a2663312b70a72642ecb8bbb6263a70561f0b416043fd5")),
            (65_536, hex("0e6d5c7c85cdc889acac5b98c078daf4ea2700ced0ef41d3284150b950ceca50")),
        ];
        for (length, known) in known {
            let plaintext: alloc::vec::Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let (sealed, tag) = sealed(0x0102_0304_0506, &plaintext);
            assert_eq!(digest(&[&sealed, &tag]), known, "{length}");
        }
    }

    #[test]
    fn a_chunk_opens_under_its_own_number_and_whole_tag_only() {
        let (cipher, mut opened) = (cipher([7; 32], &[9; 32]), [0; 11]);
        let (mut body, tag) = sealed(1, b"halo, dunia");
        for number in [0, 2, 1 << 8, 1 << 38, u64::MAX] {
            assert_eq!(cipher.open(number, &body, &mut opened, &tag), Err(Forged));
        }
        for bit in 0..256 {
            let mut changed = tag;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(cipher.open(1, &body, &mut opened, &changed), Err(Forged));
        }
        body[10] ^= 1;
        assert_eq!(cipher.open(1, &body, &mut opened, &tag), Err(Forged));
        assert_eq!(opened, [0; 11], "nothing is decrypted before it has verified");
        body[10] ^= 1;
        assert_eq!(cipher.open(1, &body, &mut opened[..10], &tag), Err(Forged), "the room is of another length");
        assert_eq!(cipher.open(1, &body, &mut opened, &tag), Ok(()));
        assert_eq!(&opened, b"halo, dunia");
        assert_eq!(cipher.seal(1, b"halo", &mut body), Err(InternalError), "the room is of another length");
    }

    /// At lengths around a piece, with each chunk changed in turn.
    #[test]
    fn consecutive_chunks_open_up_to_the_first_that_does_not_verify() {
        for length in [1, 255, 256, 257, 4_097] {
            let plaintext: alloc::vec::Vec<u8> = (0..5 * length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let chunks: alloc::vec::Vec<_> =
                (7..).zip(plaintext.chunks(length)).map(|(n, chunk)| sealed(n, chunk)).collect();
            let whole: alloc::vec::Vec<u8> =
                chunks.iter().flat_map(|(body, tag)| body.iter().chain(tag)).copied().collect();
            let open = |first, whole: &[u8], room: usize| {
                let (cipher, mut opened) = (cipher([7; 32], &[9; 32]), alloc::vec![0; room]);
                let count = cipher.open_each(first, NonZeroUsize::new(length).unwrap(), whole, &mut opened);
                assert!(opened.get(count * length..).unwrap().iter().all(|byte| *byte == 0), "the rest is unchanged");
                assert_eq!(opened[..count * length], plaintext[..count * length]);
                count
            };
            for count in 0..=5 {
                assert_eq!(open(7, &whole[..count * (length + 32)], 5 * length), count, "of as many");
                assert_eq!(open(7, &whole, count * length), count, "into room for as many");
            }
            for chunk in 0..5 {
                for at in [0, length - 1, length, length + 31] {
                    let mut changed = whole.clone();
                    changed[chunk * (length + 32) + at] ^= 1;
                    assert_eq!(open(7, &changed, 5 * length), chunk);
                }
            }
            for first in [0, 6, 8, u64::MAX - 1] {
                assert_eq!(open(first, &whole, 5 * length), 0, "in other places");
            }
        }
    }

    /// Decodes hexadecimal digits.
    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        let mut bytes = pairs.iter().map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap());
        core::array::from_fn(|_| bytes.next().unwrap())
    }
}
