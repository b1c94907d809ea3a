//! Addresses: the id of a conversation, and the devices of both accounts.

use crate::device::AccountKey;
use crate::labels;
use bisik_core::convert;
use bisik_core::primitives::kdf::digest;

bisik_core::id! {
    /// The id of a conversation: 16 bytes derived from the two account keys, equal on both sides
    /// ([section 12.1](crate::manual::spec::conversations#121-accounts-and-devices)). Anyone who knows both accounts
    /// can compute it; it is no secret.
    pub struct ConversationId;
    /// Creates the id from stored bytes, to look up a record. Only the record of this conversation opens with it.
    pub fn from_bytes(bytes);
    /// Returns the 16 bytes.
    pub fn as_bytes();
}

impl ConversationId {
    /// Returns the id of the conversation between two accounts, in either order.
    #[must_use]
    pub fn between(one: &AccountKey, other: &AccountKey) -> Self {
        Self::of(&one.to_bytes(), &other.to_bytes())
    }

    /// The id of the conversation between two accounts, if these are their keys.
    pub(super) fn of(one: &[u8; AccountKey::LENGTH], other: &[u8; AccountKey::LENGTH]) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self(convert::first(&digest(&[labels::CONVERSATION_ID, first, second])))
    }
}

/// One of the two accounts of a conversation: the peer's, or the local one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// A device of the peer's account.
    Peer,
    /// Another device of the local account.
    Own,
}

/// A device of a conversation, as seen from the local account.
///
/// ```
/// use bisik::conversation::{DeviceAddress, Side};
///
/// let their_phone = DeviceAddress::peer(0); // the first device of an account
/// let my_laptop = DeviceAddress::own(1);
/// assert_eq!((their_phone.side, my_laptop.side), (Side::Peer, Side::Own));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress {
    /// The account that the device belongs to.
    pub side: Side,
    /// The index in that account's device list; 0 is the primary.
    pub index: u32,
}

impl DeviceAddress {
    /// A device of the peer's account.
    #[must_use]
    pub const fn peer(index: u32) -> Self {
        Self { side: Side::Peer, index }
    }

    /// Another device of the local account.
    #[must_use]
    pub const fn own(index: u32) -> Self {
        Self { side: Side::Own, index }
    }
}
