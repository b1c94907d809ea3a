//! Hosted members of groups: who of a group's devices gets its keys.
//!
//! Does not know groups or their events: it gives them what has to be signed.

use alloc::vec::Vec;

use super::disclosure::VerifiedDisclosure;
use super::evidence::EndpointDevice;
use crate::codec::{Malformed, Reader, Writer};
use crate::device::AccountKey;
use crate::disclosure::{self, DisclosureHash};
use crate::keys::IdentityKey;

/// A hosted device in a group: what a signed group event has to name before the device gets any of the group's keys, so that
/// all members see it (docs/protocol.md, section 11.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostedMember {
    account: AccountKey,
    endpoint: IdentityKey,
    disclosure: DisclosureHash,
}

impl HostedMember {
    /// Bytes of one in a group event.
    pub const LENGTH: usize = 160;

    /// The member that a disclosure describes. Another disclosure is another member: it needs an event of its own.
    #[must_use]
    pub fn new(disclosure: &VerifiedDisclosure) -> Self {
        let described = disclosure.disclosure();
        Self { account: *described.account(), endpoint: *described.endpoint(), disclosure: disclosure.hash() }
    }

    /// `account key ‖ endpoint key ‖ disclosure hash`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { account, endpoint, disclosure } = self;
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.bytes(&account.to_bytes()).bytes(&endpoint.to_bytes()).bytes(disclosure.as_bytes());
        writer.finish()
    }

    /// Reads what a group event names; `None` where it is not one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let read = |mut reader: Reader<'_>| -> Result<Self, Malformed> {
            let account = AccountKey::from_identity(super::read_key(&mut reader)?);
            let endpoint = super::read_key(&mut reader)?;
            let disclosure = disclosure::read(&mut reader)?;
            reader.finish()?;
            Ok(Self { account, endpoint, disclosure })
        };
        read(Reader::new(bytes)).ok()
    }
}

/// P-11.22. Whether a device gets a group's keys and messages: one that its account holds does; a hosted one only where a
/// signed group event named it under the disclosure in force. `announced` is what those events named.
#[must_use]
pub fn may_receive_in_group(account: &AccountKey, device: &EndpointDevice<'_>, announced: &[HostedMember]) -> bool {
    if device.custody.is_own_held() {
        return device.disclosure.is_none();
    }
    device.disclosure.is_some_and(|disclosure| {
        announced.contains(&HostedMember { account: *account, endpoint: device.key, disclosure })
    })
}
