//! [`LinkSecret`]: what an invitation link contains. [`Link`]: what the act that opens it says.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::encoding::read_array;
use super::{ActId, GroupId, Stay};
use crate::labels::group as labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::id::IdError;
use bisik_core::primitives::ed25519::{SIGNATURE, SignatureKeyPair, SignaturePublicKey};
use bisik_core::primitives::secret::{BoxedSecret, Secret};

/// What somebody becomes who joins by a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkPolicy {
    /// A member at once.
    Member,
    /// Somebody whom the owner or an admin has still to add.
    Ask,
}

impl LinkPolicy {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Member => 1,
            Self::Ask => 2,
        }
    }

    pub(super) const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::Member),
            2 => Ok(Self::Ask),
            _ => Err(Malformed),
        }
    }
}

/// A link by which accounts join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The Ed25519 key that verifies who has the link.
    pub(super) verifier: [u8; 32],
    pub(super) policy: LinkPolicy,
}

/// An invitation link: whoever has it can join the group, until it is closed. No server can: it must not learn the secret,
/// so put the text behind the `#` of a web address, or hand it over in a message.
///
/// Whoever has the link can pass it on. A link that leaked is closed, and those who joined by it since are shown.
pub struct LinkSecret {
    pub(super) group: GroupId,
    pub(super) link: ActId,
    pub(super) secret: BoxedSecret<32>,
}

impl LinkSecret {
    /// Bytes of a link.
    pub const LENGTH: usize = GroupId::LENGTH + ActId::LENGTH + 32;

    /// Draws the secret of a link that is about to be opened.
    pub(super) fn draw(rng: &mut dyn CryptoRng) -> BoxedSecret<32> {
        Secret::random(rng).into()
    }

    /// Reads a link.
    ///
    /// # Errors
    ///
    /// [`IdError`] if it does not have 80 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdError> {
        Self::read(bytes).map_err(|Malformed| IdError)
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let group = GroupId::from_bytes(*reader.array()?);
        let link = ActId::from_bytes(*reader.array()?);
        let secret = Secret::copy_of(reader.array()?).into();
        reader.finish()?;
        Ok(Self { group, link, secret })
    }

    /// Returns `group id ‖ link ‖ secret`, 80 bytes, which are secret: wipe copies of them.
    #[must_use]
    pub fn expose_bytes(&self) -> Vec<u8> {
        let Self { group, link, secret } = self;
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.bytes(group.as_bytes()).bytes(link.as_bytes()).bytes(secret.expose());
        writer.finish()
    }

    /// Returns the group.
    #[must_use]
    pub const fn group(&self) -> GroupId {
        self.group
    }

    /// Returns the link's id, by which it is closed.
    #[must_use]
    pub const fn id(&self) -> ActId {
        self.link
    }

    /// What shows that somebody has the link, for one stay.
    pub(in crate::group) fn proof(&self, joining: &Stay) -> [u8; SIGNATURE] {
        Self::pair(&self.secret).sign(&join_text(self.group, joining))
    }

    pub(super) fn pair(secret: &BoxedSecret<32>) -> SignatureKeyPair {
        SignatureKeyPair::from_secret(secret)
    }
}

impl Link {
    /// Writes `key ‖ policy`.
    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { verifier, policy } = self;
        writer.bytes(verifier).u8(policy.byte());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let verifier = read_array(reader)?;
        Ok(Self { verifier, policy: LinkPolicy::from_byte(reader.u8()?)? })
    }

    /// Whether `proof` shows that the author of a `join` has the link. P-13.11.
    pub(super) fn proves(&self, group: GroupId, joining: &Stay, proof: &[u8; SIGNATURE]) -> bool {
        let key = SignaturePublicKey::decode(&self.verifier);
        key.is_ok_and(|key| key.verify(&join_text(group, joining), proof))
    }
}

/// What the link's key signs for somebody who joins by it.
pub(super) fn join_text(group: GroupId, joining: &Stay) -> Vec<u8> {
    let mut writer = Writer::with_capacity(160);
    writer.bytes(labels::LINK).bytes(group.as_bytes());
    joining.write(&mut writer);
    writer.finish()
}

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, link, secret: _ } = self;
        f.debug_struct("LinkSecret").field("group", group).field("link", link).finish_non_exhaustive()
    }
}
