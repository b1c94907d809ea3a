//! A session as one sealed record (docs/formats.md, "Session of the Signal protocol, version 4").
//!
//! The encoding is deterministic: equal states have equal bytes.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use rand_core::CryptoRng;

use super::{Addresses, Offer, Session, Spqr, State};
use crate::labels::kind;
use crate::signal::key::{IdentityKey, PublicKey};
use crate::signal::limits::MAX_ARCHIVED;
use crate::signal::ratchet::Ratchet;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealError, SealedRecord};
use bisik_core::revision;
use bisik_core::storage::{self, StorageKey, UnsealError};

impl Session {
    /// Seals the session into one record. `context` names the record in the caller's store and is authenticated, so
    /// that records cannot be swapped; the same must be given to [`Session::unseal`]. Uses 24 bytes of `rng`. 2 to
    /// 5 KiB for each state of a session that waits for no message.
    ///
    /// The first record settles the key: all further ones must be under the same, until
    /// [`move_to_key`](Session::move_to_key).
    ///
    /// # Errors
    ///
    /// [`SealError`]. Nothing has changed then.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        self.lineage.admit(key)?;
        let states = self.states.len().saturating_mul(TYPICAL);
        let skipped = self.skipped_keys().saturating_add(self.skipped_post_quantum_keys()).saturating_mul(SKIPPED_KEY);
        let mut writer = SecretWriter::with_capacity(states.saturating_add(skipped));
        self.write(&mut writer);
        let bytes = storage::seal(key, kind::SESSION_4, context, &writer.finish(), &mut rng);
        Ok(held::sealed_record(bytes, self.lineage.origin()))
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change of the session. Seal and store it next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Opens what [`Session::seal`] made. Never encrypt in a session restored from an old record: a message key may
    /// then encrypt two messages under one initialisation vector, and the peer rejects the second.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] if a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let session = storage::open(key, kind::SESSION_4, context, record, Self::read)?;
        Ok(Self { lineage: session.lineage.under(key), ..session })
    }

    fn write(&self, writer: &mut SecretWriter) {
        let Self { ours, registration_id, peer, addresses, states, lineage } = self;
        writer.u64(lineage.revision()).bytes(ours.key().as_raw()).u32(*registration_id).bytes(peer.key().as_raw());
        writer.flag(addresses.is_some());
        if let Some(addresses) = addresses {
            writer.bytes(&addresses.outgoing());
        }
        writer.count(states.len());
        for state in states {
            state.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let ours = IdentityKey::from(PublicKey::decode_raw(reader.array()?)?);
        let registration_id = reader.u32()?;
        let peer = IdentityKey::from(PublicKey::decode_raw(reader.array()?)?);
        let addresses = if reader.flag()? { Some(Addresses::read(reader.array()?).ok_or(Malformed)?) } else { None };
        let mut states = VecDeque::<Box<State>>::new();
        for _ in 0..reader.count(MAX_ARCHIVED + 1)? {
            let next = State::read(reader)?;
            if states.iter().any(|known| known.base_key == next.base_key) {
                return Err(Malformed);
            }
            states.push_back(next);
        }
        if states.is_empty() {
            return Err(Malformed);
        }
        Ok(Self { ours, registration_id, peer, addresses, states, lineage })
    }
}

impl State {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { base_key, peer_registration_id, since_revision, unanswered, ratchet, spqr } = self;
        writer.bytes(base_key.as_raw()).u32(*peer_registration_id).u64(*since_revision).flag(unanswered.is_some());
        if let Some(offer) = unanswered {
            let Offer { pre_key_id, signed_pre_key_id, kyber_pre_key_id, kyber_ciphertext } = offer.as_ref();
            writer.flag(pre_key_id.is_some());
            if let Some(id) = pre_key_id {
                writer.u32(*id);
            }
            writer.u32(*signed_pre_key_id).u32(*kyber_pre_key_id).bytes(kyber_ciphertext.as_slice());
        }
        ratchet.write(writer);
        spqr.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Box<Self>, Malformed> {
        let base_key = PublicKey::decode_raw(reader.array()?)?;
        let peer_registration_id = reader.u32()?;
        let since_revision = revision::read(reader)?;
        let unanswered = if reader.flag()? {
            let pre_key_id = if reader.flag()? { Some(reader.u32()?) } else { None };
            let (signed_pre_key_id, kyber_pre_key_id) = (reader.u32()?, reader.u32()?);
            let kyber_ciphertext = Box::new(*reader.array()?);
            Some(Box::new(Offer { pre_key_id, signed_pre_key_id, kyber_pre_key_id, kyber_ciphertext }))
        } else {
            None
        };
        let (ratchet, spqr) = (Ratchet::read(reader)?, Spqr::read(reader)?);
        Ok(Box::new(Self { base_key, peer_registration_id, since_revision, unanswered, ratchet, spqr }))
    }
}

/// Bytes of one skipped key in a record.
const SKIPPED_KEY: usize = 36;
/// Bytes of everything else of a state, generously: avoids growing the buffer.
const TYPICAL: usize = 5_120;
