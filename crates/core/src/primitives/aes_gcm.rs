//! AES-256-GCM (SP 800-38D) of one message, its tag at the end.
//!
//! Does not know what it protects, and does not commit to its key: who uses it says why that does no harm.

use alloc::vec::Vec;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use zeroize::Zeroize;

use super::aead::{Forged, TAG};
use super::secret::Secret;

/// Bytes of a nonce.
pub const GCM_NONCE: usize = 12;

/// Ciphertext and tag. Refuses only what is longer than the cipher can encrypt, 64 GiB.
pub fn seal(key: &Secret<32>, nonce: &[u8; GCM_NONCE], associated: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Forged> {
    let mut buffer = Vec::with_capacity(plaintext.len().saturating_add(TAG));
    buffer.extend_from_slice(plaintext);
    let cipher = Aes256Gcm::new(key.expose().into());
    let tag = cipher.encrypt_inout_detached(nonce.into(), associated, buffer.as_mut_slice().into());
    let Ok(tag) = tag else {
        buffer.zeroize();
        return Err(Forged);
    };
    buffer.extend_from_slice(&tag);
    Ok(buffer)
}

/// Verifies the tag, in constant time, and only then decrypts.
pub fn open(key: &Secret<32>, nonce: &[u8; GCM_NONCE], associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Forged> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG>().ok_or(Forged)?;
    let mut buffer = ciphertext.to_vec();
    let cipher = Aes256Gcm::new(key.expose().into());
    let opened = cipher.decrypt_inout_detached(nonce.into(), associated, buffer.as_mut_slice().into(), tag.into());
    opened.map(|()| buffer).map_err(|_| Forged)
}
