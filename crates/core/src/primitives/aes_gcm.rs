//! AES-256-GCM (SP 800-38D) of one message, its tag at the end.
//!
//! Does not commit to its key: each caller says why that does no harm.

use alloc::vec::Vec;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};

use super::aead::{Forged, TAG};
use super::append::append;
use super::secret::Secret;
use crate::internal::InternalError;

/// Bytes of a nonce.
pub const GCM_NONCE: usize = 12;

/// Ciphertext and tag of `plaintext`: [`TAG`] bytes more.
///
/// # Errors
///
/// [`InternalError`] past 64 GiB, which callers exclude.
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

/// The plaintext of what [`seal`] made. Verifies the tag, in constant time, and only then decrypts.
///
/// # Errors
///
/// [`Forged`] where the tag does not verify, or there is none.
pub fn open(key: &Secret<32>, nonce: &[u8; GCM_NONCE], associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Forged> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG>().ok_or(Forged)?;
    let mut buffer = ciphertext.to_vec();
    let cipher = Aes256Gcm::new(key.expose().into());
    let opened = cipher.decrypt_inout_detached(nonce.into(), associated, buffer.as_mut_slice().into(), tag.into());
    opened.map(|()| buffer).map_err(|_| Forged)
}
