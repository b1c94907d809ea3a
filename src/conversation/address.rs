//! Names: of a conversation, of a message in it, and of the devices at its two ends.
//!
//! Does not know keys: whose device an address means is looked up in a verified device list.

use core::fmt;

use rand_core::CryptoRng;

use crate::device::AccountKey;
use crate::labels;
use crate::primitives::kdf::digest;

/// The name of a conversation: 16 bytes that follow from the two account keys, equal on both sides
/// (docs/spec/conversations.md,
/// section 12.1). Whoever knows both accounts can compute it: it names, and protects nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(pub(super) [u8; 16]);

impl ConversationId {
    /// The conversation between two accounts, in either order.
    #[must_use]
    pub fn between(one: &AccountKey, other: &AccountKey) -> Self {
        let (one, other) = (one.identity().to_bytes(), other.identity().to_bytes());
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            digest(&[labels::CONVERSATION_ID, &first, &second]);
        Self(id)
    }

    /// The name that a record is kept under. Only the record of that very conversation opens with it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(f, "ConversationId", &self.0)
    }
}

/// The name of a message: 16 random bytes, drawn by its sender, the same for all devices that it goes to. A relay sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub(super) [u8; 16]);

impl MessageId {
    /// A new name from 16 bytes of `rng`.
    #[must_use]
    pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The name that came with a message.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(f, "MessageId", &self.0)
    }
}

fn short(f: &mut fmt::Formatter<'_>, name: &str, bytes: &[u8]) -> fmt::Result {
    write!(f, "{name}(")?;
    for byte in bytes.iter().take(4) {
        write!(f, "{byte:02x}")?;
    }
    f.write_str("..)")
}

/// Which end of a conversation: the peer's account, or one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// A device of the peer's account.
    Peer,
    /// Another device of one's own account.
    Own,
}

/// A device of a conversation, as seen from one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress {
    /// At which end.
    pub side: Side,
    /// Its index in that account's device list; 0 is the primary.
    pub index: u32,
}

impl DeviceAddress {
    /// A device of the peer's.
    #[must_use]
    pub const fn peer(index: u32) -> Self {
        Self { side: Side::Peer, index }
    }

    /// Another device of one's own.
    #[must_use]
    pub const fn own(index: u32) -> Self {
        Self { side: Side::Own, index }
    }
}
