//! Encryption that resumes after a restart (docs/formats.md, section 6.6, and docs/spec/attachments.md, section 8.5).
//!
//! The application asks the store which bytes have arrived.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::encrypt::Encryptor;
use super::format::{self, Layout};
use super::keys::Role;
use super::media_type::MediaType;
use super::root::Root;
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::sha256::MIDSTATE;
use bisik_core::storage::{self, StorageKey, UnsealError};

impl Encryptor {
    /// Encrypts the state into a record, from which [`unseal`](Self::unseal) resumes.
    ///
    /// The state is that after the last whole chunk that was output; [`file_position`](Self::file_position) and
    /// [`blob_position`](Self::blob_position) return where that is. The record has at most 400 bytes and contains the
    /// attachment key. Draws 24 bytes from `rng`. After [`EncryptError::Internal`](super::EncryptError::Internal) the
    /// record has the state before the call that failed.
    ///
    /// `context` names the record and is authenticated, as for every record. Include the file's name, size and
    /// modification time in it. A changed file then has another context: its old record does not open, and the file
    /// gets a new encryptor.
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        // After a failure, `sealer` is as before the call that failed.
        let Self { attachment, salt, role, sealer, pending: _, started: _, failed: _ } = self;
        let media_type = match role {
            Role::File(media_type) => media_type.as_str().as_bytes(),
            Role::Thumbnail => &[],
        };
        let mut writer = SecretWriter::with_capacity(FIXED.saturating_add(media_type.len()));
        writer.bytes(attachment.expose()).bytes(salt).u64(sealer.layout.size());
        writer.u8(u8::try_from(media_type.len()).unwrap_or(u8::MAX)).bytes(media_type);
        writer.u64(sealer.chunk);
        if sealer.chunk > 0 {
            writer.bytes(&sealer.root.midstate());
        }
        storage::seal(key, kind::UPLOAD, context, &writer.finish(), &mut rng)
    }

    /// Decrypts a record of [`seal`](Self::seal) and resumes the encryption there.
    ///
    /// Continue with the file's byte at [`file_position`](Self::file_position). The output continues the blob at
    /// [`blob_position`](Self::blob_position) and repeats the bytes that the first encryption produced there.
    ///
    /// # Security
    ///
    /// The file MUST be the same as before (P-8.9). An attacker who sees two different plaintexts of one chunk
    /// encrypted learns both. The `context` of [`seal`](Self::seal) guards against this.
    ///
    /// One way is safe even if the file may change. Together with the record, store the ciphertext that was output
    /// before it and has not arrived, and send nothing that no stored record covers. Then no chunk is ever encrypted
    /// twice.
    ///
    /// # Errors
    ///
    /// * [`UnsealError::Rejected`] if the key, the context or the record is not the one used in `seal`.
    /// * [`UnsealError::UnknownVersion`] if a later version of this library wrote the record.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::UPLOAD, context, record)?;
        Self::decode(&state).map_err(|Malformed| UnsealError::Rejected)
    }

    /// Returns the position in the file at which the next chunk begins; a resumed encryption continues there.
    #[must_use]
    pub fn file_position(&self) -> u64 {
        format::plain_start(self.sealer.chunk).min(self.size())
    }

    /// Returns the position in the blob at which the next chunk begins; a resumed encryption continues there.
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
        let root = match chunk {
            0 => Root::new(),
            // After the last chunk there is no next one; only the pointer is still to be made.
            chunk if chunk <= layout.chunks() => Root::resume(reader.array()?, chunk).ok_or(Malformed)?,
            _ => return Err(Malformed),
        };
        reader.finish()?;
        Ok(Self::at(attachment, salt, role, layout, chunk, root))
    }
}

/// Length in bytes of a record's state without the media type.
const FIXED: usize = 32 + 24 + 8 + 1 + 8 + MIDSTATE;
