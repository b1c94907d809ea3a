//! The same bytes on all cores: chunks beside one another, and beside the digest of those before (feature `rayon`).
//!
//! Does not know formats: it calls what the sequential forms call.

use alloc::vec::Vec;

use rayon::prelude::*;
use zeroize::Zeroize;

use super::decrypt::Decryptor;
use super::encrypt::Encryptor;
use super::error::{DecryptError, EncryptError};
use super::format::{self, CHUNK, SEALED_CHUNK};

impl Encryptor {
    /// [`push`](Self::push) on all cores of rayon's pool, with the same result. Worth it from some hundred KiB on: chunks are
    /// encrypted beside one another, and beside the digest of the ones before them.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn push_parallel(&mut self, plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), EncryptError> {
        let start = output.len();
        output.resize(start.saturating_add(self.room_for(plaintext.len())), 0);
        let pushed = self.seal_all(plaintext, output.get_mut(start..).unwrap_or_default());
        if pushed.is_err() {
            output.truncate(start);
        }
        pushed
    }

    fn seal_all(&mut self, plaintext: &[u8], output: &mut [u8]) -> Result<(), EncryptError> {
        let (rest, mut room) = self.accept(plaintext, output)?;
        let (chunks, remainder) = rest.split_at(rest.len().saturating_sub(rest.len() % CHUNK));
        let sealer = &mut self.sealer;
        let mut sealed: &[u8] = &[];
        for batch in chunks.chunks(BATCH * CHUNK) {
            let count = batch.len() / CHUNK;
            let Some((target, after)) = room.split_at_mut_checked(count.saturating_mul(SEALED_CHUNK)) else { break };
            let (keys, first, digest) = (&sealer.keys, sealer.chunk, &mut sealer.digest);
            let seal = |(at, (sealed, chunk)): (usize, (&mut [u8], &[u8]))| {
                keys.seal(first.saturating_add(format::bytes(at)), chunk, sealed);
            };
            let pairs = target.par_chunks_mut(SEALED_CHUNK).zip(batch.par_chunks(CHUNK)).enumerate();
            rayon::join(|| digest.update(sealed), || pairs.for_each(seal));
            sealer.chunk = first.saturating_add(format::bytes(count));
            (sealed, room) = (target, after);
        }
        sealer.digest.update(sealed);
        self.pending.extend_from_slice(remainder);
        Ok(())
    }
}

impl Decryptor {
    /// [`push`](Self::push) on all cores of rayon's pool. The result is the same, except that what is refused is refused
    /// some chunks earlier: plaintext is released for 4 chunks at a time.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn push_parallel(&mut self, ciphertext: &[u8], plaintext: &mut Vec<u8>) -> Result<(), DecryptError> {
        let mut rest = self.accept(ciphertext, plaintext)?;
        // Whole chunks that are full of the file; what has padding in it, the last chunk among it, goes the ordinary way.
        let full = format::chunk_of(self.opener.layout.size());
        loop {
            let chunks = usize::try_from(full.saturating_sub(self.opener.chunk)).unwrap_or(BATCH);
            let chunks = chunks.min(rest.len() / SEALED_CHUNK).min(BATCH);
            let Some((batch, after)) = rest.split_at_checked(chunks.saturating_mul(SEALED_CHUNK)) else { break };
            if batch.is_empty() {
                break;
            }
            self.open_batch(batch, chunks, plaintext)?;
            rest = after;
        }
        self.open(rest, plaintext)
    }

    /// All of the batch's chunks, or none.
    fn open_batch(&mut self, batch: &[u8], chunks: usize, plaintext: &mut Vec<u8>) -> Result<(), DecryptError> {
        let start = plaintext.len();
        plaintext.resize(start.saturating_add(chunks.saturating_mul(CHUNK)), 0);
        let target = plaintext.get_mut(start..).unwrap_or_default();
        let opener = &mut self.opener;
        let (first, digest) = (opener.chunk, &mut opener.digest);
        let keys = opener.keys.as_ref().ok_or(DecryptError::Rejected)?;
        let open = |(at, (body, sealed)): (usize, (&mut [u8], &[u8]))| {
            keys.open(first.saturating_add(format::bytes(at)), sealed, body).ok()
        };
        let pairs = target.par_chunks_mut(CHUNK).zip(batch.par_chunks(SEALED_CHUNK)).enumerate();
        let ((), opened) = rayon::join(|| digest.update(batch), || pairs.map(open).collect::<Option<()>>());
        if opened.is_none() {
            target.zeroize();
            plaintext.truncate(start);
            return Err(self.reject());
        }
        opener.chunk = opener.chunk.saturating_add(format::bytes(chunks));
        Ok(())
    }
}

/// Chunks that are worked on beside the digest of as many others: 256 KiB, which a core's cache holds.
const BATCH: usize = 4;
