//! The ratchet's state as bytes, sealed or inside a session's record (docs/formats.md, section 6.4).
//!
//! P-6.4. Every state has exactly one encoding.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::chain::ChainKey;
use super::header::HeaderKey;
use super::limits::{MAX_CHAINS, MAX_SKIPPED};
use super::message_key::MessageKey;
use super::receiving::{Advanced, Receiving, ReceivingChain, StateChange, Step};
use super::root::RootKey;
use super::sending::{PeerRatchetKey, Sending, SendingChain};
use super::skipped::{NewlySkipped, SkippedKeys};
use super::{DoubleRatchet, Staged, State};
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
    /// use bisik::ratchet::{DoubleRatchet, KeyPair, SharedSecret};
    ///
    /// let key = StorageKey::generate(rng);
    /// let bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32], KeyPair::generate(rng));
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
        storage::open(key, kind::RATCHET, context, record, Self::read)
    }
}

impl State {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let skipped = self.skipped_keys().saturating_mul(36);
        let mut writer = SecretWriter::with_capacity(skipped.saturating_add(TYPICAL));
        self.write(&mut writer);
        writer.finish()
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { binding, root, sending, receiving } = self;
        writer.bytes(binding).bytes(root.secret().expose());
        sending.write(writer);
        receiving.write(writer);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Box<Self>, Malformed> {
        let binding = *reader.array()?;
        let root = RootKey::from_secret(secret(reader)?);
        let sending = Sending::read(reader)?;
        let receiving = Receiving::read(reader)?;
        Ok(Box::new(Self { binding, root, sending, receiving }))
    }

    /// Copies the state, so that the state after a message can be encoded before the commit. Never leaves the library.
    pub(super) fn duplicate(&self) -> Box<Self> {
        let Self { binding, root, sending, receiving } = self;
        Box::new(Self {
            binding: *binding,
            root: root.duplicate(),
            sending: sending.duplicate(),
            receiving: receiving.duplicate(),
        })
    }
}

impl Staged<'_> {
    /// Seals the state as [`commit`](Staged::commit) will leave it. Store the record, then commit.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::StorageKey;
    /// # use bisik::ratchet::{DoubleRatchet, KeyPair, SharedSecret};
    /// # let key = StorageKey::generate(rng);
    /// # let bobs = KeyPair::generate(rng);
    /// # let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], bobs.public());
    /// # let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32], bobs);
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

impl Sending {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { pair, peer_key, chain, next_header, previous } = self;
        writer.flag(pair.is_some());
        if let Some(pair) = pair {
            writer.bytes(pair.expose_secret_bytes()).bytes(pair.public().as_bytes());
        }
        writer.flag(peer_key.is_some());
        if let Some(peer_key) = peer_key {
            writer.bytes(peer_key.public().as_bytes());
        }
        writer.flag(chain.is_some());
        if let Some(SendingChain { header, key, number }) = chain.as_deref() {
            writer.bytes(header.secret().expose()).bytes(key.secret().expose()).u32(*number);
        }
        writer.bytes(next_header.secret().expose()).u32(*previous);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let pair = match reader.flag()? {
            true => Some(x25519::pair_from_parts(secret(reader)?, public(reader)?)),
            false => None,
        };
        let peer_key = match reader.flag()? {
            true => Some(PeerRatchetKey::encoded(public(reader)?)),
            false => None,
        };
        let chain = match reader.flag()? {
            true => Some(Box::new(SendingChain {
                header: HeaderKey::new(secret(reader)?),
                key: ChainKey::new(secret(reader)?),
                number: reader.u32()?,
            })),
            false => None,
        };
        if chain.is_some() && (pair.is_none() || peer_key.is_none()) {
            return Err(Malformed);
        }
        Ok(Self { pair, peer_key, chain, next_header: HeaderKey::new(secret(reader)?), previous: reader.u32()? })
    }

    fn duplicate(&self) -> Self {
        let Self { pair, peer_key, chain, next_header, previous } = self;
        Self {
            pair: pair.as_ref().map(x25519::duplicate),
            peer_key: peer_key.as_ref().map(PeerRatchetKey::duplicate),
            chain: chain.as_deref().map(|SendingChain { header, key, number }| {
                Box::new(SendingChain { header: header.duplicate(), key: key.duplicate(), number: *number })
            }),
            next_header: next_header.duplicate(),
            previous: *previous,
        }
    }
}

impl Receiving {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { chains, next_header } = self;
        writer.bytes(next_header.secret().expose()).count(chains.len());
        for chain in chains {
            chain.write(writer);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let next_header = HeaderKey::new(secret(reader)?);
        let mut chains = VecDeque::new();
        let mut room = MAX_SKIPPED;
        for index in 0..reader.count(MAX_CHAINS)? {
            let chain = ReceivingChain::read(reader, room)?;
            // Only the newest chain can advance.
            if chain.key.is_some() != (index == 0) {
                return Err(Malformed);
            }
            room = room.saturating_sub(chain.skipped.len());
            chains.push_back(Box::new(chain));
        }
        Ok(Self { chains, next_header })
    }

    fn duplicate(&self) -> Self {
        let Self { chains, next_header } = self;
        let chains = chains.iter().map(|chain| Box::new(chain.duplicate())).collect();
        Self { chains, next_header: next_header.duplicate() }
    }
}

impl ReceivingChain {
    fn write(&self, writer: &mut SecretWriter) {
        let Self { header, ratchet_key, key, next, skipped } = self;
        writer.bytes(header.secret().expose()).bytes(ratchet_key.as_bytes()).u32(*next);
        writer.flag(key.is_some());
        if let Some(key) = key {
            writer.bytes(key.secret().expose());
        }
        writer.count(skipped.len());
        for (number, key) in skipped.iter() {
            writer.u32(number).bytes(key.secret().expose());
        }
    }

    fn read(reader: &mut Reader<'_>, room: usize) -> Result<Self, Malformed> {
        let header = HeaderKey::new(secret(reader)?);
        let ratchet_key = public(reader)?;
        let next = reader.u32()?;
        let key = match reader.flag()? {
            true => Some(Box::new(ChainKey::new(secret(reader)?))),
            false => None,
        };
        let mut skipped = SkippedKeys::default();
        let mut least = 0;
        for _ in 0..reader.count(room)? {
            let number = reader.u32()?;
            if number < least || number >= next {
                return Err(Malformed);
            }
            least = number.saturating_add(1);
            skipped.insert(number, Box::new(MessageKey::new(secret(reader)?)));
        }
        Ok(Self { header, ratchet_key, key, next, skipped })
    }

    fn duplicate(&self) -> Self {
        let Self { header, ratchet_key, key, next, skipped } = self;
        Self {
            header: header.duplicate(),
            ratchet_key: *ratchet_key,
            key: key.as_deref().map(|key| Box::new(key.duplicate())),
            next: *next,
            skipped: skipped.duplicate(),
        }
    }
}

impl StateChange {
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::UseSkipped { chain, number } => Self::UseSkipped { chain: *chain, number: *number },
            Self::Advance(advanced) => Self::Advance(advanced.duplicate()),
            Self::Step(step) => Self::Step(Box::new(step.duplicate())),
        }
    }
}

impl Advanced {
    fn duplicate(&self) -> Self {
        let Self { key, next, newly_skipped } = self;
        Self { key: key.duplicate(), next: *next, newly_skipped: duplicate_newly_skipped(newly_skipped) }
    }
}

impl Step {
    fn duplicate(&self) -> Self {
        let Self { last_of_previous, root, peer_key, chain, next_header } = self;
        Self {
            last_of_previous: duplicate_newly_skipped(last_of_previous),
            root: root.duplicate(),
            peer_key: peer_key.clone(),
            chain: Box::new(chain.duplicate()),
            next_header: next_header.duplicate(),
        }
    }
}

fn duplicate_newly_skipped(newly_skipped: &NewlySkipped) -> NewlySkipped {
    newly_skipped.iter().map(|(number, key)| (*number, Box::new(key.duplicate()))).collect()
}

fn secret(reader: &mut Reader<'_>) -> Result<Secret<32>, Malformed> {
    reader.array().map(Secret::copy_of)
}

fn public(reader: &mut Reader<'_>) -> Result<PublicKey, Malformed> {
    x25519::decode_public(reader.array()?).map_err(|_| Malformed)
}

/// Capacity in bytes for a state with one chain each way, so that the buffer rarely grows.
const TYPICAL: usize = 1_024;
