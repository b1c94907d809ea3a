//! A device's own chain as a sealed record (docs/formats.md, section 14.6).
//!
//! The encoding is deterministic: equal states have equal bytes.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use rand_core::CryptoRng;

use super::limits::{MAX_GIVEN, MAX_MESSAGES};
use super::names::{ChainId, Place, Predecessor, Scope};
use super::sending::{Given, Retired, SendingChain};
use crate::group::GroupId;
use crate::group::fields::{read_member, write_member};
use crate::keys::IdentityKey;
use crate::labels::kind;
use crate::ratchet::ChainKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealError, SealedRecord};
use bisik_core::primitives::ed25519::SignatureKeyPair;
use bisik_core::primitives::secret::Secret;
use bisik_core::storage::{self, StorageKey, UnsealError};
use bisik_core::time::Timestamp;

impl SendingChain {
    /// Seals the chain into one record: 340 bytes, and 65 for each device that was given this chain or the one before it.
    /// `context` names the record in the caller's store and is authenticated; [`SendingChain::unseal`] must get the same.
    /// Uses 24 bytes of `rng`.
    ///
    /// The first record settles the key: all further ones must be under the same, until
    /// [`move_to_key`](Self::move_to_key).
    ///
    /// # Errors
    ///
    /// [`SealError`]. On error nothing has changed.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        self.lineage.admit(key)?;
        let mut writer = SecretWriter::with_capacity(self.given.len().saturating_mul(GIVEN).saturating_add(WITHOUT));
        self.write(&mut writer);
        let bytes = storage::seal(key, kind::SENDING_CHAIN, context, &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change. Seal and store it next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Opens what [`SendingChain::seal`] made. If the record came from a backup, say so: [`restored`](Self::restored).
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] if a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let chain = storage::open(key, kind::SENDING_CHAIN, context, record, Self::read)?;
        Ok(Self { lineage: chain.lineage.under(key), ..chain })
    }

    pub(in crate::group) fn write(&self, writer: &mut SecretWriter) {
        let Self { sender, place, history, begun, retired, index, chain, signing, predecessor, given, lineage } = self;
        writer.u64(lineage.revision());
        write_scope(writer, place.scope());
        writer.bytes(place.origin());
        write_member(sender, writer);
        writer.flag(*history).u64(begun.as_unix_seconds());
        writer.u8(match retired {
            None => 0,
            Some(Retired::Rekey) => REKEY,
            Some(Retired::Restored) => RESTORED,
        });
        writer.u32(*index).bytes(chain.secret().expose()).bytes(signing.secret());
        let (before, length) = Predecessor::encode(predecessor.as_ref());
        writer.bytes(&before).u32(length).count(given.len());
        for (device, Given { this, before }) in given {
            writer.bytes(&device.to_bytes()).u8((if *this { THIS } else { 0 }) | (if *before { BEFORE } else { 0 }));
        }
    }

    pub(in crate::group) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let place = read_place(read_scope(reader)?, reader)?;
        let sender = read_member(reader)?;
        let (history, begun) = (reader.flag()?, Timestamp::from_unix_seconds(reader.u64()?));
        let retired = match reader.u8()? {
            0 => None,
            REKEY => Some(Retired::Rekey),
            RESTORED => Some(Retired::Restored),
            _ => return Err(Malformed),
        };
        let index = reader.u32()?;
        let chain = Box::new(ChainKey::new(Secret::copy_of(reader.array()?)));
        let signing = SignatureKeyPair::from_secret(&Secret::copy_of(reader.array()?));
        let predecessor = Predecessor::decode(*reader.array()?, reader.u32()?)?;
        let mut given: BTreeMap<IdentityKey, Given> = BTreeMap::new();
        for _ in 0..reader.count(MAX_GIVEN)? {
            let device = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
            let flags = reader.u8()?;
            let ascending = given.last_key_value().is_none_or(|(last, _)| *last < device);
            if !ascending || flags == 0 || flags & !(THIS | BEFORE) != 0 || device == sender.identity {
                return Err(Malformed);
            }
            given.insert(device, Given { this: flags & THIS != 0, before: flags & BEFORE != 0 });
        }
        let chain = Self { sender, place, history, begun, retired, index, chain, signing, predecessor, given, lineage };
        // P-14.24. Who was given the former chain is remembered only with its name, and the name only for somebody.
        let follows = chain.given.values().any(|given| given.before) == chain.predecessor.is_some();
        let other = chain.predecessor.is_none_or(|before| before.chain != chain.chain());
        if follows && other && chain.index <= MAX_MESSAGES { Ok(chain) } else { Err(Malformed) }
    }
}

/// Reads the origin behind a scope, of which an audience has none.
pub(super) fn read_place(scope: Scope, reader: &mut Reader<'_>) -> Result<Place, Malformed> {
    let origin = *reader.array()?;
    match (scope, origin == [0; 32]) {
        (Scope::Group(id), false) => Ok(Place::Group { id, origin }),
        (Scope::Audience(id), true) => Ok(Place::Audience { id }),
        (Scope::Group(_), true) | (Scope::Audience(_), false) => Err(Malformed),
    }
}

pub(super) fn write_scope(writer: &mut SecretWriter, scope: Scope) {
    writer.flag(matches!(scope, Scope::Audience(_))).bytes(scope.id().as_bytes());
}

pub(super) fn read_scope(reader: &mut Reader<'_>) -> Result<Scope, Malformed> {
    let (audience, id) = (reader.flag()?, GroupId::from_bytes(*reader.array()?));
    Ok(if audience { Scope::Audience(id) } else { Scope::Group(id) })
}

/// A new chain was asked for.
const REKEY: u8 = 1;
/// The state came from a backup.
const RESTORED: u8 = 2;
/// The device was given this chain.
const THIS: u8 = 1;
/// The device was given the chain before it.
const BEFORE: u8 = 2;
/// Bytes of a device in the record.
const GIVEN: usize = 64 + 1;
/// Bytes of the state without them.
const WITHOUT: usize = 8 + 1 + 32 + 32 + 64 + 4 + 64 + 1 + 8 + 1 + 4 + 32 + 32 + ChainId::LENGTH + 4 + 4;
