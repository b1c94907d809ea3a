//! Hosted members of groups: which devices get a group's keys (docs/spec/hosting.md, section 11.6).
//!
//! Groups themselves are not here: this gives them the bytes that a signed event has to contain.

use alloc::vec::Vec;

use super::disclosure::VerifiedDisclosure;
use super::encoding::read_key;
use super::label::HostedDevice;
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::disclosure::{self, DisclosureHash};

/// A hosted device in a group. A signed group event must name it before the device gets any of the group's keys, so that all
/// members learn of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostedMember {
    account: AccountKey,
    device: IdentityKey,
    disclosure: DisclosureHash,
}

impl HostedMember {
    /// Bytes of a hosted member in a group event.
    pub const LENGTH: usize = 160;

    /// The member that a disclosure describes. A new disclosure makes a new member, which needs an event of its own.
    #[must_use]
    pub fn new(disclosure: &VerifiedDisclosure) -> Self {
        let described = disclosure.disclosure();
        Self { account: *described.account(), device: *described.device(), disclosure: disclosure.hash() }
    }

    /// `account key ‖ device key ‖ disclosure hash`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { account, device, disclosure } = self;
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.bytes(&account.to_bytes()).bytes(&device.to_bytes()).bytes(disclosure.as_bytes());
        writer.finish()
    }

    /// Reads the member that a group event names; `None` if the bytes do not encode one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::decode(bytes).ok()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let account = AccountKey::from_identity(read_key(&mut reader)?);
        let device = read_key(&mut reader)?;
        let disclosure = disclosure::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { account, device, disclosure })
    }
}

/// Returns whether `device` of `account` gets a group's keys and messages. A device that the account holds itself does.
/// A hosted device does only if a signed group event named it under the disclosure in force; `announced` lists the
/// members that such events named. P-11.20.
#[must_use]
pub fn may_receive_in_group(account: &AccountKey, device: &HostedDevice<'_>, announced: &[HostedMember]) -> bool {
    if device.custody.is_own_held() {
        return device.disclosure.is_none();
    }
    device.disclosure.is_some_and(|disclosure| {
        announced.contains(&HostedMember { account: *account, device: device.key, disclosure })
    })
}
