//! [`Rotation`]: an account changes the operator of its hosted device (docs/spec/hosting.md, section 11.8).

use super::disclosure::{Disclosure, VerifiedDisclosure};
use crate::device::Custody;
use crate::keys::IdentityKey;
use bisik_core::disclosure::DisclosureHash;

/// What the account's next device list must contain: the old device is removed and the new one added in one step.
///
/// A peer that observes that list gets a [`LabelEvent`](super::LabelEvent) and a [`ClosedDevice`](super::ClosedDevice), and
/// closes its sessions with the old key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The device to remove from the list.
    pub revoke: IdentityKey,
    /// The device to add to the list.
    pub install: IdentityKey,
    /// The custody of the new device.
    pub custody: Custody,
    /// The disclosure of the new device.
    pub disclosure: DisclosureHash,
}

impl Rotation {
    /// Checks that `new` can replace `old`: it must have a new key and the first disclosure of that key. P-11.23.
    ///
    /// # Errors
    ///
    /// [`RotationError`].
    pub fn plan(old: &Disclosure, new: &VerifiedDisclosure) -> Result<Self, RotationError> {
        let next = new.disclosure();
        if next.account() != old.account() {
            return Err(RotationError::OtherAccount);
        }
        if next.device().signing() == old.device().signing() || next.device().agreement() == old.device().agreement() {
            return Err(RotationError::SameDevice);
        }
        if next.sequence() != 1 {
            return Err(RotationError::NotFirstDisclosure);
        }
        let (revoke, install) = (*old.device(), *next.device());
        Ok(Self { revoke, install, custody: next.terms().custody, disclosure: new.hash() })
    }
}

/// Why one hosted device cannot replace another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationError {
    /// The two disclosures belong to different accounts.
    OtherAccount,
    /// The devices share a key, which the old operator still holds.
    SameDevice,
    /// The new disclosure is not the first of its device's key.
    NotFirstDisclosure,
}

bisik_core::error_texts! {
    RotationError {
        OtherAccount => "hosting.rotation.other_account", "the two disclosures belong to different accounts";
        SameDevice => "hosting.rotation.same_device", "the old operator holds a key of the new device";
        NotFirstDisclosure => "hosting.rotation.not_first_disclosure",
            "the new disclosure is not the first of its device";
    }
}
