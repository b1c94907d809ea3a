//! AES-256-CBC (FIPS 197, SP 800-38A) over whole blocks that arrive in pieces.
//!
//! It neither pads nor authenticates; its callers do.

use alloc::vec::Vec;
use core::fmt;

use aes::cipher::array::Array;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use aes::{Aes256Dec, Aes256Enc};
use cbc::cipher::block_padding::{Padding, Pkcs7};

use super::secret::Secret;
use crate::internal::InternalError;

/// Length of a block, and of an initialisation vector, in bytes.
pub const BLOCK: usize = 16;

/// Encrypts block by block. Its owner boxes it, so that moving it leaves no round keys behind.
pub struct Encrypting(cbc::Encryptor<Aes256Enc>);

impl Encrypting {
    /// Starts with the initialisation vector `iv`.
    #[must_use]
    pub fn new(key: &Secret<32>, iv: &[u8; BLOCK]) -> Self {
        Self(cbc::Encryptor::new(key.expose().into(), iv.into()))
    }

    /// Encrypts `plaintext` and appends the ciphertext to `output`.
    ///
    /// Cannot fail: blocks have a type of their own, so no length can be wrong.
    pub fn append(&mut self, plaintext: &[[u8; BLOCK]], output: &mut Vec<u8>) {
        let start = output.len();
        output.extend(core::iter::repeat_n(0, plaintext.as_flattened().len()));
        let (_, room) = output.split_at_mut(start);
        let (room, _) = room.as_chunks_mut::<BLOCK>();
        for (from, to) in plaintext.iter().zip(room) {
            self.0.encrypt_block_b2b(from.into(), to.into());
        }
    }

    /// Encrypts the last block: the 0 to 15 bytes that are left, then the padding (PKCS#7).
    ///
    /// # Errors
    ///
    /// [`InternalError`] if a whole block or more is left.
    pub fn last(&mut self, rest: &[u8]) -> Result<[u8; BLOCK], InternalError> {
        if rest.len() >= BLOCK {
            return Err(InternalError);
        }
        let mut block = Secret::<BLOCK>::zero();
        block.expose_mut().iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Pkcs7::raw_pad(block.expose_mut(), rest.len());
        Ok(self.block(&block))
    }

    /// Encrypts one block.
    #[must_use]
    pub fn block(&mut self, plaintext: &Secret<BLOCK>) -> [u8; BLOCK] {
        let mut encrypted = Array::default();
        self.0.encrypt_block_b2b(plaintext.expose().into(), &mut encrypted);
        encrypted.into()
    }
}

impl fmt::Debug for Encrypting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encrypting(..)")
    }
}

/// Decrypts block by block.
pub struct Decrypting(cbc::Decryptor<Aes256Dec>);

impl Decrypting {
    /// Starts with the initialisation vector `iv`.
    #[must_use]
    pub fn new(key: &Secret<32>, iv: &[u8; BLOCK]) -> Self {
        Self(cbc::Decryptor::new(key.expose().into(), iv.into()))
    }

    /// Decrypts the whole blocks of `buffer` in place. The bytes of an incomplete block are left unchanged.
    pub fn apply(&mut self, buffer: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(buffer);
        self.0.decrypt_blocks(blocks);
    }
}

impl fmt::Debug for Decrypting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decrypting(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_encrypt_like_the_whole_and_decrypt_again() {
        let (key, iv) = (Secret::new([7; 32]), [9; BLOCK]);
        let text = [*b"sixteen bytes 1.", *b"sixteen bytes 2.", *b"sixteen bytes 3."];
        let mut whole = b"before".to_vec();
        Encrypting::new(&key, &iv).append(&text, &mut whole);
        let (mut pieces, mut cipher) = (b"before".to_vec(), Encrypting::new(&key, &iv));
        pieces.extend(cipher.block(&Secret::copy_of(&text[0])));
        cipher.append(&text[1..], &mut pieces);
        assert_eq!(pieces, whole);
        let (_, body) = whole.split_at_mut(6);
        Decrypting::new(&key, &iv).apply(body);
        assert_eq!(body, text.as_flattened());
    }

    #[test]
    fn the_last_block_is_padded_as_a_whole_encryption_pads_it() {
        let (key, iv, text) = (Secret::new([7; 32]), [9; BLOCK], b"fifteen bytes..");
        for length in 0..BLOCK {
            let mut whole = Vec::new();
            crate::primitives::aes_cbc::encrypt(&mut whole, &key, &iv, &text[..length]);
            assert_eq!(Encrypting::new(&key, &iv).last(&text[..length]).unwrap(), *whole);
        }
        assert_eq!(Encrypting::new(&key, &iv).last(&[0; BLOCK]), Err(InternalError));
    }

    #[test]
    fn no_block_appends_nothing_and_leaves_the_cipher_as_it_was() {
        let mut output = b"before".to_vec();
        let mut cipher = Encrypting::new(&Secret::new([7; 32]), &[9; BLOCK]);
        cipher.append(&[], &mut output);
        assert_eq!(output, b"before");
        let block = Secret::new(*b"sixteen bytes 1.");
        assert_eq!(cipher.block(&block), Encrypting::new(&Secret::new([7; 32]), &[9; BLOCK]).block(&block));
        // A refused last block leaves it as it was, too.
        assert_eq!(cipher.last(&[0; BLOCK]), Err(InternalError));
    }
}
