//! AES-256-CBC with PKCS#7 padding (FIPS 197, SP 800-38A, RFC 5652), for the Signal protocol and WhatsApp's formats.
//!
//! CBC does not authenticate: verify a tag or a signature before you decrypt.

use alloc::vec::Vec;

use aes::{Aes256Dec, Aes256Enc};
use cbc::cipher::array::Array;
use cbc::cipher::block_padding::{Padding, Pkcs7};
use cbc::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cbc::{Decryptor, Encryptor};
use zeroize::Zeroizing;

use super::secret::Secret;

/// Length of an initialisation vector, and of a block, in bytes.
pub const BLOCK: usize = 16;

/// Length of the ciphertext of `length` plaintext bytes: the next larger multiple of the block size.
#[must_use]
pub const fn padded(length: usize) -> usize {
    (length / BLOCK).saturating_add(1).saturating_mul(BLOCK)
}

/// Encrypts `plaintext`, [`padded`] to whole blocks, and appends the ciphertext to `output`.
///
/// Cannot fail: blocks have a type of their own, so no length can be wrong. Each block is appended once it is
/// encrypted; `output` never holds the plaintext.
pub fn encrypt(output: &mut Vec<u8>, key: &Secret<32>, iv: &[u8; BLOCK], plaintext: &[u8]) {
    let mut cipher = Encryptor::<Aes256Enc>::new(key.expose().into(), iv.into());
    let (blocks, rest) = Block::<Encryptor<Aes256Enc>>::slice_as_chunks(plaintext);
    output.reserve(padded(plaintext.len()));
    let mut encrypted = Array::default();
    for block in blocks {
        cipher.encrypt_block_b2b(block, &mut encrypted);
        output.extend_from_slice(&encrypted);
    }
    let mut last = Zeroizing::new(Array::default());
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    Pkcs7::pad(&mut last, rest.len());
    cipher.encrypt_block_b2b(&last, &mut encrypted);
    output.extend_from_slice(&encrypted);
}

/// Decrypts `ciphertext`, which the caller has authenticated. Returns `None` if it is not whole blocks, or its padding
/// is not the padding of [`encrypt`].
#[must_use]
pub fn decrypt(key: &Secret<32>, iv: &[u8; BLOCK], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    let length =
        Decryptor::<Aes256Dec>::new(key.expose().into(), iv.into()).decrypt_padded::<Pkcs7>(&mut plaintext).ok()?.len();
    plaintext.truncate(length);
    Some(plaintext)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back_and_is_padded_to_the_next_whole_block() {
        let key = Secret::new([7; 32]);
        let text: [u8; 70] = core::array::from_fn(|at| u8::try_from(at).unwrap());
        for length in 0..text.len() {
            let mut output = alloc::vec![0xAA];
            encrypt(&mut output, &key, &[9; BLOCK], &text[..length]);
            assert_eq!(output.len(), 1 + (length / 16 + 1) * 16);
            assert_eq!(output[0], 0xAA, "what was there stays");
            assert_eq!(decrypt(&key, &[9; BLOCK], &output[1..]).unwrap().as_slice(), &text[..length]);
        }
    }

    #[test]
    fn what_is_not_whole_blocks_or_not_padded_is_refused() {
        let key = Secret::new([7; 32]);
        let mut output = Vec::new();
        encrypt(&mut output, &key, &[9; BLOCK], b"twenty bytes of text");
        assert!(decrypt(&key, &[9; BLOCK], &output[..31]).is_none());
        assert!(decrypt(&key, &[9; BLOCK], &[]).is_none());
        // One block earlier the plaintext has no padding.
        assert!(decrypt(&key, &[9; BLOCK], &output[..16]).is_none());
    }
}
