//! [`Distribution`]: what a device needs to read a chain from an index on (docs/spec/chains.md, section 14.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::error::DistributionError;
use super::limits::MAX_MESSAGES;
use super::names::{ChainId, Place, Predecessor, Scope};
use super::view::{ListsDigest, View};
use crate::group::GroupId;
use crate::ratchet::ChainKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::ed25519::{InvalidVerifyingKey, SignaturePublicKey};
use bisik_core::primitives::secret::Secret;
use bisik_core::time::Timestamp;

/// What one device is given of another's chain: from here on it can read the chain, and nothing before.
///
/// It is a secret, and travels only as (part of) the plaintext of a session's message (P-14.2). The session says who made
/// it.
pub struct Distribution {
    /// What is the same in every distribution of the chain that a device gets.
    pub(super) constants: Constants,
    pub(super) view: View,
    pub(super) lists: ListsDigest,
    pub(super) index: u32,
    /// The chain key at `index`.
    pub(super) chain: Box<ChainKey>,
}

/// What a chain is, without its key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Constants {
    pub(super) place: Place,
    pub(super) signing: SignaturePublicKey,
    pub(super) predecessor: Option<Predecessor>,
    /// Members may show newcomers what was written in this chain.
    pub(super) history: bool,
    pub(super) begun: Timestamp,
}

impl Distribution {
    /// Length in bytes: 194.
    pub const LENGTH: usize = 1 + 32 + 32 + View::LENGTH + 4 + 32 + 32 + ChainId::LENGTH + 4 + 1 + 8 + 32;

    /// Reads a distribution from the plaintext of a session's message.
    ///
    /// # Errors
    ///
    /// [`DistributionError`] if the bytes are not one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DistributionError> {
        match bytes.first() {
            Some(&VERSION) if bytes.len() == Self::LENGTH => Self::read(bytes),
            Some(&VERSION) | None => Err(DistributionError::Malformed),
            Some(version) => Err(DistributionError::UnsupportedVersion(*version)),
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, DistributionError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[VERSION])?;
        let (id, origin) = (GroupId::from_bytes(*reader.array()?), *reader.array()?);
        let (view, index) = (View::from_bytes(*reader.array()?), reader.u32()?);
        let chain = Box::new(ChainKey::new(Secret::copy_of(reader.array()?)));
        let signing = SignaturePublicKey::decode(reader.array()?)?;
        let predecessor = Predecessor::decode(*reader.array()?, reader.u32()?)?;
        let flags = reader.u8()?;
        let (begun, lists) = (Timestamp::from_unix_seconds(reader.u64()?), ListsDigest::from_bytes(*reader.array()?));
        reader.finish()?;
        // P-14.3: an audience, and nothing else, has no origin.
        let place = match (flags & AUDIENCE != 0, origin == [0; 32]) {
            (false, false) => Place::Group { id, origin },
            (true, true) => Place::Audience { id },
            (true, false) | (false, true) => return Err(DistributionError::Malformed),
        };
        let own = ChainId::of(signing.as_bytes());
        let follows_itself = predecessor.is_some_and(|predecessor| predecessor.chain == own);
        let tells = place.is_audience() && (view != View::NONE || lists != ListsDigest::NONE);
        if flags & !(HISTORY | AUDIENCE) != 0 || index >= MAX_MESSAGES || follows_itself || tells {
            return Err(DistributionError::Malformed);
        }
        let constants = Constants { place, signing, predecessor, history: flags & HISTORY != 0, begun };
        Ok(Self { constants, view, lists, index, chain })
    }

    /// Returns the 194 bytes, a secret: they are wiped when they are dropped.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self { constants, view, lists, index, chain } = self;
        let Constants { place, signing, predecessor, history, begun } = constants;
        let mut writer = SecretWriter::with_capacity(Self::LENGTH);
        writer.u8(VERSION).bytes(place.id().as_bytes()).bytes(place.origin()).bytes(view.as_bytes());
        writer.u32(*index).bytes(chain.secret().expose()).bytes(signing.as_bytes());
        let (before, length) = Predecessor::encode(predecessor.as_ref());
        writer.bytes(&before).u32(length);
        writer.u8((if *history { HISTORY } else { 0 }) | (if place.is_audience() { AUDIENCE } else { 0 }));
        writer.u64(begun.as_unix_seconds()).bytes(lists.as_bytes());
        writer.finish()
    }

    /// Returns the name of the chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.constants.chain()
    }

    /// Returns the group or audience that it is for.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.constants.place.scope()
    }

    /// Returns the group or audience, and the entry of the group's log under which the chain began. Take a distribution
    /// only if the entry is one of the group's, and not before the one that the act names by which the sender became a
    /// member.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.constants.place
    }

    /// Returns the number of the first message that it opens, at most 999.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Returns what its sender knew of the group when it made this; zeros in an audience.
    #[must_use]
    pub const fn view(&self) -> View {
        self.view
    }

    /// Returns the digest of the members' device lists that its sender knew; zeros in an audience.
    #[must_use]
    pub const fn lists(&self) -> &ListsDigest {
        &self.lists
    }

    /// Returns the sender's chain before this one, if this device was given that.
    #[must_use]
    pub const fn predecessor(&self) -> Option<Predecessor> {
        self.constants.predecessor
    }

    /// Returns whether members may show newcomers what is written in this chain, as its sender says.
    #[must_use]
    pub const fn history(&self) -> bool {
        self.constants.history
    }

    /// Returns when the chain began, by the clock of its sender.
    #[must_use]
    pub const fn begun(&self) -> Timestamp {
        self.constants.begun
    }
}

impl Constants {
    pub(super) fn chain(&self) -> ChainId {
        ChainId::of(self.signing.as_bytes())
    }
}

impl From<Malformed> for DistributionError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<InvalidVerifyingKey> for DistributionError {
    fn from(error: InvalidVerifyingKey) -> Self {
        match error {
            InvalidVerifyingKey::NonCanonical => Self::NonCanonical,
            InvalidVerifyingKey::LowOrder => Self::LowOrder,
        }
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { constants, view, lists: _, index, chain: _ } = self;
        f.debug_struct("Distribution")
            .field("scope", &constants.place.scope())
            .field("chain", &constants.chain())
            .field("index", index)
            .field("view", view)
            .finish_non_exhaustive()
    }
}

/// The first byte of every distribution.
const VERSION: u8 = 0x01;
/// What is written may be shown to newcomers.
const HISTORY: u8 = 0x01;
/// It is for an audience.
const AUDIENCE: u8 = 0x02;
