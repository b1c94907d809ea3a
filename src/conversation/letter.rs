//! [`Letter`]: what one device of a group has for one other, carried in the session between the two
//! (docs/spec/conversations.md, section 12.12).

use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use rand_core::CryptoRng;

use super::frame::Kind;
use super::name::MessageId;
use super::{Conversation, DeviceAddress, MAX_BODY, SendError, Side};
use crate::account::Account;
use crate::device::AccountKey;
use crate::hosting::Blocked;
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

/// A device of a member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberDevice {
    /// The account whose device it is.
    pub account: AccountKey,
    /// The index of the device in its account's list; 0 is the primary.
    pub device: u32,
    /// The identity of the device, with which it has sessions.
    pub identity: IdentityKey,
}

/// What a group has for one device of a member: give it to the conversation with that account
/// ([`Conversation::send_letter`]), which encrypts it in the session with exactly that device.
pub struct Letter {
    to: MemberDevice,
    body: Zeroizing<Vec<u8>>,
}

impl Letter {
    pub(crate) const fn new(to: MemberDevice, body: Zeroizing<Vec<u8>>) -> Self {
        Self { to, body }
    }

    /// Returns the device that it is for.
    #[must_use]
    pub const fn to(&self) -> &MemberDevice {
        &self.to
    }

    #[cfg(test)]
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Does not show what it says.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, body } = self;
        f.debug_struct("Letter").field("to", to).field("length", &body.len()).finish()
    }
}

/// A letter that arrived, with the device that wrote it, as the confirmed session authenticates it.
#[derive(PartialEq, Eq)]
pub struct ReceivedLetter {
    from: MemberDevice,
    side: Side,
    body: Zeroizing<Vec<u8>>,
}

impl ReceivedLetter {
    pub(super) const fn new(from: MemberDevice, side: Side, body: Zeroizing<Vec<u8>>) -> Self {
        Self { from, side, body }
    }

    /// Returns the device that wrote it.
    #[must_use]
    pub const fn from(&self) -> &MemberDevice {
        &self.from
    }

    /// The device that wrote it, as the conversation names it.
    pub(super) const fn address(&self) -> DeviceAddress {
        DeviceAddress { side: self.side, index: self.from.device }
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}

/// Does not show what it says.
impl fmt::Debug for ReceivedLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, side: _, body } = self;
        f.debug_struct("ReceivedLetter").field("from", from).field("length", &body.len()).finish()
    }
}

impl Conversation {
    /// Says whether the peer is in a group with the local account. While it is, [letters](Letter) and acknowledgements go
    /// to its devices, also if the user has not accepted the peer as a contact, and a letter of the peer is no message
    /// request. `false` at first. Requirement P-12.51.
    pub fn set_shares_group(&mut self, shares: bool) {
        if self.shares_group != shares {
            self.shares_group = shares;
            self.touch();
            if shares && !self.accepted {
                for link in self.links.values_mut() {
                    link.answer_all();
                }
            }
        }
    }

    /// Keeps a letter of a group for the device that it is for, like a message: [`flush`](Self::flush) sends it until the
    /// device has acknowledged it. The peer [shares a group](Self::set_shares_group) from then on.
    ///
    /// Of the 64 messages that a conversation keeps, 32 may be letters, and a letter never takes the place of a message:
    /// what is given up its receiver asks for. Nobody is told of that, nor that a letter was delivered. What the label says
    /// of the peer's hosted devices keeps no letter from those that it holds itself. Requirements P-12.63 and P-12.64.
    ///
    /// # Errors
    ///
    /// [`SendError::UnknownDevice`] if the letter is for no device of the peer, or, in the conversation with oneself, for no
    /// other own one; otherwise [`SendError`]. On error the state is unchanged.
    pub fn send_letter(
        &mut self,
        account: &Account,
        letter: &Letter,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<MessageId, SendError> {
        let Letter { to, body } = letter;
        self.check_own(account, now)?;
        if body.len() > MAX_BODY {
            return Err(SendError::TooLong);
        }
        if self.inbox.is_overfull() {
            return Err(SendError::InboxFull);
        }
        if to.account != *self.peer.account() {
            return Err(SendError::UnknownDevice);
        }
        let mut devices = self.devices(account);
        let (device, entry) =
            devices.find(|(_, entry)| *entry.identity() == to.identity).ok_or(SendError::UnknownDevice)?;
        if device.side == Side::Peer {
            if self.unacknowledged {
                return Err(SendError::IdentityChanged);
            }
            // P-12.57: of the peer's hosted devices, only to those that the user agrees to.
            if let Some(disclosure) = entry.terms().disclosure() {
                let permit = self.label.permit(now).map_err(SendError::Blocked)?;
                if !permit.allows(entry.identity(), Some(disclosure)) {
                    return Err(SendError::Blocked(Blocked::Unknown));
                }
            }
        }
        drop(devices);
        // From here on nothing fails.
        self.touch();
        self.set_shares_group(device.side == Side::Peer || self.shares_group);
        Ok(self.keep(account, (Kind::Letter, body), &[device], now, &mut rng))
    }
}
