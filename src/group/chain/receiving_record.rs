//! The chains of one sending device as a sealed record (docs/formats.md, section 14.6).
//!
//! The encoding is deterministic: equal states have equal bytes.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use rand_core::CryptoRng;

use super::distribution::Constants;
use super::kept::Kept;
use super::limits::{MAX_CHAINS, MAX_GONE, MAX_KEPT, MAX_MESSAGES};
use super::names::{ChainId, Predecessor, Scope};
use super::receiving::{Chain, Gone, ReceivingChains};
use super::sending_record::{read_place, read_scope, write_scope};
use super::used::Used;
use crate::group::fields::{read_member, write_member};
use crate::labels::kind;
use crate::ratchet::ChainKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealError, SealedRecord};
use bisik_core::primitives::ed25519::SignaturePublicKey;
use bisik_core::primitives::secret::Secret;
use bisik_core::storage::{self, StorageKey, UnsealError};
use bisik_core::time::Timestamp;

impl ReceivingChains {
    /// Seals the chains into one record: below 1 KiB for one chain of which no message is missing, and 32 bytes and a few
    /// for each message that is. `context` names the record in the caller's store and is authenticated;
    /// [`ReceivingChains::unseal`] must get the same. Uses 24 bytes of `rng`.
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
        Ok(self.seal_as(&self.lineage, key, context, &mut rng))
    }

    /// Seals the present state, as `lineage` says.
    pub(super) fn seal_as(
        &self,
        lineage: &Lineage,
        key: &StorageKey,
        context: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> SealedRecord {
        let mut writer = SecretWriter::with_capacity(TYPICAL);
        self.write(lineage.revision(), &mut writer);
        held::sealed_record(
            storage::seal(key, kind::RECEIVING_CHAINS, context, &writer.finish(), rng),
            lineage.origin(),
        )
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`SealError::WrongKey`]), unless this says that it is meant. Counts as a change. Seal and store it next.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// Opens what [`ReceivingChains::seal`] made. Chains that were restored from an old record open messages again that
    /// they had opened since.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if key, context or record is not the one it was sealed with;
    /// [`UnsealError::UnknownVersion`] if a later version sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let chains = storage::open(key, kind::RECEIVING_CHAINS, context, record, Self::read)?;
        Ok(Self { lineage: chains.lineage.under(key), ..chains })
    }

    pub(in crate::group) fn write(&self, revision: u64, writer: &mut SecretWriter) {
        let Self { scope, sender, chains, gone, received, lineage: _ } = self;
        writer.u64(revision);
        write_scope(writer, *scope);
        write_member(sender, writer);
        writer.u32(*received).count(gone.len());
        for Gone { id, predecessor } in gone {
            let (before, length) = Predecessor::encode(predecessor.as_ref());
            writer.bytes(id.as_bytes()).bytes(&before).u32(length);
        }
        writer.count(chains.len());
        for chain in chains {
            chain.write(writer);
        }
    }

    pub(in crate::group) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let lineage = Lineage::read(reader)?;
        let (scope, sender, received) = (read_scope(reader)?, read_member(reader)?, reader.u32()?);
        let mut gone: VecDeque<Gone> = VecDeque::new();
        for _ in 0..reader.count(MAX_GONE)? {
            let id = ChainId::from_bytes(*reader.array()?);
            let predecessor = Predecessor::decode(*reader.array()?, reader.u32()?)?;
            if gone.iter().any(|known| known.id == id) || predecessor.is_some_and(|before| before.chain == id) {
                return Err(Malformed);
            }
            gone.push_back(Gone { id, predecessor });
        }
        let mut chains: VecDeque<Chain> = VecDeque::new();
        for _ in 0..reader.count(MAX_CHAINS)? {
            let chain = Chain::read(scope, received, reader)?;
            if gone.iter().any(|gone| gone.id == chain.id) || chains.iter().any(|known| known.id == chain.id) {
                return Err(Malformed);
            }
            chains.push_back(chain);
        }
        let chains = Self { scope, sender, chains, gone, received, lineage };
        if chains.is_possible() { Ok(chains) } else { Err(Malformed) }
    }

    /// P-14.24: whether the chains fit each other as they always do.
    fn is_possible(&self) -> bool {
        let known = |before: Predecessor| self.chains.iter().find(|chain| chain.id == before.chain);
        self.named().filter_map(known).all(|chain| chain.chain.is_none()) && self.kept_keys() <= MAX_KEPT
    }
}

impl Chain {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { id: _, constants, first, next, heard, chain, kept, used } = self;
        let Constants { place, signing, predecessor, history, begun } = constants;
        let (before, length) = Predecessor::encode(predecessor.as_ref());
        writer.bytes(place.origin()).bytes(signing.as_bytes()).bytes(&before).u32(length);
        writer.flag(*history).u64(begun.as_unix_seconds()).u32(*first).u32(*next).u32(*heard);
        writer.flag(chain.is_some());
        if let Some(chain) = chain {
            writer.bytes(chain.secret().expose());
        }
        kept.write(writer);
        used.write(writer);
    }

    fn read(scope: Scope, received: u32, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let place = read_place(scope, reader)?;
        let signing = SignaturePublicKey::decode(reader.array()?).map_err(|_| Malformed)?;
        let predecessor = Predecessor::decode(*reader.array()?, reader.u32()?)?;
        let (history, begun) = (reader.flag()?, Timestamp::from_unix_seconds(reader.u64()?));
        let constants = Constants { place, signing, predecessor, history, begun };
        let (first, next, heard) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let chain = if reader.flag()? { Some(Box::new(ChainKey::new(Secret::copy_of(reader.array()?)))) } else { None };
        let kept = Kept::read(reader, first..next, received)?;
        let used = Used::read(reader)?;
        let chain = Self { id: constants.chain(), constants, first, next, heard, chain, kept, used };
        if chain.is_possible(received) { Ok(chain) } else { Err(Malformed) }
    }

    /// Whether the fields fit each other as they always do.
    fn is_possible(&self, received: u32) -> bool {
        let Self { id, constants, first, next, heard, chain, kept, used } = self;
        let follows_itself = constants.predecessor.is_some_and(|before| before.chain == *id);
        let known = |number: u32| used.entries().any(|entry| entry.number == number);
        // What was received is not kept. The highest may be too old to be remembered.
        let heard_last = used.entries().all(|entry| entry.number < *heard && entry.number >= *first);
        let highest = heard.checked_sub(1);
        let last = highest.is_none_or(|last| last >= *first && kept.get(last).is_none());
        let apart = kept.numbers().all(|number| !known(number));
        let some = used.entries().next().is_some() == (*heard > 0);
        let counted = *heard == 0 || received > 0;
        let ended = chain.is_some() || !kept.is_empty();
        !follows_itself
            && *first <= *next
            && *first < MAX_MESSAGES
            && *next <= MAX_MESSAGES
            && *heard <= *next
            && heard_last
            && last
            && apart
            && some
            && counted
            && ended
    }
}

/// Capacity in bytes, so that the buffer rarely grows.
const TYPICAL: usize = 1_024;
