//! Encryption and decryption on all cores, with the same output (feature `rayon`).
//!
//! Chunks do not depend on one another. Only their tags are hashed in order, afterwards.

use alloc::vec::Vec;

use rayon::prelude::*;

use super::decrypt::Decryptor;
use super::encrypt::Encryptor;
use super::error::{DecryptError, EncryptError};
use super::format::{self, CHUNK, SEALED_CHUNK};
use super::keys::ChunkKeys;
use bisik_core::internal::InternalError;

impl Encryptor {
    /// Same as [`push_into`](Self::push_into), on all cores of rayon's pool. Worthwhile from a few hundred KiB of
    /// plaintext.
    ///
    /// # Errors
    ///
    /// As for [`push_into`](Self::push_into).
    pub fn push_into_parallel(&mut self, plaintext: &[u8], output: &mut [u8]) -> Result<usize, EncryptError> {
        self.push_with(plaintext, output, seal_all)
    }
}

/// Encrypts the chunks on all cores.
fn seal_all(keys: &ChunkKeys, first: u64, chunks: &[[u8; CHUNK]], room: &mut [u8]) -> Result<(), InternalError> {
    room.par_chunks_mut(SEALED_CHUNK).zip(chunks).enumerate().try_for_each(|(at, (sealed, chunk))| {
        let number = first.checked_add(format::bytes(at)).ok_or(InternalError)?;
        keys.seal(number, chunk, sealed)
    })
}

impl Decryptor {
    /// Same as [`push`](Self::push), on all cores of rayon's pool.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push).
    pub fn push_parallel(&mut self, ciphertext: &[u8], plaintext: &mut Vec<u8>) -> Result<(), DecryptError> {
        self.unless_failed(|this| {
            let rest = this.accept(ciphertext, plaintext)?;
            // Enter the pool once for the whole call. From outside it, each batch would wait for a thread to wake up.
            rayon::scope(|_| this.open(rest, plaintext, AT_ONCE, open_all))
        })
    }
}

/// Opens runs of chunks on all cores. Returns how many chunks verified before the first that did not.
fn open_all(keys: &ChunkKeys, first: u64, sealed: &[u8], room: &mut [u8]) -> usize {
    let all = room.len() / CHUNK;
    let runs = room.par_chunks_mut(RUN * CHUNK).zip(sealed.par_chunks(RUN * SEALED_CHUNK)).enumerate();
    let forged = runs.filter_map(|(at, (room, sealed))| {
        let (before, chunks) = (at.saturating_mul(RUN), room.len() / CHUNK);
        let number = first.checked_add(format::bytes(before));
        let opened = number.map_or(0, |number| keys.open_each(number, sealed, room));
        (opened < chunks).then(|| before.saturating_add(opened))
    });
    forged.min().unwrap_or(all)
}

/// Chunks that one core decrypts after one another, each hashed while the one before it is decrypted.
const RUN: usize = 4;
/// Chunks decrypted at a time: enough for many cores, and few enough that the new memory is still in a cache when it is
/// written to again.
const AT_ONCE: usize = 32;
