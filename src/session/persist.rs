//! A session as one sealed record (docs/formats.md, section 6.5; docs/persistence.md).
//!
//! Performs no I/O: the caller's database is the store.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::{Opening, SealError, Session, Share, Waiting};
use crate::handshake::PreKeyHeader;
use crate::keys::IdentityKey;
use crate::labels::kind;
use crate::ratchet::{DoubleRatchet, MAX_PLACES};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::disclosure;
use bisik_core::held::{self, Lineage, SealedRecord};
use bisik_core::primitives::secret::Secret;
use bisik_core::storage::{self, StorageKey, UnsealError};

impl Session {
    /// Seals the session into one record, of at most 2.5 KiB for a session that waits for no message.
    /// `context` names the record in the caller's store and is authenticated, so that records cannot be swapped;
    /// [`Session::unseal`] must get the same. Uses 24 bytes of `rng`.
    ///
    /// The first record settles the key: all further ones must be under the same, until
    /// [`move_to_key`](Session::move_to_key). A record under a key that nobody keeps would otherwise release what is held.
    ///
    /// # Errors
    ///
    /// [`SealError`]. On error the session is unchanged.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        self.seal_with(key, context, &mut rng)
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change of the session. Seal and store it next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    pub(super) fn seal_with(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<SealedRecord, SealError> {
        self.lineage.admit(key)?;
        let skipped = self.skipped_keys().saturating_mul(SKIPPED_KEY);
        let mut writer = SecretWriter::with_capacity(skipped.saturating_add(TYPICAL));
        self.write(&mut writer);
        let bytes = storage::seal(key, kind::SESSION, context, &writer.finish(), rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    /// The encoding of section 6.5, for this record and for records that hold several sessions.
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        let Self { ratchet, id, peer, disclosure, bound_by, opening, lineage } = self;
        writer.u64(lineage.revision()).bytes(id).bytes(&peer.to_bytes()).bytes(&disclosure::to_bytes(*disclosure));
        writer.bytes(bound_by.as_ref().unwrap_or(&UNBOUND));
        match opening {
            Opening::Waiting(waiting) => {
                let Waiting { header, own, labels, shares } = waiting.as_ref();
                writer.u8(WAITING).bytes(header).bytes(&own.to_bytes()).bytes(labels.as_flattened());
                writer.count(shares.len());
                for share in shares {
                    let Share { place, name, input } = share;
                    writer.u8(*place).bytes(name).bytes(input.expose());
                }
            }
            Opening::Answered => {
                writer.u8(ANSWERED);
            }
            Opening::Accepted { flight, resumption: None } => {
                writer.u8(ACCEPTED).bytes(flight.as_slice());
            }
            Opening::Accepted { flight, resumption: Some(input) } => {
                writer.u8(ACCEPTED_AND_BOUND).bytes(flight.as_slice()).bytes(input.expose());
            }
        }
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
        let session = storage::open(key, kind::SESSION, context, record, Self::read)?;
        Ok(Self { lineage: session.lineage.under(key), ..session })
    }

    /// Reads the encoding of [`Session::write`].
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let id = *reader.array()?;
        let peer = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let disclosure = disclosure::read_optional(reader)?;
        let bound_by = Some(*reader.array()?).filter(|name| *name != UNBOUND);
        let opening = match reader.u8()? {
            WAITING => Opening::Waiting(Box::new(Waiting::read(reader)?)),
            ANSWERED => Opening::Answered,
            ACCEPTED => Opening::Accepted { flight: Box::new(*reader.array()?), resumption: None },
            ACCEPTED_AND_BOUND => {
                let flight = Box::new(*reader.array()?);
                Opening::Accepted { flight, resumption: Some(Secret::copy_of(reader.array()?).into()) }
            }
            _ => return Err(Malformed),
        };
        let ratchet = DoubleRatchet::read(reader)?;
        let session = Self { ratchet, id, peer, disclosure, bound_by, opening, lineage };
        if session.is_possible() { Ok(session) } else { Err(Malformed) }
    }

    /// Whether opening and ratchet fit each other as they do in every session.
    fn is_possible(&self) -> bool {
        let Self { ratchet, bound_by, opening, .. } = self;
        let fits = match opening {
            Opening::Waiting(_) => ratchet.is_initiator() && ratchet.step() == 0 && ratchet.bound() == 0,
            Opening::Answered => ratchet.is_initiator() && ratchet.step() > 0,
            Opening::Accepted { resumption, .. } => {
                let to_be_bound = ratchet.step() == 0 && ratchet.bound() != 0;
                !ratchet.is_initiator() && ratchet.newest_received().is_some() && resumption.is_some() == to_be_bound
            }
        };
        fits && bound_by.is_some() == (ratchet.bound() != 0)
    }
}

impl Waiting {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let header = Box::from(reader.slice(PreKeyHeader::LENGTH)?);
        let own = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let mut labels = [[0; 8]; 4];
        for label in &mut labels {
            *label = *reader.array()?;
        }
        let mut shares = Vec::new();
        for place in 1..=u8::try_from(reader.count(usize::from(MAX_PLACES))?).map_err(|_| Malformed)? {
            // Offers take the places from the first.
            if reader.u8()? != place {
                return Err(Malformed);
            }
            shares.push(Share { place, name: *reader.array()?, input: Secret::copy_of(reader.array()?).into() });
        }
        Ok(Self { header, own, labels, shares })
    }
}

/// Byte before the opening: initiated, without a reply.
const WAITING: u8 = 0;
/// Initiated, with a reply.
const ANSWERED: u8 = 1;
/// Accepted.
const ACCEPTED: u8 = 2;
/// Accepted, and to be bound to an older session with the first answer.
const ACCEPTED_AND_BOUND: u8 = 3;
/// In place of a name: not bound.
const UNBOUND: [u8; 8] = [0; 8];

/// Bytes of one skipped message key in a record.
const SKIPPED_KEY: usize = 44;
/// Capacity in bytes for everything else, so that the buffer rarely grows.
const TYPICAL: usize = 2_560;
