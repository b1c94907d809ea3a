//! An encryption that survives a restart (docs/formats.md, section 6.6, and docs/spec/attachments.md, section 8.5).
//!
//! Does not know stores: which bytes arrived there, the application asks.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::encrypt::Encryptor;
use super::format::{self, Layout};
use super::keys::Role;
use super::media_type::MediaType;
use crate::codec::{Malformed, Reader, SecretWriter};
use crate::labels::kind;
use crate::primitives::secret::Secret;
use crate::primitives::sha256::{Hash, MIDSTATE};
use crate::storage::{self, StorageKey, UnsealError};

impl Encryptor {
    /// Puts the encryption away, at the last whole chunk that was given out: [`file_position`](Self::file_position) and
    /// [`blob_position`](Self::blob_position) tell where. At most 400 bytes; it holds the attachment's key. Uses 24 bytes of
    /// `rng`.
    ///
    /// `context` names the record and is authenticated, as with every record. Make the file's identity a part of it: its
    /// name, size and time of modification. Then a file that was changed has another name, the record does not open, and
    /// the changed file gets a new encryptor.
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let Self { attachment, salt, role, sealer, .. } = self;
        let media_type = match role {
            Role::File(media_type) => media_type.as_str().as_bytes(),
            Role::Thumbnail => &[],
        };
        let mut writer = SecretWriter::with_capacity(FIXED.saturating_add(media_type.len()));
        writer.bytes(attachment.expose()).bytes(salt).u64(sealer.layout.size());
        writer.u8(u8::try_from(media_type.len()).unwrap_or(u8::MAX)).bytes(media_type);
        writer.u64(sealer.chunk);
        if sealer.chunk > 0 {
            writer.bytes(&sealer.digest.midstate());
        }
        storage::seal(key, kind::UPLOAD, context, &writer.finish(), &mut rng)
    }

    /// Takes up an encryption that [`seal`](Self::seal) put away. Go on with the byte at
    /// [`file_position`](Self::file_position): what comes out is the blob from [`blob_position`](Self::blob_position) on, and
    /// the same bytes as before.
    ///
    /// The file MUST be the same as before (P-8.9). Two different plaintexts of one chunk, both sent, would give both away to
    /// whoever saw them: that is what `context` is for, see [`seal`](Self::seal). Safe without any condition on the file:
    /// keep what a record stands for (the ciphertext that was given out before it and has not arrived) beside the record,
    /// and send nothing that no stored record covers; then nothing is ever encrypted twice.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] where key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] where a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::UPLOAD, context, record)?;
        Self::decode(&state).map_err(|Malformed| UnsealError::Rejected)
    }

    /// Where in the file the next chunk begins: what a sealed encryption goes on with.
    #[must_use]
    pub fn file_position(&self) -> u64 {
        format::plain_start(self.sealer.chunk).min(self.size())
    }

    /// Where in the blob the next chunk begins: what a sealed encryption goes on with.
    #[must_use]
    pub fn blob_position(&self) -> u64 {
        match self.sealer.chunk {
            0 => 0,
            chunk if chunk == self.sealer.layout.chunks() => self.ciphertext_size(),
            chunk => self.sealer.layout.sealed_start(chunk),
        }
    }

    fn decode(state: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(state);
        let attachment = Box::new(Secret::copy_of(reader.array()?));
        let salt = *reader.array()?;
        let layout = Layout::new(reader.u64()?).ok_or(Malformed)?;
        let length = usize::from(reader.u8()?);
        let media_type = core::str::from_utf8(reader.slice(length)?).map_err(|_| Malformed)?;
        let role = Role::File(MediaType::new(media_type).map_err(|_| Malformed)?);
        let chunk = reader.u64()?;
        // An encryption whose last chunk was given out has no next chunk, and only its pointer is wanted.
        let hashed = match chunk {
            chunk if chunk < layout.chunks() => layout.sealed_start(chunk),
            chunk if chunk == layout.chunks() => layout.ciphertext_size(),
            _ => return Err(Malformed),
        };
        let digest = match chunk {
            0 => Hash::new(),
            _ => Hash::resume(reader.array()?, hashed).ok_or(Malformed)?,
        };
        reader.finish()?;
        Ok(Self::at(attachment, salt, role, layout, chunk, digest))
    }
}

/// Bytes of a record's state beside the media type.
const FIXED: usize = 32 + 24 + 8 + 1 + 8 + MIDSTATE;
