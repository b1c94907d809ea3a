//! [`Sealer`]: encryption of consecutive chunks.

use super::format::{self, CHUNK, Layout, SEALED_CHUNK, TAG};
use super::keys::ChunkKeys;
use super::root::Root;
use bisik_core::internal::InternalError;

/// Encrypts consecutive chunks, and adds their tags to the root.
pub(super) struct Sealer {
    pub(super) keys: ChunkKeys,
    pub(super) layout: Layout,
    /// Number of the next chunk.
    pub(super) chunk: u64,
    /// Root of the chunks before that one.
    pub(super) root: Root,
}

impl Sealer {
    /// Number of the next chunk, and root of those before it.
    pub(super) fn position(&self) -> (u64, Root) {
        (self.chunk, self.root.clone())
    }

    /// Writes ciphertext and tag of each of `chunks` to `output`, which must have room for them and no more. The chunks
    /// do not depend on one another, so `seal` may encrypt them in any order; their tags are added in theirs.
    pub(super) fn seal_whole(
        &mut self,
        chunks: &[[u8; CHUNK]],
        output: &mut [u8],
        seal: impl SealChunks,
    ) -> Result<(), InternalError> {
        if chunks.len().checked_mul(SEALED_CHUNK) != Some(output.len()) {
            return Err(InternalError);
        }
        let next = self.chunk.checked_add(format::bytes(chunks.len())).ok_or(InternalError)?;
        seal(&self.keys, self.chunk, chunks, output)?;
        output.chunks(SEALED_CHUNK).try_for_each(|sealed| self.root.add_tag_of(sealed))?;
        self.chunk = next;
        Ok(())
    }

    /// Writes the next chunk's ciphertext and tag; returns the remaining output. `output` must have room for both.
    pub(super) fn seal<'b>(&mut self, plaintext: &[u8], output: &'b mut [u8]) -> Result<&'b mut [u8], InternalError> {
        let length = plaintext.len().checked_add(TAG);
        let (sealed, rest) = length.and_then(|length| output.split_at_mut_checked(length)).ok_or(InternalError)?;
        let next = self.chunk.checked_add(1).ok_or(InternalError)?;
        self.keys.seal(self.chunk, plaintext, sealed)?;
        self.root.add_tag_of(sealed)?;
        self.chunk = next;
        Ok(rest)
    }
}

/// How whole chunks are encrypted, the first of which has the number given: into room for their ciphertext and tags.
pub(super) trait SealChunks:
    FnOnce(&ChunkKeys, u64, &[[u8; CHUNK]], &mut [u8]) -> Result<(), InternalError>
{
}

impl<T: FnOnce(&ChunkKeys, u64, &[[u8; CHUNK]], &mut [u8]) -> Result<(), InternalError>> SealChunks for T {}

/// Encrypts one chunk after the other.
pub(super) fn seal_each(
    keys: &ChunkKeys,
    first: u64,
    chunks: &[[u8; CHUNK]],
    room: &mut [u8],
) -> Result<(), InternalError> {
    let mut places = (first..).zip(chunks).zip(room.chunks_mut(SEALED_CHUNK));
    places.try_for_each(|((number, chunk), sealed)| keys.seal(number, chunk, sealed))
}
