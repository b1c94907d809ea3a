//! The keys of a blob's chunks, and the commitment to them (docs/spec/attachments.md, section 8.1).
//!
//! Does not know where chunks come from.

use alloc::boxed::Box;

use subtle::ConstantTimeEq;

use super::format::{COMMITMENT, HEADER, SALT};
use super::media_type::MediaType;
use crate::codec::Reader;
use crate::labels;
use crate::primitives::aead::{Forged, TAG};
use crate::primitives::chacha20poly1305::{self, SHORT_NONCE};
use crate::primitives::kdf::Prk;
use crate::primitives::secret::Secret;

/// What a blob is: its keys depend on it, and so does the commitment.
#[derive(Clone, Debug)]
pub(super) enum Role {
    File(MediaType),
    /// Of a file that has the same attachment key.
    Thumbnail,
}

/// The keys of one blob.
pub(super) struct ChunkKeys {
    key: Box<Secret<32>>,
    base: Box<Secret<SHORT_NONCE>>,
    commitment: [u8; COMMITMENT],
}

impl ChunkKeys {
    /// P-8.1. The keys, from the attachment key and everything that is not to be mistaken for something else.
    pub(super) fn derive(attachment: &Secret<32>, salt: &[u8; SALT], role: &Role, size: u64) -> Self {
        let (kind, media_type) = match role {
            Role::File(media_type) => (FILE, media_type.as_str().as_bytes()),
            Role::Thumbnail => (THUMBNAIL, [].as_slice()),
        };
        let info: [&[u8]; 6] = [labels::ATTACHMENT, &[0], salt, &[kind], &size.to_be_bytes(), media_type];
        let output = Prk::from_uniform_key(attachment).expand::<OUTPUT>(&info);
        let mut keys =
            Self { key: Box::new(Secret::zero()), base: Box::new(Secret::zero()), commitment: [0; COMMITMENT] };
        let mut bytes = output.expose().iter();
        let parts: [&mut [u8]; 3] = [keys.key.expose_mut(), keys.base.expose_mut(), &mut keys.commitment];
        for part in parts {
            part.iter_mut().zip(&mut bytes).for_each(|(to, from)| *to = *from);
        }
        keys
    }

    /// P-8.4. The keys of the blob that begins with `header`, if it commits to them; nothing is decrypted before.
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

    /// Encrypts a chunk into `to`, which has room for it and its tag.
    pub(super) fn seal(&self, number: u64, from: &[u8], to: &mut [u8]) {
        if let Some((body, tag)) = to.split_last_chunk_mut::<TAG>() {
            let sealed = chacha20poly1305::seal((&self.key, &self.base), number, from, body);
            // Refused only where lengths differ, which callers exclude; a zero tag would never verify.
            *tag = sealed.unwrap_or_default();
        }
    }

    /// P-8.5. Verifies a chunk and its tag, in their place, and only then decrypts into `to`, which has room for the chunk.
    pub(super) fn open(&self, number: u64, sealed: &[u8], to: &mut [u8]) -> Result<(), Forged> {
        let (from, tag) = sealed.split_last_chunk::<TAG>().ok_or(Forged)?;
        chacha20poly1305::open((&self.key, &self.base), number, from, to, tag)
    }
}

/// First byte of the context.
const FILE: u8 = 1;
/// See above.
const THUMBNAIL: u8 = 2;

/// Bytes that are derived for a blob.
const OUTPUT: usize = 32 + SHORT_NONCE + COMMITMENT;

#[cfg(test)]
mod tests {
    use super::*;

    fn commitment(role: &Role, size: u64) -> [u8; COMMITMENT] {
        *ChunkKeys::derive(&Secret::new([7; 32]), &[9; SALT], role, size).commitment()
    }

    /// P-8.1, P-8.4: whatever the context is made of, the commitment is to it.
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
