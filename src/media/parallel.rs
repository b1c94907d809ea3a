//! Encryption and decryption on all cores, with the same output (feature `rayon`).
//!
//! The chunks of a batch are processed in parallel with each other and with the hash.

use alloc::vec::Vec;
use core::iter;

use rayon::prelude::*;

use super::decrypt::Decryptor;
use super::encrypt::{Encryptor, Sealer};
use super::error::{DecryptError, EncryptError};
use super::format::{self, CHUNK, SEALED_CHUNK};
use bisik_core::internal::InternalError;
use bisik_core::primitives::secret::wipe_from;

impl Encryptor {
    /// Same as [`push_into`](Self::push_into), on all cores of rayon's pool. Worthwhile from a few hundred KiB of
    /// plaintext: chunks are encrypted in parallel, while the chunks before them are hashed.
    ///
    /// # Errors
    ///
    /// As for [`push_into`](Self::push_into).
    pub fn push_into_parallel(&mut self, plaintext: &[u8], output: &mut [u8]) -> Result<usize, EncryptError> {
        // Enter the pool once for the whole call. From outside it, each join would wait for a thread to wake up.
        self.push_with(plaintext, output, |sealer, chunks, room| rayon::scope(|_| sealer.seal_all(chunks, room)))
    }
}

impl Sealer {
    /// Encrypts `chunks` into `room`, which has the length of their ciphertext.
    fn seal_all(&mut self, chunks: &[[u8; CHUNK]], room: &mut [u8]) -> Result<(), InternalError> {
        let mut room = room;
        let mut sealed: &[u8] = &[];
        for batch in chunks.chunks(SEALED_AT_ONCE) {
            let target = batch.len().checked_mul(SEALED_CHUNK).and_then(|length| room.split_at_mut_checked(length));
            let (target, after) = target.ok_or(InternalError)?;
            let next = self.chunk.checked_add(format::bytes(batch.len())).ok_or(InternalError)?;
            let (keys, first, digest) = (&self.keys, self.chunk, &mut self.digest);
            let seal = |(at, (sealed, chunk)): (usize, (&mut [u8], &[u8; CHUNK]))| {
                let number = first.checked_add(format::bytes(at)).ok_or(InternalError)?;
                keys.seal(number, chunk, sealed)
            };
            let pairs = target.par_chunks_mut(SEALED_CHUNK).zip(batch).enumerate();
            let ((), encrypted) = rayon::join(|| digest.update(sealed), || pairs.try_for_each(seal));
            encrypted?;
            self.chunk = next;
            (sealed, room) = (target, after);
        }
        self.digest.update(sealed);
        Ok(())
    }
}

impl Decryptor {
    /// Same as [`push`](Self::push), on all cores of rayon's pool. The result differs in one case only: plaintext is
    /// released for 16 chunks at a time, so after an error, less of it has been appended.
    ///
    /// # Errors
    ///
    /// As for [`push`](Self::push).
    pub fn push_parallel(&mut self, ciphertext: &[u8], plaintext: &mut Vec<u8>) -> Result<(), DecryptError> {
        self.unless_failed(|this| {
            let rest = this.accept(ciphertext, plaintext)?;
            // Enter the pool once, as in encryption.
            let rest = rayon::scope(|_| this.open_all(rest, plaintext))?;
            this.open(rest, plaintext)
        })
    }

    /// Decrypts whole chunks without padding; returns the remaining ciphertext.
    fn open_all<'a>(&mut self, ciphertext: &'a [u8], plaintext: &mut Vec<u8>) -> Result<&'a [u8], DecryptError> {
        let mut rest = ciphertext;
        // Chunks with padding, including the last chunk, are left to the sequential method.
        let full = format::chunk_of(self.opener.layout.size());
        loop {
            let chunks = usize::try_from(full.saturating_sub(self.opener.chunk)).unwrap_or(OPENED_AT_ONCE);
            let chunks = chunks.min(rest.len() / SEALED_CHUNK).min(OPENED_AT_ONCE);
            match chunks.checked_mul(SEALED_CHUNK).and_then(|length| rest.split_at_checked(length)) {
                Some((batch, after)) if chunks > 0 => {
                    self.open_batch(batch, chunks, plaintext)?;
                    rest = after;
                }
                Some(_) | None => return Ok(rest),
            }
        }
    }

    /// Decrypts all chunks of the batch, or none.
    fn open_batch(&mut self, batch: &[u8], chunks: usize, plaintext: &mut Vec<u8>) -> Result<(), DecryptError> {
        let start = plaintext.len();
        let opener = &mut self.opener;
        let (first, digest) = (opener.chunk, &mut opener.digest);
        let keys = opener.keys.as_ref().ok_or(InternalError)?;
        let next = first.checked_add(format::bytes(chunks)).ok_or(InternalError)?;
        let length = chunks.checked_mul(CHUNK).ok_or(InternalError)?;
        let open_one = |(at, (body, sealed)): (usize, (&mut [u8], &[u8]))| {
            let number = first.checked_add(format::bytes(at)).ok_or(InternalError)?;
            keys.open(number, sealed, body).map_err(|_| DecryptError::Rejected)
        };
        let open = || {
            plaintext.extend(iter::repeat_n(0, length));
            let (_, target) = plaintext.split_at_mut(start);
            let pairs = target.par_chunks_mut(CHUNK).zip(batch.par_chunks(SEALED_CHUNK)).enumerate();
            pairs.map(open_one).collect()
        };
        let ((), opened): (_, Result<(), DecryptError>) = rayon::join(|| digest.update(batch), open);
        if opened.is_err() {
            wipe_from(plaintext, start);
            return opened;
        }
        opener.chunk = next;
        Ok(())
    }
}

/// Chunks encrypted while as many others are hashed. Few, because at the beginning and at the end one waits for the
/// other.
const SEALED_AT_ONCE: usize = 2;
/// Chunks decrypted while they are hashed. More, because neither waits, and the cores share the load more evenly.
const OPENED_AT_ONCE: usize = 16;
