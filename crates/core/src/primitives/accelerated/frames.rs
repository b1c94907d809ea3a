//! AES-GCM of frames by Graviola.

use alloc::boxed::Box;
use alloc::vec::Vec;

use graviola::aead::AesGcm;

use super::supported;
use crate::convert::widened;
use crate::internal::InternalError;
use crate::primitives::aead::{Forged, TAG};
use crate::primitives::secret::{Secret, wipe_from};

/// AES-GCM with a key of 16 or 32 bytes, expanded once.
pub(crate) struct FrameCipher(Box<AesGcm>);

impl FrameCipher {
    pub(crate) fn new<const N: usize>(key: &Secret<N>) -> Option<Self> {
        const { assert!(N == 16 || N == 32, "an AES key of 128 or 256 bits") }
        supported().then(|| Self(Box::new(AesGcm::new(key.expose()))))
    }

    /// Encrypts `plaintext` and appends ciphertext and tag to `output`. On error `output` is unchanged.
    pub(crate) fn seal_append(
        &self,
        nonce: &[u8; 12],
        associated: &[u8],
        plaintext: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<(), InternalError> {
        if widened(plaintext.len()) > LONGEST {
            return Err(InternalError);
        }
        let (start, mut tag) = (output.len(), [0; TAG]);
        output.extend_from_slice(plaintext);
        match output.get_mut(start..) {
            Some(room) if room.len() == plaintext.len() => self.0.encrypt(nonce, associated, room, &mut tag),
            Some(_) | None => {
                wipe_from(output, start);
                return Err(InternalError);
            }
        }
        output.extend_from_slice(&tag);
        Ok(())
    }

    /// Verifies the tag, and decrypts `buffer` in the same pass. On error `buffer` is unchanged.
    pub(crate) fn open(
        &self,
        nonce: &[u8; 12],
        associated: &[u8],
        buffer: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Forged> {
        if tag.len() != TAG || widened(buffer.len()) > LONGEST {
            return Err(Forged);
        }
        // Graviola overwrites a forged ciphertext with zeros. The copy, of a packet on the stack, restores it.
        let mut packet = [0; PACKET];
        let mut longer = Vec::new();
        let copy = match packet.get_mut(..buffer.len()) {
            Some(copy) => {
                copy.copy_from_slice(buffer);
                &*copy
            }
            None => {
                longer.extend_from_slice(buffer);
                longer.as_slice()
            }
        };
        self.0.decrypt(nonce, associated, buffer, tag).map_err(|_| {
            buffer.iter_mut().zip(copy).for_each(|(to, from)| *to = *from);
            Forged
        })
    }
}

/// Longest plaintext of AES-GCM in bytes (SP 800-38D, section 5.2.1.1).
const LONGEST: u64 = (1 << 36) - 32;
/// Longest ciphertext in bytes whose copy needs no allocation.
const PACKET: usize = 1536;
