//! AES-256-CBC (FIPS 197, SP 800-38A) over whole blocks that come in pieces.
//!
//! Does not pad and does not authenticate: who uses it does both.

use aes::cipher::array::Array;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use aes::{Aes256Dec, Aes256Enc};

use super::secret::Secret;

/// Bytes of a block, and of an initialisation vector.
pub const BLOCK: usize = 16;

/// Encrypts block after block. Boxed by its owner, so that moving it leaves no round keys behind.
pub struct Encrypting(cbc::Encryptor<Aes256Enc>);

impl Encrypting {
    pub fn new(key: &Secret<32>, iv: &[u8; BLOCK]) -> Self {
        Self(cbc::Encryptor::new(key.expose().into(), iv.into()))
    }

    /// Encrypts the whole blocks of `buffer` in place; what is left over stays as it is.
    pub fn apply(&mut self, buffer: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(buffer);
        self.0.encrypt_blocks(blocks);
    }
}

/// Decrypts block after block.
pub struct Decrypting(cbc::Decryptor<Aes256Dec>);

impl Decrypting {
    pub fn new(key: &Secret<32>, iv: &[u8; BLOCK]) -> Self {
        Self(cbc::Decryptor::new(key.expose().into(), iv.into()))
    }

    /// Decrypts the whole blocks of `buffer` in place; what is left over stays as it is.
    pub fn apply(&mut self, buffer: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(buffer);
        self.0.decrypt_blocks(blocks);
    }
}
