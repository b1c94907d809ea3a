//! [`FrameSuite`]: the five cipher suites of RFC 9605, section 4.5, and the keys of frames under them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::error::OpenError;
use super::header::Associated;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aead::Forged;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::sframe::{FRAME_NONCE, FrameAead, FrameSecret};

/// A cipher suite of RFC 9605, fixed for a whole call and never negotiated in it.
///
/// The suites with tags of full length are variants of this type. Those with short tags are in [`ShortTag`], so that a
/// caller must ask for them by name: an attacker who can make a receiver try 2^32 frames forges one under a 32-bit tag.
///
/// Requirement P-9.8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameSuite {
    /// `AES_128_GCM_SHA256_128`, suite 4, with a tag of 16 bytes.
    Aes128Gcm,
    /// `AES_256_GCM_SHA512_128`, suite 5, with a tag of 16 bytes. The default.
    #[default]
    Aes256Gcm,
    /// A suite that saves bytes with a short tag, which is easier to forge.
    ShortTag(ShortTag),
}

/// The suites with AES-128 in counter mode and a truncated HMAC-SHA256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ShortTag {
    /// `AES_128_CTR_HMAC_SHA256_80`, suite 1, with a tag of 10 bytes.
    Aes128CtrHmac80,
    /// `AES_128_CTR_HMAC_SHA256_64`, suite 2, with a tag of 8 bytes.
    Aes128CtrHmac64,
    /// `AES_128_CTR_HMAC_SHA256_32`, suite 3, with a tag of 4 bytes.
    Aes128CtrHmac32,
}

impl FrameSuite {
    /// Returns the length of a tag in bytes.
    #[must_use]
    pub const fn tag_length(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm => 16,
            Self::ShortTag(ShortTag::Aes128CtrHmac80) => 10,
            Self::ShortTag(ShortTag::Aes128CtrHmac64) => 8,
            Self::ShortTag(ShortTag::Aes128CtrHmac32) => 4,
        }
    }

    /// Returns the suite's number in RFC 9605, section 8.1.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::ShortTag(ShortTag::Aes128CtrHmac80) => 1,
            Self::ShortTag(ShortTag::Aes128CtrHmac64) => 2,
            Self::ShortTag(ShortTag::Aes128CtrHmac32) => 3,
            Self::Aes128Gcm => 4,
            Self::Aes256Gcm => 5,
        }
    }

    pub(super) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::ShortTag(ShortTag::Aes128CtrHmac80)),
            2 => Some(Self::ShortTag(ShortTag::Aes128CtrHmac64)),
            3 => Some(Self::ShortTag(ShortTag::Aes128CtrHmac32)),
            4 => Some(Self::Aes128Gcm),
            5 => Some(Self::Aes256Gcm),
            0 | 6.. => None,
        }
    }
}

/// The expanded `sframe_key` and the `sframe_salt` of one base key and one key id (RFC 9605, section 4.4.2).
pub(super) struct FrameKey {
    aead: FrameAead,
    /// Boxed like the key inside the cipher, so that a move leaves no copy behind.
    salt: Box<Secret<FRAME_NONCE>>,
}

impl FrameKey {
    pub(super) fn derive(suite: FrameSuite, key_id: u64, base: &[u8]) -> Self {
        let secret = match suite {
            FrameSuite::Aes256Gcm => FrameSecret::sha512(base),
            FrameSuite::Aes128Gcm | FrameSuite::ShortTag(_) => FrameSecret::sha256(base),
        };
        let (key_id, number) = (key_id.to_be_bytes(), u16::from(suite.number()).to_be_bytes());
        let key: &[&[u8]] = &[b"SFrame 1.0 Secret key ", &key_id, &number];
        let aead = match suite {
            FrameSuite::Aes128Gcm => FrameAead::aes_128_gcm(&secret.expand(key)),
            FrameSuite::Aes256Gcm => FrameAead::aes_256_gcm(&secret.expand(key)),
            FrameSuite::ShortTag(_) => FrameAead::ctr_hmac(&secret.expand(key), suite.tag_length()),
        };
        let salt = Box::new(secret.expand(&[b"SFrame 1.0 Secret salt ", &key_id, &number]));
        Self { aead, salt }
    }

    pub(super) const fn tag_length(&self) -> usize {
        self.aead.tag_length()
    }

    /// Appends ciphertext and tag of `plaintext` to `output`.
    pub(super) fn seal(
        &self,
        counter: u64,
        associated: &Associated,
        plaintext: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<(), InternalError> {
        self.aead.seal_append(&self.nonce(counter), associated.as_slice(), plaintext, output)
    }

    /// Verifies the tag, then decrypts `buffer` in place.
    pub(super) fn open(
        &self,
        counter: u64,
        associated: &Associated,
        buffer: &mut [u8],
        tag: &[u8],
    ) -> Result<(), OpenError> {
        self.aead.open(&self.nonce(counter), associated.as_slice(), buffer, tag).map_err(|Forged| OpenError::Rejected)
    }

    /// The salt, with the counter XORed into its last eight bytes (RFC 9605, section 4.4.3).
    fn nonce(&self, counter: u64) -> [u8; FRAME_NONCE] {
        let mut nonce = *self.salt.expose();
        nonce.iter_mut().rev().zip(counter.to_le_bytes()).for_each(|(byte, counter)| *byte ^= counter);
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::published::{self, bytes, number};

    /// P-9.8: RFC 9605, appendix C.3, with every intermediate value that is visible outside the cipher.
    #[test]
    fn frames_agree_with_every_published_vector() {
        let vectors = published::of("sframe");
        let suites: Vec<_> = vectors.iter().map(|vector| number(vector, "cipher_suite")).collect();
        assert_eq!(suites, [1, 2, 3, 4, 5]);
        for vector in vectors {
            let suite = FrameSuite::from_number(number(&vector, "cipher_suite").try_into().unwrap()).unwrap();
            let (key_id, counter) = (number(&vector, "kid"), number(&vector, "ctr"));
            let key = FrameKey::derive(suite, key_id, &bytes(&vector, "base_key"));
            assert_eq!(key.salt.expose().as_slice(), bytes(&vector, "sframe_salt"));
            assert_eq!(key.nonce(counter).as_slice(), bytes(&vector, "nonce"));

            let header = Associated::encode(key_id, counter).unwrap().as_slice().to_vec();
            let associated = Associated::encode(key_id, counter).unwrap().with(&bytes(&vector, "metadata")).unwrap();
            assert_eq!(associated.as_slice(), bytes(&vector, "aad"));
            let (mut sealed, plaintext) = (header.clone(), bytes(&vector, "pt"));
            key.seal(counter, &associated, &plaintext, &mut sealed).unwrap();
            assert_eq!(sealed, bytes(&vector, "ct"));
            let (buffer, tag) = sealed[header.len()..].split_at_mut(plaintext.len());
            assert_eq!(tag.len(), suite.tag_length());
            assert_eq!(key.open(counter, &associated, buffer, tag), Ok(()));
            assert_eq!(buffer, plaintext);
        }
    }

    #[test]
    fn every_number_is_that_of_one_suite() {
        for number in 0..=u8::MAX {
            assert!(FrameSuite::from_number(number).is_none_or(|suite| suite.number() == number));
        }
        assert_eq!(FrameSuite::default().tag_length(), 16);
    }

    /// RFC 9605, section 4.4.3: the counter occupies the last eight bytes of the nonce.
    #[test]
    fn the_nonces_of_two_counters_differ_exactly_by_them() {
        let key = FrameKey::derive(FrameSuite::Aes128Gcm, 0, &[7; 32]);
        let (zero, all) = (key.nonce(0), key.nonce(u64::MAX));
        let differ: Vec<_> = zero.iter().zip(all).map(|(one, other)| one ^ other).collect();
        assert_eq!(differ, [0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    }

    /// RFC 9605, appendix C.2: all three vectors, from their own inputs.
    #[test]
    fn aes_ctr_hmac_agrees_with_every_published_vector() {
        let vectors = published::of("aes_ctr_hmac");
        assert_eq!(vectors.len(), 3);
        for (vector, tag_length) in vectors.iter().zip([10, 8, 4]) {
            let cipher = FrameAead::ctr_hmac(&Secret::new(bytes(vector, "key").try_into().unwrap()), tag_length);
            let nonce = bytes(vector, "nonce").try_into().unwrap();
            let (aad, plaintext, mut sealed) = (bytes(vector, "aad"), bytes(vector, "pt"), Vec::new());
            cipher.seal_append(&nonce, &aad, &plaintext, &mut sealed).unwrap();
            assert_eq!(sealed, bytes(vector, "ct"));
            let (buffer, tag) = sealed.split_at_mut(plaintext.len());
            assert_eq!((tag.len(), cipher.tag_length()), (tag_length, tag_length));
            let longer = [&*tag, &[0]].concat();
            assert_eq!(cipher.open(&nonce, &aad, buffer, &longer), Err(Forged), "a longer tag is another tag");
            assert_eq!(cipher.open(&nonce, &aad, buffer, tag), Ok(()));
            assert_eq!(buffer, plaintext);
        }
    }

    /// RFC 7714, section 16.2.1: the cipher that a call's SRTP keys are for, with the RFC's key, salt and packet.
    #[test]
    fn aes_256_gcm_gives_the_packet_of_rfc_7714() {
        let key = Secret::new(core::array::from_fn(|at| u8::try_from(at).unwrap()));
        let header = hex::<12>("8040f17b8041f8d35501a0b2");
        // Two zero bytes, SSRC, rollover counter and sequence number, under the salt "Quid pro quo".
        let mut nonce = hex::<12>("00005501a0b200000000f17b");
        nonce.iter_mut().zip(b"Quid pro quo").for_each(|(byte, salt)| *byte ^= salt);
        assert_eq!(nonce, hex::<12>("51753c6580c2726f20718414"));
        let mut packet = Vec::new();
        let cipher = FrameAead::aes_256_gcm(&key);
        cipher.seal_append(&nonce, &header, b"Gallia est omnis divisa in partes tres", &mut packet).unwrap();
        let (payload, tag) = packet.split_at(38);
        assert_eq!(payload, hex::<38>("32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"));
        assert_eq!(tag, hex::<16>("7aa3db36dfffd6b0f9bb7878d7a76c13"));
    }

    fn hex<const N: usize>(digits: &str) -> [u8; N] {
        published::from_hex(digits).try_into().unwrap()
    }
}
