//! The ratchet's state as bytes, sealed or inside a session's record (docs/formats.md, section 6.4).
//!
//! P-6.4. Every state has exactly one encoding.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::chain::ChainKey;
use super::header::{HeaderKey, MAX_PLACES};
use super::limits::MAX_CHAINS;
use super::parts::{Blocks, Encoded};
use super::post_quantum::PostQuantum;
use super::receiving::{Receiving, ReceivingChain};
use super::remembered::Remembered;
use super::resumption::Resumptions;
use super::sending::{PeerRatchetKey, SendingChain};
use super::skipped::{KeysIn, LooseKeys, NewlySkipped, SkippedKeys};
use super::step::RootKey;
use super::{DoubleRatchet, Staged, State, Turn};
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, PublicKey};
use bisik_core::storage::{self, StorageKey, UnsealError};

impl DoubleRatchet {
    /// Seals the state into one record. `context` names the record in the caller's store and is authenticated;
    /// [`unseal`](Self::unseal) must get the same.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::StorageKey;
    /// use bisik::ratchet::{DoubleRatchet, SharedSecret};
    ///
    /// let key = StorageKey::generate(rng);
    /// let bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
    /// let record = bob.seal(&key, b"ratchet 1", rng);
    /// assert!(DoubleRatchet::unseal(&key, b"ratchet 1", &record).is_ok());
    /// assert!(DoubleRatchet::unseal(&key, b"ratchet 2", &record).is_err());
    /// ```
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        storage::seal(key, kind::RATCHET, context, &self.state.encode(), &mut rng)
    }

    /// Opens a record that [`DoubleRatchet::seal`] made.
    ///
    /// # Errors
    ///
    /// [`UnsealError::Rejected`] if the record was sealed with another key or context, or was changed;
    /// [`UnsealError::UnknownVersion`] if a later version of this library sealed it.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        storage::open(key, kind::RATCHET, context, record, |reader| {
            Encoded::read(reader)?.with(Blocks::default(), KeysIn::State)
        })
    }
}

impl State {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let skipped = usize::try_from(self.skipped_keys()).unwrap_or_default().saturating_mul(44);
        let mut writer = SecretWriter::with_capacity(skipped.saturating_add(TYPICAL));
        self.write(KeysIn::State, &mut writer);
        writer.finish()
    }

    pub(super) fn write(&self, keys: KeysIn, writer: &mut SecretWriter) {
        let Self {
            binding,
            step,
            root,
            turn,
            next_header,
            previous,
            bound,
            receiving,
            resumptions,
            remembered,
            peer_reads,
            post_quantum,
        } = self;
        writer.bytes(binding).u32(*step).bytes(root.secret().expose());
        turn.write(writer);
        writer.bytes(next_header.secret().expose()).u32(*previous).u8(*bound);
        let Receiving { chains, received, skipped } = receiving;
        writer.count(chains.len());
        for chain in chains {
            chain.write(writer);
            skipped.write(chain.step, keys, writer);
        }
        resumptions.write(writer);
        writer.u32(*received);
        remembered.write(writer);
        writer.u8(*peer_reads);
        post_quantum.write(writer);
    }

    /// Reads the encoding of [`write`](Self::write): the state, which has no skipped message keys yet and was not checked,
    /// and the keys that were encoded with it.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<(Box<Self>, LooseKeys), Malformed> {
        let binding = *reader.array()?;
        let step = reader.u32()?;
        let root = RootKey::new(&secret(reader)?);
        let turn = Turn::read(reader)?;
        let next_header = HeaderKey::new(&secret(reader)?);
        let previous = reader.u32()?;
        let bound = reader.u8()?;
        let (chains, loose) = Receiving::read_chains(reader)?;
        let resumptions = Resumptions::read(reader)?;
        let received = reader.u32()?;
        let remembered = Remembered::read(reader)?;
        let peer_reads = reader.u8()?;
        let post_quantum = PostQuantum::read(reader, turn.is_initiator(step))?;
        let receiving = Receiving { chains, received, skipped: SkippedKeys::default() };
        let state = Box::new(Self {
            binding,
            step,
            root,
            turn,
            next_header,
            previous,
            bound,
            receiving,
            resumptions,
            remembered,
            peer_reads,
            post_quantum,
        });
        Ok((state, loose))
    }

    /// Whether the parts fit each other as they do in every state that sending and receiving make.
    pub(super) fn is_possible(&self) -> bool {
        let Self { step, turn, previous, bound, receiving, resumptions, remembered, peer_reads, .. } = self;
        let newest = receiving.chains.front().map(|chain| chain.step);
        let nothing_read = receiving.chains.front().is_none_or(|chain| chain.ratchet_key.is_none());
        // Own steps come after the peer's newest one, which is the last step or the one before it.
        let chains_fit = match (turn, newest) {
            (Turn::Awaiting, newest) => *step == 0 && newest == Some(0) && nothing_read,
            (Turn::Ours(_), None) => *step == 0,
            (Turn::Ours(_), Some(newest)) => newest.checked_add(1) == Some(*step) && !nothing_read,
            (Turn::Theirs(key), Some(newest)) => {
                newest == *step && receiving.chains.front().and_then(|chain| chain.ratchet_key) == Some(*key.public())
            }
            (Turn::Theirs(_), None) => false,
        };
        let own_steps = if self.is_initiator() { step / 2 } else { step.div_ceil(2) };
        // The own chain before the current or next one: chain 0 of an initiator, and otherwise that of an own step.
        let had_a_chain = *step >= if self.is_initiator() { 1 } else { 2 };
        let made = usize::try_from(own_steps).unwrap_or(usize::MAX);
        chains_fit
            && receiving.is_possible()
            && remembered.entries().all(|entry| receiving.has_received(entry.step, entry.number))
            && *bound <= MAX_PLACES
            && (*previous == 0 || had_a_chain)
            && resumptions.accepts.len() <= made
            && (resumptions.offer.is_none() || newest.is_some_and(|newest| newest > 0))
            && (*peer_reads == 0) == nothing_read
            && (receiving.received == 0) == nothing_read
    }

    /// Copies the state, so that the state after a message can be encoded before the commit. Never leaves the library.
    pub(super) fn duplicate(&self) -> Box<Self> {
        let Self {
            binding,
            step,
            root,
            turn,
            next_header,
            previous,
            bound,
            receiving,
            resumptions,
            remembered,
            peer_reads,
            post_quantum,
        } = self;
        Box::new(Self {
            binding: *binding,
            step: *step,
            root: root.duplicate(),
            turn: turn.duplicate(),
            next_header: next_header.duplicate(),
            previous: *previous,
            bound: *bound,
            receiving: receiving.duplicate(),
            resumptions: resumptions.duplicate(),
            remembered: remembered.clone(),
            peer_reads: *peer_reads,
            post_quantum: post_quantum.duplicate(),
        })
    }
}

impl Staged<'_> {
    /// Seals the state as [`commit`](Staged::commit) will leave it. Store the record, then commit.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::StorageKey;
    /// # use bisik::ratchet::{DoubleRatchet, SharedSecret};
    /// # let key = StorageKey::generate(rng);
    /// # let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
    /// # let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
    /// # let message = alice.encrypt(b"halo", rng)?;
    /// let staged = bob.stage(&message)?;
    /// let record = staged.seal(&key, b"ratchet 1", rng);
    /// // Once the database has stored the record, the plaintext may be shown.
    /// assert_eq!(staged.commit(), b"halo");
    /// assert!(DoubleRatchet::unseal(&key, b"ratchet 1", &record)?.decrypt(&message).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn seal(&self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        storage::seal(key, kind::RATCHET, context, &self.encode_after(), &mut rng)
    }
}

impl Turn {
    fn write(&self, writer: &mut SecretWriter) {
        match self {
            Self::Awaiting => writer.u8(AWAITING),
            Self::Ours(chain) => {
                let SendingChain { pair, header, key, number } = chain.as_ref();
                writer.u8(OURS).bytes(pair.expose_secret_bytes()).bytes(pair.public().as_bytes());
                writer.bytes(header.secret().expose()).bytes(key.secret().expose()).u32(*number)
            }
            Self::Theirs(peer_key) => writer.u8(THEIRS).bytes(peer_key.public().as_bytes()),
        };
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.u8()? {
            AWAITING => Ok(Self::Awaiting),
            OURS => Ok(Self::Ours(Box::new(SendingChain {
                pair: x25519::pair_from_parts(secret(reader)?, public(reader)?),
                header: HeaderKey::new(&secret(reader)?),
                key: ChainKey::new(secret(reader)?),
                number: reader.u32()?,
            }))),
            THEIRS => Ok(Self::Theirs(PeerRatchetKey::encoded(public(reader)?))),
            _ => Err(Malformed),
        }
    }

    fn duplicate(&self) -> Self {
        match self {
            Self::Awaiting => Self::Awaiting,
            Self::Ours(chain) => Self::Ours(Box::new(chain.duplicate())),
            Self::Theirs(peer_key) => Self::Theirs(peer_key.duplicate()),
        }
    }
}

impl Receiving {
    /// Reads the chains, and the keys that are encoded with them, oldest first.
    fn read_chains(reader: &mut Reader<'_>) -> Result<(VecDeque<Box<ReceivingChain>>, LooseKeys), Malformed> {
        let mut chains: VecDeque<Box<ReceivingChain>> = VecDeque::new();
        let mut loose = Vec::new();
        for index in 0..reader.count(MAX_CHAINS)? {
            let chain = ReceivingChain::read(reader, index == 0)?;
            // The peer's steps are every second one. Older chains than the newest ended one are kept for their keys.
            let ordered = chains.back().is_none_or(|newer| {
                newer.step > chain.step
                    && newer.step.abs_diff(chain.step).is_multiple_of(2)
                    && newer.mixed >= chain.mixed
            });
            if !ordered {
                return Err(Malformed);
            }
            loose.push(NewlySkipped::read_runs(chain.step, reader)?);
            chains.push_back(Box::new(chain));
        }
        // The newest chain is the first in the encoding.
        Ok((chains, loose.into_iter().rev().flatten().collect()))
    }

    /// Whether the keys fit the chains, and each chain has a use.
    fn is_possible(&self) -> bool {
        let Self { chains, received, skipped } = self;
        let next = |step| chains.iter().find(|chain| chain.step == step).map(|chain| chain.next);
        skipped.is_possible(*received, next) && chains.iter().skip(2).all(|chain| skipped.holds(chain.step))
    }

    /// Whether a message was received, as far as the chains tell: of ended ones that are gone, any may have been.
    fn has_received(&self, step: u32, number: u32) -> bool {
        match self.chains.iter().find(|chain| chain.step == step) {
            Some(chain) => number < chain.next && self.skipped.get(step, number).is_none(),
            None => self.chains.front().is_some_and(|newest| step < newest.step),
        }
    }

    fn duplicate(&self) -> Self {
        let Self { chains, received, skipped } = self;
        let chains = chains.iter().map(|chain| Box::new(chain.duplicate())).collect();
        Self { chains, received: *received, skipped: skipped.duplicate() }
    }
}

impl ReceivingChain {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { step, mixed, header, ratchet_key, key, next } = self;
        let ratchet_key = ratchet_key.as_ref().map_or(&[0; 32], PublicKey::as_bytes);
        writer.u32(*step).u32(*mixed).bytes(header.secret().expose()).bytes(ratchet_key).u32(*next);
        if let Some(key) = key {
            writer.bytes(key.secret().expose());
        }
    }

    /// Reads a chain. Only the newest has a chain key; only chain 0 may have no ratchet key, before its first message.
    fn read(reader: &mut Reader<'_>, newest: bool) -> Result<Self, Malformed> {
        let (step, mixed) = (reader.u32()?, reader.u32()?);
        let header = HeaderKey::new(&secret(reader)?);
        let ratchet_key = match reader.array()? {
            bytes if *bytes == [0; 32] => None,
            bytes => Some(x25519::decode_public(bytes).map_err(|_| Malformed)?),
        };
        let next = reader.u32()?;
        let key = if newest { Some(Box::new(ChainKey::new(secret(reader)?))) } else { None };
        if ratchet_key.is_none() && (step != 0 || next != 0 || !newest) {
            return Err(Malformed);
        }
        Ok(Self { step, mixed, header, ratchet_key, key, next })
    }
}

fn secret(reader: &mut Reader<'_>) -> Result<Secret<32>, Malformed> {
    reader.array().map(Secret::copy_of)
}

fn public(reader: &mut Reader<'_>) -> Result<PublicKey, Malformed> {
    x25519::decode_public(reader.array()?).map_err(|_| Malformed)
}

/// Capacity in bytes for a state with one chain each way, so that the buffer rarely grows.
const TYPICAL: usize = 2_560;

/// Byte before a turn: nothing was received yet.
const AWAITING: u8 = 0;
/// The last step is this side's.
const OURS: u8 = 1;
/// The last step is the peer's.
const THEIRS: u8 = 2;
