//! ChaCha20-Poly1305 (RFC 8439) over the numbered chunks of a long file.
//!
//! The caller authenticates which chunk is the last, and how long each is.

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{AeadInOut, KeyInit};

use super::aead::{Forged, TAG};
use super::secret::Secret;
use crate::internal::InternalError;

/// Length of an RFC 8439 nonce in bytes.
pub const SHORT_NONCE: usize = 12;

/// The key of a file's chunks, and the base nonce that is combined with their numbers.
pub type Key<'a> = (&'a Secret<32>, &'a Secret<SHORT_NONCE>);

/// Encrypts chunk `number` from `from` into `to` and returns the tag.
///
/// # Errors
///
/// [`InternalError`] if the two differ in length, or above 256 GiB. On error `to` is unchanged.
pub fn seal((key, base): Key<'_>, number: u64, from: &[u8], to: &mut [u8]) -> Result<[u8; TAG], InternalError> {
    let buffer = InOutBuf::new(from, to).map_err(|_| InternalError)?;
    ChaCha20Poly1305::new(key.expose().into())
        .encrypt_inout_detached(&nonce(base, number).into(), &[], buffer)
        .map(Into::into)
        .map_err(|_| InternalError)
}

/// Verifies chunk `number`, and only then decrypts it from `from` into `to`.
///
/// # Errors
///
/// [`Forged`] if the tag does not verify, or the two differ in length. On error `to` is unchanged.
pub fn open((key, base): Key<'_>, number: u64, from: &[u8], to: &mut [u8], tag: &[u8; TAG]) -> Result<(), Forged> {
    let buffer = InOutBuf::new(from, to).map_err(|_| Forged)?;
    ChaCha20Poly1305::new(key.expose().into())
        .decrypt_inout_detached(&nonce(base, number).into(), &[], buffer, tag.into())
        .map_err(|_| Forged)
}

/// The base nonce XORed with the big-endian number.
fn nonce(base: &Secret<SHORT_NONCE>, number: u64) -> [u8; SHORT_NONCE] {
    let mut nonce = *base.expose();
    for (byte, digit) in nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()) {
        *byte ^= digit;
    }
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_opens_under_its_own_number_only() {
        let (key, base) = (Secret::new([7; 32]), Secret::new([9; 12]));
        let (mut sealed, mut opened) = ([0; 11], [0; 11]);
        let tag = seal((&key, &base), 1, b"halo, dunia", &mut sealed).unwrap();
        for number in [0, 2, 1 << 8, 1 << 38] {
            assert_eq!(open((&key, &base), number, &sealed, &mut opened, &tag), Err(Forged));
            assert_eq!(opened, [0; 11], "nothing is decrypted before it has verified");
        }
        assert_eq!(open((&key, &base), 1, &sealed, &mut opened, &tag), Ok(()));
        assert_eq!(&opened, b"halo, dunia");
        assert_eq!(seal((&key, &base), 1, b"halo", &mut sealed), Err(InternalError), "the places are of one length");
    }

    #[test]
    fn numbers_change_the_last_bytes_of_the_nonce() {
        let base = Secret::new([0xF0; 12]);
        assert_eq!(nonce(&base, 0), [0xF0; 12]);
        assert_eq!(nonce(&base, 0x0102)[10..], [0xF1, 0xF2]);
        assert_eq!(nonce(&base, u64::MAX)[..5], [0xF0, 0xF0, 0xF0, 0xF0, 0x0F]);
    }
}
