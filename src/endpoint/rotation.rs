//! [`Rotation`]: an account changes who runs its endpoint.
//!
//! Does not edit device lists: it says what has to be in the next one.

use super::disclosure::{Disclosure, VerifiedDisclosure};
use super::error::RotationError;
use crate::device::Custody;
use crate::disclosure::DisclosureHash;
use crate::keys::IdentityKey;

/// What the account's next device list has to say, in one step: the old endpoint's device is removed, the new one's added.
///
/// A peer that sees that list gets [`LabelEvent`](super::LabelEvent) and
/// [`ClosedEndpoint`](super::ClosedEndpoint): it closes its sessions with the old key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The device whose entry goes.
    pub revoke: IdentityKey,
    /// The device whose entry comes.
    pub install: IdentityKey,
    /// Its custody.
    pub custody: Custody,
    /// Its disclosure.
    pub disclosure: DisclosureHash,
}

impl Rotation {
    /// P-11.19. Checks that `new` can take the place of `old`: a new key, that nobody held before, with a disclosure of its own.
    ///
    /// # Errors
    ///
    /// [`RotationError`].
    pub fn plan(old: &Disclosure, new: &VerifiedDisclosure) -> Result<Self, RotationError> {
        let next = new.disclosure();
        if next.account() != old.account() {
            return Err(RotationError::OtherAccount);
        }
        if next.endpoint().signing() == old.endpoint().signing()
            || next.endpoint().agreement() == old.endpoint().agreement()
        {
            return Err(RotationError::SameEndpoint);
        }
        if next.sequence() != 1 {
            return Err(RotationError::NotFirst);
        }
        let (revoke, install) = (*old.endpoint(), *next.endpoint());
        Ok(Self { revoke, install, custody: next.terms().custody, disclosure: new.hash() })
    }
}
