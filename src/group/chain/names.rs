//! Whose chain, and where: [`ChainId`], [`Scope`], [`Place`], [`Predecessor`] (docs/spec/chains.md, section
//! 14.1).

use super::limits::MAX_MESSAGES;
use crate::group::GroupId;
use crate::labels;
use bisik_core::codec::Malformed;
use bisik_core::convert::first;
use bisik_core::primitives::kdf::digest;

bisik_core::id! {
    /// The name of a chain: 8 bytes of a hash of its signing key. It is in every message, in the clear.
    pub struct ChainId: 8;
    /// Takes the 8 bytes of a name that is known.
    pub fn from_bytes(bytes);
    /// Returns the 8 bytes.
    pub fn as_bytes();
}

impl ChainId {
    /// The name of the chain that is signed with this key.
    pub(super) fn of(signing: &[u8; 32]) -> Self {
        Self(first(&digest(&[labels::GROUP_CHAIN, signing])))
    }
}

/// A group or an audience. What belongs to one is refused in any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// A group, in which all members write.
    Group(GroupId),
    /// Those to whom one account shows a status. They do not learn of one another. Name it by its id and the author's
    /// account together: whoever is shown a status learns the id, and can begin an audience of its own with it.
    Audience(GroupId),
}

impl Scope {
    /// Returns the name of the group or audience.
    #[must_use]
    pub const fn id(&self) -> &GroupId {
        match self {
            Self::Group(id) | Self::Audience(id) => id,
        }
    }
}

/// Where a chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a group.
    Group {
        /// The group.
        id: GroupId,
        /// The hash of the entry of the group's log under which the chain begins. It is never `0^32`.
        origin: [u8; 32],
    },
    /// In an audience, which has no log.
    Audience {
        /// The audience.
        id: GroupId,
    },
}

impl Place {
    /// Returns the group or audience.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Group { id, origin: _ } => Scope::Group(*id),
            Self::Audience { id } => Scope::Audience(*id),
        }
    }

    /// Returns the name of the group or audience.
    #[must_use]
    pub const fn id(&self) -> &GroupId {
        match self {
            Self::Group { id, origin: _ } | Self::Audience { id } => id,
        }
    }

    /// Whether it is an audience, whose readers learn nothing of what its author knows.
    pub(super) const fn is_audience(&self) -> bool {
        matches!(self, Self::Audience { .. })
    }

    /// The origin as it is encoded: `0^32` in an audience.
    pub(super) const fn origin(&self) -> &[u8; 32] {
        match self {
            Self::Group { id: _, origin } => origin,
            Self::Audience { id: _ } => &[0; 32],
        }
    }
}

/// The chain that the same device used before in the same group, and how many messages it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// Its name.
    pub chain: ChainId,
    /// Its length in messages, at most 1,000: every index below it was used, none above.
    pub length: u32,
}

impl Predecessor {
    /// The encoding in a distribution and in records: zeros for none.
    pub(super) const fn encode(this: Option<&Self>) -> ([u8; ChainId::LENGTH], u32) {
        match this {
            Some(Self { chain, length }) => (*chain.as_bytes(), *length),
            None => ([0; ChainId::LENGTH], 0),
        }
    }

    /// Reads the encoding. `None` for no predecessor; an error for a length of none, or above 1,000.
    pub(super) fn decode(chain: [u8; ChainId::LENGTH], length: u32) -> Result<Option<Self>, Malformed> {
        match (chain, length) {
            ([0, 0, 0, 0, 0, 0, 0, 0], 0) => Ok(None),
            ([0, 0, 0, 0, 0, 0, 0, 0], _) => Err(Malformed),
            (_, length) if length > MAX_MESSAGES => Err(Malformed),
            (chain, length) => Ok(Some(Self { chain: ChainId(chain), length })),
        }
    }
}
