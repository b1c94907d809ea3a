//! AES-256-GCM (SP 800-38D) of one message, with the tag at the end.
//!
//! GCM does not commit to its key. Each caller states why that does no harm.

use alloc::vec::Vec;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};

use super::aead::{Forged, TAG};
use super::append::append;
use super::secret::Secret;
use crate::internal::InternalError;

/// Length of a nonce in bytes.
pub const GCM_NONCE: usize = 12;

/// Encrypts `plaintext`. Returns ciphertext and tag: [`TAG`] bytes more.
///
/// # Errors
///
/// [`InternalError`] above 64 GiB, which callers exclude.
pub fn seal(
    key: &Secret<32>,
    nonce: &[u8; GCM_NONCE],
    associated: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, InternalError> {
    let mut output = Vec::with_capacity(plaintext.len().saturating_add(TAG));
    let cipher = Aes256Gcm::new(key.expose().into());
    let tag = append(&mut output, plaintext, |buffer| {
        cipher.encrypt_inout_detached(nonce.into(), associated, buffer).map_err(|_| InternalError)
    })?;
    output.extend_from_slice(&tag);
    Ok(output)
}

/// Decrypts the output of [`seal`]. Verifies the tag in constant time, and only then decrypts.
///
/// # Errors
///
/// [`Forged`] if the tag does not verify, or `sealed` is too short for one.
pub fn open(key: &Secret<32>, nonce: &[u8; GCM_NONCE], associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Forged> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG>().ok_or(Forged)?;
    let mut buffer = ciphertext.to_vec();
    let cipher = Aes256Gcm::new(key.expose().into());
    let opened = cipher.decrypt_inout_detached(nonce.into(), associated, buffer.as_mut_slice().into(), tag.into());
    opened.map(|()| buffer).map_err(|_| Forged)
}
