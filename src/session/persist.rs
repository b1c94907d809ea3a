//! A session as one sealed record (docs/formats.md, section 6.5; docs/persistence.md).
//!
//! Performs no I/O: the caller's database is the store.

use alloc::boxed::Box;

use rand_core::CryptoRng;

use super::{Session, SetupState};
use crate::handshake::PreKeyHeader;
use crate::keys::IdentityKey;
use crate::labels::kind;
use crate::ratchet::DoubleRatchet;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::disclosure;
use bisik_core::held::{self, Instance, SealedRecord};
use bisik_core::revision;
use bisik_core::storage::{self, StorageKey, UnsealError};

impl Session {
    /// Seals the session into one record, of at most 1 KiB for an established session that waits for no message.
    /// `context` names the record in the caller's store and is authenticated, so that records cannot be swapped;
    /// [`Session::unseal`] must get the same. Uses 24 bytes of `rng`.
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> SealedRecord {
        self.seal_with(key, context, &mut rng)
    }

    pub(super) fn seal_with(&self, key: &StorageKey, context: &[u8], rng: &mut dyn CryptoRng) -> SealedRecord {
        let skipped = self.skipped_keys().saturating_mul(SKIPPED_KEY);
        let mut writer = SecretWriter::with_capacity(skipped.saturating_add(TYPICAL));
        self.write(&mut writer);
        let bytes = storage::seal(key, kind::SESSION, context, &writer.finish(), rng);
        held::sealed_record(bytes, self.origin())
    }

    /// The encoding of section 6.5, for this record and for records that hold several sessions.
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        let Self { ratchet, id, peer, disclosure, setup, revision, instance: _ } = self;
        writer.u64(*revision).bytes(id).bytes(&peer.to_bytes()).bytes(&disclosure::to_bytes(*disclosure));
        match setup {
            SetupState::Unanswered(header) => writer.u8(UNANSWERED).bytes(header),
            SetupState::Answered => writer.u8(ANSWERED),
            SetupState::Accepted(digest) => writer.u8(ACCEPTED).bytes(digest.as_slice()),
        };
        ratchet.write(writer);
    }

    /// Opens a record that [`Session::seal`] made.
    ///
    /// Restoring an old record is safe for sending, but loses what has happened since: messages received after it was
    /// sealed cannot be read again, and the peer may see this session diverge (docs/persistence.md).
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if the record was sealed with another key or context, or was changed;
    /// [`UnsealError::UnknownVersion`] if a later version of this library sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        storage::open(key, kind::SESSION, context, record, Self::read)
    }

    /// Reads the encoding of [`Session::write`].
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let revision = revision::read(reader)?;
        let id = *reader.array()?;
        let peer = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let disclosure = disclosure::read_optional(reader)?;
        let setup = match reader.u8()? {
            UNANSWERED => SetupState::Unanswered(Box::from(reader.slice(PreKeyHeader::LENGTH)?)),
            ANSWERED => SetupState::Answered,
            ACCEPTED => SetupState::Accepted(Box::new(*reader.array()?)),
            _ => return Err(Malformed),
        };
        let ratchet = DoubleRatchet::read(reader)?;
        Ok(Self { ratchet, id, peer, disclosure, setup, revision, instance: Instance::new() })
    }
}

/// Byte before the set-up state: initiated, without a reply.
const UNANSWERED: u8 = 0;
/// Initiated, with a reply.
const ANSWERED: u8 = 1;
/// Accepted.
const ACCEPTED: u8 = 2;

/// Bytes of one skipped message key in a record.
const SKIPPED_KEY: usize = 36;
/// Capacity in bytes for everything else, so that the buffer rarely grows.
const TYPICAL: usize = 2_048;
