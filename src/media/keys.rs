//! Chunk keys of a blob, and the commitment to them (docs/spec/attachments.md, section 8.1).

use alloc::boxed::Box;
use core::num::NonZeroUsize;

use subtle::ConstantTimeEq;

use super::format::{CHUNK, COMMITMENT, HEADER, SALT, TAG};
use super::media_type::MediaType;
use crate::labels;
use bisik_core::codec::Reader;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aead::Forged;
use bisik_core::primitives::chunks::ChunkCipher;
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::Secret;

/// The kind of a blob. The keys and the commitment depend on it.
#[derive(Clone, Debug)]
pub(super) enum Role {
    File(MediaType),
    /// A thumbnail; its file has the same attachment key.
    Thumbnail,
}

/// The keys of one blob.
pub(super) struct ChunkKeys {
    cipher: ChunkCipher,
    commitment: [u8; COMMITMENT],
}

impl ChunkKeys {
    /// Derives the keys from the attachment key and the full context (salt, role, size, media type). P-8.1: the salt is
    /// fresh for each blob.
    pub(super) fn derive(attachment: &Secret<32>, salt: &[u8; SALT], role: &Role, size: u64) -> Self {
        let (kind, media_type) = match role {
            Role::File(media_type) => (FILE, media_type.as_str().as_bytes()),
            Role::Thumbnail => (THUMBNAIL, [].as_slice()),
        };
        let info: [&[u8]; 6] = [labels::ATTACHMENT, &[0], salt, &[kind], &size.to_be_bytes(), media_type];
        let output = Prk::from_uniform_key(attachment).expand::<OUTPUT>(&info);
        let (mut key, mut mac, mut commitment) = (Box::new(Secret::zero()), Secret::<32>::zero(), [0; COMMITMENT]);
        let mut bytes = output.expose().iter();
        let parts: [&mut [u8]; 3] = [key.expose_mut(), mac.expose_mut(), &mut commitment];
        for part in parts {
            part.iter_mut().zip(&mut bytes).for_each(|(to, from)| *to = *from);
        }
        Self { cipher: ChunkCipher::new(key, &mac), commitment }
    }

    /// Derives the keys of the blob that begins with `header`, and checks its commitment to them in constant time.
    /// P-8.4: this precedes any decryption.
    pub(super) fn of_blob(
        attachment: &Secret<32>,
        header: &[u8; HEADER],
        role: &Role,
        size: u64,
    ) -> Result<Self, Forged> {
        let mut reader = Reader::new(header);
        let salt = reader.array::<SALT>().map_err(|_| Forged)?;
        let keys = Self::derive(attachment, salt, role, size);
        let same: bool = keys.commitment.as_slice().ct_eq(reader.rest()).into();
        if same { Ok(keys) } else { Err(Forged) }
    }

    pub(super) const fn commitment(&self) -> &[u8; COMMITMENT] {
        &self.commitment
    }

    /// Encrypts chunk `number` into `to`, which must have room for the ciphertext and the tag, and no more.
    pub(super) fn seal(&self, number: u64, from: &[u8], to: &mut [u8]) -> Result<(), InternalError> {
        let (body, tag) = to.split_last_chunk_mut::<TAG>().ok_or(InternalError)?;
        *tag = self.cipher.seal(number, from, body)?;
        Ok(())
    }

    /// Verifies the tag of chunk `number`, then decrypts it into `to`, which must have the plaintext's length.
    /// P-8.5: a chunk must verify at its position before any of it is released.
    pub(super) fn open(&self, number: u64, sealed: &[u8], to: &mut [u8]) -> Result<(), Forged> {
        let (from, tag) = sealed.split_last_chunk::<TAG>().ok_or(Forged)?;
        self.cipher.open(number, from, to, tag)
    }

    /// Does the same with whole chunks from `first` on, up to the first that does not verify. Returns how many did.
    pub(super) fn open_each(&self, first: u64, sealed: &[u8], to: &mut [u8]) -> usize {
        const LENGTH: NonZeroUsize = match NonZeroUsize::new(CHUNK) {
            Some(length) => length,
            None => NonZeroUsize::MIN,
        };
        self.cipher.open_each(first, LENGTH, sealed, to)
    }
}

/// First byte of the context of a file.
const FILE: u8 = 1;
/// First byte of the context of a thumbnail.
const THUMBNAIL: u8 = 2;

/// Number of bytes derived for a blob.
const OUTPUT: usize = 32 + 32 + COMMITMENT;

#[cfg(test)]
mod tests {
    use super::*;

    fn commitment(role: &Role, size: u64) -> [u8; COMMITMENT] {
        *ChunkKeys::derive(&Secret::new([7; 32]), &[9; SALT], role, size).commitment()
    }

    /// P-8.1, P-8.4: the commitment covers every part of the context.
    #[test]
    fn a_commitment_is_to_role_size_and_media_type() {
        let photo = || Role::File(MediaType::new("image/jpeg").unwrap());
        let known = commitment(&photo(), 5);
        assert_eq!(known, commitment(&photo(), 5));
        let others = [
            commitment(&photo(), 6),
            commitment(&Role::File(MediaType::new("image/jpe").unwrap()), 5),
            commitment(&Role::Thumbnail, 5),
        ];
        assert!(others.iter().all(|other| *other != known));
    }
}
