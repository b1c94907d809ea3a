//! Names: of a conversation, of a message in it, and of the devices at its two ends.
//!
//! Does not know keys: whose device an address means is looked up in a verified device list.

use crate::device::AccountKey;
use crate::labels;
use bisik_core::primitives::kdf::digest;

bisik_core::id! {
    /// The name of a conversation: 16 bytes that follow from the two account keys, equal on both sides
    /// (docs/spec/conversations.md, section 12.1). Anyone who knows both accounts can compute it: it names, and protects
    /// nothing.
    pub struct ConversationId;
    /// The name that a record is kept under. Only the record of that very conversation opens with it.
    pub fn from_bytes(bytes);
    /// The 16 bytes.
    pub fn as_bytes();
}

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
}

bisik_core::id! {
    /// The name of a message: 16 random bytes, drawn by its sender, the same for all devices that it goes to. A relay sees it.
    pub struct MessageId;
    /// The name that came with a message.
    pub fn from_bytes(bytes);
    /// The 16 bytes.
    pub fn as_bytes();
    /// A new name from 16 bytes of `rng`.
    pub fn generate(rng);
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
